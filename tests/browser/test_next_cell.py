"""`-f code`: the code goes into the next cell of the notebook, is never run, and comes only once."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ..gateway_server import Gate, GatewayServer, Streamed
from .lab import App, Lab
from .live import LiveView
from .notebook import NotebookPage

ASK = "%%metask gpt-4o-mini -f code\nHi"
AFTER = "after = 1"

_EDIT = """([index, source]) => {
  const panel = [...window.jupyterapp.shell.widgets("main")].find((w) => w.sessionContext && w.content);
  panel.context.model.sharedModel.getCell(index).setSource(source);
}"""


def fenced(code: str, *gates: Gate) -> Streamed:
    return Streamed(["Here:\n\n```python\n", *gates, code, "\n```\n"])


def ask(notebook: NotebookPage, gateway: GatewayServer, code: str, index: int = 1) -> None:
    """Run the cell that asks; the reply ends once the page and the kernel have heard of each other."""
    gate = Gate()
    gateway.script(fenced(code, gate))
    notebook.start(index)
    expect(LiveView(notebook, index).stop).to_be_visible()
    gate.open()
    notebook.wait_done(index)


def sources(notebook: NotebookPage) -> list[str]:
    """The notebook's cells as they are on the disk, without the first two."""
    saved = notebook.save()
    assert all(cell.execution_count is None and not cell.outputs for cell in saved.cells[2:]), (
        "nothing is run"
    )
    return [cell.source for cell in saved.cells[2:]]


@pytest.mark.parametrize("app", ["lab", pytest.param("notebook", marks=pytest.mark.nightly)])
def test_code_goes_into_the_next_cell_once(lab: Lab, gateway: GatewayServer, app: App) -> None:
    notebook = lab.open(ASK, AFTER, app=app)
    for code in ("x = 1", "x = 1", "x = 2"):
        ask(notebook, gateway, code)
        assert sources(notebook) == [code, AFTER]
    notebook.page.evaluate(_EDIT, [2, "x = 2  # mine"])
    ask(notebook, gateway, "x = 3")
    assert sources(notebook) == ["x = 3", "x = 2  # mine", AFTER]
    notebook.restart()
    notebook.run(0)
    ask(notebook, gateway, "x = 4")
    assert sources(notebook) == ["x = 4", "x = 2  # mine", AFTER]


def test_a_page_without_the_view_gets_one_cell_from_the_kernel(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(*map(fenced, ("x = 1", "x = 1", "x = 2")))
    notebook = lab.open("%config Metask.display = 'markdown'", AFTER, ASK)
    notebook.run(1)
    for _ in range(3):
        notebook.run(3)
    notebook.expect_text(3, "The code differs from what this cell gave before")
    cells = [cell.source for cell in notebook.save().cells]
    assert cells[4:] == ["x = 1"]
    notebook.page.evaluate(_EDIT, [1, "%config Metask.display = 'auto'"])
    notebook.run(1)
    ask(notebook, gateway, "x = 3", 3)  # now the page can, and knows the cell the kernel has asked for
    assert [cell.source for cell in notebook.save().cells[4:]] == ["x = 3"]
