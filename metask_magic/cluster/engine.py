"""The engine of a cluster: the rows of a batch, asked in tasks of `dask.distributed`.

The caller stays the only one who knows what was answered. It deals the rows out in tasks of about a hundred,
and hears of every answer through a queue as it comes, so that it is journalled here and a task that is lost
with its worker costs what was under way. Whether a task has begun before is known by an event on the
scheduler: Dask gives the tasks of a lost worker to another one by itself, and that one must not ask again
for what was answered.

Besides, the caller speaks to every worker once in a while (`worker.tune`): so each knows its share, a new
one is briefed, and none goes on asking for a caller that is no more.
"""

from __future__ import annotations

import asyncio
import math
import pickle
import time
from collections import deque
from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from ..asking.loop import LoopThread, network
from ..batch.engine import Answer
from ..chat.reply import Reply, ReplyBuilder
from ..errors import ClusterError, MetaskError
from ..language import _, ngettext
from ..messages.request import Request
from ..usage.ledger import Slices
from ..words import plain
from . import worker
from .connection import Connection
from .messages import Briefing, Report, Share
from .sharing import Sharing
from .tasks import ANYONE, TASK_ROWS, TASKS_EACH, Row, Task, Tasks

BEAT_SECONDS = 2.0
GONE_SECONDS = 3.0
LISTEN_SECONDS = 0.05
STOP_SECONDS = 0.6
_ENDED = {"error", "cancelled", "lost"}


