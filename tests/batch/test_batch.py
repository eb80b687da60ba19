"""A batch: every row has its result, is asked once or for a reason, and is kept before it is counted."""

from __future__ import annotations

import asyncio
import errno
import re
import signal
import threading
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

from metask_magic.asking.interrupt import InterruptRequest
from metask_magic.asking.loop import LoopThread
from metask_magic.batch.asker import Asker
from metask_magic.batch.batch import Batch, Progress, Row, RowResult, _unwritable, digest
from metask_magic.batch.gate import Gate
from metask_magic.batch.places import START
from metask_magic.chat.reply import Reply
from metask_magic.errors import (
    AuthenticationError,
    BadRequestError,
    BudgetError,
    ConnectionFailedError,
    ContextLengthError,
    GatewayError,
    HostRefusedError,
    MetaskError,
    NotFoundError,
    PermissionDeniedError,
    PromptError,
    RateLimitError,
    ReplyTimeoutError,
    SchemaError,
    ServerError,
    StreamCutError,
    StreamStalledError,
    TLSError,
    UnreadableReplyError,
)
from metask_magic.language import choose
from metask_magic.messages.events import Event, Finished, TextDelta, Usage, UsageReported
from metask_magic.messages.request import Message, Request

from ..english import english_sentences
from .journals import MemoryJournal
from .rows import run_alone

PATIENCE = 30.0
MODEL = "m"

Answering = Callable[[str, int], "str | Exception | None"]


class Asked:
    """A backend that answers as a function of a request's text and of how often it came before.

    The function returns the reply's text, raises nothing but returns what to raise, or None to stall.
    """

    def __init__(self, answer: Answering = lambda text, _: f"re {text}") -> None:
        self.times: Counter[str] = Counter()
        self.stalled = threading.Semaphore(0)
        self.most_at_once = 0
        self._at_once = 0
        self._answer = answer

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        text = request.messages[0].text
        self.times[text] += 1
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(0)
            answer = self._answer(text, self.times[text] - 1)
            if isinstance(answer, Exception):
                raise answer
            if answer is None:
                self.stalled.release()
                await asyncio.Event().wait()
            yield TextDelta(str(answer))
            yield Finished("stop")
            yield UsageReported(Usage(3, 4, 7))
        finally:
            self._at_once -= 1


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new(loop: LoopThread, clock: Clock) -> Callable[..., Batch]:
    """Make a batch; the journal and the concurrency are to be had."""

    def make(
        rows: Iterable[Row],
        backend: Asked,
        journal: Any = None,
        concurrency: int = 16,
        *,
        max_retries: int = 2,
        gate: Gate | None = None,
        **options: Any,
    ) -> Batch:
        gate = gate or Gate(concurrency, clock=clock, sleep=clock.sleep, jitter=lambda: 1.0)
        engine = Asker(backend, gate, max_retries, loop=loop, sleep=clock.sleep)
        return Batch(rows, engine, journal or MemoryJournal(), **options)

    return make


def request(text: str, **options: Any) -> Request:
    return Request(MODEL, (Message("user", text),), stream=False, **options)


def requests(count: int) -> list[Request]:
    return [request(f"{number}") for number in range(count)]


def run(batch: Batch, show: Callable[[Progress], None] = lambda _: None) -> list[RowResult]:
    return run_alone(batch, show, InterruptRequest())


def texts(results: list[RowResult]) -> list[str | None]:
    return [result.reply.text if result.reply else None for result in results]


# -- every row once ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 7, 500])
@pytest.mark.parametrize("concurrency", [1, 16, 300])
def test_every_row_is_asked_once_and_answered_in_order(
    new: Callable[..., Batch], count: int, concurrency: int
) -> None:
    backend, journal = Asked(), MemoryJournal()
    results = run(new(requests(count), backend, journal, concurrency))
    assert texts(results) == [f"re {number}" for number in range(count)]
    assert [result.row for result in results] == list(range(count))
    assert not any(result.error or result.journalled for result in results)
    assert set(backend.times.values()) <= {1}
    assert backend.most_at_once <= concurrency
    assert sorted(journal.texts) == sorted(f"re {number}" for number in range(count))


