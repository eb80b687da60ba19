"""Who asks the requests of a batch: this process, or a cluster of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..chat.reply import Reply
from ..messages.request import Request


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request; `ends_run` where no other row would fare better."""

    key: Hashable
    request: Request
    reply: Reply
    ends_run: bool = False


class Engine(Protocol):
    """Asks requests side by side. Its methods are called from the caller's thread, `start` first."""

    @property
    def retried(self) -> int:
        """How often a request was asked again, so far."""
        ...

    @property
    def hindrance(self) -> str:
        """Why nothing is asked now, in a few words; "" where nothing is in the way."""
        ...

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        ...

    @property
    def limit(self) -> int:
        """How many may be now."""
        ...

    @property
    def appetite(self) -> int:
        """How many requests, launched and not answered, keep it busy."""
        ...

    def start(self, arrived: Callable[[], None]) -> None:
        """Begin; `arrived` is called, from any thread, when there is something to take."""
        ...

    def launch(self, requests: Sequence[tuple[Hashable, Request]]) -> None:
        """Ask these too; a key is what an answer is known by. Each is answered once."""
        ...

    def take(self) -> list[Answer]:
        """Return the answers that have come since the last call."""
        ...

    def stop(self) -> None:
        """Ask no more, and return within a moment; what was not answered never will be."""
        ...
