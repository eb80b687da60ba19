"""What a run may do, shared out among workers."""

from __future__ import annotations

import pytest

from metask_magic.cluster.messages import Share
from metask_magic.cluster.sharing import Sharing


@pytest.mark.parametrize(
    ("concurrency", "workers", "shares"),
    [
        (32, [], []),
        (32, ["a"], [32]),
        (32, ["a", "b"], [16, 16]),
        (32, ["a", "b", "c"], [11, 11, 10]),
        (1, ["a"], [1]),
        (2, ["a", "b", "c"], [1, 1]),
    ],
)
def test_concurrency(concurrency: int, workers: list[str], shares: list[int]) -> None:
    shared = Sharing(concurrency, None).among(workers)
    assert shared == {worker: Share(share, None) for worker, share in zip(workers, shares, strict=False)}
    assert sum(share.concurrency for share in shared.values()) == (concurrency if workers else 0)


def test_requests_in_a_minute_go_with_the_concurrency() -> None:
    shared = Sharing(3, 60.0).among(["a", "b"])
    assert shared == {"a": Share(2, 40.0), "b": Share(1, 20.0)}


def test_workers_keep_their_turn() -> None:
    sharing = Sharing(2, None)
    assert [*sharing.among(["c", "b"])] == ["b", "c"]
    assert [*sharing.among(["a", "b", "c"])] == ["b", "c"], "who was there first"
    assert [*sharing.among(["a", "c"])] == ["c", "a"], "the next in turn comes up"
