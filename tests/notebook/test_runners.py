"""Programs that run a notebook with nobody looking: the finished record, once, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from ..gateway_server import GatewayServer, Streamed, refused
from ..kernel import ROOT, clean_environment

pytestmark = pytest.mark.kernel

RUNNERS = {
    "papermill": ("papermill", "--no-progress-bar", "in.ipynb", "out.ipynb"),
    "jupyter execute": ("jupyter", "execute", "--output=out.ipynb", "in.ipynb"),
    "nbconvert": ("nbconvert", "--to=notebook", "--execute", "--output=out.ipynb", "in.ipynb"),
}
CELLS = (
    "%load_ext metask_magic",
    "%%metask gpt-4o-mini -o story\nA story?",
    "%%metask gpt-4o-mini o1\nHi",
    "pending = %metask gpt-4o-mini --background Later",
    "story.text",
)


def run(program: tuple[str, ...], folder: Path, gateway: GatewayServer, *cells: str) -> tuple[int, Any]:
    """Return the exit status, and the notebook as it was saved."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=[*map(new_code_cell, cells)], metadata=kernel), folder / "in.ipynb")
    own = {"METASK_API_KEY": gateway.api_key, "METASK_BASE_URL": gateway.base_url}
    isolated = {"IPYTHONDIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-m", *program],
        cwd=folder,
        env=clean_environment(os.environ) | own | isolated,
        capture_output=True,
        text=True,
        check=False,
    )
    saved = folder / "out.ipynb"
    assert saved.exists(), ran.stderr
    assert gateway.api_key not in saved.read_text(encoding="utf-8") + ran.stdout + ran.stderr
    notebook = nbformat.read(saved, as_version=4)
    nbformat.validate(notebook)
    return ran.returncode, notebook


@pytest.mark.parametrize("program", RUNNERS.values(), ids=RUNNERS)
def test_the_record_once(program: tuple[str, ...], tmp_path: Path, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["Once upon ", "a time."]))
    status, notebook = run(program, tmp_path, gateway, *CELLS)
    assert status == 0
    loaded, one, several, background, value = (cell.outputs for cell in notebook.cells)
    assert loaded == []
    assert [output.data for output in one] == [
        {"text/markdown": "Once upon a time.", "text/plain": "Once upon a time."}
    ]
    assert [output.output_type for output in one] == ["display_data"]
    assert [output.data["text/markdown"].count("### ") for output in several] == [2]
    assert [output.data["text/markdown"] for output in background] == ["Later"]
    assert value[0].data["text/plain"] == "'Once upon a time.'"
    assert "widgets" not in notebook.metadata


def test_a_failure_keeps_what_came(tmp_path: Path, gateway: GatewayServer) -> None:
    gateway.script(refused(401, "No such key."))
    status, notebook = run(RUNNERS["papermill"], tmp_path, gateway, *CELLS[:2])
    assert status != 0
    failed = notebook.cells[-1].outputs[-1]
    assert failed.ename == "AuthenticationError"
