"""A journal in memory, which can fail."""

from __future__ import annotations

from collections.abc import Sequence

from metask_magic.batch.batch import digest
from metask_magic.chat.reply import Reply
from metask_magic.messages.request import Request


class MemoryJournal:
    """Keeps replies; `failing` is raised instead, from the reply on that is the `after`th."""

    def __init__(self, failing: Exception | None = None, after: int = 0) -> None:
        self.replies: dict[bytes, Reply] = {}
        self.texts: list[str] = []
        self._failing = failing
        self._after = after

    def find(self, request: Request) -> Reply | None:
        return self.replies.get(digest(request))

    def put(self, answered: Sequence[tuple[Request, Reply]]) -> None:
        for request, reply in answered:
            if self._failing is not None and len(self.texts) >= self._after:
                raise self._failing
            self.texts.append(reply.text)
            self.replies[digest(request)] = reply
