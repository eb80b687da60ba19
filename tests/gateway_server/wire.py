"""The bytes of a reply: server-sent events of `chat.completion.chunk`, or one `chat.completion`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from .answers import Bytes, Chunk, Comment, Delta, Event, Fault, Gate, Part, Reasoning, Streamed, ToolCall

CREATED = 1_750_000_000

Step: TypeAlias = bytes | Gate | Fault


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def iter_stream(answer: Streamed, request: Mapping[str, Any]) -> Iterator[Step]:
    """What to write, one write each, with the gates and the fault in between."""
    envelope = _envelope(answer, request, "chat.completion.chunk")
    with_usage = bool((request.get("stream_options") or {}).get("include_usage")) and answer.usage is not None
    if with_usage:
        envelope["usage"] = None
    if answer.role_chunk:
        yield _chunk(envelope, {"role": "assistant", "content": ""})
    for part in answer.parts:
        yield _step(part, envelope)
    if answer.finish_reason is not None:
        yield _chunk(envelope, {}, answer.finish_reason)
    if with_usage:
        yield _event(envelope | {"choices": [], "usage": dict(answer.usage or {})})
    if answer.done:
        yield b"data: [DONE]\n\n"


def completion(answer: Streamed, request: Mapping[str, Any]) -> bytes:
    """The same reply as a plain body; an `Event` in the script (an error object) is the body itself."""
    events = [part for part in answer.parts if isinstance(part, Event)]
    if events:
        return dumps(events[0].data)
    choice = {"index": 0, "message": _message(answer), "finish_reason": answer.finish_reason}
    body = _envelope(answer, request, "chat.completion") | {"choices": [choice]}
    if answer.usage is not None:
        body["usage"] = dict(answer.usage)
    return dumps(body)


def usage_in(written: bytes) -> Mapping[str, Any] | None:
    """The `usage` object in one event, or in a plain body; None where there is none."""
    try:
        usage = json.loads(written.removeprefix(b"data: ")).get("usage")
    except (ValueError, AttributeError):
        return None
    return usage if isinstance(usage, Mapping) else None


def _envelope(answer: Streamed, request: Mapping[str, Any], kind: str) -> dict[str, Any]:
    model = answer.model or request.get("model")
    return {"id": "chatcmpl-made-up", "object": kind, "created": CREATED, "model": model}


def _event(data: Any, name: str | None = None) -> bytes:
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + dumps(data) + b"\n\n"


def _chunk(envelope: dict[str, Any], delta: Mapping[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": dict(delta), "finish_reason": finish_reason}
    return _event(envelope | {"choices": [choice]})


def _step(part: Part, envelope: dict[str, Any]) -> Step:
    match part:
        case str():
            return _chunk(envelope, {"content": part})
        case Reasoning(text):
            return _chunk(envelope, {"reasoning_content": text})
        case ToolCall():
            return _chunk(envelope, {"tool_calls": [_tool_call_delta(part)]})
        case Delta(fields):
            return _chunk(envelope, fields)
        case Chunk(fields):
            return _event(envelope | dict(fields))
        case Event(data, name):
            return _event(data, name)
        case Comment(text):
            return f": {text}\n\n".encode()
        case Bytes(data):
            return data
        case Gate() | Fault():
            return part


def _tool_call_delta(call: ToolCall) -> dict[str, Any]:
    first = {"id": call.id, "type": "function"} if call.id is not None else {}
    function = {"arguments": call.arguments} | ({"name": call.name} if call.name is not None else {})
    return {"index": call.index, **first, "function": function}


def _message(answer: Streamed) -> dict[str, Any]:
    text = "".join(part for part in answer.parts if isinstance(part, str))
    reasoning = "".join(part.text for part in answer.parts if isinstance(part, Reasoning))
    calls = _whole_calls(answer)
    message: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
    if reasoning:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = calls
    for name, value in (
        item for part in answer.parts if isinstance(part, Delta) for item in part.fields.items()
    ):
        both_text = isinstance(value, str) and isinstance(message.get(name), str)
        message[name] = message[name] + value if both_text else value
    return message


def _whole_calls(answer: Streamed) -> list[dict[str, Any]]:
    calls: dict[int, dict[str, Any]] = {}
    for part in answer.parts:
        if isinstance(part, ToolCall):
            function = {"name": part.name, "arguments": ""}
            call = calls.setdefault(part.index, {"id": part.id, "type": "function", "function": function})
            call["function"]["arguments"] += part.arguments
    return [calls[index] for index in sorted(calls)]
