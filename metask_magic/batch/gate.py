"""The gate all rows of a batch pass: how many requests are under way at once, and how fast they go out."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from .allowance import Allowance
from .places import Sent

IDLE_SECONDS = 60.0
SHORTEST_SLEEP = 0.0003  # a timer costs more than what it would spread


class Place:
    """One request on its way through the gate; whoever holds it says how it went, if it was answered."""

    __slots__ = ("_gate", "_sent")

    def __init__(self, gate: Gate, sent: Sent) -> None:
        self._gate = gate
        self._sent = sent

    def answered(self) -> None:
        """The gateway took the request."""
        self._gate._answer(self._sent)

    def refused(self, retry_after: float | None) -> None:
        """The gateway took no more, for `retry_after` seconds where it said so."""
        self._gate._refuse(self._sent, retry_after)

    def put_off(self, seconds: float) -> None:
        """The gateway fails, and asked to be left alone for a while: all rows wait, and nothing is learnt."""
        self._gate._put_off(seconds)


class Gate:
    """Lets requests through, first come first served. Its coroutines belong to one asyncio loop.

    At most `max_concurrency` are under way, and `requests_per_minute` are started: or fewer, where the
    gateway turns out to allow fewer (see `Allowance`). `clock`, `sleep` (both in seconds) and `jitter` (a
    number from 0 to 1) are there for tests.
    """

    def __init__(
        self,
        max_concurrency: int,
        requests_per_minute: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.max_concurrency = max_concurrency
        self.in_flight = 0
        self._clock = clock
        self._sleep = sleep
        self._turnstile = asyncio.Lock()
        self._freed = asyncio.Event()
        self._allowance = Allowance(max_concurrency, jitter, clock())
        self._allowance.pace.told = _told(requests_per_minute)
        self._idle_since = clock()
        self._refused_since: float | None = None

    @property
    def limit(self) -> int:
        """How many requests may be under way now."""
        return self._allowance.places.number

    @property
    def refused_for(self) -> float:
        """Seconds for which the gateway has refused everything; 0 where its last answer was none."""
        return 0.0 if self._refused_since is None else self._clock() - self._refused_since

    @property
    def held_for(self) -> float:
        """Seconds for which nothing is started, because the gateway asked for that or refused too much."""
        return max(0.0, self._allowance.resume_at - self._clock())

    def tune(self, max_concurrency: int, requests_per_minute: float | None) -> None:
        """Allow more or fewer from now on. To be called on the loop of its coroutines."""
        self.max_concurrency = max_concurrency
        self._allowance.places.restrict(max_concurrency)
        self._allowance.pace.told = _told(requests_per_minute)
        self._freed.set()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Place]:
        """Wait for a place, and hold it for the time of one request."""
        async with self._turnstile:
            if not self.in_flight and self._clock() - self._idle_since > IDLE_SECONDS:
                self._allowance.forget_pace(self._clock())
            due = await self._turn()
            sent = self._allowance.send(self._clock(), self.in_flight, due)
            self.in_flight += 1
        try:
            yield Place(self, sent)
        finally:
            self.in_flight -= 1
            self._idle_since = self._clock()
            self._freed.set()

    async def _turn(self) -> float:
        """Wait until one more request may start, and return the time from which it might have."""
        due = -math.inf
        while True:
            now = self._clock()
            if self.in_flight >= self.limit:
                await self._freed_within(self._allowance.more_in(now))
                due = -math.inf
            elif (wait := self._allowance.next_at - now) > SHORTEST_SLEEP:
                due = now + wait  # a loop that wakes late may catch up, or a high pace would not be reached
                await self._sleep(wait)
            else:
                return due if due > -math.inf else now + max(0.0, wait)

    async def _freed_within(self, seconds: float) -> None:
        self._freed.clear()
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._freed.wait(), None if math.isinf(seconds) else seconds)

    def _answer(self, sent: Sent) -> None:
        self._refused_since = None
        self._allowance.answer(sent, self._clock())

    def _refuse(self, sent: Sent, retry_after: float | None) -> None:
        now = self._clock()
        self._allowance.refuse(sent, now, retry_after)
        if self._refused_since is None:
            self._refused_since = now

    def _put_off(self, seconds: float) -> None:
        self._allowance.put_off(self._clock() + seconds)


def _told(requests_per_minute: float | None) -> float:
    """Return a pace in requests a second."""
    return requests_per_minute / 60 if requests_per_minute else math.inf
