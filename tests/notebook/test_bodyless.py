"""A cell that is its `%%metask` line alone."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from metask_magic.notebook.bodyless import with_body
from metask_magic.notebook.question import QuestionLine


@pytest.fixture
def manager() -> Any:
    manager = TransformerManager()
    manager.line_transforms.insert(0, with_body)
    manager.token_transformers.append(QuestionLine)
    return manager


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%%metask m -a df", "get_ipython().run_cell_magic('metask', 'm -a df', '\\n')\n"),
        ("\n%%metask m -a df\n", "get_ipython().run_cell_magic('metask', 'm -a df', '\\n')\n"),
        ("%%metask", "get_ipython().run_cell_magic('metask', '', '\\n')\n"),
        ("%%metask m\nHi", "get_ipython().run_cell_magic('metask', 'm', 'Hi\\n')\n"),
        ("%%metask?", "get_ipython().run_line_magic('pinfo', '%%metask')\n"),
        ("%%metasks m", "get_ipython().run_cell_magic('metasks', 'm', '')\n"),
        ("%%time", "get_ipython().run_cell_magic('time', '', '')\n"),
        ("%metask m hi", "get_ipython().run_line_magic('metask', 'm hi')\n"),
    ],
)
def test_transformed(manager: Any, cell: str, expected: str) -> None:
    assert manager.transform_cell(cell) == expected


def test_in_a_terminal_the_prompt_may_still_come(manager: Any) -> None:
    assert manager.check_complete("%%metask m -a df")[0] == "incomplete"
