"""An answer of a gateway with what must come of it, and the bytes that such answers are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .answers import Answer, Raw


@dataclass(frozen=True)
class Shape:
    """An answer, and what a user must see of it. `says` is in the record, or in the error.

    `facts` are of the reply, by name; `then` is the answer to a second request, where one must follow.
    """

    answer: Answer
    text: str = ""
    reason: str = "stop"
    says: str = ""
    error: str = ""
    native: str | None = None
    options: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    then: Answer | None = None


def chunk(delta: Any = None, reason: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason, **fields}
    return json.dumps(
        {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
    ).encode()


def text(content: Any) -> bytes:
    return chunk({"content": content})


def events(*data: bytes, end: bytes = b"\n\n", before: bytes = b"data: ") -> bytes:
    return b"".join(before + each + end for each in data)


def raw(body: bytes, *headers: str, status: str = "200 OK") -> Raw:
    """A body below such headers; the connection ends with it."""
    told = (*headers, f"Content-Length: {len(body)}", "Connection: close")
    head = "".join(f"{header}\r\n" for header in told)
    return Raw(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)
