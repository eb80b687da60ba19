"""Batches side by side: each lane at its own pace, and none stops another but where that must be."""

from __future__ import annotations

import asyncio
import errno
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Sequence

import pytest

from metask_magic.asking.interrupt import InterruptRequest
from metask_magic.asking.loop import LoopThread
from metask_magic.batch.asker import Asker
from metask_magic.batch.batch import Batch, Progress
from metask_magic.batch.caution import GIVEN_UP_AFTER, CautiousEngine
from metask_magic.batch.engine import Answer
from metask_magic.batch.gate import Gate
from metask_magic.batch.together import Together
from metask_magic.chat.reply import Reply
from metask_magic.errors import (
    AuthenticationError,
    BadRequestError,
    BudgetError,
    MetaskError,
    PermissionDeniedError,
)
from metask_magic.messages.events import Event, Finished, TextDelta, Usage, UsageReported
from metask_magic.messages.request import Message, Request

from .journals import MemoryJournal

Answering = Callable[[str, int], "Exception | None"]


class Gateway:
    """Answers by a function of the model and of how often it was asked: what to raise, or nothing."""

    def __init__(self, answer: Answering = lambda *_: None) -> None:
        self.asked: defaultdict[str, list[str]] = defaultdict(list)
        self.at_once = self.most_at_once = 0
        self._answer = answer

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        asked = self.asked[request.model]
        asked.append(request.messages[0].text)
        failure = self._answer(request.model, len(asked))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if failure is not None:
            raise failure
        yield TextDelta("ok")
        yield Finished("stop")
        yield UsageReported(Usage(1, 1, 2))


class Lane:
    """Batches of `rows` rows, one after another; `gate` is theirs together."""

    def __init__(
        self, loop: LoopThread, gateway: Gateway, model: str, rows: int = 30, times: int = 1
    ) -> None:
        self.batches: list[Batch] = []
        self.gate = Gate(8)
        self._requests = [Request(model, (Message("user", f"{row}"),), stream=False) for row in range(rows)]
        self._engines = [CautiousEngine(Asker(gateway, self.gate, 0, loop=loop)) for _ in range(times)]

    def __iter__(self) -> Iterator[Batch]:
        for engine in self._engines:
            self.batches.append(Batch(self._requests, engine, MemoryJournal()))
            yield self.batches[-1]

    @property
    def answered(self) -> list[int]:
        return [sum(result.reply is not None for result in batch.results) for batch in self.batches]


def run(
    lanes: Sequence[Lane], *, side_by_side: int | None = None, total: int | None = None
) -> list[Progress]:
    shown: list[Progress] = []
    Together([iter(lane) for lane in lanes], total=total).run(shown.append, InterruptRequest())
    return shown


def test_every_lane_gets_its_answers_and_progress_counts_all(loop: LoopThread) -> None:
    gateway = Gateway()
    lanes = [Lane(loop, gateway, "a"), Lane(loop, gateway, "b", times=3), Lane(loop, gateway, "c", rows=1)]
    last = run(lanes, total=121)[-1]
    assert [lane.answered for lane in lanes] == [[30], [30, 30, 30], [1]]
    assert {model: len(asked) for model, asked in gateway.asked.items()} == {"a": 30, "b": 90, "c": 1}
    assert (last.done, last.failed, last.tokens, last.total) == (121, 0, 242, 121)


@pytest.mark.parametrize(("most", "at_once"), [(1, 1), (2, 2)])
def test_no_more_than_so_many_are_run_at_once(loop: LoopThread, most: int, at_once: int) -> None:
    told: list[Sequence[int]] = []
    lanes = [Lane(loop, Gateway(), name, rows=3) for name in "abcd"]
    Together([iter(lane) for lane in lanes], side_by_side=most, shared=told.append).run(
        lambda _: None, InterruptRequest()
    )
    assert max(map(len, told)) == at_once
    assert told[-1] == []
    assert [lane.answered for lane in lanes] == [[3]] * 4


