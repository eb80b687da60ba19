"""The gate, in virtual time: against servers that limit rates or numbers, and rule by rule."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from metask_magic.chat.gate import LONGEST_PAUSE, START, Gate

from .virtual_time import now, run

REFUSAL_TAKES = 0.003


def new_gate(max_concurrency: int, requests_per_minute: float | None = None, jitter: float = 1.0) -> Gate:
    """A gate in the running loop's time."""
    return Gate(max_concurrency, requests_per_minute, clock=now, jitter=lambda: jitter)


# -- against servers ------------------------------------------------------------------------------------


@dataclass
class Limiter:
    """A server with a bucket of tokens and a number of places; `says` turns seconds into a Retry-After."""

    rate: float = math.inf
    burst: float = 100.0
    places: int = 10**9
    latency: float = 0.05
    says: Callable[[float], float | None] = lambda seconds: max(1.0, math.ceil(seconds))
    refusals: int = 0
    starts: list[float] = field(default_factory=list)
    _tokens: float = math.nan
    _filled_at: float = 0.0
    _under_way: int = 0

    async def ask(self) -> tuple[bool, float | None]:
        """Whether it answered, and else what it says of waiting."""
        self.starts.append(now())
        if math.isfinite(self.rate):
            known = self.burst if math.isnan(self._tokens) else self._tokens
            self._tokens = min(self.burst, known + (now() - self._filled_at) * self.rate)
            self._filled_at = now()
        if self._tokens < 1 or self._under_way >= self.places:
            self.refusals += 1
            await asyncio.sleep(REFUSAL_TAKES)
            return False, self.says((1 - self._tokens) / self.rate)
        self._tokens -= 1
        self._under_way += 1
        await asyncio.sleep(self.latency * (0.7 + 0.6 * (len(self.starts) * 0.618 % 1)))
        self._under_way -= 1
        return True, None


async def ask_rows(gate: Gate, server: Limiter, rows: int) -> float:
    """Ask until every row is answered, and return the seconds that took."""
    left = iter(range(rows))
    began = now()

    async def worker() -> None:
        for _ in left:
            answered = False
            while not answered:
                async with gate.place() as place:
                    answered, retry_after = await server.ask()
                    if answered:
                        place.answered()
                    else:
                        place.refused(retry_after)

    await asyncio.gather(*[worker() for _ in range(gate.max_concurrency)])
    return now() - began


def exact(seconds: float) -> float:
    return seconds


def nothing(seconds: float) -> None:
    return None


@pytest.mark.parametrize("says", [Limiter.says, exact, nothing], ids=["whole seconds", "exact", "nothing"])
@pytest.mark.parametrize(
    ("latency", "burst", "within"),
    [
        (0.002, 100, 25),
        (0.002, 10, 50),
        (0.002, 1, 110),
        (0.05, 100, 25),
        (0.05, 10, 50),
        (1.0, 100, 45),
        (1.0, 10, 50),
    ],
)
def test_two_thousand_rows_with_a_hundred_a_second(
    says: Callable[[float], float | None], latency: float, burst: float, within: float
) -> None:
    async def body() -> None:
        server = Limiter(rate=100, burst=burst, places=128, latency=latency, says=says)
        assert await ask_rows(new_gate(128), server, 2000) < within
        assert len(server.starts) == 2000 + server.refusals
        assert server.refusals < 50

    run(body())


@pytest.mark.parametrize(("places", "within"), [(16, 850), (64, 250), (1000, 110)])
def test_a_server_that_limits_the_number(places: int, within: float) -> None:
    async def body() -> None:
        server = Limiter(places=places, latency=1.0, says=nothing)
        assert await ask_rows(new_gate(128), server, 10_000) < within
        assert server.refusals < 100

    run(body())


@pytest.mark.parametrize("per_minute", [30, 600, 6000])
def test_requests_per_minute_hold_in_every_minute(per_minute: int) -> None:
    async def body() -> None:
        server = Limiter(latency=0.01)
        rows = per_minute * 3
        took = await ask_rows(new_gate(64, per_minute), server, rows)
        assert took == pytest.approx(180, abs=2.5)
        slack = 1 + per_minute / 60 * 0.03
        for first, start in enumerate(server.starts[:-per_minute]):
            in_a_minute = sum(start <= later < start + 60 for later in server.starts[first:])
            assert in_a_minute <= per_minute + slack
            if first > 50:
                break

    run(body())


# -- rule by rule ---------------------------------------------------------------------------------------


async def answered(gate: Gate, times: int) -> None:
    """Fill the gate, and let all in it be answered; so often."""
    for _ in range(times):
        begun = asyncio.Event()
        tasks = [asyncio.create_task(_hold(gate, begun)) for _ in range(gate.limit)]
        await asyncio.sleep(60)  # longer than any pause, and what was learnt is forgotten
        begun.set()
        await asyncio.gather(*tasks)


async def _hold(gate: Gate, until: asyncio.Event) -> None:
    async with gate.place() as place:
        await until.wait()
        place.answered()


