"""The caller's side, with a cluster that does what the test says."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from metask_magic.asking.loop import LoopThread
from metask_magic.batch.engine import Answer
from metask_magic.chat.reply import Reply
from metask_magic.cluster import engine as engines
from metask_magic.cluster import worker
from metask_magic.cluster.engine import ClusterEngine
from metask_magic.cluster.messages import Briefing, Report
from metask_magic.cluster.sharing import Sharing
from metask_magic.cluster.tasks import MOST_LOSSES
from metask_magic.errors import BudgetError, ClusterError, MetaskError, SettingError
from metask_magic.language import choose
from metask_magic.messages.request import Message, Request
from metask_magic.usage.ledger import ModelUsage, Slices

pytestmark = pytest.mark.kernel

WAIT = 30.0
BRIEFING = Briefing("run", "1.0", "m", {}, None)


@dataclass
class Future:
    status: str = "pending"

    def release(self) -> None:
        self.status = "released"


@dataclass
class Cluster:
    """Stands for a `Connection`: tasks that were given away, reports in the queue, what workers were told."""

    there: list[str] = field(default_factory=lambda: ["a"])
    scheduler: str = "tcp://scheduler"
    said: Callable[[str, str], Any] = lambda function, worker: None if function == "brief" else False
    tasks: list[tuple[int, str, list[int], Future]] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    claimed: list[str] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)
    closed: int | None = None
    on_dismiss: Callable[[], None] = lambda: None

    async def open(self, queue: str) -> None:
        assert queue == "metask-run"

    async def workers(self) -> list[str]:
        return self.there

    def check_key_may_travel(self, workers: Iterable[str]) -> None:
        raise AssertionError("there is no key")

    async def run(self, function: Callable[..., Any], *_args: Any, workers: Iterable[str]) -> dict[str, Any]:
        asked = [*workers]
        self.told += [(function.__name__, each) for each in asked]
        if function is worker.dismiss:
            self.on_dismiss()
        return {each: self.said(function.__name__, each) for each in asked}

    def submit(self, function: Callable[..., None], args: Any, *, key: str, worker: str) -> Future:
        _, number, meant_for, requests = args
        assert meant_for == worker
        assert key == f"ask_rows-run-{number}"
        self.tasks.append((number, worker, [row for row, _ in requests], Future()))
        return self.tasks[-1][3]

    async def get(self) -> list[bytes]:
        found, self.reports = self.reports, []
        return found

    async def failure(self, future: Future) -> BaseException:
        return KeyError(future.status)

    async def claim(self, claim: str) -> None:
        self.claimed.append(claim)

    async def clear(self, claims: Iterable[str]) -> None:
        self.cleared += claims

    async def close(self, lost: int) -> None:
        self.closed = lost

    def report(self, task: int, *rows: int, **more: Any) -> None:
        answers = tuple((row, Reply(f"re {row}", "m", "stop"), False) for row in rows)
        self.reports.append(pickle.dumps(Report(task, "a", answers, **more)))


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def entered() -> list[Slices]:
    return []


@pytest.fixture
def engine(
    cluster: Cluster, entered: list[Slices], monkeypatch: pytest.MonkeyPatch
) -> Iterator[ClusterEngine]:
    monkeypatch.setattr(engines, "BEAT_SECONDS", 0.05)
    loop = LoopThread()
    made = ClusterEngine(cluster, BRIEFING, Sharing(4, None), entered.append, loop=loop)  # type: ignore[arg-type]
    made.start(lambda: None)
    yield made
    made.stop()
    loop.stop()


def launch(engine: ClusterEngine, count: int) -> None:
    engine.launch([(f"k{n}", Request("m", (Message("user", f"{n}"),))) for n in range(count)])


def wait_for(true: Callable[[], Any]) -> None:
    until = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.005)


def taken(engine: ClusterEngine, count: int) -> list[Answer]:
    answers: list[Answer] = []

    def enough() -> bool:
        answers.extend(engine.take())
        return len(answers) >= count

    wait_for(enough)
    return answers


def test_answers_come_with_their_requests(
    engine: ClusterEngine, cluster: Cluster, entered: list[Slices]
) -> None:
    launch(engine, 3)
    wait_for(lambda: cluster.tasks)
    ((number, to, rows, future),) = cluster.tasks
    assert (to, rows, engine.in_flight) == ("a", [0, 1, 2], 3)
    used = {("m", 0): ModelUsage("m", requests=3)}
    cluster.report(number, 0, 2, retried=2)
    cluster.report(number, 1, ending="done", used=used)
    answers = taken(engine, 3)
    assert [(answer.key, answer.reply.text, answer.request.messages[0].text) for answer in answers] == [
        ("k0", "re 0", "0"),
        ("k2", "re 2", "2"),
        ("k1", "re 1", "1"),
    ]
    wait_for(lambda: future.status == "released")
    assert (engine.in_flight, engine.retried) == (0, 2)
    assert entered == [{}, {}, used]
    wait_for(lambda: cluster.cleared == ["metask-run-0"])


def test_what_workers_still_have_to_say_is_heard(engine: ClusterEngine, cluster: Cluster) -> None:
    """A task has ended before, and all was quiet: that is not now."""
    launch(engine, 1)
    wait_for(lambda: cluster.tasks)
    cluster.report(0, 0, ending="done")
    taken(engine, 1)
    launch(engine, 2)
    wait_for(lambda: len(cluster.tasks) == 2)
    cluster.on_dismiss = lambda: cluster.report(1, 1, ending="done")
    engine.stop()
    assert [answer.key for answer in engine.take()] == ["k0"]
    assert cluster.told[-1] == ("dismiss", "a")
    assert cluster.closed == 0


def test_workers_that_say_nothing_are_not_waited_for(engine: ClusterEngine, cluster: Cluster) -> None:
    launch(engine, 5)
    wait_for(lambda: cluster.tasks)
    engine.stop()
    assert engine.take() == []
    assert cluster.closed == 0
    assert cluster.tasks[0][3].status == "released"


@pytest.mark.parametrize("by", ["a report", "Dask"])
def test_a_lost_task_is_given_out_again(engine: ClusterEngine, cluster: Cluster, by: str) -> None:
    launch(engine, 3)
    wait_for(lambda: cluster.tasks)
    cluster.report(0, 1)
    if by == "a report":
        cluster.report(0, ending="lost")
    else:
        cluster.tasks[0][3].status = "error"
    wait_for(lambda: len(cluster.tasks) == 2)
    assert cluster.tasks[1][2] == [0, 2]
    cluster.report(0, 0, 1)  # it was not lost after all, and says again what was heard
    cluster.report(1, 0, 2, ending="done")
    assert [(answer.key, answer.reply.text) for answer in taken(engine, 3)] == [
        ("k1", "re 1"),
        ("k0", "re 0"),
        ("k2", "re 2"),
    ]
    engine.stop()
    assert cluster.closed == 1


@pytest.mark.parametrize("begun", [False, True])
def test_a_task_of_a_worker_that_is_gone(
    engine: ClusterEngine, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    """Dask leaves it where it was meant to go, if there was a time without any worker."""
    monkeypatch.setattr(engines, "GONE_SECONDS", 0.2)
    launch(engine, 2)
    for number in range(2 * MOST_LOSSES if not begun else 1):
        wait_for(lambda number=number: len(cluster.tasks) > number)  # type: ignore[misc]
        if begun:
            cluster.report(number, 1)
        cluster.there[:] = ["b" if cluster.there == ["a"] else "a"]
    wait_for(lambda: cluster.tasks[-1][1] == cluster.there[0])
    assert cluster.tasks[-1][2] == ([0] if begun else [0, 1])
    assert "metask-run-0" in cluster.claimed, "it must not begin any more"


def test_a_row_that_is_lost_again_and_again_fails(engine: ClusterEngine, cluster: Cluster) -> None:
    launch(engine, 1)
    for number in range(MOST_LOSSES):
        wait_for(lambda number=number: len(cluster.tasks) > number)  # type: ignore[misc]
        cluster.report(number)
        wait_for(lambda number=number: engine._tasks.get(number).begun)  # type: ignore[misc, union-attr]
        cluster.tasks[number][3].status = "error"
    (answer,) = taken(engine, 1)
    assert not answer.ends_run
    assert "4 times in turn (last: 'error')" in str(answer.reply.error)


def test_a_cluster_without_workers_is_told(cluster: Cluster, request: pytest.FixtureRequest) -> None:
    cluster.there.clear()
    engine = request.getfixturevalue("engine")
    launch(engine, 300)
    wait_for(lambda: cluster.tasks)
    assert engine.hindrance == "no workers yet"
    choose("zh")
    assert engine.hindrance == "还没有 worker"
    assert [(to, len(rows)) for _, to, rows, _ in cluster.tasks] == [("", 100)], "for whoever comes"
    cluster.there.append("a")
    wait_for(lambda: engine.hindrance == "")


def test_workers_that_do_not_answer_get_no_task(engine: ClusterEngine, cluster: Cluster) -> None:
    cluster.said = lambda function, worker: OSError("no answer") if worker == "a" else function == "tune"
    cluster.there.append("b")
    wait_for(lambda: engine._shares is not None and [*engine._shares] == ["b"])
    launch(engine, 10)
    wait_for(lambda: cluster.tasks)
    assert {to for _, to, _, _ in cluster.tasks} == {"b"}


@pytest.mark.parametrize(
    ("said", "kind", "says"),
    [
        (SettingError("There is no key."), SettingError, "There is no key."),
        (ModuleNotFoundError("No module named 'metask_magic'"), ClusterError, "Install metask-magic on the"),
        (ModuleNotFoundError("No module named 'reviews'", name="reviews"), ClusterError, "upload_file"),
        (ZeroDivisionError("x"), ClusterError, "cannot ask (x)"),
    ],
)
def test_a_worker_that_cannot_ask_ends_the_run(
    engine: ClusterEngine, cluster: Cluster, said: Exception, kind: type[MetaskError], says: str
) -> None:
    cluster.said = lambda function, _: said if function == "brief" else False
    cluster.there.append("b")
    launch(engine, 3)
    (answer,) = taken(engine, 1)
    assert answer.ends_run
    assert type(answer.reply.error) is kind
    assert says in str(answer.reply.error)


def test_a_budget_that_is_used_up_ends_the_run(cluster: Cluster) -> None:
    def enter(used: Slices) -> None:
        if used:
            raise BudgetError("Too much.")

    loop = LoopThread()
    engine = ClusterEngine(cluster, BRIEFING, Sharing(4, None), enter, loop=loop)  # type: ignore[arg-type]
    engine.start(lambda: None)
    launch(engine, 3)
    wait_for(lambda: cluster.tasks)
    cluster.report(0, 0, used={("m", 0): ModelUsage("m", requests=1)})
    first, second = taken(engine, 2)
    assert first.reply.text == "re 0"
    assert (second.ends_run, str(second.reply.error)) == (True, "Too much.")
    engine.stop()
    loop.stop()


def test_a_cluster_that_breaks_ends_the_run(engine: ClusterEngine, cluster: Cluster) -> None:
    async def broken() -> list[bytes]:
        await asyncio.sleep(0)
        raise OSError("closed")

    launch(engine, 3)
    wait_for(lambda: cluster.tasks)
    cluster.get = broken  # type: ignore[method-assign]
    (answer,) = taken(engine, 1)
    assert answer.ends_run
    assert "tcp://scheduler cannot be used any more (closed)" in str(answer.reply.error)
    launch(engine, 2)
    assert taken(engine, 1)[0].ends_run, "and so for those that come later"
