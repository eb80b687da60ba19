"""Replies as real gateways send them: framed, cut into chunks, counted and ended in many ways."""

from __future__ import annotations

import gzip
import json
from typing import Any

from .answers import CUT, Bytes, Chunk, Comment, Delta, Event, Page, Reasoning, Streamed, ToolCall
from .shape import Shape, chunk, events, raw, text

_HI = (text("Hel"), text("lo"), chunk({}, "stop"))
_DONE = b"data: [DONE]\n\n"
_WHOLE = {
    "id": "c",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
}


def _as(content_type: str, body: bytes) -> Shape:
    return Shape(raw(body, *([f"Content-Type: {content_type}"] if content_type else [])), "Hello")


def _ends(reason: str | None, says: str, ours: str = "stop", **facts: Any) -> Shape:
    answer = Streamed(["So far"], finish_reason=reason, done=reason is not None)
    return Shape(answer, "So far", ours, says, native=reason, **facts)


def _empty(answer: Streamed, says: str, reason: str = "stop", **facts: Any) -> Shape:
    return Shape(answer, "", reason, f"> Empty: {says}", **facts)


FRAMING = {
    "single newlines": Shape(Streamed([Bytes(events(*_HI, end=b"\n"))], None, role_chunk=False), "Hello"),
    "single newlines, never closed": Shape(
        Streamed([Bytes(events(*_HI, end=b"\n"))], None, done=False, role_chunk=False), "Hello"
    ),
    "application/json": _as("application/json", events(*_HI) + _DONE),
    "application/json, single newlines": _as("application/json", events(*_HI, b"[DONE]", end=b"\n")),
    "text/plain": _as("text/plain; charset=utf-8", events(*_HI) + _DONE),
    "octets": _as("application/octet-stream", events(*_HI) + _DONE),
    "no content type": _as("", events(*_HI) + _DONE),
    "no content type, single newlines": _as("", events(*_HI, end=b"\n")),
    "a comment first": _as("text/plain", b": hello\n\n" + events(*_HI) + _DONE),
    "blank lines first": _as("text/plain", b"\r\n\n" + events(*_HI) + _DONE),
    "CR LF": _as("text/event-stream", events(*_HI, end=b"\r\n\r\n")),
    "CR": _as("text/event-stream", events(*_HI, end=b"\r\r")),
    "no blank after data:": _as("text/event-stream", events(*_HI, before=b"data:")),
    "a byte order mark": _as("", b"\xef\xbb\xbf" + events(*_HI)),
    "event, id and retry": _as("", events(*_HI, before=b"event: chunk\nid: 7\nretry: 3\ndata: ")),
    "keep-alives": Shape(Streamed([Comment(), "Hel", Comment("ping"), "lo"]), "Hello"),
    "JSON over several lines": _as(
        "text/event-stream", events(*(b.replace(b', "model"', b',\ndata: "model"') for b in _HI))
    ),
    "gzip": Shape(
        raw(gzip.compress(events(*_HI) + _DONE), "Content-Type: text/event-stream", "Content-Encoding: gzip"),
        "Hello",
    ),
    "events after DONE": Shape(Streamed(["Hello", Bytes(_DONE + events(text(" no")))]), "Hello"),
    "no DONE": Shape(Streamed(["Hello"], done=False), "Hello"),
    "lines of JSON": _as("application/x-ndjson", b"\n".join(_HI)),
    "lines of JSON, then DONE": _as("text/plain", b"\n".join((*_HI[:2], b"[DONE]"))),
    "cut without a reason, in words": Shape(
        Streamed([Bytes(events(chunk({"content": "So far"}, "null"))), CUT]),
        "So far",
        error="StreamCutError",
        says="The connection was cut",
    ),
}

