"""The bar of a table's rows in JupyterLab: it counts while they are asked about, and leaves a line."""

from __future__ import annotations

from playwright.sync_api import expect

from ..gateway_server import Gate, GatewayServer, Streamed
from ..gateway_server.received import Received
from .lab import Lab

TABLE = 'rows = [{"n": n} for n in range(6)]'
ASK = "%%metask gpt-4o-mini --map rows -o labelled\n{{ n }}"


def test_the_bar_counts_and_leaves_a_line(lab: Lab, gateway: GatewayServer) -> None:
    gate = Gate()

    def hold(received: Received) -> Streamed:
        return Streamed(["ok"] if received.last_user_text in {"0", "1"} else [gate, "late"])

    gateway.answer_with(hold)
    notebook = lab.open(TABLE, ASK)
    notebook.run(1)
    notebook.start(2)
    bar = notebook.output(2).locator(".jupyter-widgets")
    expect(bar.get_by_text("2/6")).to_be_visible()
    gate.open()
    notebook.wait_done(2)
    notebook.expect_text(2, "6 rows: 6 answered.")
    expect(bar).to_have_count(0)
    outputs = notebook.save().cells[2].outputs
    assert all("application/vnd.jupyter.widget-view+json" not in output["data"] for output in outputs)
