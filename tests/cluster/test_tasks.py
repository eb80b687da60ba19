"""Rows dealt out in tasks, and asked again where their task was lost."""

from __future__ import annotations

import pickle

import pytest

from metask_magic.cluster.tasks import (
    ALONE_AFTER,
    MOST_LOSSES,
    TASK_BYTES,
    TASK_ROWS,
    TASKS_EACH,
    Task,
    Tasks,
)
from metask_magic.messages.request import Message, Request

pytestmark = pytest.mark.kernel


def tasks_of(count: int, length: int = 1) -> Tasks:
    tasks = Tasks()
    tasks.add([(f"k{n}", Request("m", (Message("user", f"{n}" * length),))) for n in range(count)])
    return tasks


def deal(tasks: Tasks, *workers: str) -> list[Task]:
    dealt = []
    while (found := tasks.deal(workers)) is not None:
        dealt.append(found[0])
    return dealt


@pytest.mark.parametrize(
    ("rows", "workers", "sizes"),
    [
        (0, "a", []),
        (1, "a", [1]),
        (1, "ab", [1]),
        (TASK_ROWS, "a", [TASK_ROWS]),
        (TASK_ROWS, "ab", [50, 25, 13, 6]),  # what is left is spread, so that no worker waits
        (1000, "a", [TASK_ROWS] * TASKS_EACH),
        (1000, "ab", [TASK_ROWS] * TASKS_EACH * 2),
        (1000, "", [TASK_ROWS]),  # for whoever comes
    ],
)
def test_sizes(rows: int, workers: str, sizes: list[int]) -> None:
    assert [len(task.rows) for task in deal(tasks_of(rows), *workers)] == sizes


def test_the_worker_that_has_least_to_do_is_next() -> None:
    tasks = tasks_of(1000)
    first, *_ = dealt = deal(tasks, "a", "b")
    assert [task.worker for task in dealt] == ["a", "b", "a", "b"]
    for row in first.rows:
        tasks.answer(row)
    assert tasks.end(first.number) == []
    assert [task.worker for task in deal(tasks, "a", "b")] == ["a"]
    assert [task.worker for task in deal(tasks, "c")] == ["c", "c"], "a new one"


def test_long_requests_make_small_tasks() -> None:
    found = tasks_of(10, TASK_BYTES // 2).deal(["a"])
    assert found is not None
    task, requests = found
    assert len(task.rows) == len(requests) == 2
    assert pickle.loads(requests[0][1]).messages[0].text == "0" * (TASK_BYTES // 2)


def test_of_a_lost_task_only_what_was_not_answered_waits_again() -> None:
    tasks = tasks_of(5)
    (task,) = deal(tasks, "a")
    assert [row.key for row in map(tasks.answer, (0, 3)) if row] == ["k0", "k3"]
    assert tasks.end(task.number) == []
    (again,) = deal(tasks, "b")
    assert again.rows == [1, 2, 4]
    assert again.number != task.number


def test_an_answer_that_comes_twice_counts_once() -> None:
    """Of a task that seemed lost, and was not."""
    tasks = tasks_of(2)
    (task,) = deal(tasks, "a")
    tasks.end(task.number)
    assert tasks.answer(0) is not None
    assert tasks.answer(0) is None
    assert [task.rows for task in deal(tasks, "b")] == [[1]]
    tasks.answer(1)
    assert deal(tasks, "b") == []


def test_lost_rows_are_in_ever_smaller_tasks() -> None:
    tasks = tasks_of(TASK_ROWS)
    sizes = []
    for _ in range(MOST_LOSSES):
        found = tasks.deal(["a"])
        assert found is not None
        sizes.append(len(found[0].rows))
        assert found[0].rows[0] == 0
        tasks.end(found[0].number)
    assert sizes == [TASK_ROWS, TASK_ROWS // 8, 1, 1]


def test_a_row_that_was_lost_often_has_a_worker_to_itself() -> None:
    tasks = tasks_of(2)
    for _ in range(ALONE_AFTER):
        for task in deal(tasks, "a"):
            tasks.end(task.number)
    (first,) = deal(tasks, "a")
    assert first.rows == [0]
    assert deal(tasks, "a", "b") == [], "the other one waits for its end"
    tasks.answer(0)
    tasks.end(first.number)
    tasks.add([("k2", Request("m", (Message("user", "2"),)))])
    assert [(task.worker, task.rows) for task in deal(tasks, "a", "b")] == [("a", [1]), ("b", [2])]


def test_a_task_that_was_not_begun_is_no_loss() -> None:
    tasks = tasks_of(1)
    for _ in range(2 * MOST_LOSSES):
        (task,) = deal(tasks, "a")
        assert tasks.end(task.number, lost=False) == []


def test_a_row_that_is_lost_again_and_again_is_given_up() -> None:
    tasks = tasks_of(2)
    tasks.answer(0)
    for _ in range(MOST_LOSSES - 1):
        (task,) = deal(tasks, "a")
        assert tasks.end(task.number) == []
    (task,) = deal(tasks, "a")
    assert [(row.key, row.losses) for row in tasks.end(task.number)] == [("k1", MOST_LOSSES)]
    assert deal(tasks, "a") == []
    assert tasks.answer_any() is None
