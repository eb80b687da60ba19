"""`ReplyView`, the Python end of the widget's protocol, with a comm that notes what is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm

from metask_magic.display.view import (
    KEYFRAME_FROM,
    LONGEST_BODY,
    ReplyView,
    connected_kernel_id,
    utf16_length,
)
from metask_magic.messages.events import Step


class NotedComm(BaseComm):
    """A comm with nobody at its other end."""

    opened: list[NotedComm] = []  # noqa: RUF012 - the tests' own register

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.messages: list[tuple[str, Any]] = []
        super().__init__(*arguments, **options)
        NotedComm.opened.append(self)

    def publish_msg(self, msg_type: str, data: Any = None, *_: Any, **__: Any) -> None:
        # As a kernel would send it: text must survive JSON and UTF-8.
        self.messages.append((msg_type, json.loads(json.dumps(data, ensure_ascii=False).encode())))
        self._reply_subshell_id = "main"  # as ipykernel 7.4.0 does


@pytest.fixture(autouse=True)
def _noted_comms(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(comm, "create_comm", NotedComm)
    monkeypatch.setattr("metask_magic.display.view.connected_kernel_id", lambda: "kernel-id")
    NotedComm.opened.clear()
    yield
    ReplyView.close_all()


class Page:
    """What the page has got of a view, and says to it."""

    def __init__(self, view: ReplyView) -> None:
        self.view = view
        self.comm = NotedComm.opened[-1]

    @property
    def received(self) -> list[dict[str, Any]]:
        datas = [data for kind, data in self.comm.messages if kind == "comm_msg"]
        return [data["content"] for data in datas if data["method"] == "custom"]

    @property
    def initial_state(self) -> dict[str, Any]:
        [opening] = [data for kind, data in self.comm.messages if kind == "comm_open"]
        state: dict[str, Any] = opening["state"]
        return state

    def say(self, **content: Any) -> None:
        self._hear({"method": "custom", "content": content})

    def ask_for_state(self) -> Any:
        self._hear({"method": "request_state"})
        return self.comm.messages[-1][1]["state"]["state"]

    def _hear(self, data: dict[str, Any]) -> None:
        self.comm.handle_msg({"content": {"data": data}, "buffers": []})


def column(**about: object) -> dict[str, object]:
    empty = {
        "text": "",
        "reasoning": "",
        "steps": [],
        "start": 0,
        "status": "waiting",
        "note": "",
        "detail": "",
    }
    return {**empty, **about}


def open_view(*columns: str, **options: Any) -> tuple[ReplyView, Page]:
    view = ReplyView(columns or ("gpt-x",), **options)
    return view, Page(view)


def test_the_page_learns_who_replies() -> None:
    view, page = open_view("a", "b")
    state = page.initial_state
    assert state["columns"] == ["a", "b"]
    assert state["state"] == [column(), column()]
    assert state["session"] == view.session
    assert view.session != ReplyView(["a"]).session
    assert state["kernel_id"] == "kernel-id"
    assert "initialize" in state["_esm"]


def test_the_page_finds_where_it_stands() -> None:
    """By the cell, and by the model's id, which it cannot ask for."""
    view, page = open_view(cell="c1")
    assert (page.initial_state["cell"], page.initial_state["session"]) == ("c1", view.model_id)


def test_a_page_that_has_missed_the_record_asks_for_it() -> None:
    view, page = open_view()
    page.say(type="record")
    assert page.received == []
    view.keep({"text/plain": "all"}, {"a": 1}, "It broke.")
    assert page.received == []  # others have got it
    page.say(type="record")
    record = {"data": {"text/plain": "all"}, "metadata": {"a": 1}, "note": "It broke."}
    assert page.received == [{"type": "record", **record}]


