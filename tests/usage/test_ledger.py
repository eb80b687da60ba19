"""The ledger: every ending of a request is entered once, with what is known and no more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.errors import (
    BudgetError,
    ConnectionFailedError,
    HostRefusedError,
    LocalModelError,
    NotFoundError,
    ReplyTimeoutError,
    ServerError,
    StreamCutError,
)
from metask_magic.language import choose
from metask_magic.messages.events import Event, Finished, Notice, Served, TextDelta, Usage, UsageReported
from metask_magic.messages.request import Message, Request
from metask_magic.usage.ledger import Figure, Ledger, MeteredBackend, ModelUsage

STALL = None  # a step that never ends
UNKNOWN = Figure(0, 1)
SERVED, TEXT, STOP = Served("m-1", "req-1"), TextDelta("Hi"), Finished("stop")

Step = Event | Exception | None


def tokens(input_: int | None, output: int | None, cached: int | None = None) -> UsageReported:
    return UsageReported(Usage(input_, output, cached_tokens=cached))


def asked(model: str = "m") -> Request:
    return Request(model, (Message("user", "Hi"),))


class Inner:
    """A backend that yields, raises and stalls as its script says; with a turn of the loop before each."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps
        self.asked = self.closed = 0
        self.stalled = asyncio.Event()

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        self.asked += 1
        try:
            for step in self.steps:
                await asyncio.sleep(0)
                if step is None:
                    self.stalled.set()
                    await asyncio.Event().wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.closed += 1


def seconds() -> Callable[[], float]:
    """A clock that is a second later whenever it is looked at."""
    ticks: Iterator[int] = count()
    return lambda: float(next(ticks))


async def drain(backend: MeteredBackend, request: Request | None = None) -> None:
    async for _ in backend.stream(request or asked()):
        pass


def used_by(*steps: Step) -> ModelUsage:
    """What is entered for a request that ends by itself."""
    ledger = Ledger()

    async def ask() -> BaseException | None:
        backend = MeteredBackend(Inner(*steps), ledger, clock=seconds())
        return (await asyncio.gather(drain(backend), return_exceptions=True))[0]

    assert asyncio.run(ask()) is (steps[-1] if isinstance(steps[-1], Exception) else None)
    (used,) = ledger.rows()
    return used


def row(input_: Figure, output: Figure, cached: Figure = UNKNOWN, **more: int) -> ModelUsage:
    return ModelUsage(
        "m", 1, **more, input=input_, cached=cached, output=output, reasoning=UNKNOWN, seconds=1
    )


REFUSED = ModelUsage("m", 1, failed=1, seconds=1)
UNREPORTED = row(UNKNOWN, UNKNOWN, failed=1, unreported=1)

ENDINGS = {
    "reported": ([SERVED, TEXT, STOP, tokens(11, 7)], row(Figure(11), Figure(7))),
    "with cached tokens": ([STOP, tokens(11, 7, 4)], row(Figure(11), Figure(7), Figure(4))),
    "reported zero": ([STOP, tokens(0, 0, 0)], row(Figure(0), Figure(0), Figure(0))),
    "not reported": ([SERVED, TEXT, STOP], row(UNKNOWN, UNKNOWN, unreported=1)),
    "half reported": ([STOP, tokens(11, None)], row(Figure(11), UNKNOWN, unreported=1)),
    "nonsense reported": ([STOP, tokens(-1, -1)], row(UNKNOWN, UNKNOWN, unreported=1)),
    "running totals": ([tokens(11, 1), TEXT, tokens(11, 2), STOP], row(Figure(11), Figure(2))),
    "never said it was finished": ([TEXT, tokens(11, 7)], row(Figure(11), Figure(7))),
    "retried": ([Notice("Rate limited."), SERVED, STOP, tokens(11, 7)], row(Figure(11), Figure(7))),
    "refused": ([NotFoundError("No.", status=404)], REFUSED),
    "refused after a retry": ([Notice("Rate limited."), NotFoundError("No.", status=429)], REFUSED),
    "nobody there": ([HostRefusedError("No.")], REFUSED),
    "no local model": ([Notice("Starting."), LocalModelError("No.")], REFUSED),
    "failed": ([ServerError("No.", status=500)], UNREPORTED),
    "failed without a status": ([ServerError("No.")], UNREPORTED),
    "no answer": ([ReplyTimeoutError("No.")], UNREPORTED),
    "connection lost": ([ConnectionFailedError("No.")], UNREPORTED),
    "failed with 4xx in mid-stream": ([SERVED, TEXT, NotFoundError("No.", status=429)], UNREPORTED),
    "cut": ([SERVED, TEXT, StreamCutError("Cut.")], UNREPORTED),
    "cut after a running total": (
        [TEXT, tokens(11, 1), TEXT, StreamCutError("Cut.")],
        row(Figure(11), Figure(1, 1), failed=1, unreported=1),
    ),
    "cut after its end": (
        [TEXT, STOP, tokens(11, 7), StreamCutError("Cut.")],
        row(Figure(11), Figure(7), failed=1),
    ),
    "a defect": ([TEXT, ZeroDivisionError()], UNREPORTED),
}


