"""Where the code of a reply goes, by front end; and that a re-run brings no second cell."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from metask_magic.display.silent import SilentSink
from metask_magic.display.widget import WidgetSink
from metask_magic.notebook.next_cell import NextCell

from ..kernel import Kernel


class Shell:
    """A shell that notes what it is asked to put into the next cell."""

    def __init__(self, parent: dict[str, Any] | None) -> None:
        self.kernel = SimpleNamespace(get_parent=lambda _channel: parent) if parent is not None else None
        self.inputs: list[tuple[str, bool]] = []

    def set_next_input(self, code: str, replace: bool = False) -> None:
        self.inputs.append((code, replace))


class Sink(WidgetSink):
    """A view whose page can reach the cells, or not."""

    def __init__(self, *, reaches: bool) -> None:
        super().__init__(["m"])
        self.reaches = reaches
        self.filled: list[tuple[str, str, str | None]] = []

    def fill_next_cell(self, cell: str, source: str, known: str | None = None) -> bool:
        if self.reaches:
            self.filled.append((cell, source, known))
        return self.reaches


CELL = {"metadata": {"cellId": "c1"}}


def test_a_page_that_can_fills_the_cell() -> None:
    shell, sink = Shell(CELL), Sink(reaches=True)
    next_cell = NextCell(shell)
    for code in ("x = 1\n", "x = 1", "x = 2\r\ny"):
        next_cell.put(code, sink)
    assert sink.filled == [("c1", "x = 1", None), ("c1", "x = 1", "x = 1"), ("c1", "x = 2\ny", "x = 1")]
    assert shell.inputs == []


@pytest.mark.parametrize("sink", [Sink(reaches=False), SilentSink()], ids=["widget", "quiet"])
def test_elsewhere_a_cell_is_asked_for_once(sink: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(CELL)
    next_cell = NextCell(shell)
    next_cell.put("x = 1", sink)
    next_cell.put("x = 1", sink)
    assert capsys.readouterr().err == ""
    next_cell.put("x = 2", sink)
    assert shell.inputs == [("x = 1", False)]
    assert "differs from what this cell gave before" in capsys.readouterr().err


def test_what_the_kernel_asked_for_is_known_to_the_page() -> None:
    shell, sink = Shell(CELL), Sink(reaches=True)
    next_cell = NextCell(shell)
    next_cell.put("x = 1", SilentSink())
    next_cell.put("x = 2", sink)
    next_cell.put("x = 2", SilentSink())
    assert sink.filled == [("c1", "x = 2", "x = 1")]
    assert shell.inputs == [("x = 1", False)]


def test_each_cell_that_asks_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())  # it sends no ids of cells
    parent: dict[str, Any] = {"content": {"code": "%%metask m\none"}}
    shell = Shell(parent)
    next_cell = NextCell(shell)
    next_cell.put("x", Sink(reaches=True))
    parent["content"] = {"code": "%%metask m\ntwo"}
    next_cell.put("x", Sink(reaches=True))
    next_cell.put("x", Sink(reaches=True))
    assert shell.inputs == [("x", False), ("x", False)]


@pytest.mark.parametrize(
    ("parent", "code", "inputs"),
    [
        (None, "x = 1", [("x = 1", False)] * 2),  # a terminal
        ({"metadata": {}}, "x = 1", []),  # nobody looks
        (CELL, "\n", []),
    ],
)
def test_terminal_and_nobody(
    parent: dict[str, Any] | None, code: str, inputs: list[tuple[str, bool]]
) -> None:
    shell = Shell(parent)
    next_cell = NextCell(shell)
    for _ in range(2):
        next_cell.put(code, SilentSink())
    assert shell.inputs == inputs


PUT = """
from metask_magic.display.silent import SilentSink
from metask_magic.notebook.next_cell import NextCell
NextCell(get_ipython()).put("x = 1", SilentSink())
"""


@pytest.mark.parametrize(
    ("metadata", "payload"),
    [
        ({"cellId": "c1"}, [{"source": "set_next_input", "text": "x = 1", "replace": False}]),
        (None, []),
    ],
)
def test_the_kernel_asks_for_a_cell(kernel: Kernel, metadata: Any, payload: list[Any]) -> None:
    assert kernel.run(PUT, metadata=metadata).reply["payload"] == payload


def test_a_notebook_run_by_nobody_is_saved_as_it_was() -> None:
    notebook = new_notebook(cells=[new_code_cell(PUT), new_code_cell("1")])
    NotebookClient(notebook, kernel_name="python3").execute()
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells] == [PUT, "1"]
    assert notebook.cells[0].outputs == []
    assert "metask" not in notebook.cells[0].metadata


def test_a_terminals_next_prompt_is_filled() -> None:
    code = PUT.replace("get_ipython()", "InteractiveShell.instance()") + "print(shell.rl_next_input)"
    run = (
        f"from IPython.terminal.interactiveshell import TerminalInteractiveShell as InteractiveShell\n{code}"
    )
    run = run.replace("print(shell", "print(InteractiveShell.instance()")
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert done.stdout == "x = 1\n"