def test_identical_requests_are_asked_once(new: Callable[..., Batch]) -> None:
    backend = Asked()
    streamed = Request(MODEL, (Message("user", "b"),))
    rows = [request("a"), request("b"), request("a"), *requests(100), request("a"), streamed]
    results = run(new(rows, backend))
    assert texts(results)[:3] == ["re a", "re b", "re a"]
    assert texts(results)[-2:] == ["re a", "re b"]
    assert (backend.times["a"], backend.times["b"]) == (1, 1)
    assert [result.row for result in results if result.journalled] == [2, 103, 104]
    assert {result.row: result.like for result in results if result.like is not None} == {
        2: 0,
        103: 0,
        104: 1,
    }


def test_what_is_the_same_is_for_the_caller_to_say(new: Callable[..., Batch]) -> None:
    backend = Asked()
    results = run(new(requests(10), backend, key=lambda request: int(request.messages[0].text) % 2))
    assert texts(results) == ["re 0", "re 1"] * 5
    assert backend.times.total() == 2


def test_a_row_like_one_that_failed_fails_with_it(new: Callable[..., Batch]) -> None:
    backend = Asked(lambda *_: BadRequestError("No.", status=400))
    results = run(new([request("a")] * 50, backend))
    assert backend.times["a"] == 1
    assert {type(result.error) for result in results} == {BadRequestError}
    assert not any(result.journalled for result in results)
    assert [result.like for result in results] == [None, *[0] * 49]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (request("a"), Request(MODEL, (Message("user", "a"),)), True),
        (request("a"), request("b"), False),
        (request("a", params={"x": 1, "y": 2}), request("a", params={"y": 2, "x": 1}), True),
        (request("a", params={"x": 1}), request("a"), False),
        (request("a", format="json"), request("a"), True),
    ],
)
def test_digest(one: Request, other: Request, same: bool) -> None:
    assert (digest(one) == digest(other)) is same


def test_the_journal_is_looked_up_first(new: Callable[..., Batch]) -> None:
    journal, backend = MemoryJournal(), Asked()
    run(new(requests(60), Asked(), journal))
    shown: list[Progress] = []
    results = run(new(requests(100), backend, journal), shown.append)
    assert texts(results) == [f"re {number}" for number in range(100)]
    assert sorted(backend.times) == sorted(str(number) for number in range(60, 100))
    assert [result.journalled for result in results] == [True] * 60 + [False] * 40
    assert (shown[-1].done, shown[-1].journalled, shown[-1].tokens) == (100, 60, 40 * 7)


def test_a_reply_is_kept_before_it_is_counted(new: Callable[..., Batch]) -> None:
    journal = MemoryJournal()

    def check(progress: Progress) -> None:
        assert progress.done <= len(journal.texts)

    run(new(requests(300), Asked(), journal), check)


def test_rows_may_bring_their_numbers_and_their_errors(new: Callable[..., Batch]) -> None:
    unmade = PromptError("There is no x.")
    results = run(new([(7, request("a")), (3, unmade), (5, request("b"))], Asked()))
    assert [(result.row, result.error) for result in results] == [(3, unmade), (5, None), (7, None)]
    assert texts(results) == [None, "re b", "re a"]


# -- what is asked again -------------------------------------------------------------------------------

PASSING: dict[str, Exception] = {
    "500": ServerError("Oh.", status=500),
    "529": ServerError("Oh.", status=529),
    "in mid-reply": ServerError("Oh."),
    "408": GatewayError("Oh.", status=408),
    "lost": ConnectionFailedError("Oh."),
    "refused": HostRefusedError("Oh."),
    "silent": ReplyTimeoutError("Oh."),
    "cut": StreamCutError("Oh."),
    "stalled": StreamStalledError("Oh."),
    "a page": UnreadableReplyError("Oh."),
}
FINAL: dict[str, Exception] = {
    "400": BadRequestError("No.", status=400),
    "too long": ContextLengthError("No.", status=400),
    "404": NotFoundError("No.", status=404),
    "501": ServerError("No.", status=501),
    "an hour": ServerError("No.", status=503, retry_after=3600),
    "schema": SchemaError("No."),
    "defect": ZeroDivisionError("No."),
}
ENDING: dict[str, Exception] = {
    "401": AuthenticationError("No.", status=401),
    "403": PermissionDeniedError("No.", status=403),
    "no quota": RateLimitError("No.", status=429, code="insufficient_quota"),
    "an hour": RateLimitError("No.", status=429, retry_after=3600),
    "budget": BudgetError("No."),
    "TLS": TLSError("No."),
}


