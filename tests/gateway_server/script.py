"""Which answer a request gets."""

from __future__ import annotations

import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

from .answers import Answer, Page, Streamed
from .pages import model_not_found, refused, rejected_parameter, wrong_key
from .received import Received

Chooser: TypeAlias = Callable[[Received], Answer]

MODELS = (
    "gpt-4o",
    "gpt-4o-mini",
    "o1",
    "o3-mini",
    "claude-3-5-sonnet-20241022",
    "claude-3-haiku-20240307",
    "gemini-1.5-pro",
    "gemini-2.0-flash",
)


def echo(received: Received) -> Streamed:
    """The last user message, word by word."""
    return Streamed(re.findall(r"\S+\s*|\s+", received.last_user_text))


class Script:
    """The answers in store: per model, then for any model, then what `default` says."""

    def __init__(self, api_key: str, models: Sequence[str] = MODELS) -> None:
        self.api_key = api_key
        self.models = list(models)
        self.default: Chooser = echo
        self.rejected: set[str] = set()
        self._lock = threading.Lock()
        self._chat: defaultdict[str | None, deque[Answer]] = defaultdict(deque)
        self._listing: deque[Answer] = deque()

    def add(self, answers: Sequence[Answer], model: str | None = None) -> None:
        with self._lock:
            self._chat[model].extend(answers)

    def add_listing(self, answers: Sequence[Answer]) -> None:
        with self._lock:
            self._listing.extend(answers)

    @property
    def left(self) -> int:
        """How many scripted answers nobody has asked for."""
        with self._lock:
            return len(self._listing) + sum(map(len, self._chat.values()))

    def answer(self, received: Received) -> Answer:
        if received.key != self.api_key:
            return wrong_key(received.key or "")
        if received.is_chat:
            return self._chat_answer(received)
        if received.method == "GET" and received.path == "/v1/models":
            return self._listing_answer()
        return refused(404, f"Unknown request URL: {received.method} {received.path}.", code="unknown_url")

    def _chat_answer(self, received: Received) -> Answer:
        rejected = sorted(self.rejected & received.json.keys())
        if rejected:
            return rejected_parameter(rejected[0])
        model = received.json.get("model")
        with self._lock:
            queue = self._chat.get(str(model)) or self._chat[None]
            if queue:
                return queue.popleft()
        return self.default(received) if model in self.models else model_not_found(str(model))

    def _listing_answer(self) -> Answer:
        with self._lock:
            if self._listing:
                return self._listing.popleft()
        entry = {"object": "model", "created": 1_700_000_000, "owned_by": "made-up"}
        return Page({"object": "list", "data": [{"id": model, **entry} for model in self.models]})
