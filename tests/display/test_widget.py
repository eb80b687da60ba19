"""The sink of a notebook: what each event makes of the view, and what the view is told at the end."""

from __future__ import annotations

from typing import Any

import pytest

from metask_magic.display.view import ReplyView
from metask_magic.display.widget import KEPT_VIEWS, WidgetSink
from metask_magic.messages.events import Continued, Ended, Event, Notice, Parsed, Step, Stepped, TextDelta
from metask_magic.messages.kinds import Format
from metask_magic.messages.record import Record

CALL = Step("f(x=1)", "2")
SHOWN = {"title": "f(x=1)", "body": "2", "failed": False}


@pytest.fixture(autouse=True)
def _no_displays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("IPython.display.display", lambda *_, **__: None)
    monkeypatch.setattr("IPython.display.update_display", lambda *_, **__: None)


def opened(format: Format = "markdown") -> WidgetSink:
    sink = WidgetSink(["m"], format=format)
    sink.open(lambda _column: None)
    return sink


def view_of(sink: WidgetSink) -> ReplyView:
    assert sink._view is not None
    return sink._view


def column(sink: WidgetSink) -> dict[str, Any]:
    """The reply as a page would find it; `answer` is what of its text counts."""
    [state] = view_of(sink).snapshot()
    return {**state, "answer": state["text"][state["start"] :]}


def shown(sink: WidgetSink, *events: Event) -> dict[str, Any]:
    for event in events:
        sink.show({0: [event]})
    return column(sink)


def test_steps_are_added_and_take_a_notice_away() -> None:
    sink = opened()
    assert shown(sink, Notice("Calling f."))["note"] == "Calling f."
    state = shown(sink, Stepped(CALL), Continued(()), TextDelta("a"), Parsed({}))
    assert (state["steps"], state["note"], state["answer"]) == ([SHOWN], "", "a")


def test_a_text_gives_way() -> None:
    state = shown(opened(), TextDelta("wrong"), Continued((), keep_text=False), TextDelta("right"))
    assert (state["text"], state["answer"]) == ("wrongright", "right")
    assert "5 characters" in state["detail"]


PIECES = ['{"a":1', ',"b":[', "2]}"]


@pytest.mark.parametrize("count", range(4))
def test_json_is_indented_and_completed_at_the_end(count: int) -> None:
    sink = opened("json")
    state = shown(sink, TextDelta("{no"), Continued((), keep_text=False), *map(TextDelta, PIECES[:count]))
    assert f"{sum(map(len, PIECES[:count]))} characters" in state["detail"]
    sink.close([Record("m", "".join(PIECES), "stop", format="json")])
    assert column(sink)["answer"] == '{\n  "a": 1,\n  "b": [\n    2\n  ]\n}'


def test_the_end_brings_what_was_not_shown() -> None:
    sink = opened()
    shown(sink, Stepped(CALL), TextDelta("so "))
    sink.close([Record("m", "so it is", "stop", steps=(CALL, Step("g()", "no", failed=True)))])
    state = column(sink)
    assert [step["title"] for step in state["steps"]] == ["f(x=1)", "g()"]
    assert (state["answer"], state["status"]) == ("so it is", "stop")


class Clock:
    """The seconds since the sink was made, as a test says."""

    now = 100.0

    def perf_counter(self) -> float:
        return self.now


def test_the_seconds_are_those_of_each_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("metask_magic.display.widget.time", clock)
    sink = WidgetSink(["m", "n", "o"])
    clock.now += 3
    sink.open(lambda _column: None)
    clock.now += 2
    sink.show({0: [TextDelta("a"), Ended("stop", "", "", 2.25)], 1: [TextDelta("b")]})

    def seconds() -> list[str]:
        return [state["detail"].partition(" · ")[0] for state in view_of(sink).snapshot()]

    assert seconds() == ["2.2 s", "5.0 s", ""]
    clock.now += 4
    sink.show({1: [Ended("stop", "", "", 8.75)], 2: [TextDelta("c")]})
    assert seconds() == ["2.2 s", "8.8 s", "9.0 s"]
    clock.now += 1
    monkeypatch.setattr("metask_magic.display.widget._retire", lambda _view: None)
    sink.close(
        [
            Record("m", "a", "stop", elapsed=2.25),
            Record("n", "b", "stop", elapsed=8.75),
            Record("o", "cd", "interrupted", elapsed=9.5),
        ]
    )
    assert seconds() == ["2.2 s", "8.8 s", "9.5 s"]
    assert "2 characters" in view_of(sink).snapshot()[2]["detail"]


