"""One request on its way: events from the network's thread, in the order they came, to whoever shows them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from ..chat.reply import Reply, ReplyBuilder
from ..errors import MetaskError
from ..language import Language, _
from ..messages.events import Backend, Ended, Event, ReasoningDelta, TextDelta
from ..messages.request import Request
from .loop import LoopThread


class Exchange:
    """One request on its way: launched, fed by the network's thread, drained by the pump."""

    def __init__(self, request: Request, backend: Backend, wake: Callable[[], None]) -> None:
        self._request = request
        self._backend = backend
        self._wake = wake
        self._builder = ReplyBuilder(request)
        self._fresh: deque[Event] = deque()  # appended by one thread, emptied by another
        self._future: Future[None] | None = None
        self._begun, self._closed = threading.Event(), threading.Event()

    def launch(self, loop: LoopThread) -> None:
        self._future = loop.submit(self._run())
        self._future.add_done_callback(lambda _future: self._wake())

    def cancel(self) -> None:
        """Close the connection; what came so far is kept as an interrupted reply."""
        self._builder.interrupt()
        if self._future is not None:
            self._future.cancel()

    def fail(self, error: Exception) -> None:
        """Close the connection; what came so far is kept as a failed reply."""
        self._builder.fail(unexpected(error))
        self.cancel()

    @property
    def done(self) -> bool:
        return self._future is not None and self._future.done()

    def await_begun(self, seconds: float) -> None:
        """Wait until the backend has had its first turn."""
        self._begun.wait(seconds)

    def await_closed(self, seconds: float) -> None:
        """Wait for the connection to close: a cancelled future is done at once, its task a moment later."""
        self._closed.wait(seconds)

    def take(self) -> list[Event]:
        """Return what has come since the last call, neighbouring deltas joined."""
        return join_deltas([self._fresh.popleft() for _ in range(len(self._fresh))])

    def reply(self) -> Reply:
        return self._builder.build()

    @property
    def language(self) -> Language:
        """In which the reply is spoken of, as far as that is known yet."""
        return self._builder.language

    async def _run(self) -> None:
        asyncio.get_running_loop().call_soon(self._begun.set)  # behind the first step of what follows
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
            self._builder.fail(unexpected(error))
        finally:
            record = self._builder.build().to_record()
            self._fresh.append(Ended(record.finish_reason, record.message, record.outcome, record.elapsed))
            self._closed.set()


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


def unexpected(error: Exception) -> MetaskError:
    """Return a defect as an error that a person can report."""
    return MetaskError(
        _("Something failed that should not have ({kind}: {error}).", kind=type(error).__name__, error=error),
        _("Please report it with the request's options; `%tb` shows where."),
    )
