"""Which clients can be used, and over which connections a key may travel."""

from __future__ import annotations

from typing import Any

import pytest
from distributed import Client, LocalCluster

from metask_magic.cluster.connection import Address, find_client
from metask_magic.errors import OptionError, SettingError
from metask_magic.language import choose

from ..english import english_sentences

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize(
    ("scheduler", "workers", "refused"),
    [
        ("tcp://127.0.0.1:8786", [], None),
        ("tcp://localhost:8786", ["tcp://[::1]:1"], None),
        ("tls://10.0.0.5:8786", ["tls://10.0.0.6:1"], None),
        ("gateway://dask.example:443/a", ["tls://10.0.0.6:1"], None),
        ("inproc://10.0.0.5/1/1", ["inproc://10.0.0.5/1/2"], None),
        ("tcp://10.0.0.5:8786", [], "tcp://10.0.0.5:8786"),
        ("tcp://127.0.0.1:8786", ["tcp://127.0.0.1:1", "tcp://10.0.0.6:1"], "tcp://10.0.0.6:1"),
        ("ws://dask.example:80", [], "ws://dask.example:80"),
        ("ucx://10.0.0.5:8786", [], "ucx://10.0.0.5:8786"),
    ],
)
def test_a_key_does_not_travel_in_the_clear(scheduler: str, workers: list[str], refused: str | None) -> None:
    Address(scheduler, None, allow_plain=True).check_key_may_travel(workers)
    if refused is None:
        Address(scheduler, None).check_key_may_travel(workers)
        return
    with pytest.raises(SettingError) as caught:
        Address(scheduler, None).check_key_may_travel(workers)
    assert f"({refused})" in caught.value.message
    assert "TLS" in caught.value.remedy
    choose("zh")
    with pytest.raises(SettingError) as caught:
        Address(scheduler, None).check_key_may_travel(workers)
    assert caught.value.message == f"密钥会以明文发送到 Dask 集群（{refused}）。"
    assert english_sentences(caught.value.remedy) == []


def test_the_client_of_the_user_or_the_last_one(client: Client) -> None:
    assert find_client(client) is client
    assert find_client(None) is client


@pytest.mark.parametrize(
    ("engine", "says", "remedy"),
    [
        ("tcp://127.0.0.1:1", "engine is a str", "client = Client()"),
        (3, "engine is a int", "client = Client()"),
    ],
)
def test_what_is_no_client(engine: Any, says: str, remedy: str) -> None:
    with pytest.raises(OptionError, match=says) as caught:
        find_client(engine)
    assert remedy in caught.value.remedy
    choose("zh")
    with pytest.raises(OptionError) as caught:
        find_client(engine)
    assert english_sentences(str(caught.value)) == []


def test_no_client_at_all() -> None:
    with pytest.raises(OptionError, match="there is no client of one"):
        find_client(None)


def test_a_client_that_was_closed(cluster: LocalCluster) -> None:
    closed = Client(cluster)
    closed.close()
    with pytest.raises(OptionError, match="was closed"):
        find_client(closed)