@pytest.mark.parametrize("error", PASSING.values(), ids=PASSING)
def test_what_may_pass_is_asked_again(new: Callable[..., Batch], clock: Clock, error: Exception) -> None:
    backend = Asked(lambda text, before: error if text == "3" and before < 2 else f"re {text}")
    shown: list[Progress] = []
    results = run(new(requests(20), backend), shown.append)
    assert texts(results) == [f"re {number}" for number in range(20)]
    assert (backend.times["3"], backend.times.total(), shown[-1].retried) == (3, 22, 2)
    pauses = [each for each in clock.slept if each > 0.1]  # not those that spread requests
    assert [0.375 <= pauses[0] <= 0.5, 0.75 <= pauses[1] <= 1] == [True, True]


@pytest.mark.parametrize("retries", [0, 1, 5])
@pytest.mark.parametrize("error", [PASSING["500"], PASSING["cut"]], ids=["500", "cut"])
def test_it_gives_a_row_up(new: Callable[..., Batch], error: Exception, retries: int) -> None:
    backend = Asked(lambda text, _: error if text == "3" else f"re {text}")
    results = run(new(requests(20), backend, max_retries=retries))
    assert (results[3].reply, results[3].error) == (None, error)
    assert sum(result.error is None for result in results) == 19
    assert backend.times["3"] == retries + 1


@pytest.mark.parametrize("error", FINAL.values(), ids=FINAL)
def test_what_fails_a_row_alone(new: Callable[..., Batch], error: Exception) -> None:
    journal = MemoryJournal()
    backend = Asked(lambda text, _: error if text == "3" else f"re {text}")
    batch = new(requests(20), backend, journal)
    results = run(batch)
    assert "No." in str(results[3].error)
    assert (results[3].reply, backend.times["3"], batch.stopped) == (None, 1, None)
    assert sum(result.error is None for result in results) == 19
    assert len(journal.texts) == 19


@pytest.mark.parametrize("error", ENDING.values(), ids=ENDING)
def test_what_ends_the_run(new: Callable[..., Batch], error: Exception) -> None:
    backend = Asked(lambda text, _: error if int(text) >= 100 else f"re {text}")
    batch = new(requests(5000), backend)
    results = run(batch)
    assert batch.stopped is error
    assert texts(results)[:100] == [f"re {number}" for number in range(100)]
    assert any(result.error is error for result in results[100:])
    assert RowResult(results[-1].row) in results, "the last was not asked"
    assert backend.times.total() <= 100 + 16


def test_who_refuses_the_connection_for_good_ends_the_run(new: Callable[..., Batch]) -> None:
    batch = new(requests(500), Asked(lambda *_: PASSING["refused"]))
    run(batch)
    assert type(batch.stopped) is HostRefusedError


@pytest.mark.parametrize("retry_after", [None, 5.0])
def test_refusals_are_asked_again_without_end(
    new: Callable[..., Batch], clock: Clock, retry_after: float | None
) -> None:
    limited = RateLimitError("Slow.", status=429, retry_after=retry_after)
    backend = Asked(lambda text, before: limited if text == "3" and before < 7 else f"re {text}")
    results = run(new(requests(1000), backend, max_retries=0))
    assert texts(results) == [f"re {number}" for number in range(1000)]
    assert (backend.times["3"], backend.times.total()) == (8, 1007)
    assert clock.now >= 7 * (retry_after or 0.5)


def test_refusals_of_everything_end_the_run_some_day(new: Callable[..., Batch], clock: Clock) -> None:
    batch = new(requests(50), Asked(lambda *_: RateLimitError("Slow.", status=429)))
    run(batch)
    assert type(batch.stopped) is RateLimitError
    assert 600 <= clock.now < 800


def test_a_failure_that_asks_for_patience_holds_all_back(new: Callable[..., Batch], clock: Clock) -> None:
    busy = ServerError("Busy.", status=503, retry_after=9.0)
    backend = Asked(lambda text, before: busy if text == "3" and not before else f"re {text}")
    assert None not in texts(run(new(requests(200), backend)))
    assert clock.now >= 9.0


