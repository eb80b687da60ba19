"""`--map` with the workers of a Dask cluster, through a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from ..gateway_server import Gate, GatewayServer, Streamed
from ..gateway_server.received import Received
from ..kernel import Kernel, published
from .conftest import split, value

MODULE = """
import pandas as pd, dask.dataframe as dd
from dask.distributed import Client, LocalCluster
from pydantic import BaseModel, field_validator

longest = 3

class Mood(BaseModel):
    mood: str

    @field_validator("mood")
    @classmethod
    def short(cls, mood):
        if len(mood) > longest:
            raise ValueError("too long")
        return mood

cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", env={"METASK_API_KEY": ""})
client = Client(cluster)
df = pd.DataFrame({"n": range(120)})
ddf = dd.from_pandas(df, npartitions=3)
"""

NOTEBOOK = {"cellId": "a-cell"}


@pytest.fixture(scope="module")
def _with_cluster(kernel: Kernel) -> Iterator[None]:
    cell = kernel.run(MODULE)
    assert cell.error is None
    yield
    kernel.run("client.close(); cluster.close()")


@pytest.fixture
def clustered(
    kernel: Kernel, _with_cluster: None, gateway: GatewayServer, tmp_path: Path
) -> Iterator[Kernel]:
    """A kernel with a cluster and a journal of the test's own."""
    kernel.run(
        "import os\n"
        f"os.environ['METASK_API_KEY'] = {split(gateway.api_key)}\n"
        "%load_ext metask_magic\n"
        f"%config Metask.base_url = '{gateway.base_url}'\n"
        f"%config Metask.recordings_path = {str(tmp_path / 'rows.jsonl')!r}"
    )
    yield kernel
    kernel.run("%unload_ext metask_magic")
    assert not kernel.has_sent(gateway.api_key)
    assert gateway.api_key not in kernel.process_output


def test_a_cell_whose_rows_are_asked_about_by_workers(clustered: Kernel, gateway: GatewayServer) -> None:
    cell = clustered.run("%%metask gpt-4o-mini --map df --engine client -o out\nrow {{ n }}")
    assert cell.error is None
    assert cell.displays[0]["data"]["text/plain"].startswith("120 rows: 120 answered. 2,160 tokens.")
    assert cell.text("stderr") == cell.text() == ""
    assert value(clustered, "(out.reply == 'row ' + out.n.astype(str)).all(), out is _") == "(np.True_, True)"
    used = clustered.run("%metask usage").displays[0]["data"]["text/plain"]
    assert "120" in used
    assert len(gateway.chats) == 120


def test_a_dask_table_needs_no_engine(clustered: Kernel, gateway: GatewayServer) -> None:
    cell = clustered.run("%%metask gpt-4o-mini --map ddf -o out\nrow {{ n }}")
    assert cell.error is None
    assert value(clustered, "type(out).__name__, out.npartitions, list(out.compute().reply)[-1]") == (
        "('DataFrame', 3, 'row 119')"
    )


def test_several_models_are_tried_by_the_workers(clustered: Kernel, gateway: GatewayServer) -> None:
    """One after another; a Dask table gives one back, and a model that nobody serves is given up."""
    cell = clustered.run(
        "%%metask gpt-4o-mini gpt-4o nobody/knows --map ddf --limit 30 --check n -o out\nrow {{ n }}"
    )
    assert cell.error is None
    assert value(clustered, "type(out.table).__module__.split('.')[0], len(out.table)") == "('dask', 90)"
    assert value(clustered, "[each.score for each in out.standings], out.facts.given_up") == (
        "([1.0, 1.0, None], ('nobody/knows',))"
    )
    assert value(clustered, "out.table.compute().groupby('model').size().to_dict()") == (
        "{'gpt-4o': 30, 'gpt-4o-mini': 30, 'nobody/knows': 30}"
    )


def test_a_schema_of_the_notebook(clustered: Kernel, gateway: GatewayServer) -> None:
    """The class is the notebook's, and so is what its validator refers to."""

    def answer(received: Received) -> Streamed:
        return Streamed(
            ['{"mood": "bad"}' if "too long" in received.last_user_text else '{"mood": "horrible"}']
        )

    gateway.answer_with(answer)
    cell = clustered.run(
        "%%metask gpt-4o-mini --map df --limit 5 --engine client --schema Mood -o out\n{{ n }}"
    )
    assert cell.error is None
    assert value(clustered, "list(out.mood)") == repr(["bad"] * 5)
    assert len(gateway.chats) == 10


def test_a_budget_that_is_used_up(clustered: Kernel, gateway: GatewayServer) -> None:
    clustered.run(
        "%metask usage --reset\n%config Metask.budget_tokens = 500\n%config Metask.max_concurrency = 4"
    )
    cell = clustered.run("%%metask gpt-4o-mini --map df --engine client -o out\nrow {{ n }}")
    assert cell.error is not None
    assert cell.error["ename"] == "BudgetError"
    assert 500 // 18 <= int(value(clustered, "int(out.reply.notna().sum())")) < 120
    sent = len(gateway.chats)
    assert clustered.run("%%metask gpt-4o-mini --map df --engine client\nx {{ n }}").error is not None
    clustered.run("%config Metask.budget_tokens = None\n%config Metask.max_concurrency = 32")
    assert len(gateway.chats) == sent, "nothing is asked once the budget is used"


def test_an_interrupt(clustered: Kernel, gateway: GatewayServer) -> None:
    gate, order = Gate(), count()
    # The first that come, whichever they are: which rows a worker asks first is the cluster's affair.
    gateway.answer_with(lambda _: Streamed(["ok"] if next(order) < 10 else [gate, "late"]))
    running = clustered.start_run(
        "%%metask gpt-4o-mini --map df --engine client -o out\nrow {{ n }}", metadata=NOTEBOOK
    )
    running.wait_for(published("comm_msg", containing="10/120"))
    clustered.interrupt()
    cell = running.finish()
    gate.open()
    assert cell.error is not None
    assert cell.error["ename"] == "Interrupted"
    assert "120 rows: 10 answered, 110 not asked." in "\n".join(cell.error["traceback"])
    assert value(clustered, "int((out.reply == 'ok').sum()), int(out.reply.isna().sum()), out is _") == repr(
        (10, 110, True)
    )


def test_clients_are_completed(clustered: Kernel) -> None:
    line = "%%metask gpt-4o-mini --map df --engine "
    assert clustered.complete(line, len(line))[0] == ["client"]
