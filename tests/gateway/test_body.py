"""A body, whatever its type says: how it begins decides; what breaks off is rescued; bounds hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from metask_magic.errors import MetaskError, UnreadableReplyError
from metask_magic.gateway.body import Body
from metask_magic.messages.events import Event, Finished, TextDelta

from .test_decode import DONE, HI, fail, text

WHOLE = json.dumps({"choices": [{"message": {"content": "Hi"}, "finish_reason": "length"}]}).encode()
LINE = json.dumps({"choices": [{"delta": {"content": "H"}}]}).encode()


class NothingError(MetaskError):
    """What a body that is no reply gives here."""


def new_body() -> Body:
    return Body(fail, lambda body: NothingError(body.decode("utf-8", "replace")))


def events_of(body: bytes, size: int = 1 << 20) -> list[Event]:
    decoder = new_body()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [event for event in [*events, *decoder.flush()] if isinstance(event, TextDelta | Finished)]


BODIES: dict[str, tuple[bytes, list[Event]]] = {
    "a stream": (text("Hi") + DONE, [HI, Finished("stop")]),
    "a stream after blanks": (b"\r\n\n" + text("Hi"), [HI]),
    "a stream after a mark": (b"\xef\xbb\xbf" + text("Hi"), [HI]),
    "a stream after a comment": (b":\n\n" + text("Hi"), [HI]),
    "a stream after a field": (b"event: x\n" + text("Hi"), [HI]),
    "DONE alone": (DONE, [Finished("stop")]),
    "DONE alone, no blank line": (b"data: [DONE]\n", [Finished("stop")]),
    "a reply": (WHOLE, [HI, Finished("length")]),
    "a reply after blanks and a mark": (b"\xef\xbb\xbf \n" + WHOLE, [HI, Finished("length")]),
    "a reply that says no end": (
        b'{"choices": [{"message": {"content": "Hi"}}]}',
        [HI, Finished("stop")],
    ),
    "a reply in a list": (b"[" + WHOLE + b"]", [HI, Finished("length")]),
    "lines of JSON, then DONE": (
        LINE + b"\n" + LINE + b"\n[DONE]",
        [*[TextDelta("H")] * 2, Finished("stop")],
    ),
    "lines of JSON": (LINE + b"\n\n" + LINE + b"\r\n", [TextDelta("H"), TextDelta("H")]),
}


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
@pytest.mark.parametrize(("body", "events"), BODIES.values(), ids=BODIES)
def test_bodies(body: bytes, events: list[Event], size: int) -> None:
    assert events_of(body, size) == events


@pytest.mark.parametrize(
    "body",
    [b"", b" \n", b"<html>", b"data", b"5", b'["x"]', b'{"a": 1}\n{"a"', b"date: x\n\n", b'{"choices": []}'],
)
def test_what_is_no_reply(body: bytes) -> None:
    with pytest.raises(NothingError) as caught:
        events_of(body)
    assert caught.value.message == body.decode()


@pytest.mark.parametrize("body", [b": ping\n\n", b"id: 1\n\n", b"data\n\n"])
def test_a_stream_of_nothing(body: bytes) -> None:
    with pytest.raises(NothingError):
        events_of(body)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'event: start\ndata: {"type": "start"}\n\ndata: {"type": "end"}\n\n', '{"type": "start"}'),
        (b'data: "Quota used up."\n\ndata: [DONE]\n\n', '"Quota used up."'),
        (
            b'data: {"message": "No."}\n\n' + b'data: {"choices": [], "usage": {}}\n\n' + DONE,
            '{"message": "No."}',
        ),
        (
            b'{"message": {"content": "Hel"}}\n{"message": {"content": "lo"}}\n',
            '{"message": {"content": "Hel"}}',
        ),
    ],
)
def test_a_stream_of_something_else_is_quoted(body: bytes, told: str) -> None:
    with pytest.raises(NothingError) as caught:
        events_of(body)
    assert caught.value.message == told
    if DONE in body:  # after which nobody reads on
        with pytest.raises(NothingError):
            list(new_body().feed(body))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (WHOLE[: WHOLE.index(b"Hi") + 1], "H"),
        (WHOLE[:20], ""),
        (text("Hi").rstrip(), "Hi"),
        (text("Hi") + text("no")[:20], "Hi"),
        (b"", ""),
        (b'{"choices": 5', ""),
    ],
)
def test_what_broke_off_is_rescued(body: bytes, text: str) -> None:
    decoder = new_body()
    events: list[Any] = [*decoder.feed(body), *decoder.rescue()]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == text
    assert not any(isinstance(event, Finished) for event in events)


def test_a_whole_body_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metask_magic.gateway.body.LONGEST_REPLY", 100)
    decoder = new_body()
    list(decoder.feed(b'{"choices": [{"message": {"content": "So far'))
    with pytest.raises(UnreadableReplyError, match="a reply in one piece of more than 100 bytes"):
        list(decoder.feed(b"x" * 100))
    assert "So far" in "".join(e.text for e in decoder.rescue() if isinstance(e, TextDelta))