def test_the_kernel_is_known_by_its_connection_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert connected_kernel_id() == ""  # no kernel runs here
    monkeypatch.setattr("ipykernel.connect.get_connection_file", lambda: "/somewhere/kernel-12ab-cd.json")
    assert connected_kernel_id() == "12ab-cd"
    monkeypatch.setattr("ipykernel.connect.get_connection_file", lambda: "/somewhere/mine.json")
    assert connected_kernel_id() == ""


def test_nothing_is_sent_before_flush_nor_without_news() -> None:
    view, page = open_view()
    view.flush()
    view.update(0, text="one")
    assert page.received == []
    view.flush()
    view.flush()
    view.update(0, status="waiting", note="", text="", reasoning="")
    view.flush()
    assert page.received == [{"type": "delta", "text": [[0, 0, "one"]]}]


def test_one_message_holds_what_is_new_in_every_column() -> None:
    view, page = open_view("a", "b")
    view.update(0, text="one", status="streaming", detail="1 s")
    view.update(1, reasoning="hm", note="Rate limited: waiting 3 s")
    view.update(0, text=" two", detail="2 s")
    view.flush()
    view.update(0, text=" three", status="stop")
    view.flush()
    assert page.received == [
        {
            "type": "delta",
            "text": [[0, 0, "one two"]],
            "reasoning": [[1, 0, "hm"]],
            "status": [
                [0, {"status": "streaming", "detail": "2 s"}],
                [1, {"note": "Rate limited: waiting 3 s"}],
            ],
        },
        {"type": "delta", "text": [[0, 7, " three"]], "status": [[0, {"status": "stop"}]]},
    ]


@pytest.mark.parametrize(
    ("pieces", "offsets", "text"),
    [
        (["a", "🙂", "b"], [0, 1, 3], "a🙂b"),
        (["👩‍👩‍👧", "漢", "x"], [0, 8, 9], "👩‍👩‍👧漢x"),
        (["a\r\nb", "\r", "\n\rc"], [0, 3, 4], "a\nb\nc"),
        (["a\ud83d", "\ude42b", "c"], [0, 1, 4], "a🙂bc"),
        (["a\ud83d", "b", "c"], [0, 1, 3], "a\ufffdbc"),
        (["\ude42", "\ud83d\ud83d\ude42", "c"], [0, 1, 4], "\ufffd\ufffd🙂c"),
    ],
)
def test_offsets_count_what_javascript_counts(pieces: list[str], offsets: list[int], text: str) -> None:
    view, page = open_view()
    for piece in pieces:
        view.update(0, text=piece)
        view.flush()
    sent = [piece for message in page.received for piece in message["text"]]
    assert [offset for _, offset, _ in sent] == offsets[: len(sent)]
    assert "".join(piece for _, _, piece in sent) == text
    for _, offset, piece in sent:
        before = text.encode("utf-16-le")[: 2 * offset].decode("utf-16-le")
        assert text.startswith(before + piece)
    assert view.snapshot() == [column(text=text)]


def test_utf16_length() -> None:
    assert [utf16_length(text) for text in ("", "abc", "ä", "漢", "🙂")] == [0, 3, 1, 1, 2]