class ClusterEngine:
    """Asks requests in the workers of a cluster (see `Engine`).

    Parameters
    ----------
    cluster
        The way to the cluster, not opened yet.
    briefing
        What its workers must know.
    sharing
        What they may do together.
    enter
        Takes what requests used, at first nothing. Raises `BudgetError` where the run must end.

    """

    def __init__(
        self,
        cluster: Connection,
        briefing: Briefing,
        sharing: Sharing,
        enter: Callable[[Slices], None],
        *,
        loop: LoopThread = network,
    ) -> None:
        self.retried = 0
        self._cluster = cluster
        self._briefing = briefing
        self._sharing = sharing
        self._enter = enter
        self._loop = loop
        self._arrived: Callable[[], None] = lambda: None
        self._tasks = Tasks()
        self._shares: Mapping[str, Share] | None = None
        self._answers: deque[Answer] = deque()  # appended by one thread, emptied by another
        self._failure: MetaskError | None = None
        self._stopping = False
        self._idle = asyncio.Event()
        self._claims: list[str] = []
        self._lost = 0
        self._missing: dict[int, float] = {}
        self._changed = asyncio.Event()
        self._telling = asyncio.Lock()  # a worker must not be briefed after it was dismissed
        self._work: Future[None] | None = None

    # -- the caller's thread --------------------------------------------------------------------------

    @property
    def hindrance(self) -> str:
        """That there are no workers, or none is known yet."""
        if self._shares:
            return ""
        return _("connecting") if self._shares is None else _("no workers yet")

    @property
    def in_flight(self) -> int:
        """How many rows are with workers; it is not known here how many of them wait at a gate."""
        return self._tasks.in_flight

    @property
    def limit(self) -> int:
        """How many requests all workers may have under way."""
        return self._sharing.max_concurrency

    @property
    def appetite(self) -> int:
        """The tasks that every worker may have, and one more for each."""
        workers = len(self._shares) if self._shares else 1
        return max(2 * self._sharing.max_concurrency, (TASKS_EACH + 1) * TASK_ROWS * workers)

    def start(self, arrived: Callable[[], None]) -> None:
        """Connect to the cluster, in the background."""
        self._arrived = arrived
        self._work = self._loop.submit(self._run())

    def launch(self, requests: Sequence[tuple[Hashable, Request]]) -> None:
        """Ask these too; a key is what an answer is known by."""
        if requests:
            self._loop.submit(self._accept(requests))

    def take(self) -> list[Answer]:
        """Return the answers that have come since the last call."""
        return [self._answers.popleft() for _ in range(len(self._answers))]

    def stop(self) -> None:
        """Have the workers ask no more, and hear what they still have to say."""
        self._loop.run(self._end())

    # -- the loop -------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            self._enter({})
            await self._cluster.open(worker.queue_name(self._briefing.run))
            await asyncio.gather(self._listen(), self._tend())
        except MetaskError as error:
            self._give_up(error)
        except Exception as error:  # noqa: BLE001 -- Dask raises all kinds of them
            self._give_up(
                ClusterError(
                    _(
                        "The Dask cluster at {address} cannot be used any more ({why}).",
                        address=self._cluster.scheduler,
                        why=plain(error) or type(error).__name__,
                    ),
                    _("Run it again when the cluster is up: only what is missing is asked."),
                )
            )

    async def _accept(self, requests: Sequence[tuple[Hashable, Request]]) -> None:
        self._tasks.add(requests)
        if self._failure is not None:
            self._give_up(self._failure)
        self._deal()

    async def _end(self) -> None:
        self._stopping = True
        await _briefly(self._dismiss())
        if self._work is not None:
            self._work.cancel()
        await _briefly(self._leave())

    async def _dismiss(self) -> None:
        """Have the workers stop, and wait for their last reports."""
        async with self._telling:
            await self._cluster.run(worker.dismiss, self._briefing.run, workers=self._shares or ())
        if self._tasks.all() and self._failure is None:
            self._idle.clear()
            await self._idle.wait()

    async def _leave(self) -> None:
        for task in self._tasks.all():
            self._forget(task)
        await self._cluster.clear(self._claims)
        await self._cluster.close(self._lost)

    def _give_up(self, error: MetaskError) -> None:
        """End the run: one row is answered with the failure, the others never are."""
        self._failure = error
        row = self._tasks.answer_any()
        if row is not None:
            self._answer(row, _failed(row.request, error), ends_run=True)

    def _answer(self, row: Row, reply: Reply, ends_run: bool = False) -> None:
        self._answers.append(Answer(row.key, row.request, reply, ends_run))
        self._arrived()

    # -- tasks ----------------------------------------------------------------------------------------

    def _deal(self) -> None:
        """Give the rows that wait to workers that have little to do."""
        while self._shares is not None and self._failure is None and not self._stopping:
            dealt = self._tasks.deal(self._shares)
            if dealt is None:
                return
            task, requests = dealt
            run = self._briefing.run
            task.future = self._cluster.submit(
                worker.ask_rows,
                (run, task.number, task.worker, requests),
                key=f"ask_rows-{run}-{task.number}",
                worker=task.worker,
            )

    async def _listen(self) -> None:
        while True:
            # Whatever such a task told before it ended is in the queue by now.
            ended = [task for task in self._tasks.all() if self._has_ended(task)]
            reports = await self._cluster.get()
            for blob in reports:
                self._hear(pickle.loads(blob))  # noqa: S301 -- of our own workers
            for task in ended if not reports else ():
                await self._cluster.claim(self._claim(task))  # it must not begin any more
                why = await self._cluster.failure(task.future)
                self._close(task, plain(why) or type(why).__name__)
            self._deal()
            await asyncio.sleep(LISTEN_SECONDS)

    def _has_ended(self, task: Task) -> bool:
        missing_since = self._missing.get(task.number, math.inf)
        return task.future.status in _ENDED or time.monotonic() - missing_since >= GONE_SECONDS

    def _hear(self, report: Report) -> None:
        task = self._tasks.get(report.task)
        self.retried += report.retried
        for number, reply, ends_run in report.answers:
            row = self._tasks.answer(number)
            if row is not None:
                self._answer(row, reply, ends_run)
        if task is not None:
            task.worker, task.begun = report.worker, report.ending not in ("lost", "refused")
            if report.ending is not None:
                self._close(task, report.ending)
        try:
            self._enter(report.used)
        except MetaskError as error:
            self._give_up(error)

    def _close(self, task: Task, ending: str) -> None:
        lost = ending == "lost" or (ending not in ("done", "refused") and task.begun)
        for row in self._tasks.end(task.number, lost=lost):
            self._answer(row, _failed(row.request, _lost(row, ending)))
        self._lost += lost
        if ending != "done":
            self._changed.set()  # there are other workers than it was thought
        if not self._tasks.all():
            self._idle.set()
        self._forget(task)

    def _forget(self, task: Task) -> None:
        task.future.release()
        self._claims.append(self._claim(task))

    def _claim(self, task: Task) -> str:
        return worker.claim_name(self._briefing.run, task.number)

    # -- workers --------------------------------------------------------------------------------------

    async def _tend(self) -> None:
        """Tell the workers what their shares are now, and new ones all there is to know."""
        while not self._stopping:
            # Of tasks that have ended. One whose worker is lost before Dask knows that nobody wants its
            # result is run anew, and must still find that it had begun.
            spent = self._claims[:]
            self._changed.clear()
            workers = await self._cluster.workers()
            if self._briefing.key is not None:
                self._cluster.check_key_may_travel(workers)
            shares = self._sharing.among(workers)
            async with self._telling:
                if self._stopping:
                    return
                there = await self._share_out(shares)
            self._shares = {each: share for each, share in shares.items() if each in there}
            self._look_for_missing(workers)
            self._deal()
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                del self._claims[: len(spent)]
                await self._cluster.clear(spent)

    def _look_for_missing(self, workers: Sequence[str]) -> None:
        """Note the tasks of workers that are gone. Dask moves them, unless there was a time without any.

        Those that were for anyone should have begun, now that there are workers: one without a share has it.
        """
        there = workers or (ANYONE,)
        missing = [task for task in self._tasks.all() if task.worker not in there]
        now = time.monotonic()
        self._missing = {task.number: self._missing.get(task.number, now) for task in missing}

    async def _share_out(self, shares: Mapping[str, Share]) -> set[str]:
        """Return the workers that took their share. Raises `MetaskError` where one cannot ask."""
        tuned = await self._cluster.run(worker.tune, self._briefing.run, shares, workers=shares)
        new = [each for each, done in tuned.items() if done is False]
        briefed = await self._cluster.run(worker.brief, self._briefing, shares, workers=new)
        said = {**tuned, **briefed}
        for failure in said.values():
            if isinstance(failure, Exception) and not isinstance(failure, OSError):
                raise _unbriefed(failure)
        return {each for each, answer in said.items() if not isinstance(answer, OSError)}


