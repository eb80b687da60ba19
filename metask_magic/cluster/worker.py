"""In a worker: what the caller tells it of a run, and the tasks that ask for its rows.

`tune`, `brief` and `dismiss` are called by the caller in every worker, beside the tasks: so a key travels to
the workers that need it and is in no task, a stop is heard at once, and a caller that is no more is noticed.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from ..answering.backends import Backends
from ..asking.errands import AtOnce
from ..asking.loop import network
from ..batch.asker import Asker
from ..batch.engine import Answer
from ..batch.gate import Gate
from ..errors import ClusterError, MetaskError
from ..language import _, using
from ..messages.events import Backend
from ..schemas.structured import StructuredBackend
from ..settings import Metask
from ..usage.ledger import Ledger, MeteredBackend
from .messages import Briefing, Ending, Report, Share

PATIENCE_SECONDS = 15.0
"""How long a worker goes on asking for a caller of whom it hears nothing."""

BRIEFING_SECONDS = 20.0
HEARTBEAT_SECONDS = 0.1
REPORT_SECONDS = 0.05

Rows = Sequence[tuple[int, bytes]]
"""Requests, pickled, each with its row's number."""


class Post:
    """One run in this worker: who answers, the gate its rows pass, and whether the caller is still there.

    Raises `SettingError` where nothing can be sent.
    """

    def __init__(self, briefing: Briefing, share: Share) -> None:
        self.language = briefing.language
        self.settings = Metask(**briefing.settings)
        self.settings.api_key = briefing.key.arrive() if briefing.key else None
        self.gate = Gate(share.concurrency, share.per_minute)
        self.ledger = Ledger()
        self.ended = threading.Event()
        self._tasks = 0
        self._quiet = threading.Condition()
        self._heard_at = time.monotonic()
        self._backends = Backends(self.settings)
        self._backend = self._new_backend(briefing)

    @contextmanager
    def asker(self) -> Iterator[Asker]:
        """Enter for an engine for a task's rows; `close` waits until it is left."""
        with self._quiet:
            self._tasks += 1
        asker = Asker(self._backend, self.gate, self.settings.max_retries)
        try:
            yield asker
        finally:
            asker.stop()
            with self._quiet:
                self._tasks -= 1
                self._quiet.notify_all()

    def _new_backend(self, briefing: Briefing) -> Backend:
        backends = self._backends
        backend: Backend = MeteredBackend(backends.for_rows(briefing.model), self.ledger)
        if briefing.schema is None:
            return backend
        schema = pickle.loads(briefing.schema)  # noqa: S301 -- the caller's, whose tasks run here anyway
        return StructuredBackend(backend, schema, self.settings.max_repairs, AtOnce(), backends.refused)

    def hear(self, share: Share) -> None:
        """The caller is there, and this is the worker's share now."""
        self._heard_at = time.monotonic()
        network.submit(self._tune(share))

    def end(self) -> None:
        """Have all tasks end. The gate is closed first: places that one task frees are not for the next."""
        network.submit(self._tune(Share(0, None)))
        self.ended.set()

    async def _tune(self, share: Share) -> None:
        self.gate.tune(share.concurrency, share.per_minute)

    def watch(self) -> None:
        """Return when the run has ended, or its caller has not been heard for too long."""
        while not self.ended.wait(max(0.0, self._heard_at + PATIENCE_SECONDS - time.monotonic())):
            if time.monotonic() >= self._heard_at + PATIENCE_SECONDS:
                self.end()

    def close(self) -> None:
        """Close the connections when all tasks have ended; the key goes with them."""
        with self._quiet:
            self._quiet.wait_for(lambda: not self._tasks)
        self._backends.close()


_posts: dict[tuple[str, str], Post] = {}
"""By run and worker: the workers of a cluster can share a process."""


def tune(run: str, shares: Mapping[str, Share], dask_worker: Any) -> bool:
    """Take this worker's share of a run. Return whether it has been briefed."""
    post = _posts.get((run, dask_worker.address))
    if post is None or post.ended.is_set():
        return False
    post.hear(shares[dask_worker.address])
    return True


