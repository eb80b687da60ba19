"""A table asked about by two worker processes: real tasks, real connections, and a worker that is killed."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from distributed import Client, LocalCluster
from pydantic import BaseModel, field_validator

import metask_magic
from metask_magic.cluster import worker
from metask_magic.cluster.tasks import TASK_ROWS, TASKS_EACH
from metask_magic.errors import (
    AuthenticationError,
    ClusterError,
    Interrupted,
    MetaskError,
    MissingKeyError,
    SettingError,
)
from metask_magic.language import choose

from ..gateway_server import Answer, GatewayServer, Streamed, Trouble, echo, refused
from ..gateway_server import Gate as Barrier
from ..gateway_server.received import Received
from .conftest import WAIT, WORKERS, new_cluster, recorded

pytestmark = pytest.mark.kernel

MODEL = "gpt-4o-mini"
CONCURRENCY = 16


class Deadly(BaseModel):
    said: str

    @field_validator("said")
    @classmethod
    def die(cls, said: str) -> str:
        if said == "die":
            os._exit(1)
        return said


class Mood(BaseModel):
    mood: str

    @field_validator("mood")
    @classmethod
    def short(cls, mood: str) -> str:
        if len(mood) > 3:
            raise ValueError("too long")
        return mood


def ask(client: Client | None, rows: Any, prompt: str = "row {{ n }}", **options: Any) -> Any:
    defaults: dict[str, Any] = {"model": MODEL, "quiet": True, "max_concurrency": CONCURRENCY}
    return metask_magic.map(rows, prompt, engine=client, **defaults | options)


def numbers(count: int) -> list[dict[str, int]]:
    return [{"n": n} for n in range(count)]


def texts(count: int) -> list[str]:
    return [f"row {n}" for n in range(count)]


def asked(gateway: GatewayServer) -> Counter[str]:
    return Counter(received.last_user_text for received in gateway.chats)


def after(count: int, act: Callable[[], None], then: Callable[[Received], Answer] = echo) -> Any:
    """Return a chooser of answers that acts once, when so many requests have come."""
    lock, came = threading.Lock(), [0]

    def choose(received: Received) -> Answer:
        with lock:
            came[0] += 1
            now = came[0] == count
        if now:
            threading.Thread(target=act).start()
        return then(received)

    return choose


def processes(client: Client) -> dict[str, int]:
    found: dict[str, int] = client.run(os.getpid)
    return found


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)


# -- every row once ------------------------------------------------------------------------------------


def test_every_row_is_asked_once_by_one_of_the_workers(
    client: Client, gateway: GatewayServer, journal: Path
) -> None:
    table = ask(client, pd.DataFrame(numbers(500), index=range(1000, 1500)))
    assert list(table.reply) == texts(500)
    assert list(table.index) == [*range(1000, 1500)]
    assert table.reply_error.isna().all()
    assert table.reply_meta.iloc[0]["model"] == MODEL
    assert asked(gateway) == Counter(texts(500))
    assert recorded(journal) == set(texts(500))


def test_the_workers_share_what_may_be_done_at_once(
    client: Client, gateway: GatewayServer, journal: Path
) -> None:
    barrier = Barrier()
    gateway.answer_with(lambda received: Streamed([barrier, received.last_user_text]))

    def look() -> None:
        gateway.wait_for_requests(3)
        time.sleep(1)  # for those that should not come
        barrier.open()

    threading.Thread(target=look).start()
    ask(client, numbers(60), max_concurrency=3)
    assert gateway.most_at_once == 3


def test_what_is_known_is_not_asked(client: Client, gateway: GatewayServer, journal: Path) -> None:
    ask(None, numbers(50))
    table = ask(client, [*numbers(100), *numbers(100)])
    assert [row["reply"] for row in table] == texts(100) * 2
    assert asked(gateway) == Counter(texts(100))


def test_rows_without_end_are_read_as_they_are_needed(
    client: Client, gateway: GatewayServer, journal: Path
) -> None:
    def rows() -> Iterator[dict[str, int]]:
        most = (TASKS_EACH + 1) * TASK_ROWS * WORKERS
        for row in numbers(1000):
            assert row["n"] % 100 or row["n"] - len(recorded(journal)) <= most
            yield row

    assert [row["reply"] for row in ask(client, rows())] == texts(1000)


def test_a_rate_limit_failures_and_cuts(client: Client, gateway: GatewayServer, journal: Path) -> None:
    trouble = Trouble(requests_per_second=100, failing=0.01, cut=0.01)
    gateway.answer_with(trouble)
    table = ask(client, numbers(600), max_concurrency=64)
    assert [row["reply"] for row in table] == texts(600)
    assert asked(gateway) == {text: 1 + trouble.troubled[text] for text in texts(600)}, "for a reason"
    assert trouble.given["limited"] < 50


# -- a worker that is lost -----------------------------------------------------------------------------


def test_a_worker_that_is_killed_costs_what_was_under_way(
    client: Client, gateway: GatewayServer, journal: Path
) -> None:
    done: set[str] = set()

    def kill() -> None:
        victim = next(iter(processes(client).values()))
        wait_until(lambda: bool(recorded(journal)))
        done.update(recorded(journal))
        os.kill(victim, signal.SIGKILL)

    gateway.answer_with(after(400, kill))
    table = ask(client, numbers(1500))
    assert [row["reply"] for row in table] == texts(1500)
    assert [row["reply_error"] for row in table] == [None] * 1500
    times = asked(gateway)
    assert done, "something was finished before"
    assert {text: times[text] for text in done} == dict.fromkeys(done, 1), "no finished row is asked again"
    # What it had answered and not reported yet is under way, too; on a busy machine that is more.
    assert times.total() - 1500 <= TASKS_EACH * TASK_ROWS, "no more than a worker is given"


@pytest.mark.nightly
def test_a_row_that_kills_its_workers_fails_alone(
    client: Client, gateway: GatewayServer, journal: Path
) -> None:
    """Four workers have to come again; without them the counting is in `test_tasks` and `test_engine`."""
    gateway.answer_with(lambda received: Streamed([json.dumps({"said": received.last_user_text})]))
    rows = [{"w": word} for word in ("live", "die", "and let live")]
    table = ask(client, rows, "{{ w }}", schema=Deadly, max_concurrency=1)
    alive, dead, spared = (row["reply_error"] for row in table)
    assert (alive, spared) == (None, None)
    assert dead.startswith("The worker that asked was lost, 4 times in turn")
    assert [row["said"] for row in table] == ["live", None, "and let live"]


def test_workers_that_come_later(gateway: GatewayServer, journal: Path) -> None:
    with (
        new_cluster(0) as cluster,
        Client(cluster) as client,
    ):
        threading.Timer(0.5, lambda: cluster.scale(1)).start()
        gateway.answer_with(after(100, lambda: cluster.scale(2)))
        table = ask(client, numbers(400))
        assert [row["reply"] for row in table] == texts(400)
        assert asked(gateway) == Counter(texts(400))


# -- what ends a run -----------------------------------------------------------------------------------


def test_a_key_that_is_refused_ends_the_run(client: Client, gateway: GatewayServer, journal: Path) -> None:
    gateway.answer_with(lambda _: refused(401, "No such key."))
    with pytest.raises(AuthenticationError) as caught:
        ask(client, numbers(1000))
    table = caught.value.table
    assert len(table) == 1000
    assert len(gateway.chats) <= 2 * CONCURRENCY
    assert Counter(row["reply_error"] for row in table)["not asked"] >= 1000 - 2 * CONCURRENCY


@pytest.mark.parametrize("waiting", [False, True], ids=["at work", "waiting for the gateway"])
def test_an_interrupt_keeps_what_is_done(
    client: Client, gateway: GatewayServer, journal: Path, waiting: bool
) -> None:
    barrier = Barrier()
    stopped_at = []

    def stop() -> None:
        stopped_at.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    def answer(received: Received) -> Answer:
        return Streamed([barrier]) if waiting and received.number > 100 else echo(received)

    gateway.answer_with(after(110, stop, answer))
    with pytest.raises(Interrupted) as caught:
        ask(client, numbers(5000))
    took = time.monotonic() - stopped_at[0]
    barrier.open()
    gateway.answer_with(echo)
    table = caught.value.table
    done = {row["reply"] for row in table if row["reply"]}
    assert done == recorded(journal)
    assert done
    assert {row["reply_error"] for row in table if not row["reply"]} == {"not asked"}
    assert took < 10, "it does not wait for rows (how long it takes is for the benchmarks)"
    came = len(gateway.chats)
    rest = ask(client, numbers(200), limit=150)
    assert [row["reply"] for row in rest] == texts(150)
    assert len(gateway.chats) - came <= 150, "the workers asked no more for the run that was stopped"


def test_a_cluster_that_goes_away(gateway: GatewayServer, journal: Path) -> None:
    with (
        new_cluster(1) as cluster,
        Client(cluster) as client,
    ):

        def close() -> None:
            wait_until(lambda: bool(recorded(journal)))
            cluster.close()

        gateway.answer_with(after(50, close))
        with pytest.raises(ClusterError, match="cannot be used any more") as caught:
            ask(client, numbers(3000))
    table = caught.value.table
    assert {row["reply"] for row in table if row["reply"]} == recorded(journal)
    assert recorded(journal)


@pytest.mark.nightly
def test_a_caller_that_is_killed(client: Client, gateway: GatewayServer, journal: Path) -> None:
    barrier = Barrier()
    gateway.answer_with(lambda received: Streamed([barrier, received.last_user_text]))
    address = client.scheduler_info()["address"]
    caller = subprocess.Popen([sys.executable, "-c", CALLER, address], env=os.environ)
    came = gateway.wait_for_requests(CONCURRENCY, WAIT)
    client.run(lambda: setattr(worker, "PATIENCE_SECONDS", 1.0))
    caller.kill()
    caller.wait(WAIT)
    try:
        assert all(received.disconnected.wait(WAIT) for received in came)
        wait_until(lambda: set(client.run(lambda: len(worker._posts)).values()) == {0})
    finally:
        client.run(lambda: setattr(worker, "PATIENCE_SECONDS", 15.0))
    assert len(gateway.chats) == CONCURRENCY


CALLER = f"""
import sys
from distributed import Client
import metask_magic
with Client(sys.argv[1]) as client:
    rows = [{{"n": n}} for n in range(1000)]
    metask_magic.map(rows, "row {{{{ n }}}}", engine=client, max_concurrency={CONCURRENCY})
