"""Pieces of tool calls, and the calls they make: as OpenAI streams them, and as others do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from metask_magic.chat.reply import ReplyBuilder
from metask_magic.gateway.decode import StreamDecoder
from metask_magic.gateway.tool_calls import ToolCallStream
from metask_magic.messages.events import ToolCallDelta
from metask_magic.messages.request import Message, Request

from .test_decode import fail


def piece(arguments: Any = "", name: Any = None, **facts: Any) -> dict[str, Any]:
    return facts | {"function": {"name": name, "arguments": arguments}}


# Each inner list is one chunk's `tool_calls`.
OPENAI = [
    [piece("", "f", index=0, id="a")],
    [piece('{"x"', index=0)],
    [piece(": 1}", index=0)],
    [piece("", "g", index=1, id="b")],
    [piece("{}", index=1)],
]
TWO = [("a", "f", '{"x": 1}'), ("b", "g", "{}")]
WHOLE_F, WHOLE_G = piece('{"x": 1}', "f"), piece("{}", "g")

STREAMS: dict[str, tuple[list[list[Any]], list[tuple[str, str, str]]]] = {
    "OpenAI": (OPENAI, TWO),
    "one chunk": ([[WHOLE_F | {"index": 0, "id": "a"}, WHOLE_G | {"index": 1, "id": "b"}]], TWO),
    "interleaved": ([OPENAI[0], OPENAI[3], OPENAI[1], OPENAI[4], OPENAI[2]], TWO),
    "second index first": ([OPENAI[3], OPENAI[4], *OPENAI[:3]], TWO),
    "index as text": (
        [
            [piece('{"x"', "f", index="0", id="a")],
            [piece("{}", "g", index="1", id="b")],
            [piece(": 1}", index="0")],
        ],
        TWO,
    ),
    "no index, a call a chunk": ([[WHOLE_F | {"id": "a"}], [WHOLE_G | {"id": "b"}]], TWO),
    "no index, in pieces": (
        [
            [piece("", "f", id="a")],
            [piece('{"x"')],
            [piece(": 1}")],
            [piece("", "g", id="b")],
            [piece("{}")],
        ],
        TWO,
    ),
    "no index, id repeated": (
        [[piece('{"x"', "f", id="a")], [piece(": 1}", id="a")], [piece("{}", "g", id="b")]],
        TWO,
    ),
    "no index, ids interleaved": (
        [[piece('{"x"', "f", id="a")], [piece("{}", "g", id="b")], [piece(": 1}", id="a")]],
        TWO,
    ),
    "no index, one chunk": ([[WHOLE_F | {"id": "a"}, WHOLE_G | {"id": "b"}]], TWO),
    "null index": (
        [[WHOLE_F | {"index": None, "id": "a"}], [WHOLE_G | {"index": None, "id": "b"}]],
        TWO,
    ),
    "index 0 for all": ([[WHOLE_F | {"index": 0, "id": "a"}], [WHOLE_G | {"index": 0, "id": "b"}]], TWO),
    "index 0 for all, in pieces": (
        [
            [piece('{"x"', "f", index=0, id="a")],
            [piece(": 1}", index=0)],
            [piece("{", "g", index=0, id="b")],
            [piece("}", index=0)],
        ],
        TWO,
    ),
    "index 0 for all, then 1": (
        [
            [piece("{}", "f", index=0, id="a")],
            [piece("{}", "f", index=0, id="b")],
            [piece("{}", "g", index=1, id="c")],
        ],
        [("a", "f", "{}"), ("b", "f", "{}"), ("c", "g", "{}")],
    ),
    "no ids": ([[WHOLE_F | {"index": 0}], [WHOLE_G | {"index": 1}]], [("", *call[1:]) for call in TWO]),
    "no ids, no index": ([[WHOLE_F], [WHOLE_G]], [("", *call[1:]) for call in TWO]),
    "no ids, no index, one chunk": ([[WHOLE_F, WHOLE_G]], [("", *call[1:]) for call in TWO]),
    "no ids, no index, the same twice": ([[WHOLE_F], [WHOLE_F]], [("", "f", '{"x": 1}')] * 2),
    "no ids, no index, no arguments": (
        [[piece("", "f"), piece("", "f")]],
        [("", "f", "")] * 2,
    ),
    "name repeated": (
        [[piece('{"x"', "f", index=0, id="a")], [piece(": 1}", "f", index=0)]],
        TWO[:1],
    ),
    "empty name later": (
        [[piece('{"x"', "f", index=0, id="a")], [piece(": 1}", "", index=0, id="")]],
        TWO[:1],
    ),
    "id later": ([[piece('{"x"', "f", index=0)], [piece(": 1}", index=0, id="a")]], TWO[:1]),
    "arguments as an object": ([[piece({"x": 1}, "f", index=0, id="a")]], TWO[:1]),
    "arguments as an empty object": ([[piece({}, "g", index=0, id="b")]], TWO[1:]),
    "arguments in Chinese": ([[piece({"x": "巴黎"}, "f", id="a")]], [("a", "f", '{"x": "巴黎"}')]),
    "null arguments": ([[piece(None, "f", index=0, id="a")], [piece('{"x": 1}', index=0)]], TWO[:1]),
    "null function": (
        [[{"index": 0, "id": "a", "function": None}], [piece('{"x": 1}', "f", index=0)]],
        TWO[:1],
    ),
    "id as a number": ([[piece("{}", "f", index=0, id=7)]], [("7", "f", "{}")]),
    "no index a number can hold": ([[piece("{}", "f", index="9" * 5000, id="a")]], [("a", "f", "{}")]),
}


@pytest.mark.parametrize(("chunks", "expected"), STREAMS.values(), ids=STREAMS)
def test_calls(chunks: list[list[Any]], expected: list[tuple[str, str, str]]) -> None:
    decoder = StreamDecoder(fail)
    builder = ReplyBuilder(Request("m", (Message("user", "Hi"),)))
    for chunk in chunks:
        data = {"choices": [{"index": 0, "delta": {"tool_calls": chunk}}]}
        for event in decoder.feed(b"data: " + json.dumps(data).encode() + b"\n\n"):
            builder.feed(event)
    assert [(call.id, call.name, call.arguments) for call in builder.build().tool_calls] == expected


def test_an_index_is_the_position() -> None:
    stream = ToolCallStream()
    assert list(stream.iter_deltas([piece("{}", "f", index=2, id="c")])) == [ToolCallDelta(2, "c", "f", "{}")]