async def refuse_together(gate: Gate, number: int, retry_after: float | None) -> None:
    """So many are under way, and all are refused."""
    full = asyncio.Barrier(number)

    async def one() -> None:
        async with gate.place() as place:
            await full.wait()
            place.refused(retry_after)

    await asyncio.gather(*[one() for _ in range(number)])


async def waits(gate: Gate) -> float:
    """Seconds until the next request may start."""
    began = now()
    async with gate.place():
        return now() - began


@pytest.mark.parametrize(("most", "first"), [(1, 1), (5, 5), (START, START), (512, START)])
def test_it_starts_low(most: int, first: int) -> None:
    async def body() -> None:
        assert new_gate(most).limit == first

    run(body())


def test_it_grows_to_the_most_that_is_allowed() -> None:
    async def body() -> None:
        gate = new_gate(20)
        limits = []
        for _ in range(25):
            limits.append(gate.limit)
            await answered(gate, 1)
        assert limits == sorted(limits)
        assert (limits[:3], limits[-1]) == ([8, 9, 10], 20)

    run(body())


def test_it_does_not_grow_where_few_are_under_way() -> None:
    async def body() -> None:
        gate = new_gate(512)
        for _ in range(100):
            async with gate.place() as place:
                place.answered()
        assert gate.limit == START

    run(body())


def test_refusals_of_what_was_under_way_together_are_one() -> None:
    async def body() -> None:
        gate = new_gate(512)
        await refuse_together(gate, START, 3.0)
        assert gate.limit == 5
        assert await waits(gate) == pytest.approx(3.0)
        await refuse_together(gate, 5, 3.0)
        assert gate.limit == 3

    run(body())


@pytest.mark.parametrize("limit", range(20))
def test_one_is_always_let_through(limit: int) -> None:
    async def body() -> None:
        gate = new_gate(START)
        for _ in range(limit):
            await refuse_together(gate, 1, None)
        assert gate.limit >= 1
        assert await waits(gate) <= LONGEST_PAUSE

    run(body())


def test_without_a_time_it_waits_twice_as_long_each_time() -> None:
    async def body() -> None:
        gate = new_gate(START)
        pauses = []
        for _ in range(9):
            await refuse_together(gate, 1, None)
            pauses.append(await waits(gate))
        assert pauses == pytest.approx([0.5, 1, 2, 4, 8, 16, 32, 60, 60])
        await answered(gate, 1)
        await refuse_together(gate, 1, None)
        assert await waits(gate) == pytest.approx(0.5)

    run(body())


@pytest.mark.parametrize(("jitter", "pause"), [(0.0, 0.375), (1.0, 0.5)])
def test_the_wait_is_spread(jitter: float, pause: float) -> None:
    async def body() -> None:
        gate = new_gate(START, jitter=jitter)
        await refuse_together(gate, 1, None)
        assert await waits(gate) == pytest.approx(pause)

    run(body())


def test_a_later_refusal_may_make_the_wait_longer_but_not_shorter() -> None:
    async def body() -> None:
        gate = new_gate(START)
        async with gate.place() as first, gate.place() as second, gate.place() as third:
            first.refused(5.0)
            second.refused(9.0)
            third.refused(1.0)
        assert gate.limit == 5
        assert await waits(gate) == pytest.approx(9.0)

    run(body())


def test_how_long_everything_was_refused() -> None:
    async def body() -> None:
        gate = new_gate(START)
        assert gate.refused_for == 0
        await refuse_together(gate, 1, 10.0)
        await refuse_together(gate, 1, 10.0)
        assert gate.refused_for == pytest.approx(10.0)
        await answered(gate, 1)
        assert gate.refused_for == 0

    run(body())


def test_never_more_than_allowed_and_first_come_first_served() -> None:
    async def body() -> None:
        gate = new_gate(3)
        order, most = [], 0

        async def one(number: int) -> None:
            nonlocal most
            async with gate.place():
                order.append(number)
                most = max(most, gate.in_flight)
                await asyncio.sleep(1)

        await asyncio.gather(*[one(number) for number in range(10)])
        assert (order, most, gate.in_flight) == (list(range(10)), 3, 0)
        assert now() == pytest.approx(4)

    run(body())


@pytest.mark.parametrize("leaves", [0, 1])
def test_who_stops_waiting_takes_no_place(leaves: int) -> None:
    async def body() -> None:
        gate = new_gate(1)
        async with gate.place():
            waiting = [asyncio.create_task(waits(gate)) for _ in range(2)]
            await asyncio.sleep(1)
            waiting[leaves].cancel()
            await asyncio.sleep(0)
        assert await waiting[1 - leaves] == pytest.approx(1)
        assert gate.in_flight == 0

    run(body())


def test_a_pace_is_forgotten_after_a_while() -> None:
    async def body(idle: float) -> float:
        gate = new_gate(128)
        server = Limiter(rate=10, burst=10, latency=0.001)
        await ask_rows(gate, server, 100)
        await asyncio.sleep(idle)
        return await ask_rows(gate, Limiter(latency=0.001), 200)

    assert run(body(1)) > 10
    assert run(body(100)) < 1
