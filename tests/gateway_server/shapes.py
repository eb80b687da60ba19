"""What real gateways send, as data: add a line, and the tests ask for it.

Each shape is an answer with what must come of it: the reply's text, how it ended, the line that says so
below the text; or the error's class, and what it and its remedy say.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .answers import Answer, Bytes, Chunk, Comment, Delta, Event, Page, Raw, Reasoning, Streamed, ToolCall
from .pages import html_page, rate_limited, refused


@dataclass(frozen=True)
class Shape:
    """An answer, and what a user must see of it. `says` is in the record, or in the error."""

    answer: Answer
    text: str = ""
    reason: str = "stop"
    says: str = ""
    error: str = ""
    native: str | None = None
    options: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def _chunk(delta: Any = None, reason: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason, **fields}
    return json.dumps(
        {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
    ).encode()


def _text(content: Any) -> bytes:
    return _chunk({"content": content})


def _events(*data: bytes, end: bytes = b"\n\n", before: bytes = b"data: ") -> bytes:
    return b"".join(before + each + end for each in data)


_HI = (_text("Hel"), _text("lo"), _chunk({}, "stop"))
_DONE = b"data: [DONE]\n\n"
_WHOLE = {
    "id": "c",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
}


def _raw(body: bytes, *headers: str, status: str = "200 OK") -> Raw:
    head = "".join(f"{header}\r\n" for header in (*headers, f"Content-Length: {len(body)}"))
    return Raw(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)


def _as(content_type: str, body: bytes) -> Shape:
    return Shape(_raw(body, *([f"Content-Type: {content_type}"] if content_type else [])), "Hello")


def _ends(reason: str | None, says: str, ours: str = "stop", **facts: Any) -> Shape:
    answer = Streamed(["So far"], finish_reason=reason, done=reason is not None)
    return Shape(answer, "So far", ours, says, native=reason, **facts)


def _empty(answer: Streamed, says: str, reason: str = "stop", **facts: Any) -> Shape:
    return Shape(answer, "", reason, f"> Empty: {says}", **facts)


FRAMING = {
    "single newlines": Shape(Streamed([Bytes(_events(*_HI, end=b"\n"))], None, role_chunk=False), "Hello"),
    "single newlines, never closed": Shape(
        Streamed([Bytes(_events(*_HI, end=b"\n"))], None, done=False, role_chunk=False), "Hello"
    ),
    "application/json": _as("application/json", _events(*_HI) + _DONE),
    "application/json, single newlines": _as("application/json", _events(*_HI, b"[DONE]", end=b"\n")),
    "text/plain": _as("text/plain; charset=utf-8", _events(*_HI) + _DONE),
    "octets": _as("application/octet-stream", _events(*_HI) + _DONE),
    "no content type": _as("", _events(*_HI) + _DONE),
    "no content type, single newlines": _as("", _events(*_HI, end=b"\n")),
    "a comment first": _as("text/plain", b": hello\n\n" + _events(*_HI) + _DONE),
    "blank lines first": _as("text/plain", b"\r\n\n" + _events(*_HI) + _DONE),
    "CR LF": _as("text/event-stream", _events(*_HI, end=b"\r\n\r\n")),
    "CR": _as("text/event-stream", _events(*_HI, end=b"\r\r")),
    "no blank after data:": _as("text/event-stream", _events(*_HI, before=b"data:")),
    "a byte order mark": _as("", b"\xef\xbb\xbf" + _events(*_HI)),
    "event, id and retry": _as("", _events(*_HI, before=b"event: chunk\nid: 7\nretry: 3\ndata: ")),
    "keep-alives": Shape(Streamed([Comment(), "Hel", Comment("ping"), "lo"]), "Hello"),
    "JSON over several lines": _as(
        "text/event-stream", _events(*(b.replace(b', "model"', b',\ndata: "model"') for b in _HI))
    ),
    "gzip": Shape(
        _raw(
            gzip.compress(_events(*_HI) + _DONE), "Content-Type: text/event-stream", "Content-Encoding: gzip"
        ),
        "Hello",
    ),
    "events after DONE": Shape(Streamed(["Hello", Bytes(_DONE + _events(_text(" no")))]), "Hello"),
    "no DONE": Shape(Streamed(["Hello"], done=False), "Hello"),
    "lines of JSON": _as("application/x-ndjson", b"\n".join(_HI)),
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
    "content after the end": Shape(Streamed([Bytes(_events(_chunk({}, "stop"))), "Hello"], None), "Hello"),
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
    }.items()
}

ERRORS_IN_200 = {
    "code and msg": Shape(
        Page({"code": 401, "msg": "令牌无效"}), error="AuthenticationError", says="(401): 令牌无效"
    ),
    "code as text": Shape(
        Page({"code": "403", "message": "No."}), error="PermissionDeniedError", says="(403): No."
    ),
    "a code of its own": Shape(
        Page({"code": 10013, "message": "No.", "data": None}), error="ServerError", says="(code 10013): No."
    ),
    "no success": Shape(Page({"success": False, "message": "No."}), error="ServerError", says="No."),
    "base_resp": Shape(
        Page({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}),
        error="ServerError",
        says="(code 1004): login fail",
    ),
    "error": Shape(
        Page({"error": {"message": "No.", "code": 429}}), error="RateLimitError", says="(429): No."
    ),
    "error as text": Shape(Page({"error": "No."}), error="ServerError", says="No."),
    "a prompt too long": Shape(
        Page({"error": {"message": "No.", "code": "context_length_exceeded"}}),
        error="ContextLengthError",
        says="No.",
    ),
    "event: error": Shape(
        Streamed(["So far", Event({"message": "No."}, "error")]), "So far", error="ServerError", says="No."
    ),
    "in the stream": Shape(
        Streamed(["So far", Event({"code": 500, "msg": "No."})]),
        "So far",
        error="ServerError",
        says="(500): No.",
    ),
    "in the stream, first": Shape(
        Streamed([Event({"success": False, "message": "No."})], role_chunk=False),
        error="ServerError",
        says="No.",
    ),
    "a page": Shape(html_page(200, "Log in"), error="UnreadableReplyError", says="“Log in Log in nginx”"),
    "JSON of another kind": Shape(Page({"hello": 1}), error="UnreadableReplyError", says='“{"hello": 1}”'),
    "text": Shape(
        Page(b"Quota used up.", content_type="text/plain"),
        error="UnreadableReplyError",
        says="“Quota used up.”",
    ),
    "text in the stream": Shape(
        Streamed(["So far", Bytes(b"data: Quota used up.\n\n")]),
        "So far",
        error="UnreadableReplyError",
        says="“Quota used up.”",
    ),
    "nothing": Shape(Page(b""), error="UnreadableReplyError", says="it is empty"),
    "hostile text": Shape(
        Page(b"\x1b[2J\x1b]0;x\x07<b>No.</b>\xe2\x80\xae", content_type="text/plain"),
        error="UnreadableReplyError",
        says="“]0;x<b>No.</b>”",
    ),
}

ERRORS_WITH_A_STATUS = {
    "text": Shape(
        Page(b"No.", 500, content_type="text/plain"), error="ServerError", says="(500): it answered"
    ),
    "a page": Shape(html_page(502), error="ServerError", says="“502 Bad Gateway 502 Bad Gateway nginx”"),
    "nothing": Shape(Page(b"", 500), error="ServerError", says="(500): it gave no reason"),
    "detail": Shape(Page({"detail": "No."}, 422), error="BadRequestError", says="(422): No."),
    "details": Shape(
        Page({"detail": [{"msg": "No."}]}, 422), error="BadRequestError", says='[{"msg": "No."}]'
    ),
    "object: error": Shape(
        Page({"object": "error", "message": "No.", "code": 400}, 400),
        error="BadRequestError",
        says="(400): No.",
    ),
    "402": Shape(refused(402, "No."), error="PermissionDeniedError", says="Top the balance up"),
    "413": Shape(refused(413, "No."), error="BadRequestError", says="Send less"),
    "429, no quota": Shape(
        refused(429, "No.", code="insufficient_quota"), error="RateLimitError", says="The quota is used up"
    ),
    "429, a date": Shape(rate_limited("nonsense"), error="RateLimitError", says="Wait a little"),
    "503, nobody": Shape(
        refused(503, "当前分组 default 下对于模型 x 无可用渠道"),
        error="NotFoundError",
        says="Ask another model",
    ),
    "529": Shape(refused(529, "Overloaded."), error="ServerError", says="(529): Overloaded."),
    "temperature": Shape(
        refused(400, "Unsupported value: 'temperature' does not support 0.2.", param="temperature"),
        error="BadRequestError",
        says="leave --temperature out",
        options="--temperature 0.2",
    ),
    "temperature, unnamed": Shape(
        refused(400, "temperature is not supported with this model"),
        error="BadRequestError",
        says="leave --temperature out",
        options="--temperature 0.2",
    ),
    "another parameter": Shape(
        refused(400, "Unknown parameter: 'presence_penalty'."),
        error="BadRequestError",
        says="leave -p presence_penalty out",
        options="-p presence_penalty=1",
    ),
}

SHAPES: Mapping[str, Shape] = {
    f"{kind}: {name}": shape
    for kind, shapes in {
        "framing": FRAMING,
        "chunks": CHUNKS,
        "not streamed": NOT_STREAMED,
        "ending": ENDINGS,
        "reasoning": REASONING,
        "error in 200": ERRORS_IN_200,
        "error with a status": ERRORS_WITH_A_STATUS,
    }.items()
    for name, shape in shapes.items()
}
"""All of them; redirects and what must be asked twice have tests of their own."""
