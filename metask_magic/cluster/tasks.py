"""Which rows of a run wait, which are in which task, and which have to be asked again."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ..chat.messages import Request

TASK_ROWS = 100
TASK_BYTES = 4_000_000  # Dask warns of tasks above 10 MB
TASKS_EACH = 2  # while one task waits for its last rows, the next one is at work
MOST_LOSSES = 5

ANYONE = ""


@dataclass(slots=True)
class Row:
    """A row without an answer; `losses` counts the tasks that ended without one."""

    key: Hashable
    request: Request
    losses: int = 0


@dataclass(slots=True)
class Task:
    """Rows that one worker asks for. `future` is the cluster's, once it was given away."""

    number: int
    worker: str
    rows: Sequence[int]
    future: Any = field(default=None, compare=False)


class Tasks:
    """Rows without an answer, by number, and the tasks they are dealt out in."""

    def __init__(self) -> None:
        self._numbers = count()
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
            row = next(self._numbers)
            self._rows[row] = Row(key, request)
            self._waiting.append(row)

    def deal(self, workers: Collection[str]) -> tuple[Task, list[tuple[int, bytes]]] | None:
        """Return a task for the worker that has least to do, and its requests, pickled.

        None where no row waits, or every worker has enough. Without any worker the task is for anyone who
        comes, because some clusters grow only when there is something to do.
        """
        worker = self._choose(workers) if self._waiting else None
        if worker is None:
            return None
        requests = self._cut(len(workers))
        number = next(self._numbers)
        task = self._tasks[number] = Task(number, worker, [row for row, _ in requests])
        return task, requests

    def answer(self, row: int) -> Row | None:
        """Take a row off, which has its answer; None where it had one, because its task had seemed lost."""
        return self._rows.pop(row, None)

    def answer_any(self) -> Row | None:
        """Take off some row, for a failure that ends all of them."""
        return self.answer(next(iter(self._rows))) if self._rows else None

    def end(self, number: int) -> list[Row]:
        """Forget a task. What it has not answered waits again, the first in turn; return what does not.

        These are rows that were in `MOST_LOSSES` tasks without being answered, and are taken off.
        """
        task = self._tasks.pop(number)
        given_up: list[Row] = []
        for number in reversed(task.rows):
            row = self._rows.get(number)
            if row is None:
                continue
            row.losses += 1
            if row.losses < MOST_LOSSES:
                self._waiting.appendleft(number)
            else:
                given_up.append(self._rows.pop(number))
        return given_up

    def _choose(self, workers: Collection[str]) -> str | None:
        if not workers:
            return None if self._tasks else ANYONE
        load = dict.fromkeys(workers, 0)
        for task in self.all():
            load[task.worker] = load.get(task.worker, 0) + 1
        least = min(workers, key=lambda worker: load[worker])
        return least if load[least] < TASKS_EACH else None

    def _cut(self, workers: int) -> list[tuple[int, bytes]]:
        """Take the rows of one task: a hundred, or fewer where they are long or would not reach all."""
        wanted = min(TASK_ROWS, -(-len(self._waiting) // max(1, workers)))
        cut: list[tuple[int, bytes]] = []
        length = 0
        while len(cut) < wanted and length < TASK_BYTES:
            row = self._waiting.popleft()
            cut.append((row, pickle.dumps(self._rows[row].request)))
            length += len(cut[-1][1])
        return cut
