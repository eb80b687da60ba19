"""In a worker: who is briefed, and how long it goes on for a caller it does not hear."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import pytest

from metask_magic.asking.loop import network
from metask_magic.cluster import worker
from metask_magic.cluster.messages import Briefing, Share, TravellingKey
from metask_magic.errors import ClusterError, SettingError
from metask_magic.keys import ApiKey

pytestmark = pytest.mark.kernel

KEY = TravellingKey(ApiKey("sk-made-up", "the test"))


@dataclass
class DaskWorker:
    """What Dask hands to a function that runs in a worker."""

    address: str = "tcp://here"


HERE = DaskWorker()
SHARES = {HERE.address: Share(5, 300.0)}


BRIEFING = Briefing("r", version("metask-magic"), "m", {"base_url": "http://127.0.0.1:9/v1"}, KEY)


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    for run, address in list(worker._posts):
        worker.dismiss(run, DaskWorker(address))


def test_a_worker_says_whether_it_was_briefed() -> None:
    assert worker.tune("r", SHARES, HERE) is False
    assert worker.brief(BRIEFING, SHARES, HERE) is None
    assert worker.tune("r", SHARES, HERE) is True
    assert worker.tune("another", SHARES, HERE) is False
    assert worker.tune("r", {"tcp://there": Share(1, None)}, DaskWorker("tcp://there")) is False


def test_its_share_follows() -> None:
    worker.brief(BRIEFING, SHARES, HERE)
    post = worker._posts["r", HERE.address]
    assert post.gate.max_concurrency == 5
    worker.tune("r", {HERE.address: Share(2, None)}, HERE)
    network.run(settled())
    assert post.gate.max_concurrency == 2


async def settled() -> None:
    """What was submitted before this has run."""


def test_dismissed_it_forgets_the_run() -> None:
    worker.brief(BRIEFING, SHARES, HERE)
    post = worker._posts["r", HERE.address]
    worker.dismiss("r", HERE)
    assert post.ended.is_set()
    worker.dismiss("r", HERE)  # told twice
    worker.dismiss("another", HERE)


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"version": "0.0.1"}, ClusterError, "and this is 0.0.1"),
        ({"settings": {"base_url": "http://10.0.0.5/v1"}}, SettingError, "unencrypted"),
    ],
)
def test_why_it_cannot_ask(changes: dict[str, Any], kind: type[Exception], says: str) -> None:
    failure = worker.brief(replace(BRIEFING, **changes), SHARES, HERE)
    assert isinstance(failure, kind)
    assert says in str(failure)
    assert worker.tune("r", SHARES, HERE) is False


def test_it_says_in_the_callers_language_why_it_cannot_ask() -> None:
    here = version("metask-magic")
    failure = worker.brief(replace(BRIEFING, version="0.0.1", language="zh"), SHARES, HERE)
    assert (
        str(failure) == f"worker 上的 metask-magic 版本是 {here}，这里是 0.0.1。在 worker 上安装相同的版本。"
    )


def test_a_caller_that_is_not_heard_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PATIENCE_SECONDS", 0.05)
    post = worker.Post(BRIEFING, Share(1, None))
    post.watch()
    assert post.ended.is_set()
    post.close()
