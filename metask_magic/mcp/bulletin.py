"""What a server says beside its answers: progress and log of the calls under way, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from ..language import N_, _
from ..messages.events import Noted, Notice
from ..words import plain

MOST_NEWS = 200
"""Lines of one call that wait to be shown; what comes faster than that is not."""

WANTED = {
    "sampling": N_("The server {name} wanted to ask a model (sampling), which no server may here."),
    "elicitation": N_(
        "The server {name} wanted to ask the user something (elicitation), which no server may here."
    ),
}


class Logged(NamedTuple):
    """A line of a server's log."""

    text: str


News = Notice | Noted | Logged
Queue = asyncio.Queue["News | None"]


class Bulletin:
    """Hands what a server says to the calls that wait for it; `hide` takes secrets out of a text."""

    def __init__(self, name: str, hide: Callable[[str], str]) -> None:
        self._name = name
        self._hide = hide
        self._waiting: set[Queue] = set()
        self._remarks: list[str] = []

    def open(self) -> Queue:
        """Return the queue of a new call."""
        news: Queue = asyncio.Queue()
        self._waiting.add(news)
        return news

    def close(self, news: Queue) -> None:
        self._waiting.discard(news)

    def tell(self, text: str) -> None:
        """Tell what stays beside the reply; where no call is under way, it is a remark."""
        for news in self._waiting:
            news.put_nowait(Noted(text))
        if not self._waiting:
            self._remarks.append(text)

    def take_remarks(self) -> list[str]:
        """Return what is to be told and was not yet."""
        remarks, self._remarks = self._remarks, []
        return remarks

    def progress(self, news: Queue, done: float, total: float | None, message: str | None) -> None:
        """Report how far a call is."""
        figures = _("{done:g} of {total:g}", done=done, total=total) if total else f"{done:g}"
        line = _("{message} ({figures})", message=message, figures=figures) if message else figures
        self._put(news, Notice(self._line(line)))

    async def log(self, params: Any) -> None:
        """Take a line of the log: it belongs to no call, so all that are under way have it."""
        said = params.data if isinstance(params.data, str) else repr(params.data)
        for news in self._waiting:
            self._put(news, Logged(self._line(f"{params.level}: {said}")))

    def refuse(self, kind: str) -> None:
        """Tell that the server asked for what none gets here."""
        self.tell(_(WANTED[kind], name=self._name))

    def _line(self, text: str) -> str:
        return f"{self._name}: {plain(self._hide(text))}"

    def _put(self, news: Queue, line: News) -> None:
        if news.qsize() < MOST_NEWS:
            news.put_nowait(line)