@pytest.mark.parametrize(("steps", "entered"), ENDINGS.values(), ids=ENDINGS)
def test_an_ending_is_entered(steps: list[Step], entered: ModelUsage) -> None:
    assert used_by(*steps) == entered


STOPPED = {
    "before anything": ([], row(UNKNOWN, UNKNOWN, interrupted=1, unreported=1)),
    "in the text": ([SERVED, TEXT], row(UNKNOWN, UNKNOWN, interrupted=1, unreported=1)),
    "after a running total": (
        [TEXT, tokens(11, 1)],
        row(Figure(11), Figure(1, 1), interrupted=1, unreported=1),
    ),
    "after its end": ([TEXT, STOP, tokens(11, 7)], row(Figure(11), Figure(7), interrupted=1)),
}


@pytest.mark.parametrize(("steps", "entered"), STOPPED.values(), ids=STOPPED)
def test_a_cancelled_request_is_entered(steps: list[Step], entered: ModelUsage) -> None:
    ledger = Ledger()

    async def stop() -> None:
        inner = Inner(*steps, STALL)
        task = asyncio.ensure_future(drain(MeteredBackend(inner, ledger, clock=seconds())))
        await inner.stalled.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert inner.closed == 1

    asyncio.run(stop())
    assert ledger.rows() == (entered,)


def test_a_request_that_nobody_reads_to_its_end_is_entered_as_interrupted() -> None:
    ledger, inner = Ledger(), Inner(TEXT, STOP, tokens(11, 7))

    async def leave() -> None:
        stream = MeteredBackend(inner, ledger, clock=seconds()).stream(asked())
        assert await anext(stream) == TEXT
        await stream.aclose()  # type: ignore[attr-defined]  # an async generator has it
        for _ in range(10):  # the loop closes what was left, in turns of its own
            await asyncio.sleep(0)
        assert inner.closed == 1

    asyncio.run(leave())
    assert ledger.rows() == (row(UNKNOWN, UNKNOWN, interrupted=1, unreported=1),)


def test_one_row_per_model_in_the_order_asked() -> None:
    ledger = Ledger()

    async def ask() -> None:
        backend = MeteredBackend(Inner(STOP, tokens(1500, 7)), ledger, clock=seconds())
        for model in ("b", "a", "b"):
            await drain(backend, asked(model))
        await drain(MeteredBackend(Inner(STOP), ledger, clock=seconds()), asked("b"))

    asyncio.run(ask())
    assert [(r.model, r.requests, str(r.input), str(r.output)) for r in ledger.rows()] == [
        ("b", 3, "3,000 + ?", "14 + ?"),
        ("a", 1, "1,500", "7"),
    ]
    assert (ledger.total().requests, ledger.total().tokens, ledger.total().seconds) == (4, 4521, 4.0)
    ledger.reset()
    assert ledger.rows() == ()
    assert ledger.total() == ModelUsage("")


@pytest.mark.parametrize(
    ("figure", "shown"),
    [(Figure(), "0"), (Figure(1204), "1,204"), (Figure(1204, 2), "1,204 + ?"), (Figure(0, 1), "?")],
)
def test_a_figure_says_what_is_not_known(figure: Figure, shown: str) -> None:
    assert str(figure) == shown


@pytest.mark.parametrize(
    ("lengths", "slices"),
    [
        ([0, 1, 1000], [1001]),
        ([1000, 1001], [1000, 1001]),
        ([200_000, 200_001], [200_000, 200_001]),
        ([199_001, 200_000], [399_001]),
    ],
)
def test_slices_keep_apart_what_may_cost_differently(lengths: list[int], slices: list[int]) -> None:
    ledger = Ledger()
    for length in lengths:
        ledger.add(ModelUsage("m", 1, input=Figure(length)))
    assert [part.input.known for part in ledger.slices()] == slices
    assert [r.input.known for r in ledger.rows()] == [sum(lengths)]


requests = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([SERVED, TEXT, Notice("…")]),
        st.none() | st.integers(0, 3000),
        st.none() | st.integers(0, 3000),
        st.sampled_from([STOP, ServerError("No.", status=500), NotFoundError("No.", status=404)]),
    ),
    max_size=12,
)