CHUNKS = {
    "no choices at first": Shape(
        Streamed([Chunk({"choices": [], "prompt_filter_results": [{}]}), "Hello"]), "Hello"
    ),
    "choices null or missing": Shape(Streamed([Chunk({"choices": None}), Event({}), "Hello"]), "Hello"),
    "delta null or missing": Shape(
        Streamed([Chunk({"choices": [{"index": 0, "delta": None}]}), Chunk({"choices": [{}]}), "Hello"]),
        "Hello",
    ),
    "role repeated": Shape(Streamed([Delta({"role": "assistant", "content": "Hello"})]), "Hello"),
    "nothing for a reason": Shape(
        Streamed([Chunk({"choices": [{"delta": {"content": "Hello"}, "finish_reason": ""}]})]), "Hello"
    ),
    "message for delta": Shape(Streamed([Chunk({"choices": [{"message": {"content": "Hello"}}]})]), "Hello"),
    "text of a completion": Shape(
        Streamed([Chunk({"choices": [{"index": 0, "text": "Hel"}]}), Chunk({"choices": [{"text": "lo"}]})]),
        "Hello",
    ),
    "content in parts": Shape(
        Streamed([Delta({"content": [{"type": "text", "text": "Hel"}, {"text": "lo"}]})]), "Hello"
    ),
    "a second choice": Shape(
        Streamed(["Hello", Chunk({"choices": [{"index": 1, "delta": {"content": "no"}}]})]), "Hello"
    ),
    "content after the end": Shape(Streamed([Bytes(events(chunk({}, "stop"))), "Hello"], None), "Hello"),
    "a second choice without index": Shape(
        Page({"choices": [{"message": {"content": "Hello"}}, {"message": {"content": "no"}}]}), "Hello"
    ),
    "null for id, model, created": Shape(
        Streamed([Chunk({"id": None, "model": None, "created": None, "choices": []}), "Hello"]), "Hello"
    ),
    "a pair of surrogates apart": Shape(
        Streamed([Bytes(events(text("@").replace(b"@", half))) for half in (rb"\ud83d", rb"\ude00")]), "😀"
    ),
    "events of another kind between": Shape(
        Streamed(["Hel", Event({"type": "ping"}), Event({"code": "00000", "msg": "ok"}), "lo"]), "Hello"
    ),
    "NaN": Shape(
        Streamed([Bytes(b'data: {"t": NaN, "choices": [{"delta": {"content": "Hello"}}]}\n\n')]), "Hello"
    ),
}

NOT_STREAMED = {
    "a whole reply": Shape(Page(_WHOLE), "Hello"),
    "a whole reply as text": Shape(Page(_WHOLE, content_type="text/plain"), "Hello"),
    "a whole reply as a stream": Shape(Page(_WHOLE, content_type="text/event-stream"), "Hello"),
    "a whole completion": Shape(
        Page({"choices": [{"index": 0, "text": "Hello", "finish_reason": "length"}]}),
        "Hello",
        "length",
        "> Cut off",
    ),
    "a whole reply that was cut": Shape(
        Page({"choices": [{"message": {"content": "So far"}, "finish_reason": "MAX_TOKENS"}]}),
        "So far",
        "length",
        r"(MAX\_TOKENS)",
        native="MAX_TOKENS",
    ),
}

_COUNTED = {"usage.prompt_tokens": 11, "usage.completion_tokens": 7}

USAGE_REPORTS = {
    "in each chunk": Shape(
        Streamed([Chunk({"choices": [{"delta": {"content": "Hello"}}], "usage": {"completion_tokens": 1}})]),
        "Hello",
        facts=_COUNTED,
    ),
    "in the last": Shape(Streamed(["Hello"]), "Hello", facts=_COUNTED),
    "none": Shape(Streamed(["Hello"], usage=None), "Hello", facts={"usage is None": True}),
    "null in it": Shape(
        Streamed(["Hello"], usage={"prompt_tokens": 11, "completion_tokens": None}),
        "Hello",
        facts={"usage.prompt_tokens": 11, "usage.completion_tokens is None": True},
    ),
    "numbers as text": Shape(
        Streamed(["Hello"], usage={"prompt_tokens": "11", "completion_tokens": 7.0}), "Hello", facts=_COUNTED
    ),
}

ENDINGS = {
    "length": _ends(
        "length",
        "> Cut off at the limit of 200 tokens: raise --max-tokens, or ask it to go on.",
        "length",
        options="--max-tokens 200",
    ),
    **{
        word: _ends(word, rf"> Cut off at the model's limit of tokens ({told})", "length")
        for word, told in {"max_tokens": r"max\_tokens", "MAX_TOKENS": r"MAX\_TOKENS"}.items()
    },
    "model_length": _ends("model_length", "> Cut off at the model's limit of tokens", "length"),
    "content_filter": _ends(
        "content_filter", "> Cut off by the provider's content filter:", "content_filter"
    ),
    **{
        word: _ends(word, f"> Cut off by the provider's content filter ({word}):", "content_filter")
        for word in ("SAFETY", "RECITATION", "sensitive")
    },
    "insufficient_system_resource": _ends(
        "insufficient_system_resource", "> Broken off by the provider (insufficient", "incomplete"
    ),
    "a word of its own": _ends("tired", "> It ended for a reason that is not known here (tired)"),
    **{word: _ends(word, "") for word in ("stop", "STOP", "eos", "end_turn")},
    "no end at all": _ends(None, "> Perhaps cut off: the stream ended without saying", "incomplete"),
    "a refusal": Shape(
        Streamed([Delta({"refusal": "I can't "}), Delta({"refusal": "help."})]),
        "I can't help.",
        says="> The model refused to answer",
        facts={"refusal": "I can't help."},
    ),
    "length, then stop": Shape(
        Streamed(["So far", Bytes(events(chunk({}, "length")))]),
        "So far",
        "length",
        "> Cut off at the model's limit of tokens",
        native="length",
    ),
    "a refusal among parts": Shape(
        Streamed([Delta({"content": [{"type": "refusal", "refusal": "I can't help."}]})]),
        "I can't help.",
        says="> The model refused to answer",
    ),
    "empty": _empty(Streamed([]), "the gateway sent no text"),
    "empty, filtered": Shape(
        Streamed([], "content_filter"), "", "content_filter", "> Withheld by the provider's content filter"
    ),
    "empty, all reasoning": _empty(
        Streamed([Reasoning("Hm.")], "length"), "all 7 tokens went into its reasoning", "length"
    ),
    "empty, reasoned": _empty(
        Streamed([Reasoning("Hm.")]), "all 7 tokens went into its reasoning, and no answer"
    ),
    "empty, no end": _empty(Streamed([], None, done=False), "the stream ended without saying", "incomplete"),
    "empty, cut": _empty(
        Streamed([], "length"), "cut off at the limit of 1 token", "length", options="--max-tokens 1"
    ),
    "a call nobody makes": Shape(
        Streamed([ToolCall(0, "{}", "c1", "look_up")], "tool_calls"),
        "",
        "tool_calls",
        r"> The model asks to call look\_up, and nobody did",
    ),
    "a call, and a clean end": Shape(
        Streamed(["Let me see.", ToolCall(0, "{}", "c1", "look_up")]),
        "Let me see.",
        says=r"> The model asks to call look\_up, and nobody did",
    ),
    "the call of old": Shape(
        Streamed([Delta({"function_call": {"name": "look_up", "arguments": '{"a": 1}'}})], "function_call"),
        "",
        "tool_calls",
        r"> The model asks to call look\_up",
        native="function_call",
    ),
}

