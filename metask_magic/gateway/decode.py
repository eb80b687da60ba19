"""Bytes of a streamed reply in, events out. A small machine: feed it, then flush it.

The stream is one of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)
whose data are `chat.completion.chunk` objects, ended by `[DONE]`. Gateways that pass on other providers'
replies send more than OpenAI does; what is no event for us is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jiter

from ..chat.messages import (
    Event,
    Finished,
    ReasoningDelta,
    Served,
    TextDelta,
    Usage,
    UsageReported,
)
from ..errors import UnreadableReplyError
from ..words import plain
from .faults import broken_json, fault_in_stream
from .tool_calls import ToolCallStream

DONE = b"[DONE]"
BOM = b"\xef\xbb\xbf"


class StreamDecoder:
    """Decodes one reply's stream; every event is parsed once.

    `feed` and `flush` are generators: what came before something unreadable is yielded before it raises
    `UnreadableReplyError`, or `ServerError` where the server reports a failure in mid-stream.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._first = True
        self._data: list[bytes] = []
        self._failed = False
        self._named = False
        self._calls = ToolCallStream()
        self.finished = False
        """Whether the model has said why it stopped: no text comes after that."""
        self.done = False
        """Whether the server closed the stream properly."""
        self.empty = True
        """Whether no event has come yet."""

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield the events that `data` completes."""
        held = self._rest + data
        if b"\r" in held:
            # A lone CR may be half of a CR LF that the network cut in two.
            tail = b"\r" if held.endswith(b"\r") else b""
            held = held.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n") + tail
        lines = held.split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            yield from self._line(line)

    def flush(self) -> Iterator[Event]:
        """Yield the event that the stream ended in, if it is whole."""
        rest, self._rest = self._rest.rstrip(b"\r"), b""
        try:
            yield from self._line(rest)
            yield from self._line(b"")
        except UnreadableReplyError:
            return  # half an event: the reply is incomplete, which its missing end already says

    def _line(self, line: bytes) -> Iterator[Event]:
        if self._first:
            self._first, line = False, line.removeprefix(BOM)
        if not line:
            payload, self._data = b"\n".join(self._data), []
            failed, self._failed = self._failed, False
            if payload.strip():
                yield from self._event(payload, failed)
        elif line.startswith(b"data:"):
            self._data.append(line[5:].lstrip(b" "))
        elif line.startswith(b"event:"):
            self._failed = line[6:].strip() == b"error"

    def _event(self, payload: bytes, failed: bool) -> Iterator[Event]:
        if self.done:
            return
        if failed:
            raise fault_in_stream(_error_of(payload))
        if payload.startswith(DONE):
            self.done = True
            if not self.finished:
                yield Finished("stop")
            return
        try:
            for event in self._chunk(parse(payload)):
                self.finished = self.finished or isinstance(event, Finished)
                yield event
        except (AttributeError, TypeError):
            raise broken_json() from None  # JSON, but of no shape a chunk can have

    def _chunk(self, chunk: Any) -> Iterator[Event]:
        self.empty = False
        if not isinstance(chunk, Mapping):
            return
        if not self._named and (model := chunk.get("model")):
            self._named = True
            yield Served(plain(model), None)
        yield from iter_chunk(chunk, self._calls)


def _error_of(payload: bytes) -> Any:
    """What an event named `error` says, which is `{"error": …}` or the error itself."""
    said = parse(payload)
    return said.get("error", said) if isinstance(said, Mapping) else said


def parse(payload: bytes) -> Any:
    """Parse JSON; raises `UnreadableReplyError` where it is none."""
    try:
        return jiter.from_json(payload)
    except ValueError:
        return _parse_leniently(payload)


def _parse_leniently(payload: bytes) -> Any:
    """Parse what a strict parser refuses: halves of surrogate pairs, which some gateways cut apart."""
    try:
        text = payload.decode("utf-8", "replace")
        return json.loads(json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise broken_json() from None


def iter_whole(body: Any) -> Iterator[Event]:
    """Yield the events of a reply that came in one piece."""
    yield Served(plain(body["model"]) if body.get("model") else None, None)
    yield from iter_chunk(body, ToolCallStream())


def iter_chunk(chunk: Mapping[str, Any], calls: ToolCallStream) -> Iterator[Event]:
    """Yield the events of one chunk, or of a whole reply: they differ in `delta` against `message`."""
    if error := chunk.get("error"):
        raise fault_in_stream(error)
    for choice in chunk.get("choices") or ():
        if choice.get("index") in (0, None):
            yield from _iter_delta(choice.get("delta") or choice.get("message") or {}, calls)
            if reason := choice.get("finish_reason"):
                yield Finished(str(reason))
    if isinstance(usage := chunk.get("usage"), Mapping):
        yield UsageReported(Usage.from_json(usage))


def _iter_delta(delta: Mapping[str, Any], calls: ToolCallStream) -> Iterator[Event]:
    if text := delta.get("content"):
        yield TextDelta(text if isinstance(text, str) else _joined_parts(text))
    if reasoning := delta.get("reasoning_content") or delta.get("reasoning"):
        yield ReasoningDelta(str(reasoning))
    if refusal := delta.get("refusal"):
        yield TextDelta(str(refusal))
    yield from calls.iter_deltas(delta.get("tool_calls") or ())


def _joined_parts(parts: Any) -> str:
    """Text of a content that comes as a list of parts."""
    return "".join(str(part.get("text") or "") for part in parts if isinstance(part, Mapping))
