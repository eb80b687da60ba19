"""Lines that end in a question mark: a prompt is asked, everything else is IPython's."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from metask_magic.notebook.question import QuestionLine


@pytest.fixture
def manager() -> Any:
    manager = TransformerManager()
    manager.token_transformers.append(QuestionLine)
    return manager


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%metask m what is this?", "get_ipython().run_line_magic('metask', 'm what is this?')\n"),
        ("x = %metask m What's it?", "x = get_ipython().run_line_magic('metask', \"m What's it?\")\n"),
        ("if 1:\n    %metask m is it?", "if 1:\n    get_ipython().run_line_magic('metask', 'm is it?')\n"),
        ("%metask m why (?\nz = 1", "get_ipython().run_line_magic('metask', 'm why (?')\nz = 1\n"),
        ("%metask m a = b?", "get_ipython().run_line_magic('metask', 'm a = b?')\n"),
        ("%metask?", "get_ipython().run_line_magic('pinfo', '%metask')\n"),
        ("%metask??", "get_ipython().run_line_magic('pinfo2', '%metask')\n"),
        ("%%metask?", "get_ipython().run_line_magic('pinfo', '%%metask')\n"),
        ("len?", "get_ipython().run_line_magic('pinfo', 'len')\n"),
        ("%%metask m\nwhat?", "get_ipython().run_cell_magic('metask', 'm', 'what?\\n')\n"),
        ("s = '''\n%metask m foo?\n'''", "s = '''\n%metask m foo?\n'''\n"),
        ("y = 1 if x == 2 else 3", "y = 1 if x == 2 else 3\n"),
    ],
)
def test_transformed(manager: Any, cell: str, expected: str) -> None:
    assert manager.transform_cell(cell) == expected
