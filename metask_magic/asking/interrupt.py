"""Ctrl-C and ■, asked for instead of thrown: an exception could strike while a reply is being put away."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


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
