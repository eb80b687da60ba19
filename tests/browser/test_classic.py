"""The classic notebook (nbclassic), which shows a reply when it is whole: never a dead widget."""

from __future__ import annotations

import nbformat
from playwright.sync_api import expect

from ..gateway_server import Gate, GatewayServer, Streamed
from .lab import LOAD, Lab, write_notebook

READY = "() => window.Jupyter?.notebook?.kernel?.is_connected() && Jupyter.notebook.kernel_selector"
RUN = "() => Jupyter.notebook.execute_cells([0, 1, 2])"
SAVE = "async () => { await Jupyter.notebook.save_notebook(); }"
TEXT = "# Once upon\n\na time."


def test_the_record_is_shown_and_saved(lab: Lab, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed(["# Once upon", gate, "\n\na time."]))
    path = lab.server.root / "classic.ipynb"
    write_notebook(path, [LOAD, "%%metask gpt-4o-mini -o story\nA story?", "story.text"])
    page = lab.context.new_page()
    page.goto(f"{lab.server.url}nbclassic/notebooks/classic.ipynb?token={lab.server.token}")
    page.wait_for_function(READY)
    page.evaluate(RUN)
    assert gate.reached.wait(60)
    outputs = page.locator(".cell .output_area")
    expect(outputs).to_have_count(0)
    gate.open()
    expect(outputs.first.locator("h1")).to_contain_text("Once upon")
    expect(outputs).to_have_count(2)
    page.evaluate(SAVE)
    saved = nbformat.read(path, as_version=4)
    nbformat.validate(saved)
    assert [output.data for output in saved.cells[1].outputs] == [{"text/markdown": TEXT, "text/plain": TEXT}]