def test_a_keyframe_follows_when_the_text_has_grown_by_half() -> None:
    view, page = open_view("a", "b")

    def keyframe_follows(size: int) -> bool:
        before = len(page.received)
        view.update(0, text="x" * size)
        view.flush()
        return [message["type"] for message in page.received[before:]] == ["delta", "keyframe"]

    assert not keyframe_follows(KEYFRAME_FROM - 1)
    assert keyframe_follows(1)
    assert not keyframe_follows(KEYFRAME_FROM // 2 - 1)
    assert keyframe_follows(1)
    assert page.received[-1]["state"] == [column(text="x" * (KEYFRAME_FROM * 3 // 2)), column()]


def test_ten_thousand_pieces_cost_little_more_than_their_text() -> None:
    view, page = open_view()
    for _ in range(10_000):
        view.update(0, text="word ")
        view.flush()
    sent = sum(len(json.dumps(message)) for message in page.received if message["type"] == "keyframe")
    assert sent < 4 * 50_000


def bytes_sent(chunks: int) -> int:
    """What the page gets of eight replies of so many chunks, ten of each a message."""
    view, page = open_view(*"abcdefgh")
    for _ in range(chunks // 10):
        for at in range(8):
            view.update(at, text="a word " * 10, status="streaming")
        view.flush()
    return len(json.dumps(page.received))


@pytest.mark.parametrize("chunks", [500, 700, 1_000, 1_400, 2_000])
def test_the_traffic_of_many_columns_grows_as_their_text(chunks: int) -> None:
    assert bytes_sent(2 * chunks) < 2.3 * bytes_sent(chunks)


def test_steps_are_sent_once_and_keep_their_places() -> None:
    view, page = open_view("a", "b")
    shown = [{"title": f"f({n})", "body": str(n), "failed": n == 2} for n in range(3)]
    steps = [Step(f"f({n})", str(n), failed=n == 2) for n in range(3)]
    view.add_step(1, steps[0])
    view.add_step(1, steps[1])
    view.flush()
    view.add_step(1, steps[2])
    view.flush()
    view.flush()
    assert page.received == [
        {"type": "delta", "steps": [[1, 0, shown[0]], [1, 1, shown[1]]]},
        {"type": "delta", "steps": [[1, 2, shown[2]]]},
    ]
    assert page.ask_for_state() == [column(), column(steps=shown)]


def test_what_of_a_step_cannot_be_sent_is_left_out() -> None:
    view, _ = open_view()
    view.add_step(0, Step("a\ud83d", "x" * (LONGEST_BODY + 1000)))
    [state] = view.snapshot()
    assert state["steps"][0]["title"] == "a\ufffd"
    assert state["steps"][0]["body"].endswith("x\n… 1,000 characters more")


def test_a_text_that_gives_way_keeps_its_offsets() -> None:
    view, page = open_view()
    view.update(0, text="wr🙂ng")
    view.flush()
    view.update(0, text=", not sent\ud83d")
    view.give_way(0)
    view.update(0, text="right")
    view.flush()
    assert page.received[1:] == [
        {"type": "delta", "text": [[0, 6, ", not sentright"]], "status": [[0, {"start": 16}]]}
    ]
    assert page.ask_for_state() == [column(text="wr🙂ng, not sentright", start=16)]


def test_a_late_view_gets_the_text_so_far_sent_or_not() -> None:
    view, page = open_view()
    view.update(0, text="sent", status="streaming")
    view.flush()
    view.update(0, text=", not sent", reasoning="hm")
    assert page.ask_for_state() == [column(text="sent, not sent", reasoning="hm", status="streaming")]


def test_hello_is_answered_and_a_resync_brings_a_keyframe() -> None:
    view, page = open_view()
    view.update(0, text="so far")
    page.say(type="hello")
    page.say(type="resync")
    assert page.received == [{"type": "ack"}, {"type": "keyframe", "state": [column(text="so far")]}]


def test_stop_reaches_its_callback_for_columns_there_are() -> None:
    stopped: list[int | None] = []
    _, page = open_view("a", "b", on_stop=stopped.append)
    for which in (1, None, 2, -1, "0", 0.5, 0):
        page.say(type="stop", column=which)
    assert stopped == [1, None, 0]


def test_what_nobody_understands_is_passed_over() -> None:
    _, page = open_view()
    page.say(type="stop", column=0)
    page.say(type="dance")
    page.say()
    assert page.received == []


def test_replies_are_never_pinned_to_the_busy_shell() -> None:
    view, page = open_view()
    assert "_reply_subshell_id" not in vars(page.comm)
    view.update(0, text="x")
    view.flush()
    page.say(type="hello")
    assert len(page.received) == 2
    assert "_reply_subshell_id" not in vars(page.comm)


def test_a_closed_view_is_silent() -> None:
    view, page = open_view()
    view.close()
    view.update(0, text="x")
    view.flush()
    assert page.received == []