@given(requests)
def test_side_by_side_sums_up_like_one_after_another(
    script: list[tuple[str, Event, int | None, int | None, Step]],
) -> None:
    def sums(together: bool) -> tuple[dict[str, ModelUsage], ModelUsage]:
        ledger = Ledger()

        async def ask() -> None:
            asking = [
                drain(
                    MeteredBackend(Inner(first, tokens(i, o), end), ledger, clock=lambda: 0.0), asked(model)
                )
                for model, first, i, o, end in script
            ]
            if together:
                await asyncio.gather(*asking, return_exceptions=True)
                return
            for one in asking:
                await asyncio.gather(one, return_exceptions=True)

        asyncio.run(ask())
        return {r.model: r for r in ledger.rows()}, ledger.total()

    rows, total = sums(together=True)
    assert (rows, total) == sums(together=False)
    assert sum(r.requests for r in rows.values()) == total.requests == len(script)
    assert total.tokens == sum((i or 0) + (o or 0) for _, _, i, o, _ in script)


def test_threads_lose_nothing() -> None:
    ledger = Ledger()
    used = ModelUsage("m", 1, input=Figure(3), output=Figure(2, 1))

    def add() -> None:
        for _ in range(500):
            ledger.add(used)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.rows() == (ModelUsage("m", 4000, input=Figure(12_000), output=Figure(8000, 4000)),)


BUDGETS = [
    (None, 2, True, ""),
    (100, 2, True, ""),
    (37, 2, True, ""),
    (36, 2, False, "The session has used 36 of its 36 tokens (Metask.budget_tokens)."),
    (10, 2, False, "The session has used 36 of its 10 tokens (Metask.budget_tokens)."),
]


@pytest.mark.parametrize(("budget", "asked_before", "goes_on", "message"), BUDGETS)
def test_the_budget(budget: int | None, asked_before: int, goes_on: bool, message: str) -> None:
    ledger, inner = Ledger(), Inner(STOP, tokens(11, 7))

    async def ask() -> None:
        for _ in range(asked_before):
            await drain(MeteredBackend(inner, ledger))
        await drain(MeteredBackend(inner, ledger, lambda: budget))

    if goes_on:
        asyncio.run(ask())
    else:
        with pytest.raises(BudgetError) as caught:
            asyncio.run(ask())
        assert caught.value.message == message
        assert "`%config Metask.budget_tokens = 72`" in caught.value.remedy
    assert inner.asked == ledger.total().requests == asked_before + goes_on


def test_the_budget_says_what_is_not_known() -> None:
    ledger = Ledger()
    ledger.add(ModelUsage("m", 3, unreported=2, input=Figure(12_000, 2), output=Figure(34, 2)))
    with pytest.raises(BudgetError) as caught:
        asyncio.run(drain(MeteredBackend(Inner(), ledger, lambda: 10_000)))
    assert caught.value.message == (
        "The session has used at least 12,034 of its 10,000 tokens (Metask.budget_tokens); "
        "2 of 3 requests did not report all of theirs."
    )


@pytest.mark.parametrize(
    ("unreported", "said"),
    [
        (0, "本次会话已用 12,034 个 token，预算为 10,000 个（Metask.budget_tokens）。"),
        (
            2,
            "本次会话至少已用 12,034 个 token，预算为 10,000 个（Metask.budget_tokens）；"
            "3 个请求中有 2 个没有报告全部用量。",
        ),
    ],
)
def test_the_budget_in_chinese(unreported: int, said: str) -> None:
    choose("zh")
    ledger = Ledger()
    ledger.add(ModelUsage("m", 3, unreported=unreported, input=Figure(12_000), output=Figure(34)))
    with pytest.raises(BudgetError) as caught:
        ledger.check(10_000)
    assert str(caught.value) == (
        f"{said}提高预算（`%config Metask.budget_tokens = 24068`）或取消预算（`= None`）；"
        "`%metask usage --reset` 会重新计数。"
    )


def test_the_budget_ends_a_reply_between_its_rounds() -> None:
    class Rounds:
        """Asks ten times for one reply, as a loop of tools would."""

        def __init__(self, backend: MeteredBackend) -> None:
            self._backend = backend

        async def stream(self, request: Request) -> AsyncIterator[Event]:
            for _ in range(10):
                async for event in self._backend.stream(request):
                    yield event

    ledger, inner = Ledger(), Inner(STOP, tokens(11, 7))
    seen: list[Event] = []

    async def ask() -> None:
        async for event in Rounds(MeteredBackend(inner, ledger, lambda: 40)).stream(asked()):
            seen.append(event)

    with pytest.raises(BudgetError):
        asyncio.run(ask())
    assert inner.asked == 3
    assert ledger.total().failed == 0
    assert len(seen) == 6