@pytest.mark.parametrize(
    ("hello", "reaches"),
    [(None, False), ({}, False), ({"cells": False}, False), ({"cells": True}, True)],
)
def test_a_page_that_can_is_given_the_next_cell(
    hello: dict[str, Any] | None, reaches: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metask_magic.display.widget.HELLO_SECONDS", 0)
    sink = opened()
    sent: list[Any] = []
    monkeypatch.setattr(ReplyView, "send", lambda _view, message: sent.append(message))
    if hello is not None:
        view_of(sink)._receive(None, {"type": "hello", **hello}, None)
    sink.close([Record("m", "a", "stop")])
    assert sink.fill_next_cell("c1", "x = 1", "x = 0") is reaches
    message = {"type": "next_cell", "cell": "c1", "source": "x = 1", "known": "x = 0"}
    assert (sent[-1:] == [message]) is reaches


def test_without_a_view_there_is_no_next_cell() -> None:
    assert not WidgetSink(["m"]).fill_next_cell("c1", "x")


@pytest.mark.parametrize(("background", "kernel_id"), [(False, "k-1"), (True, "")])
def test_only_a_cell_that_runs_can_be_interrupted(
    background: bool, kernel_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metask_magic.display.view.connected_kernel_id", lambda: "k-1")
    sink = WidgetSink(["m"], background=background)
    sink.open(lambda _column: None)
    assert view_of(sink).kernel_id == kernel_id


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([Record("m", "a", "stop", note="Put below.")], "Put below."),
        ([Record("m", "a", "error", failure="It broke.")], "It broke."),
        ([Record("m", "a", "error", failure="It broke.", note="Kept in x.")], "It broke.\nKept in x."),
        ([Record("m", "a", "stop"), Record("n", "b", "error", failure="It broke.")], ""),
    ],
)
def test_the_record_is_kept_for_pages_that_miss_it(
    records: list[Record], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = WidgetSink([record.model for record in records])
    sink.open(lambda _column: None)
    sent: list[Any] = []
    monkeypatch.setattr(ReplyView, "send", lambda _view, message: sent.append(message))
    sink.close(records)
    view_of(sink)._receive(None, {"type": "record"}, None)
    kept = sent[-1]
    assert (kept["type"], kept["note"]) == ("record", said)
    assert kept["data"]["text/plain"].startswith("a" if len(records) == 1 else "### m")


def ended(count: int) -> list[ReplyView]:
    """Views that ended one after another."""
    sinks = [opened() for _ in range(count)]
    for sink in sinks:
        sink.close([Record("m", "a", "stop")])
    return [view_of(sink) for sink in sinks]


def test_the_last_views_stay_for_pages_that_come_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metask_magic.display.widget.LINGER_SECONDS", 0.0)
    views = ended(KEPT_VIEWS + 1)
    assert [view.comm is None for view in views] == [True] + [False] * KEPT_VIEWS


def test_views_that_ended_just_now_stay_however_many_there_are() -> None:
    assert not any(view.comm is None for view in ended(3 * KEPT_VIEWS))


def test_only_json_is_laid_out() -> None:
    source = '{"a":[1,2]}'
    assert shown(opened(), TextDelta(source))["answer"] == source
    assert shown(opened("json"), TextDelta(source))["answer"] == '{\n  "a": [\n    1,\n    2\n  ]\n}'


def test_the_place_holds_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_: shown.append(bundle))
    view = view_of(opened())
    about = {"version_major": 2, "version_minor": 0, "model_id": view.model_id}
    assert shown == [{"application/vnd.jupyter.widget-view+json": about, "text/plain": "m …"}]
