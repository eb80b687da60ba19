"""How many requests may be under way at once, learnt when a gateway refuses one (see `allowance`)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .pace import PAUSES_BETWEEN_TRIALS, ROWS_BETWEEN_TRIALS

START = 8
"""Requests at once before anything is known."""
SECONDS_BETWEEN_TRIALS = 30.0

_LATER = 4  # times, after each trial that fails


@dataclass(slots=True)
class Sent:
    """A request on its way: when it was sent, as which one since the last refusal, beside how many others.

    `is_most` says that none was taken beside as many lately.
    """

    at: float
    number: int
    beside: int
    is_most: bool


class Places:
    """How many requests may be under way at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._number = min(START, most)
        self._grows = True
        self._was_full = False
        self._shown: int | None = None
        self._trials = Trials()
        self._is_trying = False
        self._trial: Sent | None = None

    @property
    def number(self) -> int:
        """The limit as it is known."""
        return self._number

    @property
    def number_soon(self) -> int:
        """How many it may be when those under way are answered."""
        return 2 * self._number if self._grows else self._number

    def restrict(self, most: int) -> None:
        """No more than so many are wanted."""
        self._most = most
        self._number = min(self._number, most)

    def is_full(self, sent: Sent) -> bool:
        """Whether a request took the last place of a number that a refusal had shown."""
        return not self._grows and sent.beside + 1 >= self._number

    def is_trial(self, sent: Sent) -> bool:
        """Whether it tried if one more is allowed by now."""
        return sent is self._trial

    def is_more(self, sent: Sent) -> bool:
        """Whether it was one more than a refusal had shown to be allowed."""
        return self._shown is not None and sent.beside >= self._shown

    def send(self, sent: Sent) -> None:
        """A request takes a place."""
        takes_last = sent.beside + 1 >= self._number
        self._was_full = self._was_full or takes_last
        if self._is_trying and self._trial is None and takes_last:
            self._trial = sent

    def answer(self, sent: Sent) -> None:
        """A request was taken: where all places were, there is one more."""
        self._trials.count += 1
        if sent is self._trial:
            self._succeed()
        if self._grows and self._was_full and self._number < self._most:
            self._number += 1
            self._was_full = False
            if self._shown is not None and self._number > self._shown + 2:
                self._shown = None  # a gateway may let one or two more slip through, not more

    def lower(self, beside: int) -> None:
        """One beside so many others was too many."""
        self._number = self._shown = max(1, min(self._number, beside))

    def refuse(self, now: float, pause: float) -> None:
        """The limit was met; it cost so many seconds."""
        self._trials.fail(now, pause, again=not self._grows)
        self._grows = self._is_trying = False
        self._trial = None

    def more_in(self, now: float, trusted_after: float) -> float:
        """As `Allowance.more_in`; a trial that was not refused after so many seconds was taken."""
        if self._grows or self._number >= self._most or (self._is_trying and self._trial is None):
            return math.inf
        if self._trial is not None:
            wait = self._trial.at + trusted_after - now
            if wait <= 0:
                self._succeed()
            return wait if wait > 0 else math.inf
        wait = self._trials.due_in(now)
        if wait <= 0:
            self._number += 1
            self._is_trying = True
        return wait

    def _succeed(self) -> None:
        self._is_trying, self._trial, self._grows = False, None, True
        self._trials = Trials()


class Trials:
    """When a number that was learnt is tried anew: later each time it fails, and not for ever."""

    def __init__(self) -> None:
        self.count = 0
        self._seconds = 1.0
        self._at = self._soonest = 0.0

    def fail(self, now: float, pause: float, *, again: bool) -> None:
        """The limit was met, which cost a pause."""
        if again:
            self._seconds *= _LATER
        self.count, self._at, self._soonest = 0, now, now + PAUSES_BETWEEN_TRIALS * pause

    def due_in(self, now: float) -> float:
        """Return the seconds until it may be tried; 0 where it may be now."""
        seconds = self._seconds
        if self.count >= ROWS_BETWEEN_TRIALS:
            seconds = min(seconds, SECONDS_BETWEEN_TRIALS)
        return max(0.0, self._at + seconds - now, self._soonest - now)
