"""What a request needs comes first: whoever else has something long to do waits until it is on its way.

The first request of a kernel imports the official library, and its cell the widget. Python runs one of them
at a time: side by side each would take as long as both.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LONGEST_WAIT = 3.0
GLANCE_SECONDS = 0.02


class Precedence:
    """Counts who goes first, and lets others wait for them."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._ahead = 0

    def take(self) -> Callable[[], None]:
        """Go first, until what is returned is called; it may be called again."""
        first = True

        def passed() -> None:
            nonlocal first
            with self._condition:
                self._ahead -= first
                first = False
                self._condition.notify_all()

        with self._condition:
            self._ahead += 1
        return passed

    def give(self, impatient: Callable[[], bool] = lambda: False) -> None:
        """Wait for those who go first, `LONGEST_WAIT` seconds at most, or until somebody is `impatient`."""
        until = time.monotonic() + LONGEST_WAIT
        with self._condition:
            while self._ahead and time.monotonic() < until and not impatient():
                self._condition.wait(GLANCE_SECONDS)


first_requests = Precedence()
"""Those of this process."""
