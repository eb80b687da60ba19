"""Calls of the user's own code, wanted by the network's thread and made in the cell's.

Notebook code expects its functions to run where its cells do: a plot, a database connection, `input()`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..language import Language, current, using
from .interrupt import InterruptRequest

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Errand:
    """A call that is wanted; `within` is what can stop it while it is being made.

    What it says is said in `language`, that of whoever wants it.
    """

    function: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)
    language: Language = field(default_factory=current)
    within: InterruptRequest | None = None

    def stop(self) -> bool:
        """Stop it, from any thread, if it is being made; return whether it does not go on."""
        within = self.within
        return within is None or within.halt(self)


class Errands:
    """A queue of calls: `call` from the network's loop, `take` from the cell's thread."""

    def __init__(self) -> None:
        self._waiting: deque[Errand] = deque()
        self._wake: Callable[[], None] = lambda: None
        self.left_behind = False
        """Whether a call goes on that nobody waits for any more: one that could not be stopped."""

    def attach(self, wake: Callable[[], None]) -> None:
        """Say how to wake the thread that runs the calls."""
        self._wake = wake

    async def call(self, function: Callable[[], T]) -> T:
        """Have `function` called in the cell's thread, and return or raise what it does.

        It never returns where an interrupt ended the call: whoever waits is about to be cancelled. And
        where who waits is cancelled, the call is stopped.
        """
        errand = Errand(function)
        self._waiting.append(errand)
        self._wake()
        try:
            result: T = await asyncio.wrap_future(errand.future)
        except asyncio.CancelledError:
            self.left_behind = not errand.stop()
            raise
        return result

    def take(self) -> list[Errand]:
        """Return the calls that wait. Events that came before them have come by now."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]


def run(errands: Sequence[Errand], interrupt: InterruptRequest) -> None:
    """Make the calls. An interrupt ends the one that runs, and the rest is not begun."""
    for errand in errands:
        if interrupt.requested:
            return
        if errand.future.set_running_or_notify_cancel():
            _make(errand, interrupt)


def _make(errand: Errand, interrupt: InterruptRequest) -> None:
    result: Any = None
    failure: Exception | None = None
    errand.within = interrupt
    try:
        with interrupt.thrown(errand), using(errand.language):
            result = errand.function()
    except BaseException as error:  # noqa: BLE001 -- SystemExit too belongs to whoever asked for the call
        failure = error if isinstance(error, Exception) else RuntimeError(repr(error))
    errand.within = None
    if interrupt.requested:
        return
    if failure is not None:
        errand.future.set_exception(failure)
    else:
        errand.future.set_result(result)


class AtOnce(Errands):
    """Calls where it is: the answers of a table are validated in the network's thread, between others."""

    async def call(self, function: Callable[[], T]) -> T:
        """Call it and return what it returns."""
        return function()
