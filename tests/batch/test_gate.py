"""The gate, in virtual time: against servers that limit rates or numbers, and rule by rule."""

from __future__ import annotations

import asyncio

import pytest

from metask_magic.batch.allowance import LONGEST_PAUSE
from metask_magic.batch.gate import Gate
from metask_magic.batch.places import START

from .limiter import REFUSAL_TAKES, Limiter, Says, ask_rows, exactly, in_whole_seconds, new_gate, nothing
from .virtual_time import now, run

pytestmark = pytest.mark.simulation

# -- against servers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "says", [in_whole_seconds, exactly, nothing], ids=["whole seconds", "exact", "nothing"]
)
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
    says: Says, latency: float, burst: float, within: float
) -> None:
    async def body() -> None:
        server = Limiter(rate=100, burst=burst, places=128, latency=latency, says=says)
        assert await ask_rows(new_gate(128), server, 2000) < within
        assert len(server.starts) == 2000 + len(server.refusals)
        assert len(server.refusals) < (100 if latency < REFUSAL_TAKES else 50)

    run(body())


@pytest.mark.parametrize(("places", "within"), [(16, 850), (64, 250), (1000, 110)])
def test_a_server_that_limits_the_number(places: int, within: float) -> None:
    async def body() -> None:
        server = Limiter(places=places, latency=1.0, says=nothing)
        assert await ask_rows(new_gate(128), server, 10_000) < within
        assert len(server.refusals) < 100

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


async def refuse_beside(gate: Gate, taken: int, refused: int, retry_after: float | None) -> None:
    """So many are under way together: the first ones are answered, after the others were refused."""
    told = asyncio.Barrier(taken + refused)

    async def one(is_taken: bool) -> None:
        async with gate.place() as place:
            if not is_taken:
                await asyncio.sleep(REFUSAL_TAKES)
                place.refused(retry_after)
            await told.wait()
            if is_taken:
                place.answered()

    await asyncio.gather(*[one(number < taken) for number in range(taken + refused)])


async def refused_after(gate: Gate, retry_after: float | None = None) -> float:
    """Seconds until the next request may start, which is refused."""
    began = now()
    async with gate.place() as place:
        waited = now() - began
        place.refused(retry_after)
    return waited


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


@pytest.mark.parametrize("taken", range(1, START))
@pytest.mark.parametrize("retry_after", [None, 3.0])
def test_those_beside_the_first_that_was_refused_are_the_limit(taken: int, retry_after: float | None) -> None:
    async def body() -> None:
        gate = new_gate(512)
        await refuse_beside(gate, taken, START - taken, retry_after)
        assert gate.limit == taken
        assert await waits(gate) == pytest.approx(retry_after or 0.0)

    run(body())


@pytest.mark.parametrize("limit", range(20))
def test_one_is_always_let_through(limit: int) -> None:
    async def body() -> None:
        gate = new_gate(START)
        for _ in range(limit):
            await refused_after(gate)
        assert gate.limit >= 1
        assert await waits(gate) <= LONGEST_PAUSE

    run(body())


def test_without_a_time_it_waits_twice_as_long_each_time() -> None:
    async def body() -> None:
        gate = new_gate(START)
        assert [await refused_after(gate) for _ in range(10)] == pytest.approx(
            [0, 0.5, 1, 2, 4, 8, 16, 32, 60, 60]
        )
        await answered(gate, 1)
        await refused_after(gate)
        assert await waits(gate) < 10, "an answer ends the row"

    run(body())


@pytest.mark.parametrize(("jitter", "pause"), [(0.0, 0.375), (1.0, 0.5)])
def test_the_wait_is_spread(jitter: float, pause: float) -> None:
    async def body() -> None:
        gate = new_gate(START, jitter=jitter)
        await refused_after(gate)
        assert await waits(gate) == pytest.approx(pause)

    run(body())


def test_a_later_refusal_may_make_the_wait_longer_but_not_shorter() -> None:
    async def body() -> None:
        gate = new_gate(START)
        async with gate.place() as first, gate.place() as second, gate.place() as third:
            first.refused(5.0)
            second.refused(9.0)
            third.refused(1.0)
        assert await waits(gate) == pytest.approx(9.0)

    run(body())


def test_a_gateway_that_fails_may_ask_for_patience() -> None:
    """All wait, and the limits are what they were."""

    async def body() -> None:
        gate = new_gate(START)
        async with gate.place() as place:
            place.put_off(7.0)
        assert gate.held_for == pytest.approx(7.0)
        assert await waits(gate) == pytest.approx(7.0)
        assert (gate.limit, gate.refused_for, gate.held_for) == (START, 0.0, 0.0)

    run(body())


def test_how_long_everything_was_refused() -> None:
    async def body() -> None:
        gate = new_gate(START)
        assert gate.refused_for == 0
        await refused_after(gate, 10.0)
        await refused_after(gate, 10.0)
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

    assert run(body(1)) > 1.5
    assert run(body(100)) < 0.5
