"""What a trial asks of each model."""

from __future__ import annotations

from typing import Any, cast

import pytest

from metask_magic.messages.request import Request
from metask_magic.table.asking import Manner
from metask_magic.table.requests import RowRequests, TablePrompt
from metask_magic.table.rows import RecordRows
from metask_magic.trials.run import STREAMED, TrialRun
from metask_magic.trials.wish import CheckWish


@pytest.mark.parametrize(
    ("length", "streamed"),
    [
        (1, [0]),
        (5, [0, 2, 4]),
        (200, [*range(0, 200, 10)]),
        (201, [*range(0, 201, 11)]),
        (1000, [*range(0, 1000, 50)]),
    ],
)
def test_the_rows_that_are_streamed_are_spread_over_the_table(length: int, streamed: list[int]) -> None:
    table = RecordRows([{"n": n} for n in range(length)], "t")
    asked, nobody = TablePrompt("a", "{{ n }}", "", {}), cast("Any", None)
    run = TrialRun(nobody, table, asked, ["a", "b"], CheckWish(column="n"), "t", Manner())
    for prompt in run.prompts:
        requests = (each for each in RowRequests(table, prompt, "t") if each is not None)
        assert [
            row for row, request in requests if isinstance(request, Request) and request.stream
        ] == streamed
    assert len(streamed) <= max(1, min(STREAMED, (length + 1) // 2))
