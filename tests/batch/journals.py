"""A journal in memory, which can fail."""

from __future__ import annotations

from collections.abc import Sequence

from metask_magic.batch.batch import digest
from metask_magic.chat.reply import Reply
from metask_magic.messages.request import Request


class MemoryJournal:
    """Keeps replies, `writes` says how many at once; `failing` is raised instead, from the `after`th on."""

    def __init__(self, failing: Exception | None = None, after: int = 0) -> None:
        self.replies: dict[bytes, Reply] = {}
        self.texts: list[str] = []
        self.writes: list[int] = []
        self._failing = failing
        self._after = after
        self._put: list[tuple[Request, Reply]] = []

    def find(self, request: Request) -> Reply | None:
        return self.replies.get(digest(request))

    def put(self, answered: Sequence[tuple[Request, Reply]]) -> None:
        self._put += answered

    def flush(self) -> None:
        for request, reply in self._put:
            if self._failing is not None and len(self.texts) >= self._after:
                raise self._failing
            self.texts.append(reply.text)
            self.replies[digest(request)] = reply
        if self._put:
            self.writes.append(len(self._put))
        self._put.clear()
