"""The garbage collector is as the user has it before and after, and seldom at work between."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from metask_magic.batch.collector import YOUNG_OBJECTS, seldom_collecting

from ..gateway_server import GatewayServer
from .batch_program import run_rows
from .rows import requests


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize(
    ("young", "within"),
    [(700, YOUNG_OBJECTS), (2 * YOUNG_OBJECTS, 2 * YOUNG_OBJECTS), (0, 0)],
)
def test_its_threshold(young: int, within: int) -> None:
    gc.set_threshold(young, 10, 10)
    with suppress(KeyboardInterrupt), seldom_collecting():
        seen = gc.get_threshold()
        raise KeyboardInterrupt
    assert seen == (within, 10, 10)
    assert gc.get_threshold() == (young, 10, 10)


@pytest.mark.kernel
def test_rows_make_no_cycles(gateway: GatewayServer, tmp_path: Path) -> None:
    """Which is why the collector may wait: there is nothing for it to find."""
    run_rows(gateway.base_url, requests(20), tmp_path / "before.jsonl", concurrency=8)
    gc.collect()
    gc.disable()
    try:
        results = run_rows(gateway.base_url, requests(500), tmp_path / "rows.jsonl", concurrency=8)
        found = gc.collect()
    finally:
        gc.enable()
    assert [result.error for result in results] == [None] * 500
    assert found < 500, "not even one object a row, the server's own among them"
