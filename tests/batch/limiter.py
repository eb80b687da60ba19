"""A gateway with limits, in virtual time, and rows that pass a gate to ask it."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from metask_magic.batch.gate import Gate

from .virtual_time import now

REFUSAL_TAKES = 0.005

Says: TypeAlias = Callable[[float], float | None]
"""Turns the seconds until a request would be taken into a Retry-After; None says nothing."""


def in_whole_seconds(seconds: float) -> float:
    return max(1.0, math.ceil(seconds))


def exactly(seconds: float) -> float:
    return seconds


def nothing(seconds: float) -> None:
    return None


def new_gate(max_concurrency: int, requests_per_minute: float | None = None, jitter: float = 1.0) -> Gate:
    """A gate in the running loop's time."""
    return Gate(max_concurrency, requests_per_minute, clock=now, jitter=lambda: jitter)


@dataclass
class Limiter:
    """A server with a number of places, and a bucket of `burst` tokens that fills at `rate` a second."""

    rate: float = math.inf
    burst: float = 100.0
    places: float = math.inf
    latency: float = 0.05
    says: Says = in_whole_seconds
    starts: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    _tokens: float = math.nan
    _filled_at: float = 0.0
    _under_way: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311

    def change(self, places: float, rate: float, burst: float) -> None:
        """Other limits from now on."""
        tokens = self._fill()
        self.places, self.rate, self.burst = places, rate, burst
        self._tokens = min(tokens, burst)

    def _fill(self) -> float:
        known = self.burst if math.isnan(self._tokens) else self._tokens
        come = (now() - self._filled_at) * self.rate if math.isfinite(self.rate) else self.burst
        self._tokens, self._filled_at = min(self.burst, known + come), now()
        return self._tokens

    async def ask(self) -> tuple[bool, float | None]:
        """Whether it answered, and else what it says of waiting."""
        self.starts.append(now())
        tokens = self._fill()
        if tokens < 1 or self._under_way >= self.places:
            self.refusals.append(now())
            await asyncio.sleep(min(REFUSAL_TAKES, self.latency / 2))
            return False, self.says(max(0.0, (1 - tokens) / self.rate))
        self._tokens -= 1
        self._under_way += 1
        await asyncio.sleep(self.latency * self._random.uniform(0.7, 1.3))
        self._under_way -= 1
        self.answers.append(now())
        return True, None


async def ask_row(gate: Gate, server: Limiter) -> None:
    """Ask until there is an answer."""
    answered = False
    while not answered:
        async with gate.place() as place:
            answered, retry_after = await server.ask()
            if answered:
                place.answered()
            else:
                place.refused(retry_after)


async def ask_rows(gate: Gate, server: Limiter, rows: int) -> float:
    """Ask until so many rows are answered, and return the seconds that took."""
    left = iter(range(rows))
    began = now()

    async def worker() -> None:
        for _ in left:
            await ask_row(gate, server)

    await asyncio.gather(*[worker() for _ in range(gate.max_concurrency)])
    return now() - began