async def _briefly(coroutine: Coroutine[Any, Any, None]) -> None:
    """Await something for a moment; a cluster that is gone, or hangs, has nothing more to say."""
    with suppress(Exception):
        async with asyncio.timeout(STOP_SECONDS):
            await coroutine


def _failed(request: Request, error: MetaskError) -> Reply:
    builder = ReplyBuilder(request)
    builder.fail(error)
    return builder.build()


def _lost(row: Row, ending: str) -> ClusterError:
    return ClusterError(
        ngettext(
            "The worker that asked was lost, {count} time in turn (last: {why}).",
            "The worker that asked was lost, {count} times in turn (last: {why}).",
            row.losses,
            why=_("lost") if ending == "lost" else ending,
        ),
        _("Look at the workers' logs: their memory may be too small."),
    )


def _unbriefed(failure: Exception) -> MetaskError:
    if isinstance(failure, MetaskError):
        return failure
    remedy = _("Look at the workers' logs.")
    if isinstance(failure, ImportError):
        remedy = _("Install metask-magic on the workers, the same version as here.")
        if failure.name and not failure.name.startswith("metask_magic"):
            remedy = _("Give the workers {module} too, such as by `client.upload_file`.", module=failure.name)
    why = plain(failure) or type(failure).__name__
    return ClusterError(_("A worker of the Dask cluster cannot ask ({why}).", why=why), remedy)
