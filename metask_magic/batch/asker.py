"""The engine of one process: on its network loop, each request is asked until it is answered or fails."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import replace
from enum import Enum, auto

from ..asking.exchange import unexpected
from ..asking.loop import LoopThread, network
from ..chat.reply import Reply, ReplyBuilder
from ..errors import (
    AuthenticationError,
    BrokenReplyError,
    BudgetError,
    ConnectionFailedError,
    GatewayError,
    HostRefusedError,
    LocalModelError,
    MetaskError,
    NameResolutionError,
    PermissionDeniedError,
    ProxyError,
    RateLimitError,
    ServerError,
    SettingError,
    StreamCutError,
    TLSError,
)
from ..language import _
from ..messages.events import Backend
from ..messages.request import Request
from .engine import Answer
from .gate import Gate, Place

LEAST_APPETITE = 16
LONGEST_WAIT = 120.0
LONGEST_REFUSAL = 600.0
LONGEST_PAUSE = 8.0
CANCEL_SECONDS = 0.5
TOLD_SECONDS = 1.0

# No other row would fare better.
_ENDING = (
    AuthenticationError,
    PermissionDeniedError,
    BudgetError,
    SettingError,
    LocalModelError,
    TLSError,
    ProxyError,
)
_UNREACHABLE = (HostRefusedError, NameResolutionError)
# No other model either: these say something of the key, the address, the session, the disk.
_ENDING_ALL = (AuthenticationError, BudgetError, SettingError, TLSError, ProxyError, *_UNREACHABLE)


class _Next(Enum):
    """What follows an attempt."""

    DONE = auto()
    WAIT = auto()  # for the gate, as all rows do
    RETRY = auto()
    END = auto()


class Asker:
    """Asks requests side by side, as many as the gate lets through (see `Engine`).

    What is asked again: what the gate refused, without end; up to `max_retries` times a failure of the
    gateway, a reply that was cut, one that stalled.
    """

    def __init__(
        self,
        backend: Backend,
        gate: Gate,
        max_retries: int,
        *,
        loop: LoopThread = network,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.retried = 0
        self._backend = backend
        self._gate = gate
        self._max_retries = max_retries
        self._arrived: Callable[[], None] = lambda: None
        self._loop = loop
        self._sleep = sleep
        self._answers: deque[Answer] = deque()  # appended by one thread, emptied by another
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return self._gate.in_flight

    @property
    def limit(self) -> int:
        """How many the gate allows now."""
        return self._gate.limit

    @property
    def hindrance(self) -> str:
        """Why nothing is asked for a while, if so."""
        seconds = self._gate.held_for
        if seconds < TOLD_SECONDS:
            return ""
        return _("the gateway takes no more for {seconds:.0f} s", seconds=seconds)

    @property
    def appetite(self) -> int:
        """Twice what may be under way, and some at least: the next ones wait at the gate."""
        return max(2 * self._gate.max_concurrency, LEAST_APPETITE)

    def start(self, arrived: Callable[[], None]) -> None:
        """Call `arrived` for each answer from now on."""
        self._arrived = arrived

    def launch(self, requests: Sequence[tuple[Hashable, Request]]) -> None:
        """Ask these too; a key is what an answer is known by."""
        if requests:
            self._loop.call(self._launch, requests)

    def take(self) -> list[Answer]:
        """Return the answers that have come since the last call."""
        return [self._answers.popleft() for _ in range(len(self._answers))]

    def stop(self) -> None:
        """Close the connections; what was not answered never will be."""
        self._loop.run(self._cancel())

    def _launch(self, requests: Sequence[tuple[Hashable, Request]]) -> None:
        for key, request in requests:
            task = asyncio.create_task(self._ask(key, request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _cancel(self) -> None:
        self._ended = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CANCEL_SECONDS)

    async def _ask(self, key: Hashable, request: Request) -> None:
        tries = 0
        while True:
            async with self._gate.place() as place:
                if self._ended:
                    return
                reply = await self._attempt(request)
                error = reply.error
                if error is None:
                    place.answered()
                elif isinstance(error, GatewayError) and _asks_for_patience(error):
                    _tell(place, error)
            next_ = self._next(error, tries)
            if next_ in (_Next.DONE, _Next.END):
                self._ended = self._ended or next_ is _Next.END  # before another row passes the gate
                self._answers.append(Answer(key, request, reply, next_ is _Next.END))
                self._arrived()
                return
            self.retried += 1
            if next_ is _Next.RETRY:
                tries += 1
                await self._sleep(_pause(tries))

    async def _attempt(self, request: Request) -> Reply:
        builder = ReplyBuilder(request)
        try:
            async for event in self._backend.stream(request):
                builder.feed(event)
            builder.finish()
        except MetaskError as error:
            builder.fail(error)
        except Exception as error:  # noqa: BLE001 -- one row's defect must not lose the others
            builder.fail(unexpected(error))
        reply = builder.build()
        if not request.stream:  # all of it came at once
            reply = replace(reply, first_token_after=None)
        if reply.finish_reason == "incomplete":
            return replace(reply, finish_reason="error", error=StreamCutError(reply.notice))
        return reply

    def _next(self, error: MetaskError | None, tries: int) -> _Next:
        if error is None:
            return _Next.DONE
        if isinstance(error, RateLimitError):
            patient = _asks_for_patience(error) and self._gate.refused_for < LONGEST_REFUSAL
            return _Next.WAIT if patient else _Next.END
        if isinstance(error, _ENDING):
            return _Next.END
        if _may_pass(error) and tries < self._max_retries:
            return _Next.RETRY
        return _Next.END if isinstance(error, _UNREACHABLE) else _Next.DONE


def ends_all(error: MetaskError) -> bool:
    """Whether what ended a model's rows would end those of every other model too."""
    return isinstance(error, _ENDING_ALL) or type(error) is MetaskError


def _asks_for_patience(error: GatewayError) -> bool:
    """Whether all rows should wait: a 429, or another failure that says for how long."""
    limited = isinstance(error, RateLimitError) and not error.needs_credit
    return (limited or error.retry_after is not None) and (error.retry_after or 0.0) <= LONGEST_WAIT


def _tell(place: Place, error: GatewayError) -> None:
    if isinstance(error, RateLimitError):
        place.refused(error.retry_after)
    else:
        place.put_off(error.retry_after or 0.0)


def _may_pass(error: MetaskError) -> bool:
    """Whether the same request may do better a moment later."""
    if isinstance(error, ServerError):
        return error.status != 501 and (error.retry_after or 0.0) <= LONGEST_WAIT
    if isinstance(error, GatewayError):
        return error.status == 408
    return isinstance(error, ConnectionFailedError | BrokenReplyError)


def _pause(tries: int) -> float:
    return min(LONGEST_PAUSE, 0.5 * 2.0 ** (tries - 1)) * random.uniform(0.75, 1.0)  # noqa: S311 -- spreads load, guards nothing
