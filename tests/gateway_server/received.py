"""What a client asked, as a test looks at it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True, eq=False)
class Received:
    """One request, and what became of it.

    `finished`: its answer went to its end; `disconnected`: the client left before that. `usage_sent`: the
    `usage` objects written to it so far.
    """

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    finished: threading.Event = field(default_factory=threading.Event)
    disconnected: threading.Event = field(default_factory=threading.Event)
    usage_sent: list[Mapping[str, Any]] = field(default_factory=list)

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body as an object; empty where it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def request_id(self) -> str:
        return f"req_{self.number:04}"

    @property
    def key(self) -> str | None:
        """The bearer token, if there is one."""
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" and key.strip() else None

    @property
    def is_chat(self) -> bool:
        return self.method == "POST" and self.path == "/v1/chat/completions"

    @property
    def last_user_text(self) -> str:
        """The text of the last user message, content parts joined."""
        messages = self.json.get("messages") or []
        content = next((m.get("content") for m in reversed(messages) if m.get("role") == "user"), "")
        if isinstance(content, str):
            return content
        return "".join(part.get("text", "") for part in content or [] if part.get("type") == "text")
