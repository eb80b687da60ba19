"""The gate all rows of a batch pass: how many requests are under way at once, and how fast they go out.

What a gateway allows is seldom told, so it is learnt: the number under way grows while all goes well, and
a refusal (429) holds back everybody. A refusal also tells how many requests were let through lately, and
they are spread at that pace from then on: where replies are quick, their number alone is no brake.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

START = 8
DECREASE = 0.7
HEADROOM = 0.9
GROWTH_PER_SECOND = 0.01
SPEED_UP_SECONDS = 3.0
RECENT_SECONDS = 5.0
SHORTEST_SPAN = 0.5
IDLE_SECONDS = 60.0
CATCH_UP_SECONDS = 0.03
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0


class Place:
    """One request on its way through the gate; whoever holds it says how it went, if it was answered."""

    __slots__ = ("_backoffs", "_gate")

    def __init__(self, gate: Gate, backoffs: int) -> None:
        self._gate = gate
        self._backoffs = backoffs

    def answered(self) -> None:
        """The gateway took the request: more of them may be under way."""
        self._gate._grow(self._backoffs)

    def refused(self, retry_after: float | None) -> None:
        """The gateway asked for patience, for `retry_after` seconds where it said so: all rows wait."""
        self._gate._back_off(self._backoffs, retry_after)


class Gate:
    """Lets requests through, first come first served. Its coroutines belong to one asyncio loop.

    At most `max_concurrency` are under way, and `requests_per_minute` are started. Refusals of requests
    that were under way together count as one. `clock`, `sleep` (both in seconds) and `jitter` (a number
    from 0 to 1) are there for tests.
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
        self._jitter = jitter
        self._turnstile = asyncio.Lock()
        self._freed = asyncio.Event()
        self._allowed = float(min(START, max_concurrency))
        self._told_pace = _told(requests_per_minute)
        self._pace = _Pace(clock)
        self._next_start = self._resume_at = 0.0
        self._most_at_once = self._backoffs = self._in_a_row = 0
        self._refused_since: float | None = None

    @property
    def limit(self) -> int:
        """How many requests may be under way now."""
        return int(self._allowed)

    @property
    def refused_for(self) -> float:
        """Seconds for which the gateway has refused everything; 0 where its last answer was none."""
        return 0.0 if self._refused_since is None else self._clock() - self._refused_since

    def tune(self, max_concurrency: int, requests_per_minute: float | None) -> None:
        """Allow more or fewer from now on. To be called on the loop of its coroutines."""
        self.max_concurrency = max_concurrency
        self._allowed = min(self._allowed, float(max_concurrency))
        self._told_pace = _told(requests_per_minute)
        self._freed.set()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Place]:
        """Wait for a place, and hold it for the time of one request."""
        if not self.in_flight and not self._turnstile.locked():
            self._pace.resume()
        async with self._turnstile:
            await self._turn()
            self.in_flight += 1
            self._most_at_once = max(self._most_at_once, self.in_flight)
        try:
            yield Place(self, self._backoffs)
        finally:
            self.in_flight -= 1
            self._pace.pause()
            self._freed.set()

    async def _turn(self) -> None:
        """Wait until one more request may start."""
        while True:
            now = self._clock()
            wait = max(self._resume_at, self._next_start) - now
            if self.in_flight >= self.limit:
                self._freed.clear()
                await self._freed.wait()
            elif wait > 0:
                await self._sleep(wait)
            else:
                pace = min(self._told_pace, self._pace.rate)
                # A loop that wakes late may catch up a little, or a high pace would never be reached.
                self._next_start = max(self._next_start, now - CATCH_UP_SECONDS) + 1 / pace
                return

    def _grow(self, backoffs: int) -> None:
        self._refused_since = None
        if backoffs == self._backoffs:
            self._in_a_row = 0
        self._pace.count()
        if self._most_at_once >= self.limit:  # else there is no telling what more would do
            window = self._allowed if self._backoffs else START
            limit = self.limit
            self._allowed = min(float(self.max_concurrency), self._allowed + 1 / window)
            if self.limit > limit:
                self._most_at_once = self.in_flight

    def _back_off(self, backoffs: int, retry_after: float | None) -> None:
        now = self._clock()
        pause = retry_after or 0.0
        if backoffs == self._backoffs:
            self._backoffs += 1
            self._in_a_row += 1
            self._allowed = max(1.0, self._allowed * DECREASE)
            self._most_at_once = 0
            self._pace.slow_down()
            longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._in_a_row - 1, 16))
            pause = max(pause, longest * (0.75 + self._jitter() / 4))
            if self._refused_since is None:
                self._refused_since = now
        self._resume_at = max(self._resume_at, now + pause)


def _told(requests_per_minute: float | None) -> float:
    """Return a pace in requests a second."""
    return requests_per_minute / 60 if requests_per_minute else math.inf


class _Pace:
    """How many requests a second are let through: no limit until the gateway has refused one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.rate = math.inf
        self._clock = clock
        self._counted: deque[float] = deque()
        self._since_refusal = 0
        self._refused_at = self._grown_at = self._busy_since = self._idle_since = clock()

    def resume(self) -> None:
        """Somebody asks again: after a long time without requests, nothing is known any more."""
        now = self._clock()
        idle = now - self._idle_since
        if idle > IDLE_SECONDS:
            self.rate = math.inf
        self._busy_since += idle
        self._refused_at += idle

    def pause(self) -> None:
        self._idle_since = self._clock()

    def count(self) -> None:
        """One more was let through. A bit more may be tried each second, and ever more without a refusal."""
        now = self._clock()
        growth = GROWTH_PER_SECOND * (1 + (now - self._refused_at) / SPEED_UP_SECONDS)
        self.rate *= 1 + growth * min(1.0, now - self._grown_at)
        self._grown_at = now
        self._since_refusal += 1
        self._counted.append(now)
        while self._counted[0] < now - RECENT_SECONDS:
            self._counted.popleft()

    def slow_down(self) -> None:
        """Keep below what was let through lately: since the last refusal, or in the last few seconds."""
        now = self._clock()
        if self._since_refusal:
            recent = sum(at >= now - RECENT_SECONDS for at in self._counted)
            span = min(RECENT_SECONDS, now - self._busy_since)
            measured = max(
                _per_second(self._since_refusal, now - self._refused_at), _per_second(recent, span)
            )
            self.rate = HEADROOM * min(self.rate, measured)
        else:
            self.rate /= 2
        self._since_refusal, self._refused_at = 0, now


def _per_second(count: int, seconds: float) -> float:
    return count / max(seconds, SHORTEST_SPAN)  # the first few may be let through at once
