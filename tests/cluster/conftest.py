"""A cluster of two worker processes, a client of it, and a journal of each test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

from ..gateway_server import GatewayServer

WORKERS = 2
WAIT = 60.0


@pytest.fixture(scope="package")
def cluster() -> Iterator[LocalCluster]:
    with new_cluster(WORKERS) as running:
        yield running


def new_cluster(workers: int) -> LocalCluster:
    """Return a cluster whose workers have no key of their own."""
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=":0", env={"METASK_API_KEY": ""}
    )


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[Client]:
    with Client(cluster) as client:
        client.wait_for_workers(WORKERS, timeout=WAIT)
        yield client


@pytest.fixture
def journal(gateway: GatewayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of recordings; the settings are those of a script that asks the test gateway."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METASK_API_KEY", gateway.api_key)
    monkeypatch.setenv("METASK_BASE_URL", gateway.base_url)
    return tmp_path / ".metask" / "recordings.jsonl"


def recorded(journal: Path) -> set[str]:
    """Return the prompts that are in the journal by now."""
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True) if journal.exists() else []
    whole: list[Any] = [json.loads(line) for line in lines if line.endswith("\n")]
    return {line["request"]["messages"][-1]["content"] for line in whole}
