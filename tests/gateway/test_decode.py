"""The stream's decoder: every oddity a gateway can send, and the same events however the bytes are cut."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.errors import (
    AuthenticationError,
    BadRequestError,
    MetaskError,
    RateLimitError,
    ServerError,
    UnreadableReplyError,
)
from metask_magic.gateway import faults
from metask_magic.gateway.decode import StreamDecoder, iter_whole, parse
from metask_magic.messages.events import (
    Event,
    Finished,
    Noted,
    ReasoningDelta,
    RefusalDelta,
    Served,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReported,
)

DONE = b"data: [DONE]\n\n"
BROKEN = b'data: {"choices": [{"delta"\n\n'


def fail(said: Any) -> MetaskError:
    return faults.told(said, faults.Asked("some-model", "https://gateway.invalid/v1", "the environment"), {})


def event(data: Any) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def choice(*, index: Any = 0, finish_reason: Any = None, **delta: Any) -> bytes:
    return event({"choices": [{"index": index, "delta": delta, "finish_reason": finish_reason}]})


def text(content: Any) -> bytes:
    return choice(content=content)


def calls(*entries: Any) -> bytes:
    return choice(tool_calls=list(entries))


def decode(*pieces: bytes) -> list[Event]:
    decoder = StreamDecoder(fail)
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + list(decoder.flush())


HI = TextDelta("Hi")
H_I: list[Event] = [TextDelta("H"), TextDelta("i")]
OTHERS = Noted("The gateway sent more than one answer, unasked: all but the first were left out.")

STREAMS: dict[str, tuple[bytes, list[Event]]] = {
    "nothing": (b"", []),
    "a text": (text("Hi") + choice(finish_reason="stop") + DONE, [HI, Finished("stop")]),
    "model, once": (event({"model": "a"}) + event({"model": "b"}), [Served("a", None)]),
    "model with ANSI": (event({"model": "\x1b[31ma\nb"}), [Served("a b", None)]),
    "no choices": (event({"choices": []}) + event({"choices": None}) + text("Hi"), [HI]),
    "null content": (text(None) + text("") + text("Hi"), [HI]),
    "no delta": (event({"choices": [{"index": 0, "delta": None}]}) + text("Hi"), [HI]),
    "message for delta": (event({"choices": [{"message": {"content": "Hi"}}]}), [HI]),
    "no index": (choice(index=None, content="Hi"), [HI]),
    "other choices": (choice(index=1, content="no", finish_reason="length") * 2 + text("Hi"), [OTHERS, HI]),
    "text of a completion": (
        event({"choices": [{"text": "Hi", "index": 0, "finish_reason": "length"}]}),
        [HI, Finished("length")],
    ),
    "text beside an empty delta": (event({"choices": [{"delta": {"content": None}, "text": "Hi"}]}), [HI]),
    "text once": (event({"choices": [{"delta": {"content": "Hi"}, "text": "no"}]}), [HI]),
    "reasoning in details": (
        choice(reasoning_details=[{"text": "H"}, {"summary": "m"}, {"data": "x"}, 5]),
        [ReasoningDelta("Hm")],
    ),
    "the call of old": (
        choice(content=None, function_call={"name": "f", "arguments": '{"a"'})
        + choice(function_call={"arguments": ": 1}"})
        + choice(finish_reason="function_call"),
        [ToolCallDelta(0, "", "f", '{"a"'), ToolCallDelta(0, "", "", ": 1}"), Finished("function_call")],
    ),
    "the call of old beside that of now": (
        choice(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f"}}], function_call={"name": "no"}),
        [ToolCallDelta(0, "c", "f", "")],
    ),
    "a reason of its own": (choice(finish_reason="\x1b[31mMAX\nTOKENS"), [Finished("MAX TOKENS")]),
    "a reason without end": (choice(finish_reason="x" * 1000), [Finished("x" * 59 + "…")]),
    "single newlines": ((text("H") + text("i") + DONE).replace(b"\n\n", b"\n"), [*H_I, Finished("stop")]),
    "single newlines, no end": ((text("H") + text("i")).replace(b"\n\n", b"\n"), H_I),
    "single newlines, then double": (text("H").rstrip() + b"\n" + text("i"), H_I),
    "single newlines, comments between": (text("H").rstrip() + b"\n: hi\n" + text("i"), H_I),
    "no blank line before DONE": (text("Hi").rstrip() + b"\ndata: [DONE]\n", [HI, Finished("stop")]),
    "a chunk with a good code": (event({"code": 0, "msg": "ok", "choices": []}) + text("Hi"), [HI]),
    "a chunk that says how it goes": (event({"status": "queued", "message": "3 before you"}), []),
    "MiniMax's chunk": (
        event({"choices": None, "base_resp": {"status_code": 0, "status_msg": ""}}) + text("Hi"),
        [HI],
    ),
    "reasoning": (choice(reasoning_content="Hm") + text("Hi"), [ReasoningDelta("Hm"), HI]),
    "reasoning, other name": (choice(reasoning="Hm"), [ReasoningDelta("Hm")]),
    "refusal": (choice(refusal="I won't"), [TextDelta("I won't"), RefusalDelta("I won't")]),
    "parts": (text([{"type": "text", "text": "H"}, {"type": "image"}, "?", {"text": "i"}]), H_I),
    "thinking among the parts": (
        text([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, {"text": "Hi"}]),
        [ReasoningDelta("Hm"), HI],
    ),
    "a refusal among the parts": (
        text([{"type": "refusal", "refusal": "No."}]),
        [TextDelta("No."), RefusalDelta("No.")],
    ),
    "two choices without index": (
        event({"choices": [{"message": {"content": "Hi"}}, {"message": {"content": "no"}}]}),
        [HI, OTHERS],
    ),
    "no reason, in words": (
        choice(content="H", finish_reason="null") + choice(content="i", finish_reason="None"),
        H_I,
    ),
    "a clean end after another": (
        choice(finish_reason="length") + choice(finish_reason="STOP"),
        [Finished("length")],
    ),
    "another end after a clean one": (
        choice(finish_reason="stop") + choice(finish_reason="length"),
        [Finished("stop"), Finished("length")],
    ),
    "usage": (
        event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}),
        [UsageReported(Usage(1, 2, 3))],
    ),
    "usage of no figures": (
        event({"usage": {"prompt_tokens": "x", "completion_tokens": True, "prompt_tokens_details": 5}}),
        [UsageReported(Usage())],
    ),
    "usage: null": (event({"usage": None}) + event({"usage": 5}), []),
    "call in pieces": (
        calls({"index": 2, "id": "c1", "function": {"name": "f", "arguments": ""}})
        + calls({"index": 2, "function": {"arguments": "{}"}}),
        [ToolCallDelta(2, "c1", "f", ""), ToolCallDelta(2, "", "", "{}")],
    ),
    "calls without index": (
        calls({"function": {"name": "f"}}, {"index": None, "function": None}),
        [ToolCallDelta(0, "", "f", ""), ToolCallDelta(1, "", "", "")],
    ),
    "no chunk": (b"".join(map(event, [None, 5, "Hi", [], {}])) + text("Hi"), [HI]),
    "DONE alone": (DONE, [Finished("stop")]),
    "DONE without blank": (b"data:[DONE]\n\n", [Finished("stop")]),
    "DONE with more": (b"data:  [DONE] bye\n\n", [Finished("stop")]),
    "DONE without end": (b"data: [DONE]", [Finished("stop")]),
    "DONE with CRs": (b"data: [DONE]\r\r", [Finished("stop")]),
    "DONE after length": (choice(finish_reason="length") + DONE, [Finished("length")]),
    "after DONE": (DONE + text("no") + BROKEN + DONE, [Finished("stop")]),
    "comments": (b": keep-alive\n\n:\n" + text("Hi") + b": data: no\n\n", [HI]),
    "other fields": (b"id: 1\nretry: 5\nevent: ping\ndatum: no\n" + text("Hi"), [HI]),
    "empty data": (b"data\n\ndata:\n\ndata: \ndata: \n\n" + text("Hi"), [HI]),
    "data in lines": (b'data: {"choices":\ndata: [{"delta":\ndata:{"content": "Hi"}}]}\n\n', [HI]),
    "a byte order mark": (b"\xef\xbb\xbf" + text("Hi"), [HI]),
    "a mark and a comment": (b"\xef\xbb\xbf: hello\n" + text("Hi"), [HI]),
    "a mark in the text": (text("\ufeff"), [TextDelta("\ufeff")]),
    "no end": (text("Hi").rstrip(), [HI]),
    "half an event": (text("Hi") + text("no")[:-9], [HI]),
    "half a pair": (text("Hi") + text("@").replace(b"@", b"\\ud83d"), [HI, TextDelta("?")]),
    "half a pair, and more": (text("@").replace(b"@", b"\\ud83d") + text("Hi"), [TextDelta("?"), HI]),
    "the other half": (text("@").replace(b"@", b"\\ude00!"), [TextDelta("?!")]),
    "a pair that was cut": (
        text("H@").replace(b"@", b"\\ud83d") + text("@i").replace(b"@", b"\\ude00"),
        [TextDelta("H"), TextDelta("😀i")],
    ),
    "a pair that was cut, far apart": (
        text("@").replace(b"@", b"\\ud83d") + event({"choices": []}) + text("@").replace(b"@", b"\\ude00"),
        [TextDelta("?"), TextDelta("?")],
    ),
    "a whole pair": (text("@").replace(b"@", b"\\ud83d\\ude00"), [TextDelta("😀")]),
    "no UTF-8": (text("@").replace(b"@", b"\xff"), [TextDelta("\ufffd")]),
    "a page": (b"<html>\n\n<body>data: no</body>\n</html>\n", []),
}  # fmt: skip

FAULTS: dict[str, tuple[bytes, type[MetaskError], str]] = {
    "broken JSON": (BROKEN, UnreadableReplyError, "unreadable"),
    "no JSON": (b"data: hello\n\n", UnreadableReplyError, "unreadable"),
    "endless JSON": (b"data: " + b"[" * 100_000 + b"\n\n", UnreadableReplyError, "unreadable"),
    "choices of no kind": (event({"choices": 5}), UnreadableReplyError, "unreadable"),
    "choice of no kind": (event({"choices": ["x"]}), UnreadableReplyError, "unreadable"),
    "delta of no kind": (event({"choices": [{"delta": "x"}]}), UnreadableReplyError, "unreadable"),
    "content of no kind": (text(5), UnreadableReplyError, "unreadable"),
    "calls of no kind": (calls("x"), UnreadableReplyError, "unreadable"),
    "error": (event({"error": {"message": "Out of memory."}}), ServerError, "Out of memory."),
    "error without blank lines": (
        b'event: error\ndata: {"message": "Oh"}\ndata: [DONE]\n',
        ServerError,
        "Oh",
    ),
    "error of a status": (event({"error": {"message": "No.", "code": 401}}), AuthenticationError, "No."),
    "code and msg": (event({"code": 429, "msg": "慢"}), RateLimitError, "慢"),
    "code of its own": (event({"code": 10013, "message": "慢"}), ServerError, r"\(code 10013\): 慢"),
    "no success": (event({"success": False, "message": "余额不足"}), ServerError, "余额不足"),
    "MiniMax": (
        event({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}),
        ServerError,
        r"\(code 1008\): insufficient balance",
    ),
    "vLLM": (
        event({"object": "error", "message": "Oh", "type": "BadRequestError", "code": 400}),
        BadRequestError,
        "Oh",
    ),
    "what it says is quoted": (b"data: \xe4\xbd\x99\xe9\xa2\x9d\n\n", UnreadableReplyError, "“余额”"),
    "error of a kind": (b"event: error\n" + event({"error": "Oh"}), ServerError, "Oh"),
    "error of no kind": (b"event: error\ndata:\n\n", ServerError, "it gave no reason"),
    "error of a choice": (
        event(
            {"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "Oh", "code": 502}}]}
        ),
        ServerError,
        r"\(502\): Oh",
    ),
}


@pytest.mark.parametrize(("data", "events"), STREAMS.values(), ids=STREAMS)
def test_streams(data: bytes, events: list[Event]) -> None:
    assert decode(data) == events


@pytest.mark.parametrize("end", [b"\r\n", b"\r"], ids=["CR LF", "CR"])
@pytest.mark.parametrize(("data", "events"), STREAMS.values(), ids=STREAMS)
def test_other_line_ends(data: bytes, events: list[Event], end: bytes) -> None:
    assert decode(data.replace(b"\n", end)) == events


STRAYS: dict[str, tuple[bytes, type[MetaskError], str]] = {
    "an error": (b'{"error": {"message": "Oh", "code": 502}}', ServerError, r"\(502\): Oh"),
    "an error in lines": (b'{\n  "code": 429,\n  "msg": "Oh"\n}\n', RateLimitError, "Oh"),
    "JSON": (b'{"hello": 1}\n', UnreadableReplyError, '“{"hello": 1}”'),
    "text": (b"Internal Server Error", UnreadableReplyError, "“Internal Server Error”"),
    "a page": (b"<html>\n<body>\n<p>Bad Gateway</p>\n", UnreadableReplyError, "“Bad Gateway”"),
}


@pytest.mark.parametrize(("stray", "error", "says"), STRAYS.values(), ids=STRAYS)
def test_last_words_of_a_stream_that_broke_off(stray: bytes, error: type[MetaskError], says: str) -> None:
    decoder = StreamDecoder(fail)
    assert list(decoder.feed(text("Hi") + stray)) == [HI]
    with pytest.raises(error, match=says):
        list(decoder.flush())
    with pytest.raises(error, match=says):
        decode(text("Hi") + text("no")[:-9] + b"\n" + stray)
    for end in (choice(finish_reason="stop"), DONE):
        assert decode(text("Hi") + stray + b"\n\n" + end) == [HI, Finished("stop")]


@pytest.mark.parametrize(("data", "error", "says"), FAULTS.values(), ids=FAULTS)
def test_what_came_before_a_fault_is_yielded(data: bytes, error: type[MetaskError], says: str) -> None:
    events = StreamDecoder(fail).feed(text("Hi") + data)
    assert next(events) == HI
    with pytest.raises(error, match=says):
        next(events)


@pytest.mark.parametrize(
    ("data", "done", "empty", "stranger"),
    [
        (b"", False, True, b""),
        (b": hello\n\n", False, True, b""),
        (b"<html>\n\n", False, True, b""),
        (event({}), False, True, b"{}"),
        (event("Hi") + event({"a": 1}), False, True, b'"Hi"'),
        (event({"choices": []}) + event({"usage": {}}), False, True, b""),
        (event({"type": "ping"}) + text("Hi"), False, False, b'{"type": "ping"}'),
        (text("Hi"), False, False, b""),
        (text("Hi") + DONE, True, False, b""),
        (text("Hi") + DONE[:-2], False, False, b""),
    ],
)
def test_how_it_stands(data: bytes, done: bool, empty: bool, stranger: bytes) -> None:
    decoder = StreamDecoder(fail)
    list(decoder.feed(data))
    assert (decoder.done, decoder.empty, decoder.stranger) == (done, empty, stranger)


ENDS = [b"\n", b"\r\n", b"\r"]
ENDS_BY_ITSELF = (b"[DONE]", b'"finish_reason": "')
ENDED = [
    data
    for data, _ in STREAMS.values()
    if data.endswith(b"\n\n") and not any(end in data for end in ENDS_BY_ITSELF)
]
WHOLE = b"".join(data.removeprefix(b"\xef\xbb\xbf") for data in ENDED) + text("né 元 😀") + DONE


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(
    st.lists(st.integers(0, 1 << 16), max_size=60), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.booleans()
)
def test_the_network_may_cut_anywhere(cuts: list[int], end: bytes, marked: bool) -> None:
    data = b"\xef\xbb\xbf" * marked + WHOLE.replace(b"\n", end)
    assert decode(*pieces(data, cuts)) == decode(WHOLE)


@pytest.mark.parametrize("end", ENDS)
def test_byte_by_byte(end: bytes) -> None:
    data = WHOLE.replace(b"\n", end)
    assert decode(*(data[i : i + 1] for i in range(len(data)))) == decode(WHOLE)
    assert decode(WHOLE)[-2:] == [TextDelta("né 元 😀"), Finished("stop")]


@given(st.binary(max_size=200), st.sampled_from([b"", b"data: ", b'data: {"choices":[{"delta":']))
def test_rubbish_is_no_crash(rubbish: bytes, before: bytes) -> None:
    with contextlib.suppress(MetaskError):
        decode(before + rubbish + b"\n\n")


NAMES = ["choices", "delta", "message", "content", "tool_calls", "function", "usage", "error", "index"]
FIELDS = st.sampled_from(NAMES)
JSON = st.recursive(
    st.sampled_from([None, True, 0, 1.5, "", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(FIELDS, JSON))
def test_any_shape_is_no_crash(chunk: dict[str, Any]) -> None:
    for shape in (chunk, {"choices": [chunk]}, {"choices": [{"delta": chunk}]}):
        try:
            events = decode(event(shape))
        except MetaskError:
            continue
        strings = [field for found in events if not isinstance(found, UsageReported) for field in found]
        assert all(isinstance(field, str | int | None) for field in strings)


@pytest.mark.parametrize(
    ("body", "events"),
    [
        ({}, [Served(None, None)]),
        (
            {"model": "a", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "usage": {}},
            [Served("a", None), HI, Finished("stop"), UsageReported(Usage())],
        ),
        (
            {"choices": [{"message": {"tool_calls": [{"id": "c", "function": {"name": "f"}}]}}]},
            [Served(None, None), ToolCallDelta(0, "c", "f", "")],
        ),
    ],
)
def test_whole_replies(body: dict[str, Any], events: list[Event]) -> None:
    assert list(iter_whole(body, fail)) == events


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": [1, null, "\xc3\xa9"]}', {"a": [1, None, "é"]}),
        (b'"\\udc00x"', "?x"),
        (b'{"\\ud800": "\\ud83d\\ude00"}', {"?": "😀"}),
        (b'"a\xff"', "a\ufffd"),
    ],
)
def test_parse(data: bytes, value: object) -> None:
    assert parse(data) == value


def test_a_line_that_is_not_ended_is_not_awaited() -> None:
    decoder = StreamDecoder(fail)
    begun = (text("H") + text("i")).replace(b"\n\n", b"\n")
    assert list(decoder.feed(begun)) == H_I  # the first time the next line tells; then it is known
    assert list(decoder.feed(text("!").rstrip() + b"\n")) == [TextDelta("!")]


@pytest.mark.parametrize(
    ("bound", "pieces", "says"),
    [
        ("LONGEST_LINE", [b"data: " + b"x" * 50, b"y" * 60], "a line of more than 100 bytes"),
        ("LONGEST_EVENT", [b"data: " + b"x" * 50 + b"\n"] * 3, "an event of more than 100 bytes"),
        ("LONGEST_REPLY", [text("x" * 40)] * 3, "a reply of more than 100 characters"),
        ("LONGEST_REPLY", [choice(reasoning="x" * 40)] * 3, "a reply of more than 100 characters"),
        ("LONGEST_REPLY", [choice(refusal="x" * 40)] * 3, "a reply of more than 100 characters"),
        (
            "LONGEST_REPLY",
            [calls({"index": 0, "function": {"arguments": "x" * 40}})] * 3,
            "a reply of more than 100 characters",
        ),
        ("LONGEST_REPLY", [calls({"index": at, "function": {}}) for at in range(101)], "a reply of more"),
    ],
)
def test_bounds(bound: str, pieces: list[bytes], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"metask_magic.gateway.decode.{bound}", 100)
    decoder = StreamDecoder(fail)
    assert list(decoder.feed(text("Hi"))) == [HI]
    with pytest.raises(UnreadableReplyError, match=says):
        list(itertools.chain.from_iterable(map(decoder.feed, pieces)))


@pytest.mark.parametrize(
    "data", ['{"error": {"message": "Overloaded."}}', '{"message": "Overloaded."}', '"Overloaded."']
)
def test_an_event_named_error_is_one(data: str) -> None:
    decoder = StreamDecoder(fail)
    with pytest.raises(ServerError, match=r"Overloaded\."):
        list(decoder.feed(f"event: error\ndata: {data}\n\n".encode()))
