"""Asking: requests go to their backends, events go to the sink, replies come back.

The streams run on the network loop. The caller's thread is only a pump: on a clock it hands what is new
to the sink, so the cost of showing does not depend on the number of chunks, and an interrupt is always
seen at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..chat.replies import to_records
from ..chat.reply import Reply
from ..language import Language, current, using
from ..messages.events import Backend, Event, ReasoningDelta, TextDelta
from ..messages.record import Sink
from ..messages.request import Request
from ..precedence import first_requests
from .errands import Errands, run
from .exchange import Exchange, unexpected
from .interrupt import HEARTBEAT_SECONDS, InterruptRequest
from .loop import LoopThread, network

FRAME_SECONDS = 1 / 28  # with now and then a message that is none of text: at most thirty a second
CANCEL_SECONDS = 0.5
BEGIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking: one reply per request, and whether the user interrupted the cell."""

    replies: tuple[Reply, ...]
    interrupted: bool = False


class Asking:
    """Requests that are asked together and shown in one sink: `open` it, then `run` it to its end.

    Nothing raises: a failure is its own reply's `error`, so that one never harms another. What the sink
    raises fails the replies that it could not show. `errands` are the calls that backends want made in the
    thread that runs it.
    """

    def __init__(
        self,
        requests: Sequence[tuple[Request, Backend]],
        sink: Sink,
        errands: Errands | None = None,
        loop: LoopThread = network,
    ) -> None:
        self._sink = sink
        self._loop = loop
        self._wake = threading.Event()
        self._errands = errands or Errands()
        self._errands.attach(self._wake.set)
        self._exchanges = [Exchange(request, backend, self._wake.set) for request, backend in requests]

    def open(self, interrupt: InterruptRequest) -> None:
        """Launch the requests, and take the place where the replies will stand.

        The first of a kernel is on its way before that, which takes long the first time too.
        """
        for exchange in self._exchanges:
            exchange.launch(self._loop)
        for exchange in self._exchanges:
            exchange.await_begun(BEGIN_SECONDS)
        first_requests.give(lambda: interrupt.requested)
        try:
            self._sink.open(self.stop)
        except Exception as error:  # noqa: BLE001 -- what cannot be shown must not be lost
            self._fail(error)

    def stop(self, column: int | None = None) -> None:
        """End the reply of a column, or all; from any thread."""
        for exchange in self._exchanges if column is None else [self._exchanges[column]]:
            exchange.cancel()

    def replies(self) -> tuple[Reply, ...]:
        """Return the replies as far as they have come; from any thread."""
        return tuple(exchange.reply() for exchange in self._exchanges)

    def run(self, interrupt: InterruptRequest, attend: Callable[[], None] = lambda: None) -> Outcome:
        """Show what comes until all has, or until an interrupt is requested; `attend` on every beat."""
        try:
            self._pump(interrupt, attend)
        except Exception as error:  # noqa: BLE001 -- what cannot be shown must not be lost
            self._fail(error)
        self.stop()
        self._await_closed()
        return Outcome(self._close(self.replies()), interrupt.requested)

    def _pump(self, interrupt: InterruptRequest, attend: Callable[[], None]) -> None:
        while not interrupt.requested:
            finished = all(exchange.done for exchange in self._exchanges)
            called = self._errands.take()  # before the news: a call is announced, and shown to be coming
            news = {column: exchange.take() for column, exchange in enumerate(self._exchanges)}
            if any(news.values()):
                with using(self._language):
                    self._sink.show({column: events for column, events in news.items() if events})
            if finished:
                return
            run(called, interrupt)
            attend()
            if any(map(_has_text, news.values())):  # of the first text nobody shall wait for a frame's end
                time.sleep(FRAME_SECONDS)
            self._wake.wait(HEARTBEAT_SECONDS)
            self._wake.clear()

    def _fail(self, error: Exception) -> None:
        for exchange in self._exchanges:
            exchange.fail(error)

    def _await_closed(self) -> None:
        """Give cancelled streams a moment to close their connections."""
        deadline = time.monotonic() + CANCEL_SECONDS
        for exchange in self._exchanges:
            exchange.await_closed(max(0.0, deadline - time.monotonic()))

    @property
    def _language(self) -> Language:
        """In which the replies are shown: that of the first, which may have been recorded in another."""
        return next((exchange.language for exchange in self._exchanges), current())

    def _close(self, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
        """Hand the records to the sink, and return the replies: what it raises fails those that have not."""
        try:
            with using(self._language):
                self._sink.close(to_records(replies))
        except Exception as error:  # noqa: BLE001 -- what cannot be shown must not be lost
            failed = (replace(reply, finish_reason="error", error=unexpected(error)) for reply in replies)
            return tuple(reply if reply.error else late for reply, late in zip(replies, failed, strict=True))
        return replies


def _has_text(events: Sequence[Event]) -> bool:
    return any(isinstance(event, TextDelta | ReasoningDelta) for event in events)


def ask(
    requests: Sequence[tuple[Request, Backend]],
    sink: Sink,
    errands: Errands | None = None,
    loop: LoopThread = network,
    attend: Callable[[], None] = lambda: None,
) -> Outcome:
    """Ask, show while it comes, and return what came (see `Asking`).

    An interrupt closes the connections and is reported in the outcome. `attend` is called in this thread,
    some ten times a second and more.
    """
    asking = Asking(requests, sink, errands, loop)
    with InterruptRequest() as interrupt:
        asking.open(interrupt)
        return asking.run(interrupt, attend)
