"""The source of functions and classes, those of cells that have no file too."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import pytest

from metask_magic.prompt.sources import source_of

RunCell = Callable[[str], dict[str, Any]]


@pytest.fixture
def run_cell(monkeypatch: pytest.MonkeyPatch) -> RunCell:
    """Runs a cell as IPython does: with its source in `linecache` under a name of its own."""
    monkeypatch.setattr(linecache, "cache", {})  # cells of other tests have classes of these names too

    def run(source: str) -> dict[str, Any]:
        file = f"<ipython-input-{len(linecache.cache)}>"
        linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
        namespace: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(source, file, "exec"), namespace)  # noqa: S102  # what the test is about
        return namespace

    return run


@pytest.mark.parametrize(
    ("cell", "expression", "source"),
    [
        ("x = 1\ndef f():\n    return x\n", "f", "def f():\n    return x\n"),
        ("class A:\n    x = 1\ny = 2", "A", "class A:\n    x = 1\n"),
        ("@(lambda c: c)\nclass A: x = 1\n", "A", "@(lambda c: c)\nclass A: x = 1\n"),
        ("class A:\n    class B:\n        x = 1\n", "A.B", "class B:\n    x = 1\n"),
        ("class A: x = 1\nclass A: x = 2\n", "A", "class A: x = 2\n"),
        ("Made = type('Made', (), {})", "Made", None),
        ("x = 1", "x", None),
        ("x = len", "x", None),
    ],
)
def test_a_cell(run_cell: RunCell, cell: str, expression: str, source: str | None) -> None:
    value = eval(expression, run_cell(cell))  # noqa: S307
    assert source_of(value) == source


def test_a_class_that_was_defined_again(run_cell: RunCell) -> None:
    first, second, third = (
        run_cell(f"class A:\n    def f(self): return {number}\n")["A"] for number in (1, 2, 3)
    )
    assert [(source_of(cls) or "").strip()[-1] for cls in (first, second, third)] == ["1", "2", "3"]