def test_a_reply_without_an_end_is_a_cut(new: Callable[..., Batch]) -> None:
    class Unended(Asked):
        async def stream(self, request: Request) -> AsyncIterator[Event]:
            self.times["asked"] += 1
            yield TextDelta("so far")

    backend, journal = Unended(), MemoryJournal()
    (result,) = run(new(requests(1), backend, journal))
    assert (type(result.error), backend.times["asked"], journal.texts) == (StreamCutError, 3, [])
    assert result.reply is not None
    assert result.reply.text == "so far"


# -- validation ----------------------------------------------------------------------------------------


def to_number(reply: Reply) -> int:
    if reply.text == "re 3":
        raise SchemaError("It is no number.")
    return int(reply.text.removeprefix("re "))


def test_validate_gives_the_data(new: Callable[..., Batch]) -> None:
    journal = MemoryJournal()
    results = run(new(requests(5), Asked(), journal, validate=to_number))
    assert [result.reply.data if result.reply else None for result in results] == [0, 1, 2, None, 4]
    assert type(results[3].error) is SchemaError
    assert texts(results)[3] == "re 3", "what did not fit can be looked at"
    assert "re 3" not in journal.texts, "it is asked again"


def test_validate_that_breaks_fails_its_row_alone(new: Callable[..., Batch]) -> None:
    results = run(new(requests(5), Asked(), validate=lambda reply: 1 // int(reply.text[3:])))
    assert "ZeroDivisionError" in str(results[0].error)
    assert [result.error for result in results[1:]] == [None] * 4


def test_a_journalled_reply_that_fits_no_more_is_asked_again(new: Callable[..., Batch]) -> None:
    journal = MemoryJournal()
    run(new(requests(5), Asked(), journal))
    backend = Asked(lambda text, _: "re 33" if text == "3" else f"re {text}")
    results = run(new(requests(5), backend, journal, validate=to_number))
    assert [result.reply.data if result.reply else None for result in results] == [0, 1, 2, 33, 4]
    assert dict(backend.times) == {"3": 1}


# -- the end before the end ----------------------------------------------------------------------------


def test_an_interrupt_keeps_what_is_done(new: Callable[..., Batch]) -> None:
    backend, interrupt = Asked(lambda text, _: f"re {text}" if int(text) < 40 else None), InterruptRequest()
    journal = MemoryJournal()

    def stop_when_stalled(progress: Progress) -> None:
        interrupt.requested = progress.done == 40

    results = run_alone(new(requests(1000), backend, journal), stop_when_stalled, interrupt)
    assert texts(results)[:40] == [f"re {number}" for number in range(40)]
    assert all(result == RowResult(row) for row, result in enumerate(results[40:], 40))
    assert len(results) < 1000
    again = Asked()
    assert None not in texts(run(new(requests(1000), again, journal)))
    assert len(again.times) == 960


def test_an_interrupt_while_all_wait(new: Callable[..., Batch], loop: LoopThread) -> None:
    """The gate holds everybody back, and nobody wakes the pump."""
    interrupt = InterruptRequest()
    limited = RateLimitError("Slow.", status=429, retry_after=100)

    said: list[str] = []

    def stop(progress: Progress) -> None:
        said.append(progress.hindrance)
        interrupt.requested = interrupt.requested or bool(progress.hindrance)

    backend = Asked(lambda *_: limited)
    gate = Gate(16)
    results = run_alone(new(requests(100), backend, gate=gate), stop, interrupt)
    assert re.fullmatch(r"the gateway takes no more for (9\d|100) s", next(filter(None, said)))
    choose("zh")
    said.clear()
    interrupt.requested = False
    run_alone(new(requests(100), backend, gate=gate), stop, interrupt)
    assert re.fullmatch(r"网关在 (9\d|100) s 内不再接受请求", next(filter(None, said)))
    assert set(results) == {RowResult(row) for row in range(len(results))}
    loop.run(asyncio.sleep(0))
    assert gate.in_flight == 0


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "(No space left on device)"),
        (MetaskError("The file is locked."), "(The file is locked.)"),
    ],
)
def test_a_journal_that_cannot_write_ends_the_run(
    new: Callable[..., Batch], error: Exception, says: str
) -> None:
    backend, journal = Asked(), MemoryJournal(error, after=50)
    batch = new(requests(5000), backend, journal)
    results = run(batch)
    assert says in str(batch.stopped)
    assert len(journal.texts) == 50
    answered = [text for text in texts(results) if text]
    assert 51 <= len(answered) <= 50 + 2 * 16, "what was paid for is kept"
    assert not any(result.error for result in results)
    assert backend.times.total() <= 50 + 3 * 16


