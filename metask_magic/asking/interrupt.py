"""Ctrl-C and ■, asked for instead of thrown: an exception could strike while a reply is being put away."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, TypeVar

T = TypeVar("T")

HEARTBEAT_SECONDS = 0.1
"""How often whoever waits in the cell's thread looks up: an interrupt is seen then at the latest."""


def result_of(future: Future[T], timeout: float | None = None) -> T:
    """Return a future's result; an interrupt ends the waiting, whenever it comes.

    One that comes after Python's last look for it and before the wait itself would be seen at the end of
    that wait alone, so no wait is long. Raises `TimeoutError` after `timeout` seconds.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while not future.done():
        left = HEARTBEAT_SECONDS if deadline is None else min(HEARTBEAT_SECONDS, deadline - time.monotonic())
        if left <= 0:
            raise TimeoutError
        wait_for([future], left)
    return future.result()


class InterruptRequest:
    """While entered, an interrupt sets `requested` and raises nothing.

    Whoever enters it must look at `requested` often, and end soon after it is set. Outside the main thread,
    where no interrupt arrives, it changes nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None

    def __enter__(self) -> InterruptRequest:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._request)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    @contextmanager
    def thrown(self) -> Iterator[None]:
        """Let an interrupt stop the user's own code: it raises in there, and sets `requested` out here.

        Code that catches the exception goes on, but the cell ends after it all the same.
        """
        if self._previous is None:
            yield
            return
        try:
            # Not the handler from before: that of a cell with `await` in it only cancels what awaits.
            signal.signal(signal.SIGINT, self._raise)
            yield
        except KeyboardInterrupt:
            self.requested = True
        finally:
            signal.signal(signal.SIGINT, self._request)

    def _request(self, _signal: int, _frame: FrameType | None) -> None:
        self.requested = True

    def _raise(self, _signal: int, _frame: FrameType | None) -> None:
        self.requested = True
        raise KeyboardInterrupt
