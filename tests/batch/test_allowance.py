"""What a gateway allows is found out, and kept to: a table of limits, in virtual time."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import pytest

from .limiter import Limiter, Says, ask_row, ask_rows, in_whole_seconds, new_gate, nothing
from .virtual_time import now, run

pytestmark = pytest.mark.simulation

MOST = 256
ROWS, MOST_ROWS = 1500, 4_000
"""How many are counted: so many, or as many as a minute has, but not more than the second number."""
SETTLED_SECONDS, SETTLED_ROWS = 60.0, 200
PLENTY = 8_000
"""Rows after which it ought to be settled, however little time has passed."""

UNLIMITED = math.inf


@dataclass(frozen=True)
class Limits:
    """What a gateway allows: a number at once, and requests a minute from a bucket for so many of them."""

    at_once: float = UNLIMITED
    per_minute: float = UNLIMITED
    burst: float | None = None

    def __str__(self) -> str:
        words = [f"{self.at_once:g} at once"] if self.at_once < UNLIMITED else []
        if self.per_minute < UNLIMITED:
            words.append(f"{self.per_minute:g} a minute")
        return " and ".join([*words, *([f"burst {self.burst:g}"] if self.burst else [])])

    def rows_a_second(self, latency: float) -> float:
        return min(self.per_minute / 60, min(self.at_once, MOST) / latency)

    def tokens(self) -> float:
        return self.burst or (self.per_minute if self.per_minute < UNLIMITED else 1e9)

    def server(self, latency: float, says: Says) -> Limiter:
        return Limiter(self.per_minute / 60, self.tokens(), self.at_once, latency, says)


@dataclass(frozen=True)
class Share:
    """Of what a gateway allowed after a while, how much was asked; of the requests, how many were refused."""

    throughput: float
    refused: float


async def _measure(server: Limiter, limits: Limits) -> Share:
    """Wait until it ought to be settled, and count from then on."""
    allowed = limits.rows_a_second(server.latency)
    before = len(server.answers)
    await asyncio.sleep(min(SETTLED_SECONDS, PLENTY / allowed))
    while len(server.answers) < before + SETTLED_ROWS:  # noqa: ASYNC110 -- virtual time costs nothing
        await asyncio.sleep(0.5 / allowed)
    began, answers, refusals, starts = now(), *map(len, (server.answers, server.refusals, server.starts))
    await asyncio.sleep(max(ROWS / allowed, min(60.0, MOST_ROWS / allowed)))
    answered = len(server.answers) - answers
    return Share(
        answered / (now() - began) / allowed,
        (len(server.refusals) - refusals) / (len(server.starts) - starts),
    )


def simulate(latency: float, says: Says, *phases: Limits) -> list[Share]:
    """Ask as fast as the gate lets through, while the limits change from phase to phase."""

    async def body() -> list[Share]:
        server, gate = phases[0].server(latency, says), new_gate(MOST)

        async def worker() -> None:
            while True:
                await ask_row(gate, server)

        workers = [asyncio.create_task(worker()) for _ in range(MOST)]
        shares = []
        for limits in phases:
            server.change(limits.at_once, limits.per_minute / 60, limits.tokens())
            shares.append(await _measure(server, limits))
        for each in workers:
            each.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        return shares

    return run(body())


ALONE = [Limits(number) for number in (1, 4, 20, 200)]
PACES = [Limits(per_minute=pace) for pace in (60, 6000)]
BOTH = [Limits(number, pace) for number in (1, 4, 20, 200) for pace in (60, 6000)]

SAYS = [pytest.param(nothing, id="says nothing"), pytest.param(in_whole_seconds, id="Retry-After")]


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("limits", [*ALONE, *PACES, *BOTH], ids=str)
@pytest.mark.parametrize("latency", [0.03, 1.0, 30.0])
def test_a_limit_is_learnt_and_kept_to(latency: float, limits: Limits, says: Says) -> None:
    (share,) = simulate(latency, says, limits)
    assert share.throughput >= 0.8
    assert share.refused <= 0.02


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("burst", [1, 5])
@pytest.mark.parametrize("latency", [0.03, 1.0])
def test_a_bucket_that_holds_next_to_nothing(latency: float, burst: float, says: Says) -> None:
    """Every request that comes too early is refused."""
    (share,) = simulate(latency, says, Limits(per_minute=60, burst=burst))
    assert share.throughput >= 0.8
    assert share.refused <= 0.02


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("latency", [1.0, 30.0])
@pytest.mark.parametrize(
    "phases",
    [
        (Limits(20), Limits(4)),
        (Limits(4), Limits(20)),
        (Limits(200), Limits(20), Limits(200)),
        (Limits(1), Limits(200), Limits(1)),
        (Limits(per_minute=60), Limits(per_minute=6000)),
        (Limits(per_minute=6000), Limits(per_minute=60)),
        (Limits(20), Limits(per_minute=60)),
        (Limits(4, 6000), Limits(20, 60)),
    ],
    ids=lambda phases: ", then ".join(map(str, phases)),
)
def test_a_limit_that_changes_is_learnt_anew(latency: float, phases: tuple[Limits, ...], says: Says) -> None:
    for share in simulate(latency, says, *phases):
        assert share.throughput >= 0.8
        assert share.refused <= 0.02


@pytest.mark.parametrize("seed", range(5))
def test_a_gateway_that_counts_a_little_differently(seed: int) -> None:
    """One more slips through, or an answer that came still counts for a moment: that is no pace."""

    class Loose(Limiter):
        async def ask(self) -> tuple[bool, float | None]:
            self.places = 20 + self._random.choice([-1, 0, 0, 0, 0, 0, 0, 1])
            return await super().ask()

    async def body() -> None:
        server = Loose(latency=0.05, says=nothing)
        server._random.seed(seed)
        took = await ask_rows(new_gate(32), server, 4000)
        assert took <= 1.25 * 4000 * 0.05 / 20
        assert len(server.refusals) <= 0.02 * 4000

    run(body())


def test_failures_teach_nothing() -> None:
    """A gateway that fails with every second request is asked as fast as any other."""

    async def body() -> None:
        gate, number = new_gate(32), 0

        async def worker() -> None:
            nonlocal number
            while number < 2000:
                number += 1
                fails = number % 2
                async with gate.place() as place:
                    await asyncio.sleep(0.01 if fails else 0.1)
                    if not fails:
                        place.answered()

        await asyncio.gather(*[worker() for _ in range(32)])
        assert gate.limit == 32
        assert now() < 1.25 * 2000 * 0.055 / 32 + 1

    run(body())


def test_a_few_refusals_before_two_thousand_rows_are_answered() -> None:
    async def body() -> None:
        server = Limiter(places=20, latency=0.04, says=nothing)
        await ask_rows(new_gate(32), server, 2000)
        assert len(server.refusals) <= 4
        assert now() < 1.25 * 2000 * 0.04 / 20

    run(body())
