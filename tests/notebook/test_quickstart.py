"""The quickstart on the embedded model itself; the other notebooks are replayed."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from ..kernel import ROOT

pytestmark = pytest.mark.kernel

NOTEBOOK = ROOT / "notebooks" / "quickstart.ipynb"


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
