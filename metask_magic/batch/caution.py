"""An engine that a model which always fails cannot keep busy: it is given up after a number of rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from ..messages.request import Request
from .engine import Answer, Engine

GIVEN_UP_AFTER = 10
"""Rows that failed one and all, from the first on."""


class CautiousEngine:
    """Asks for `GIVEN_UP_AFTER` rows at first, and for more when one was answered (see `Engine`).

    `given_up` says that all of them failed, and that no more were sent.
    """

    def __init__(self, inner: Engine) -> None:
        self.given_up = False
        self._inner = inner
        self._failed = 0
        self._trusted = False

    @property
    def retried(self) -> int:
        """How often a request was asked again, so far."""
        return self._inner.retried

    @property
    def hindrance(self) -> str:
        """Why nothing is asked now."""
        return self._inner.hindrance

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return self._inner.in_flight

    @property
    def limit(self) -> int:
        """How many may be now."""
        return self._inner.limit

    @property
    def appetite(self) -> int:
        """How many requests keep it busy: as many as it takes to give up, before one was answered."""
        if self._trusted:
            return self._inner.appetite
        return min(self._inner.appetite, GIVEN_UP_AFTER - self._failed)

    def start(self, arrived: Callable[[], None]) -> None:
        """Begin."""
        self._inner.start(arrived)

    def launch(self, requests: Sequence[tuple[Hashable, Request]]) -> None:
        """Ask these too."""
        self._inner.launch(requests)

    def take(self) -> list[Answer]:
        """Return the answers that have come; the one at which the model is given up ends the run."""
        return [self._judged(answer) for answer in self._inner.take()]

    def stop(self) -> None:
        """Ask no more."""
        self._inner.stop()

    def _judged(self, answer: Answer) -> Answer:
        self._trusted = self._trusted or answer.reply.error is None
        if self._trusted or answer.ends_run:
            return answer
        self._failed += 1
        if self._failed < GIVEN_UP_AFTER:
            return answer
        self.given_up = True
        return replace(answer, ends_run=True)
