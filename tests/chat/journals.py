"""Journals for tests: one in memory, and one in a file that outlives its process."""

from __future__ import annotations

import json
from pathlib import Path

from metask_magic.chat.batch import digest
from metask_magic.chat.messages import Request
from metask_magic.chat.reply import Reply


class MemoryJournal:
    """Keeps replies; `failing` is raised instead, from the reply on that is the `after`th."""

    def __init__(self, failing: Exception | None = None, after: int = 0) -> None:
        self.replies: dict[bytes, Reply] = {}
        self.texts: list[str] = []
        self._failing = failing
        self._after = after

    def find(self, request: Request) -> Reply | None:
        return self.replies.get(digest(request))

    def put(self, request: Request, reply: Reply) -> None:
        if self._failing is not None and len(self.texts) >= self._after:
            raise self._failing
        self.texts.append(reply.text)
        self.replies[digest(request)] = reply


class FileJournal:
    """One line of JSON per reply, appended with a single write; a torn last line is passed over."""

    def __init__(self, path: Path) -> None:
        self._texts: dict[str, str] = {}
        lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
        for line in lines[:-1]:
            if line.strip():
                entry = json.loads(line)
                self._texts[entry["key"]] = entry["text"]
        self._file = path.open("ab", buffering=0)
        if lines[-1]:
            self._file.truncate(path.stat().st_size - len(lines[-1]))

    def find(self, request: Request) -> Reply | None:
        text = self._texts.get(digest(request).hex())
        return None if text is None else Reply(text, request.model, "stop")

    def put(self, request: Request, reply: Reply) -> None:
        entry = {"key": digest(request).hex(), "text": reply.text}
        self._file.write(json.dumps(entry).encode() + b"\n")

    def close(self) -> None:
        self._file.close()
