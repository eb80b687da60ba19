"""A batch against a gateway in trouble, over real connections; killed, and run again."""

from __future__ import annotations

import json
import multiprocessing
import random
from collections import Counter
from pathlib import Path

import pytest

from ..gateway_server import GatewayServer, Trouble
from .batch_program import main, run_rows
from .rows import requests

pytestmark = pytest.mark.kernel

WAIT = 60.0
CONCURRENCY = 16


@pytest.mark.nightly
def test_two_thousand_rows_with_a_rate_limit_failures_and_cuts(
    gateway: GatewayServer, tmp_path: Path
) -> None:
    trouble = Trouble(requests_per_second=100, failing=0.01, cut=0.01)
    gateway.answer_with(trouble)
    results = run_rows(gateway.base_url, requests(2000), tmp_path / "journal.jsonl", concurrency=128)
    assert [result.error for result in results] == [None] * 2000
    assert [result.reply.text for result in results if result.reply] == [f"row {row}" for row in range(2000)]
    assert trouble.given["limited"] < 50
    assert trouble.given["failed"] > 5
    assert trouble.given["cut"] > 5
    asked = Counter(received.last_user_text for received in gateway.chats)
    assert asked == {text: 1 + trouble.troubled[text] for text in trouble.troubled}, "once, or for a reason"


@pytest.mark.nightly
def test_killed_twenty_times_it_gives_the_same_table(gateway: GatewayServer, tmp_path: Path) -> None:
    rows, kills, chance = 2200, 20, random.Random(7)  # noqa: S311
    trouble = Trouble(failing=0.01, cut=0.01)
    gateway.answer_with(trouble)
    journal, table = tmp_path / "journal.jsonl", tmp_path / "table.json"
    # A server of processes, so that the library is imported once.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.batch.batch_program", "openai", "aiohttp"])
    arguments = (gateway.base_url, rows, str(journal), CONCURRENCY, str(table))

    for _ in range(kills):
        before = len(gateway.requests)
        process = processes.Process(target=main, args=arguments)
        process.start()
        gateway.wait_for_requests(before + chance.randint(1, 100), WAIT)
        process.kill()
        process.join(WAIT)
        assert process.exitcode == -9
        process.close()
    last = processes.Process(target=main, args=arguments)
    last.start()
    last.join(WAIT)
    assert last.exitcode == 0

    assert json.loads(table.read_text(encoding="utf-8")) == [f"row {row}" for row in range(rows)]
    again = len(gateway.chats) - trouble.troubled.total() - rows
    assert 0 < again <= kills * 2 * CONCURRENCY