@pytest.mark.parametrize("rows", [3, GIVEN_UP_AFTER, 500])
def test_a_model_that_always_fails_is_given_up_and_the_others_go_on(loop: LoopThread, rows: int) -> None:
    gateway = Gateway(lambda model, _: BadRequestError("No.", status=400) if model == "bad" else None)
    lanes = [Lane(loop, gateway, "bad", rows, times=2), Lane(loop, gateway, "good", rows)]
    run(lanes)
    assert lanes[1].answered == [rows]
    sent = len(gateway.asked["bad"])
    assert sent == (2 * rows if rows < GIVEN_UP_AFTER else GIVEN_UP_AFTER)
    assert (lanes[0].batches[-1].stopped is None) is (rows < GIVEN_UP_AFTER)


def test_a_model_that_answered_once_is_not_given_up(loop: LoopThread) -> None:
    gateway = Gateway(lambda _, number: None if number == 4 else BadRequestError("No.", status=400))
    lane = Lane(loop, gateway, "m", rows=100)
    run([lane])
    assert len(gateway.asked["m"]) == 100
    assert lane.answered == [1]


@pytest.mark.parametrize(
    ("error", "others_go_on"),
    [
        (AuthenticationError("No.", status=401), False),
        (BudgetError("Used up."), False),
        (PermissionDeniedError("Not this model.", status=403), True),
    ],
)
def test_what_would_end_every_lane_ends_all(loop: LoopThread, error: MetaskError, others_go_on: bool) -> None:
    gateway = Gateway(lambda model, number: error if model == "a" and number == 3 else None)
    lanes = [Lane(loop, gateway, "a", rows=2000), Lane(loop, gateway, "b", rows=2000)]
    run(lanes)
    assert lanes[0].batches[0].stopped is error
    assert (lanes[1].answered == [2000]) is others_go_on


def test_an_interrupt_ends_all_and_keeps_what_came(loop: LoopThread) -> None:
    interrupt = InterruptRequest()
    lanes = [Lane(loop, Gateway(), name, rows=5000) for name in "ab"]

    def stop(progress: Progress) -> None:
        interrupt.requested = progress.done > 10

    Together([iter(lane) for lane in lanes], total=10_000).run(stop, interrupt)
    assert 10 < sum(sum(lane.answered) for lane in lanes) < 10_000
    assert all(lane.gate.in_flight == 0 for lane in lanes)


class Instant:
    """An engine that has every answer as soon as it is asked."""

    retried, hindrance, in_flight, limit, appetite = 0, "", 0, 8, 64

    def __init__(self) -> None:
        self._answers: list[Answer] = []

    def start(self, arrived: Callable[[], None]) -> None: ...

    def launch(self, requests: Sequence[tuple[Hashable, Request]]) -> None:
        self._answers += [Answer(key, request, Reply("ok", "m", "stop")) for key, request in requests]

    def stop(self) -> None: ...

    def take(self) -> list[Answer]:
        taken, self._answers = self._answers, []
        return taken


def one_row_each(models: str, journal: MemoryJournal) -> list[Batch]:
    asked = [Request(model, (Message("user", "Hi"),), stream=False) for model in models]
    batches = [Batch([request], Instant(), journal) for request in asked]
    Together([iter([batch]) for batch in batches]).run(lambda _: None, InterruptRequest())
    return batches


def test_what_came_for_several_lanes_is_written_at_once() -> None:
    journal = MemoryJournal()
    batches = one_row_each("abc", journal)
    assert journal.writes == [3]
    assert [batch.progress.done for batch in batches] == [1, 1, 1]


def test_where_it_cannot_be_written_every_lane_says_so_and_has_its_answer() -> None:
    batches = one_row_each("abc", MemoryJournal(OSError(errno.ENOSPC, "No space left on device")))
    assert ["No space left on device" in str(batch.stopped) for batch in batches] == [True] * 3
    assert [result.reply.text for batch in batches for result in batch.results if result.reply] == ["ok"] * 3