def test_in_chinese_it_says_the_same() -> None:
    choose("zh")
    error = _unwritable(OSError(errno.ENOSPC, "No space"))
    assert error.message == "有一条回复无法保存，因此没有继续提问（No space）。"
    assert english_sentences(error.remedy) == []


def test_a_generator_that_breaks(new: Callable[..., Batch]) -> None:
    journal = MemoryJournal()

    def broken() -> Iterator[Request]:
        yield from requests(100)
        raise ZeroDivisionError("rows")

    gate = Gate(16)
    with pytest.raises(ZeroDivisionError, match="rows"):
        run(new(broken(), Asked(), journal, gate=gate))
    assert journal.texts, "what came is kept"
    assert gate.in_flight == 0


def test_rows_that_are_not_there_yet(new: Callable[..., Batch]) -> None:
    """What was answered meanwhile is kept meanwhile."""
    journal = MemoryJournal()

    def slow() -> Iterator[Request | None]:
        for at, each in enumerate(requests(6)):
            while len(journal.texts) < at:
                yield None
            yield each

    results = run(new(slow(), Asked(), journal))
    assert texts(results) == [f"re {number}" for number in range(6)]
    assert [result.row for result in results] == [*range(6)]


def test_rows_that_never_come_can_be_interrupted(new: Callable[..., Batch]) -> None:
    def stuck() -> Iterator[Request]:
        yield from requests(3)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the interrupt was not thrown here")

    with InterruptRequest() as interrupt:
        results = run_alone(new(stuck(), Asked()), lambda _: None, interrupt)
    assert interrupt.requested
    assert [result.row for result in results] == [0, 1, 2]


def test_a_bar_that_breaks(new: Callable[..., Batch]) -> None:
    def show(_: Progress) -> None:
        raise ZeroDivisionError("bar")

    backend = Asked(lambda *_: None)
    gate = Gate(16)
    with pytest.raises(ZeroDivisionError, match="bar"):
        run(new(requests(100), backend, gate=gate), show)
    assert gate.in_flight == 0


# -- progress, memory, order ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "total", "first"),
    [(requests(50), None, 50), (iter(requests(50)), None, None), (iter(requests(50)), 60, 60)],
    ids=["a list", "a generator", "told"],
)
def test_progress(
    new: Callable[..., Batch], rows: Iterable[Row], total: int | None, first: int | None
) -> None:
    backend = Asked(lambda text, _: FINAL["400"] if text == "3" else f"re {text}")
    shown: list[Progress] = []
    run(new(rows, backend, total=total), shown.append)
    assert START <= shown[0].limit <= 16
    assert shown[0].total in (first, 50)
    assert shown[-1] == Progress(49, 1, 0, 49 * 7, 0, shown[-1].limit, 50, 0)
    assert [progress.done for progress in shown] == sorted(progress.done for progress in shown)


def test_rows_are_taken_as_they_are_needed(new: Callable[..., Batch]) -> None:
    backend, interrupt, taken = Asked(lambda *_: None), InterruptRequest(), []

    def rows() -> Iterator[Request]:
        for number in range(10**6):
            taken.append(number)
            yield request(f"{number}")

    def stop(_: Progress) -> None:
        interrupt.requested = backend.stalled.acquire(timeout=PATIENCE)

    run_alone(new(rows(), backend), stop, interrupt)
    assert len(taken) <= 2 * 16


def test_requests_are_not_kept(new: Callable[..., Batch]) -> None:
    """Prompts of 100 kB, five hundred of them: 50 MB that must not be there at the end, nor at any time."""
    rows = (request(f"{number} " + "x" * 100_000) for number in range(500))
    tracemalloc.start()
    try:
        forgetful = _Forgetful()
        results = run(new(rows, forgetful, forgetful, key=lambda request: request.messages[0].text[:9]))
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert None not in texts(results)
    assert left < 2e6
    assert peak < 15e6


class _Forgetful(Asked):
    """Neither a backend that counts nor a journal that finds anything."""

    def find(self, request: Request) -> None:
        return None

    def put(self, answered: Sequence[tuple[Request, Reply]]) -> None: ...

    def flush(self) -> None: ...

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        yield TextDelta("re " + request.messages[0].text.split()[0])
        yield Finished("stop")