def brief(briefing: Briefing, shares: Mapping[str, Share], dask_worker: Any) -> MetaskError | None:
    """Take what is needed to ask for a run's rows; return why nothing can be asked here, if so.

    It is not raised: Dask would write it to the worker's log, with what was given to this function.
    """
    at = briefing.run, dask_worker.address
    try:
        with using(briefing.language):
            _check_version(briefing.version)
            post = _posts[at] = Post(briefing, shares[dask_worker.address])
    except MetaskError as error:
        return error.with_traceback(None)
    threading.Thread(target=_keep, args=(at, post), name="metask-run", daemon=True).start()
    return None


def _check_version(callers: str) -> None:
    here = version("metask-magic")
    if here != callers:
        raise ClusterError(
            _("The workers have metask-magic {theirs}, and this is {ours}.", theirs=here, ours=callers),
            _("Install the same version on them."),
        )


def dismiss(run: str, dask_worker: Any) -> None:
    """Ask no more for a run, and forget its key; its tasks report what they have, and end."""
    post = _posts.pop((run, dask_worker.address), None)
    if post is not None:
        post.end()


def _keep(at: tuple[str, str], post: Post) -> None:
    post.watch()
    if _posts.get(at) is post:
        del _posts[at]
    post.close()


def ask_rows(run: str, task: int, meant_for: str, rows: Rows) -> None:
    """Ask for these rows; their answers go to the run's queue as they come. A task of the cluster's.

    It gives its place among the worker's tasks away, because all it does is wait. Given to another worker
    after its first was lost, it asks nothing: only the caller knows what was answered. `meant_for` is the
    worker that knows of the run, or "" where none does yet: then the briefing is waited for.
    """
    from distributed import Event, Queue, get_worker, secede

    secede()
    at = run, get_worker().address
    empty = Report(task, at[1])
    queue, begun = Queue(queue_name(run)), Event(claim_name(run, task))
    try:
        patience = BRIEFING_SECONDS if meant_for in ("", at[1]) else 0.0
        reports = _iter_reports(at, empty, rows, begun_before=begun.is_set(), patience=patience)
        begun.set()
        with closing(reports):
            for report in reports:
                # Where nobody takes reports any more, the queue is full at last.
                queue.put(pickle.dumps(report), timeout=PATIENCE_SECONDS)
    finally:
        queue.close()


def queue_name(run: str) -> str:
    """Return the name of the queue of a run's reports."""
    return f"metask-{run}"


def claim_name(run: str, task: int) -> str:
    """Return the name of the event that says that a task has begun."""
    return f"metask-{run}-{task}"


def _wait_for_post(at: tuple[str, str], patience: float) -> Post | None:
    until = time.monotonic() + patience
    while at not in _posts and time.monotonic() < until:
        time.sleep(REPORT_SECONDS)
    return _posts.get(at)


def _iter_reports(
    at: tuple[str, str], empty: Report, rows: Rows, *, begun_before: bool, patience: float
) -> Generator[Report, None, None]:
    """Ask for the rows, if this task may, and yield what is to be reported."""
    post = None if begun_before else _wait_for_post(at, patience)
    if post is None:
        yield replace(empty, ending="lost" if begun_before else "refused")
    else:
        yield from _iter_answers(post, empty, rows)


def _iter_answers(post: Post, empty: Report, rows: Rows) -> Generator[Report, None, None]:
    """Ask for the rows, and yield what has come, some twenty times a second, and at the end."""
    waiting, retried = len(rows), 0
    wake = threading.Event()

    def report(ending: Ending | None = None) -> Report:
        nonlocal waiting, retried
        answers = asker.take()
        waiting -= len(answers)
        before, retried = retried, asker.retried
        return replace(
            empty,
            answers=tuple(_lightened(answer) for answer in answers),
            used=post.ledger.give_away(),
            retried=retried - before,
            ending=ending,
        )

    yield empty  # that it has begun, and where
    with post.asker() as asker:
        asker.start(wake.set)
        with using(post.language):  # what fails is told by tasks of the loop, which take this along
            asker.launch([(row, pickle.loads(request)) for row, request in rows])  # noqa: S301 -- see above
        while waiting and not post.ended.is_set():
            if wake.wait(HEARTBEAT_SECONDS):
                time.sleep(REPORT_SECONDS)  # several answers at once cost less than one by one
                wake.clear()
                yield report()
    yield report("done")


def _lightened(answer: Answer) -> tuple[int, Any, bool]:
    """Return what travels: neither what the caller has, nor an object that can be made of the text again."""
    reply = replace(answer.reply, request=None, messages=(), data=None)
    return answer.key, reply, answer.ends_run  # type: ignore[return-value]  # the keys here are row numbers