REASONING = {
    name: Shape(Streamed([Delta({name: value}), "Hello"]), "Hello", facts={"reasoning": "Hm."})
    for name, value in {
        "reasoning_content": "Hm.",
        "reasoning": "Hm.",
        "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}],
        "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}],
    }.items()
}


def _calls(*chunks: Any, reason: str | None = "tool_calls", text: str = "Rain.", days: int = 2) -> Shape:
    """Each chunk is the pieces of calls in it; what they call is `look_up`."""
    answer = Streamed([Delta({"tool_calls": pieces}) for pieces in chunks], reason)
    told = f'look_up(city="Paris", days={days})'
    return Shape(answer, text, facts={"steps[0].title": told}, options="-T look_up", then=Streamed([text]))


def _piece(arguments: Any = "", name: str | None = None, **facts: Any) -> dict[str, Any]:
    return facts | {"function": {"name": name, "arguments": arguments}}


_PARIS = '{"city": "Paris", "days": 2}'
_FIRST = _piece("", "look_up", index=0, id="c1")

TOOLS = {
    "as OpenAI sends them": _calls([_FIRST], [_piece(_PARIS[:9], index=0)], [_piece(_PARIS[9:], index=0)]),
    "no index": _calls([_piece("", "look_up", id="c1")], [_piece(_PARIS)]),
    "an index from 1": _calls([_FIRST | {"index": 1}], [_piece(_PARIS, index=1)]),
    "two calls with one index": _calls(
        [_piece(_PARIS, "look_up", index=0, id="c1")], [_piece(_PARIS, "look_up", index=0, id="c2")]
    ),
    "null in what goes on": _calls([_FIRST], [_piece(_PARIS, index=0, id=None)]),
    "nothing in what goes on": _calls([_FIRST], [_piece(_PARIS, "", index=0, id="")]),
    "arguments as an object": _calls([_piece(json.loads(_PARIS), "look_up", index=0, id="c1")]),
    "arguments as JSON in JSON": _calls([_piece(json.dumps(_PARIS), "look_up", index=0, id="c1")]),
    "no id": _calls([_piece(_PARIS, "look_up", index=0)]),
    "stop": _calls([_piece(_PARIS, "look_up", index=0, id="c1")], reason="stop"),
    "no reason": _calls([_piece(_PARIS, "look_up", index=0, id="c1")], reason=None),
    "the call of old": Shape(
        Streamed([Delta({"function_call": {"name": "look_up", "arguments": _PARIS}})], "function_call"),
        "Rain.",
        facts={"steps[0].title": 'look_up(city="Paris", days=2)'},
        options="-T look_up",
        then=Streamed(["Rain."]),
    ),
    "whole": Shape(
        Page(
            {
                "choices": [
                    {
                        "message": {"content": None, "tool_calls": [_piece(_PARIS, "look_up", id="c1")]},
                        "finish_reason": "tool_calls",
                    }
                ]
            }
        ),
        "Rain.",
        facts={"steps[0].title": 'look_up(city="Paris", days=2)'},
        options="-T look_up",
        then=Streamed(["Rain."]),
    ),
    "ignored": Shape(Streamed(["Rain."]), "Rain.", facts={"steps": ()}, options="-T look_up"),
}
"""They need a function `look_up(city: str, days: int)` that returns `Rain`."""
