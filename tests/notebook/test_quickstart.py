"""The quickstart on the embedded model itself; the other notebooks are replayed."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from ..kernel import ROOT

pytestmark = pytest.mark.kernel

NOTEBOOK = ROOT / "notebooks" / "quickstart.ipynb"
CHINESE = ROOT / "notebooks" / "quickstart.zh-CN.ipynb"

# What a cell of one is allowed to say otherwise than its sibling: who is asked, how long, and the words.
_OWN = re.compile(r"(?<=metask )(local|gpt-4o-mini)|(?<=--max-tokens )\d+|(?<=<= )\d+")


def test_the_quickstart_runs_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASK_RECORDING", "off")
    for name in ("METASK_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    asked = [cell for cell in notebook.cells if "metask local" in cell.source]
    assert len(asked) == 3
    for cell in asked:
        (reply,) = cell.outputs
        assert len(reply.data["text/plain"]) > 5
        assert reply.metadata["metask"]["model"] == "SmolLM2-135M-Instruct"


def shape(notebook: Path) -> list[str]:
    """What the cells are, one by one: text by its headings, code by what it does."""
    cells = nbformat.read(notebook, as_version=4).cells
    return [
        " ".join(re.findall(r"^#+", cell.source, re.MULTILINE))
        if cell.cell_type == "markdown"
        else shape_of_code(cell.source)
        for cell in cells
    ]


def shape_of_code(source: str) -> str:
    """The code without prompts and texts."""
    line, _, _ = source.partition("\n")
    line = re.sub(r"(?<=--max-tokens 40).*", "", line)  # the prompt of a line
    return re.sub(r'".*"', '""', _OWN.sub("", line))


def test_the_chinese_one_teaches_the_same() -> None:
    assert shape(CHINESE) == shape(NOTEBOOK)
