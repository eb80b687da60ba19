"""Calls of the user's own code, wanted by the network's thread and made in the cell's.

Notebook code expects its functions to run where its cells do: a plot, a database connection, `input()`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar

from .interrupt import InterruptRequest

T = TypeVar("T")

Errand: TypeAlias = tuple[Callable[[], Any], "Future[Any]"]


class Errands:
    """A queue of calls: `call` from the network's loop, `take` from the cell's thread."""

    def __init__(self) -> None:
        self._waiting: deque[Errand] = deque()
        self._wake: Callable[[], None] = lambda: None

    def attach(self, wake: Callable[[], None]) -> None:
        """Say how to wake the thread that runs the calls."""
        self._wake = wake

    async def call(self, function: Callable[[], T]) -> T:
        """Have `function` called in the cell's thread, and return or raise what it does.

        It never returns where an interrupt ended the call: whoever waits is about to be cancelled.
        """
        future: Future[T] = Future()
        self._waiting.append((function, future))
        self._wake()
        return await asyncio.wrap_future(future)

    def take(self) -> list[Errand]:
        """Return the calls that wait. Events that came before them have come by now."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]


def run(errands: Sequence[Errand], interrupt: InterruptRequest) -> None:
    """Make the calls. An interrupt ends the one that runs, and the rest is not begun."""
    for function, future in errands:
        if interrupt.requested:
            return
        if future.set_running_or_notify_cancel():
            _make(function, future, interrupt)


def _make(function: Callable[[], Any], future: Future[Any], interrupt: InterruptRequest) -> None:
    result: Any = None
    failure: Exception | None = None
    try:
        with interrupt.thrown():
            result = function()
    except BaseException as error:  # noqa: BLE001 -- SystemExit too belongs to whoever asked for the call
        failure = error if isinstance(error, Exception) else RuntimeError(repr(error))
    if interrupt.requested:
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(result)


class AtOnce(Errands):
    """Calls where it is: the answers of a table are validated in the network's thread, between others."""

    async def call(self, function: Callable[[], T]) -> T:
        """Call it and return what it returns."""
        return function()
