"""The answers a test can script, part by part, with every oddity a gateway can have."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, TypeAlias

USAGE: Mapping[str, Any] = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


class Gate:
    """A place in an answer where the server waits until the test lets it go on.

    `reached` is set when the server has sent everything before the gate: a test that waits for it knows
    what is on the wire, without a clock.
    """

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._lock = threading.Lock()
        self._opened = False
        self._waiting: list[Future[None]] = []

    def open(self) -> None:
        """Let every answer that waits here go on, now and later."""
        with self._lock:
            self._opened = True
            waiting, self._waiting = self._waiting, []
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_result(None)

    async def passed(self) -> None:
        """Wait, in the server's loop, until the gate is open."""
        future: Future[None] = Future()
        with self._lock:
            if self._opened:
                future.set_result(None)
            else:
                self._waiting.append(future)
        self.reached.set()
        await asyncio.wrap_future(future)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A `reasoning_content` delta, as DeepSeek and Qwen send it."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A piece of a tool call; `id` and `name` come with the first piece alone."""

    index: int = 0
    arguments: str = ""
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """A chunk whose delta has just these fields."""

    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk with these fields over the usual ones (`id`, `object`, `created`, `model`)."""

    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """An event whose data is this JSON and nothing else; with `name`, an `event:` line before it."""

    data: Any
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment line of the event stream, as gateways send to keep a connection alive."""

    text: str = "keep-alive"


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes of the body, exactly as they are: half an event, broken JSON, several events in one write."""

    data: bytes


class Fault(Enum):
    """How an answer can stop before its end."""

    STALL = "stall"  # nothing more comes, and the connection stays open until the client leaves
    CUT = "cut"  # the connection is closed in order, but the body is not complete
    RESET = "reset"  # the connection is torn down (RST)


STALL, CUT, RESET = Fault.STALL, Fault.CUT, Fault.RESET

EMPTY_CHOICES = Chunk({"choices": []})
NULL_CONTENT = Delta({"content": None})
MALFORMED = Bytes(b'data: {"id": "chatcmpl-1", "choices": [{"delta"\n\n')
HALF_EVENT = Bytes(b'data: {"id": "chatcmpl-1", "choices": [{"del')

Part: TypeAlias = str | Reasoning | ToolCall | Delta | Chunk | Event | Comment | Bytes | Gate | Fault

Framing: TypeAlias = Literal["chunked", "close", "length"]


@dataclass(frozen=True)
class Streamed:
    """A reply, part by part; a `str` is a delta of the text, so a plain string goes out letter by letter.

    A request with `stream: false` gets the same reply as one JSON object: gates and faults hold there too.
    `usage` is sent when the request asks for it and the script has it. `framing` is how the body's end is
    known: by chunked encoding, by the end of the connection, or by a length (which is never reached).
    `content_type` is what a stream says it is.
    """

    parts: Sequence[Part] = ()
    finish_reason: str | None = "stop"
    done: bool = True
    usage: Mapping[str, Any] | None = field(default_factory=lambda: USAGE)
    model: str | None = None
    request_id: str | None = None
    role_chunk: bool = True
    chunks_per_second: float | None = None
    framing: Framing = "chunked"
    content_type: str = "text/event-stream"


@dataclass(frozen=True)
class Page:
    """An answer that is no reply: an error, or a page of something that stands before the gateway."""

    body: Any = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def to_bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Raw:
    """Every byte of the answer, head included; then the connection ends."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Endless:
    """These bytes, the answer's head included, and then a piece over and over, until the client leaves.

    More than 100 MB are sent to none.
    """

    begin: bytes
    piece: bytes


@dataclass(frozen=True, slots=True)
class Silent:
    """No byte of an answer, until the client leaves."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The connection ends before any byte of an answer."""


Answer: TypeAlias = Streamed | Page | Raw | Endless | Silent | Hangup
