"""Which rows of a run wait, which are in which task, and which have to be asked again."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ..messages.request import Request

TASK_ROWS = 100
TASK_BYTES = 4_000_000  # Dask warns of tasks above 10 MB
TASKS_EACH = 2  # while one task waits for its last rows, the next one is at work
MOST_LOSSES = 4
ALONE_AFTER = 2

ANYONE = ""


@dataclass(slots=True)
class Row:
    """A row without an answer; `losses` counts the tasks that ended without one."""

    key: Hashable
    request: Request
    losses: int = 0


@dataclass(slots=True)
class Task:
    """Rows that one worker asks for, `alone` if it shall have no other task meanwhile.

    `begun` says that `worker` has reported; before, Dask may have moved it to another one. `future` is the
    cluster's, once it was given away.
    """

    number: int
    worker: str
    rows: Sequence[int]
    alone: bool = False
    begun: bool = False
    future: Any = field(default=None, compare=False)


class Tasks:
    """Rows without an answer, by number, and the tasks they are dealt out in."""

    def __init__(self) -> None:
        self._row_numbers, self._task_numbers = count(), count()
        self._rows: dict[int, Row] = {}
        self._waiting: deque[int] = deque()
        self._tasks: dict[int, Task] = {}

    @property
    def in_flight(self) -> int:
        """How many rows are in tasks."""
        return sum(len(task.rows) for task in self.all())

    def all(self) -> list[Task]:
        """Return the tasks that have not ended."""
        return list(self._tasks.values())

    def get(self, number: int) -> Task | None:
        """Return a task; None where it has ended."""
        return self._tasks.get(number)

    def add(self, requests: Sequence[tuple[Hashable, Request]]) -> None:
        """Take these rows; a key is what an answer is known by."""
        for key, request in requests:
            row = next(self._row_numbers)
            self._rows[row] = Row(key, request)
            self._waiting.append(row)

    def deal(self, workers: Collection[str]) -> tuple[Task, list[tuple[int, bytes]]] | None:
        """Return a task for the worker that has least to do, and its requests, pickled.

        None where no row waits, or every worker has enough. Without any worker the task is for anyone who
        comes, because some clusters grow only when there is something to do.
        """
        while self._waiting and self._waiting[0] not in self._rows:
            self._waiting.popleft()  # its answer came when it waited to be asked again
        if not self._waiting:
            return None
        losses = self._rows[self._waiting[0]].losses
        worker = self._choose(workers, alone=losses >= ALONE_AFTER)
        if worker is None:
            return None
        requests = self._cut(losses, -(-len(self._waiting) // max(1, len(workers))))
        number = next(self._task_numbers)
        rows = [row for row, _ in requests]
        task = self._tasks[number] = Task(number, worker, rows, alone=losses >= ALONE_AFTER)
        return task, requests

    def answer(self, row: int) -> Row | None:
        """Take a row off, which has its answer; None where it had one, because its task had seemed lost."""
        return self._rows.pop(row, None)

    def answer_any(self) -> Row | None:
        """Take off some row, for a failure that ends all of them."""
        return self.answer(next(iter(self._rows))) if self._rows else None

    def end(self, number: int, *, lost: bool = True) -> list[Row]:
        """Forget a task. What it has not answered waits again, the first in turn; return what does not.

        These are rows that were in `MOST_LOSSES` tasks that were `lost`, and are taken off.
        """
        task = self._tasks.pop(number)
        given_up: list[Row] = []
        for number in reversed(task.rows):
            row = self._rows.get(number)
            if row is None:
                continue
            row.losses += lost
            if row.losses < MOST_LOSSES:
                self._waiting.appendleft(number)
            else:
                given_up.append(self._rows.pop(number))
        return given_up

    def _choose(self, workers: Collection[str], *, alone: bool) -> str | None:
        if alone and any(task.alone for task in self.all()):  # it may be anywhere: Dask moves tasks
            return None
        if not workers:
            return None if self._tasks else ANYONE
        load = dict.fromkeys(workers, 0)
        for task in self.all():
            load[task.worker] = load.get(task.worker, 0) + (TASKS_EACH if task.alone else 1)
        least = min(workers, key=lambda worker: load[worker])
        return least if load[least] < (1 if alone else TASKS_EACH) else None

    def _cut(self, losses: int, most: int) -> list[tuple[int, bytes]]:
        """Take the rows of one task: a hundred, or fewer where they are long or would not reach all.

        Those that were lost are in ever smaller tasks: what makes workers die shall be alone at last.
        """
        wanted = min(max(1, TASK_ROWS >> 3 * losses), most)
        cut: list[tuple[int, bytes]] = []
        length = 0
        while self._waiting and len(cut) < wanted and length < TASK_BYTES:
            row = self._rows.get(self._waiting[0])
            if row is not None and row.losses != losses:
                break
            number = self._waiting.popleft()
            if row is not None:
                cut.append((number, pickle.dumps(row.request)))
                length += len(cut[-1][1])
        return cut
