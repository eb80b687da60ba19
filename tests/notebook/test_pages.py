"""What pages ask while a cell waits for its reply, of kernels of both kinds."""

from __future__ import annotations

from typing import Any

import pytest

from ..gateway_server import Gate, GatewayServer, Streamed
from ..kernel import Kernel, RunningExecution, published

NOTEBOOK = {"cellId": "a-cell"}
SO_FAR = "Once upon "


@pytest.fixture
def gate(gateway: GatewayServer) -> Gate:
    gate = Gate()
    gateway.script(Streamed([SO_FAR, gate, "a time."]))
    return gate


@pytest.fixture
def waiting(asking: Kernel, gate: Gate) -> RunningExecution:
    """A cell that waits for its reply's end."""
    cell = asking.start_run("%%metask gpt-4o-mini -o story\nA story", metadata=NOTEBOOK)
    cell.wait_for(published("comm_msg", SO_FAR))
    return cell


def views(cell: RunningExecution) -> list[str]:
    return [m.content["comm_id"] for m in cell.messages if m.kind == "comm_open" and '"columns": [' in m.text]


def test_a_page_that_comes_late_gets_the_text_so_far(
    asking: Kernel, waiting: RunningExecution, gate: Gate
) -> None:
    assert asking.ask("kernel_info_request", {})["status"] == "ok"
    (view,) = views(waiting)
    comms = asking.ask("comm_info_request", {"target_name": "jupyter.widget"})["comms"]
    assert view in comms
    asking.send("comm_msg", {"comm_id": view, "data": {"method": "request_state"}})
    state = asking.wait_for(lambda m: m.kind == "comm_msg" and '"update"' in m.text and SO_FAR in m.text, 20)
    assert state.content["data"]["state"]["state"][0]["text"] == SO_FAR
    gate.open()
    assert waiting.finish().displays[0]["data"]["text/markdown"] == "Once upon a time."


def test_stop_arrives(asking: Kernel, waiting: RunningExecution) -> None:
    (view,) = views(waiting)
    stop: dict[str, Any] = {"method": "custom", "content": {"type": "stop", "column": None}}
    asking.send("comm_msg", {"comm_id": view, "data": stop})
    assert waiting.finish().displays[0]["data"]["text/markdown"].startswith(SO_FAR.strip())
    assert asking.run("story.finish_reason").displays[0]["data"]["text/plain"] == "'interrupted'"


def test_cells_wait_their_turn_and_keep_their_order(
    asking: Kernel, waiting: RunningExecution, gate: Gate
) -> None:
    later = [asking.start_run(f"print('cell {n}', story.text)") for n in range(3)]
    assert asking.ask("kernel_info_request", {})["status"] == "ok"
    assert not any(cell.messages for cell in later)
    gate.open()
    waiting.finish()
    assert [cell.finish().text() for cell in later] == [f"cell {n} Once upon a time.\n" for n in range(3)]
    counts = [cell.reply["execution_count"] for cell in [waiting, *later]]
    assert counts == [counts[0] + n for n in range(4)]


def test_a_cell_that_fails_aborts_those_behind_it(asking: Kernel, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed([SO_FAR, gate, "x"]))
    cell = asking.start_run("%metask gpt-4o-mini Hi there\n1 / 0", metadata=NOTEBOOK, stop_on_error=True)
    assert gate.reached.wait(60)
    behind = asking.start_run("print('never')")
    assert asking.ask("kernel_info_request", {})["status"] == "ok"
    gate.open()
    assert cell.finish().error is not None
    assert behind.finish().reply["status"] == "aborted"


def test_output_stays_the_cell_s(asking: Kernel, waiting: RunningExecution, gate: Gate) -> None:
    assert asking.ask("kernel_info_request", {})["status"] == "ok"
    gate.open()
    ended = waiting.finish()
    assert len(ended.displays) == 1
    assert asking.run("print('the next')").text() == "the next\n"


def test_a_table_s_rows_keep_no_page_waiting(asking: Kernel, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(*[Streamed(["a", gate])] * 2)
    cell = asking.start_run("rows = [{'a': 1}, {'a': 2}]\n", metadata=NOTEBOOK)
    cell.finish()
    cell = asking.start_run("%%metask gpt-4o-mini --map rows -o table\n{{ a }}", metadata=NOTEBOOK)
    assert gate.reached.wait(60)
    assert asking.ask("comm_info_request", {})["status"] == "ok"
    assert not cell.idle
    gate.open()
    assert cell.finish().error is None