"""


# -- the key -------------------------------------------------------------------------------------------


def test_the_key_is_in_no_task_and_no_log(client: Client, gateway: GatewayServer, journal: Path) -> None:
    barrier = Barrier()
    gateway.answer_with(lambda received: Streamed([barrier, received.last_user_text]))
    seen: list[str] = []

    def look() -> None:
        gateway.wait_for_requests(CONCURRENCY)
        seen.append(client.run_on_scheduler(all_that_is_known))
        barrier.open()

    looking = threading.Thread(target=look)
    looking.start()
    ask(client, numbers(100))
    looking.join(WAIT)
    assert "ask_rows" in seen[0], "it was looked into"
    assert "row 0" in seen[0]
    assert gateway.api_key not in seen[0]
    logs = repr((client.get_worker_logs(), client.get_scheduler_logs(), client.get_events()))
    assert "distributed" in logs
    assert gateway.api_key not in logs


def all_that_is_known(dask_scheduler: Any) -> str:
    """Return what a scheduler holds: its tasks as they are sent, and what it wrote down of them."""
    held = [pickle.dumps(task.run_spec) for task in dask_scheduler.tasks.values()]
    told = repr((list(dask_scheduler.transition_log), dask_scheduler.tasks, dask_scheduler.extensions))
    return repr(held) + told


def test_workers_forget_a_run(client: Client, gateway: GatewayServer, journal: Path) -> None:
    before = client.run_on_scheduler(what_is_left)
    ask(client, numbers(250))
    wait_until(lambda: set(client.run(lambda: len(worker._posts)).values()) == {0})

    def nothing_more() -> bool:
        left = client.run_on_scheduler(what_is_left)
        return all(left[kind] <= before[kind] for kind in before)

    wait_until(nothing_more)


def what_is_left(dask_scheduler: Any) -> dict[str, int]:
    extensions = dask_scheduler.extensions
    return {
        "tasks": len(dask_scheduler.tasks),
        "queues": len(extensions["queues"].queues),
        "events": len(extensions["events"]._events),
    }


def test_workers_with_a_key_of_their_own(
    client: Client, gateway: GatewayServer, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("METASK_API_KEY")
    with pytest.raises(MissingKeyError, match="no key for the gateway"):
        ask(client, numbers(3))
    key = gateway.api_key
    client.run(lambda: os.environ.update(METASK_API_KEY=key))
    try:
        assert [row["reply"] for row in ask(client, numbers(3))] == texts(3)
    finally:
        client.run(lambda: os.environ.pop("METASK_API_KEY"))


def test_a_key_does_not_travel_in_the_clear(
    client: Client, gateway: GatewayServer, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metask_magic.cluster.connection.is_loopback", lambda address: "8786" in address)
    with pytest.raises(SettingError, match="would travel unencrypted"):
        ask(client, numbers(3))
    assert gateway.chats == []
    monkeypatch.setenv("METASK_ALLOW_HTTP", "1")
    assert [row["reply"] for row in ask(client, numbers(3))] == texts(3)


@pytest.mark.parametrize(
    "options",
    [
        {"processes": False},
        {"protocol": "tls://", "security": True},
    ],
    ids=["threads of this process", "encrypted"],
)
def test_other_clusters(gateway: GatewayServer, journal: Path, options: dict[str, Any]) -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", **options) as cluster,
        Client(cluster) as client,
    ):
        assert [row["reply"] for row in ask(client, numbers(120))] == texts(120)
    assert asked(gateway) == Counter(texts(120))


# -- schemas, and tables of a cluster's own ------------------------------------------------------------


def test_a_schema_of_the_notebook_with_a_repair(
    client: Client, gateway: GatewayServer, journal: Path
) -> None:
    def answer(received: Received) -> Answer:
        mood = "bad" if "too long" in received.last_user_text else "horrible"
        return Streamed([json.dumps({"mood": mood})])

    gateway.answer_with(answer)
    table = ask(client, numbers(10), schema=Mood)
    assert [row["mood"] for row in table] == ["bad"] * 10
    assert len(gateway.chats) == 20


def test_a_worker_says_what_fails_in_the_callers_language(
    client: Client, gateway: GatewayServer, journal: Path
) -> None:
    def answer(received: Received) -> Answer:
        return Streamed([json.dumps({"mood": "bad" if received.last_user_text == "row 0" else "horrible"})])

    choose("zh")
    gateway.answer_with(answer)
    table = ask(client, numbers(3), schema=Mood)
    said = '回答不符合 Mood（1 处错误）：\n    mood: Value error, too long（得到 "horrible"）'
    assert [row["reply_error"] for row in table] == [None, said, said]
    told = [received.last_user_text for received in gateway.chats if len(received.json["messages"]) > 1]
    assert all(text.startswith("Your answer does not fit the JSON Schema:\n- mood: ") for text in told)
    assert len(told) == 2
    assert all("(got " in text for text in told), "the model is told in English"


def test_a_schema_that_cannot_be_pickled(client: Client, gateway: GatewayServer, journal: Path) -> None:
    lock = threading.Lock()

    class Locked(BaseModel):
        said: str

        @field_validator("said")
        @classmethod
        def check(cls, said: str) -> str:
            with lock:
                return said

    with pytest.raises(MetaskError, match="schema Locked cannot be sent to the workers"):
        ask(client, numbers(3), schema=Locked)
    assert gateway.chats == []


@pytest.mark.parametrize("parts", [1, 4])
def test_a_dask_table(client: Client, gateway: GatewayServer, journal: Path, parts: int) -> None:
    import dask.dataframe as dd

    frame = pd.DataFrame({"n": range(40), "text": [None, "b"] * 20}, index=range(100, 140))
    table = ask(None, dd.from_pandas(frame, npartitions=parts), "row {{ n }}{{ text }}")
    assert isinstance(table, dd.DataFrame)
    assert table.npartitions == parts
    found = table.compute()
    assert list(found.reply) == [f"row {n}{'b' if n % 2 else ''}" for n in range(40)]
    assert list(found.index) == [*range(100, 140)]
    assert found.reply_meta.iloc[0]["model"] == MODEL
    assert found.dtypes.to_dict() == table.dtypes.to_dict()
    assert len(gateway.chats) == 40


def test_the_first_rows_and_a_preview_of_a_dask_table(
    client: Client, gateway: GatewayServer, journal: Path
) -> None:
    import dask.dataframe as dd

    table = dd.from_pandas(pd.DataFrame({"n": range(40)}), npartitions=4)
    assert "40 rows: 40 requests to send" in str(ask(client, table, dry_run=True).note)
    assert list(ask(client, table, limit=15).compute().reply) == texts(15)


def test_a_dask_table_that_was_not_read_to_its_end(
    client: Client, gateway: GatewayServer, journal: Path
) -> None:
    import dask.dataframe as dd

    def failing(part: pd.DataFrame) -> pd.DataFrame:
        if 20 in set(part.n):
            raise ZeroDivisionError("part 2")
        return part

    frame = dd.from_pandas(pd.DataFrame({"n": range(40)}), npartitions=4)
    with pytest.raises(ZeroDivisionError, match="part 2") as caught:
        ask(client, frame.map_partitions(failing, meta=frame._meta))
    table = caught.value.table  # type: ignore[attr-defined]
    first = table.partitions[:2].compute()
    assert list(first.reply) == texts(20)
    last = table.partitions[3].compute()
    assert list(last.reply_error) == ["not asked"] * 10


def test_a_dask_table_that_is_not_the_same_any_more(
    client: Client, gateway: GatewayServer, journal: Path, tmp_path: Path
) -> None:
    import dask.dataframe as dd

    source = tmp_path / "rows.csv"
    source.write_text("n\n1\n2\n")
    table = ask(client, dd.read_csv(source))
    source.write_text("n\n1\n2\n3\n")
    with pytest.raises(MetaskError, match="has 3 rows now, and had 2"):
        table.compute()
    choose("zh")
    source.write_text("n\n1\n2\n")
    table = ask(client, dd.read_csv(source))
    source.write_text("n\n1\n2\n3\n")
    with pytest.raises(MetaskError, match=r"^有一个分区现在有 3 行，读取时是 2 行。"):
        table.compute()


def test_failed_rows_of_a_dask_table_again(client: Client, gateway: GatewayServer, journal: Path) -> None:
    import dask.dataframe as dd

    gateway.answer_with(lambda got: refused(400, "No.") if got.last_user_text == "row 3" else echo(got))
    table = ask(client, dd.from_pandas(pd.DataFrame({"n": range(6)}), npartitions=2))
    assert list(table.compute().reply_error.notna()) == [False] * 3 + [True] + [False] * 2
    gateway.answer_with(echo)
    again = metask_magic.retry_failed(table, "row {{ n }}", model=MODEL, quiet=True, engine=client)
    assert list(again.compute().reply) == texts(6)
    assert len(gateway.chats) == 7
