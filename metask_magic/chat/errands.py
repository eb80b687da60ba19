"""Calls of the user's own code, wanted by the network's thread and made in the cell's.

Notebook code expects its functions to run where its cells do: a plot, a database connection, `input()`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from .interrupt import InterruptRequest

T = TypeVar("T")


class Errands:
    """A queue of calls: `call` from the network's loop, `run` from the cell's thread."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._wake: Callable[[], None] = lambda: None

    def attach(self, wake: Callable[[], None]) -> None:
        """Say how to wake the thread that runs the calls."""
        self._wake = wake

    async def call(self, function: Callable[[], T]) -> T:
        """Have `function` called in the cell's thread, and return or raise what it does."""
        future: Future[T] = Future()
        self._waiting.append((function, future))
        self._wake()
        return await asyncio.wrap_future(future)

    def run(self, interrupt: InterruptRequest) -> None:
        """Make the calls that wait. An interrupt ends the one that runs, and the rest is not begun."""
        while self._waiting and not interrupt.requested:
            function, future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                _make(function, future, interrupt)


def _make(function: Callable[[], Any], future: Future[Any], interrupt: InterruptRequest) -> None:
    result: Any = None
    try:
        with interrupt.thrown():
            result = function()
    except BaseException as error:  # noqa: BLE001 -- SystemExit too belongs to whoever asked for the call
        future.set_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))
        return
    future.set_result(result)
