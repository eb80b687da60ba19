"""Requests for the rows of a made-up table."""

from __future__ import annotations

from collections.abc import Callable

from metask_magic.asking.interrupt import InterruptRequest
from metask_magic.batch.batch import Batch, Progress, RowResult
from metask_magic.batch.together import Together
from metask_magic.messages.request import Message, Request


def request(text: str) -> Request:
    return Request("gpt-4o-mini", (Message("user", text),), stream=False)


def requests(count: int) -> list[Request]:
    return [request(f"row {number}") for number in range(count)]


def run_alone(batch: Batch, show: Callable[[Progress], None], interrupt: InterruptRequest) -> list[RowResult]:
    """Run a batch with no other beside it, and return its results."""
    Together([iter([batch])]).run(show, interrupt)
    return batch.results
