"""Asking: requests go to their backends, events go to the sink, replies come back.

The streams run on the network loop. The caller's thread is only a pump: on a clock it hands what is new
to the sink, so the cost of showing does not depend on the number of chunks, and an interrupt is always
seen at once.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from ..errors import MetaskError
from .errands import Errands, run
from .interrupt import InterruptRequest
from .loop import LoopThread, network
from .messages import Backend, Ended, Event, ReasoningDelta, Request, Sink, TextDelta
from .reply import Reply, ReplyBuilder

FRAME_SECONDS = 1 / 28  # with now and then a message that is none of text: at most thirty a second
HEARTBEAT_SECONDS = 0.1
CANCEL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking: one reply per request, and whether the user interrupted the cell."""

    replies: tuple[Reply, ...]
    interrupted: bool = False


class Exchange:
    """One request on its way: launched, fed by the network's thread, drained by the pump."""

    def __init__(self, request: Request, backend: Backend, wake: Callable[[], None]) -> None:
        self._request = request
        self._backend = backend
        self._wake = wake
        self._builder = ReplyBuilder(request)
        self._fresh: deque[Event] = deque()  # appended by one thread, emptied by another
        self._future: Future[None] | None = None
        self._closed = threading.Event()

    def launch(self, loop: LoopThread) -> None:
        self._future = loop.submit(self._run())
        self._future.add_done_callback(lambda _: self._wake())

    def cancel(self) -> None:
        """Close the connection; what came so far is kept as an interrupted reply."""
        self._builder.interrupt()
        if self._future is not None:
            self._future.cancel()

    def fail(self, error: Exception) -> None:
        """Close the connection; what came so far is kept as a failed reply."""
        self._builder.fail(_unexpected(error))
        self.cancel()

    @property
    def done(self) -> bool:
        return self._future is not None and self._future.done()

    def await_closed(self, seconds: float) -> None:
        """Wait for the connection to close: a cancelled future is done at once, its task a moment later."""
        self._closed.wait(seconds)

    def take(self) -> list[Event]:
        """Return what has come since the last call, neighbouring deltas joined."""
        return join_deltas([self._fresh.popleft() for _ in range(len(self._fresh))])

    def reply(self) -> Reply:
        return self._builder.build()

    async def _run(self) -> None:
        events = self._backend.stream(self._request)
        try:
            async for event in events:
                self._builder.feed(event)
                self._fresh.append(event)
                if len(self._fresh) == 1:
                    self._wake()
            self._builder.finish()
        except asyncio.CancelledError:
            self._builder.interrupt()
            raise
        except MetaskError as error:
            self._builder.fail(error)
        except Exception as error:  # noqa: BLE001 -- a defect of ours must not lose the text that came
            self._builder.fail(_unexpected(error))
        finally:
            reply = self._builder.build()
            self._fresh.append(Ended(reply.finish_reason, reply.error.message if reply.error else ""))
            self._closed.set()


def ask(
    requests: Sequence[tuple[Request, Backend]],
    sink: Sink,
    errands: Errands | None = None,
    loop: LoopThread = network,
) -> Outcome:
    """Ask, show while it comes, and return what came.

    `errands` are the calls that backends want made in this thread.

    Nothing raises: a failure is its own reply's `error`, so that one never harms another, and an interrupt
    closes the connections and is reported in the outcome. What the sink raises fails the replies that it
    could not show.
    """
    wake = threading.Event()
    errands = errands or Errands()
    errands.attach(wake.set)
    exchanges = [Exchange(request, backend, wake.set) for request, backend in requests]

    def stop(column: int | None) -> None:
        for exchange in exchanges if column is None else [exchanges[column]]:
            exchange.cancel()

    with InterruptRequest() as interrupt:
        for exchange in exchanges:
            exchange.launch(loop)
        try:
            sink.open(stop)
            _pump(exchanges, sink, wake, interrupt, errands)
        except Exception as error:  # noqa: BLE001 -- what cannot be shown must not be lost
            for exchange in exchanges:
                exchange.fail(error)
        stop(None)
        _await_all(exchanges)
        replies = _close([exchange.reply() for exchange in exchanges], sink)
    return Outcome(replies, interrupt.requested)


def _close(replies: Sequence[Reply], sink: Sink) -> tuple[Reply, ...]:
    """Hand the records to the sink, and return the replies: what it raises fails those that have not."""
    try:
        sink.close([reply.to_record() for reply in replies])
    except Exception as error:  # noqa: BLE001 -- what cannot be shown must not be lost
        failed = (replace(reply, finish_reason="error", error=_unexpected(error)) for reply in replies)
        return tuple(reply if reply.error else late for reply, late in zip(replies, failed, strict=True))
    return tuple(replies)


def _pump(
    exchanges: Sequence[Exchange],
    sink: Sink,
    wake: threading.Event,
    interrupt: InterruptRequest,
    errands: Errands,
) -> None:
    while not interrupt.requested:
        finished = all(exchange.done for exchange in exchanges)
        called = errands.take()  # before the news: a call is announced, and shown to be coming
        news = {column: exchange.take() for column, exchange in enumerate(exchanges)}
        if any(news.values()):
            sink.show({column: events for column, events in news.items() if events})
        if finished:
            return
        run(called, interrupt)
        time.sleep(FRAME_SECONDS)
        wake.wait(HEARTBEAT_SECONDS)
        wake.clear()


def _await_all(exchanges: Sequence[Exchange]) -> None:
    """Give cancelled streams a moment to close their connections."""
    deadline = time.monotonic() + CANCEL_SECONDS
    for exchange in exchanges:
        exchange.await_closed(max(0.0, deadline - time.monotonic()))


def join_deltas(events: Sequence[Event]) -> list[Event]:
    """Join neighbouring deltas of a kind, so that a sink sees one where the network saw hundreds."""
    joined: list[Event] = []
    run: list[str] = []
    kind: type[TextDelta] | type[ReasoningDelta] | None = None
    for event in events:
        if isinstance(event, TextDelta | ReasoningDelta):
            if kind is not type(event):
                _close_run(joined, kind, run)
                kind, run = type(event), []
            run.append(event.text)
        else:
            _close_run(joined, kind, run)
            kind, run = None, []
            joined.append(event)
    _close_run(joined, kind, run)
    return joined


def _close_run(
    joined: list[Event], kind: type[TextDelta] | type[ReasoningDelta] | None, run: list[str]
) -> None:
    if kind is not None:
        joined.append(kind("".join(run)))


def _unexpected(error: Exception) -> MetaskError:
    return MetaskError(
        f"Something failed that should not have ({type(error).__name__}: {error}).",
        "Please report it with the request's options; `%tb` shows where.",
    )
