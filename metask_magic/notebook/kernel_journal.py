"""What was answered in this kernel: a row that is asked about again, in whatever cell, is answered by it."""

from __future__ import annotations

from dataclasses import replace

from ..chat.batch import digest
from ..chat.messages import Request
from ..chat.reply import Reply


class KernelJournal:
    """Replies by what was asked, and where."""

    def __init__(self) -> None:
        self._replies: dict[bytes, Reply] = {}

    def find(self, request: Request) -> Reply | None:
        return self._replies.get(digest(request))

    def put(self, request: Request, reply: Reply) -> None:
        self._replies[digest(request)] = replace(reply, request=None)
