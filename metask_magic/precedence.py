"""What a request needs comes first: whoever else has something long to do waits until it is on its way.

The first request of a kernel imports the official library, and its cell the widget. Python runs one of them
at a time: side by side each would take as long as both.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LONGEST_WAIT = 3.0
LONGEST_TURN = 10.0
GLANCE_SECONDS = 0.02


class Turn:
    """Somebody's turn to go first: until it has `passed`, or its time is over."""

    def __init__(self, condition: threading.Condition) -> None:
        self._condition = condition
        self.until = time.monotonic() + LONGEST_TURN

    def passed(self) -> None:
        """Let the others go on."""
        self.end_in(0.0)

    def end_in(self, seconds: float) -> None:
        """Let them go on in so many seconds, if not before."""
        with self._condition:
            self.until = min(self.until, time.monotonic() + seconds)
            self._condition.notify_all()


class Precedence:
    """Lets some go first, and others wait for them."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._turns: list[Turn] = []

    def take(self) -> Turn:
        """Go first."""
        with self._condition:
            self._turns.append(turn := Turn(self._condition))
        return turn

    def give(self, impatient: Callable[[], bool] = lambda: False) -> None:
        """Wait for those who go first, `LONGEST_WAIT` seconds at most, or until somebody is `impatient`."""
        until = time.monotonic() + LONGEST_WAIT
        with self._condition:
            while (now := time.monotonic()) < until and not impatient():
                self._turns = [turn for turn in self._turns if turn.until > now]
                if not self._turns:
                    return
                self._condition.wait(GLANCE_SECONDS)


first_requests = Precedence()
"""Those of this process."""
