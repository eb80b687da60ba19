"""Ctrl-C and ■, asked for instead of thrown: an exception could strike while a reply is being put away."""

from __future__ import annotations

import _thread
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


class _Halted(KeyboardInterrupt):
    """What ends one call, and not the cell."""


_sent: InterruptRequest | None = None
"""Who has sent the signal that is about to arrive; None where it is a person's."""


class InterruptRequest:
    """While entered, an interrupt sets `requested` and raises nothing.

    Whoever enters it must look at `requested` often, and end soon after it is set. Outside the main thread,
    where no interrupt arrives, it changes nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None
        self._lock = threading.Lock()
        self._making: object = None
        self._halted: object = None

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
    def thrown(self, call: object = None) -> Iterator[None]:
        """Let an interrupt stop the user's own code: it raises in there, and sets `requested` out here.

        Code that catches the exception goes on, but the cell ends after it all the same. `call` is what
        `halt` knows that code by.
        """
        if self._previous is None:
            yield
            return
        try:
            with self._lock:
                self._making = call
            # Not the handler from before: that of a cell with `await` in it only cancels what awaits.
            signal.signal(signal.SIGINT, self._raise)
            yield
        except KeyboardInterrupt:
            self.requested = self.requested or self._halted is not call or call is None
        finally:
            signal.signal(signal.SIGINT, self._request)
            with self._lock:  # from here on no signal is sent for it
                self._making = None

    def halt(self, call: object) -> bool:
        """Stop the code that `thrown` was entered with for this call, and nothing else; from any thread.

        Return whether it does not go on: outside the main thread nothing can stop it. What of it is in a
        library that takes no interrupt ends when that returns.
        """
        global _sent
        if self._previous is None:
            return False
        with self._lock:
            if self._making is call:
                self._halted, _sent = call, self
                _signal_main_thread()
        return True

    def _request(self, _signal: int, _frame: FrameType | None) -> None:
        if _take_sent() is not self:  # else what it was sent for has ended meanwhile
            self.requested = True

    def _raise(self, _signal: int, _frame: FrameType | None) -> None:
        if _take_sent() is self:
            raise _Halted
        self.requested = True
        raise KeyboardInterrupt


def _take_sent() -> InterruptRequest | None:
    global _sent
    sent, _sent = _sent, None
    return sent


def _signal_main_thread() -> None:
    if hasattr(signal, "pthread_kill"):  # which ends a wait in a system call too
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()
