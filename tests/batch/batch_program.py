"""A batch in a process of its own, which a test kills: real connections, and recordings as its journal."""

from __future__ import annotations

import json
from pathlib import Path

from metask_magic.asking.interrupt import InterruptRequest
from metask_magic.asking.loop import network
from metask_magic.batch.asker import Asker
from metask_magic.batch.batch import Batch, RowResult
from metask_magic.batch.gate import Gate
from metask_magic.gateway.bulk import BulkBackend
from metask_magic.gateway.official import Connection
from metask_magic.gateway.recordings import Recordings
from metask_magic.keys import ApiKey
from metask_magic.messages.request import Request
from metask_magic.table.journal import RowJournal

from ..gateway_server import API_KEY
from .rows import requests, run_alone


def run_rows(base_url: str, rows: list[Request], path: Path, concurrency: int) -> list[RowResult]:
    """Run a batch over these rows to its end."""
    backend = BulkBackend(Connection(base_url, ApiKey(API_KEY, "the test"), timeout=30.0))
    journal = RowJournal(Recordings(path), str)
    batch = Batch(rows, Asker(backend, Gate(concurrency), max_retries=4), journal)
    try:
        return run_alone(batch, lambda _: None, InterruptRequest())
    finally:
        network.run(backend.aclose())


def main(base_url: str, count: int, journal: str, concurrency: int, table: str) -> None:
    """Run it, and write the texts of the replies to `table`."""
    results = run_rows(base_url, requests(count), Path(journal), concurrency)
    texts = [result.reply.text if result.reply else None for result in results]
    Path(table).write_text(json.dumps(texts), encoding="utf-8")
