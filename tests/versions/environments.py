"""Environments with old versions of what we build on, made in seconds."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from ..kernel import ROOT

PROJECT = ROOT / "pyproject.toml"
COLAB = {"ipython": "7.34.0", "ipykernel": "6.17.1", "ipywidgets": "7.7.1", "traitlets": "5.7.1"}


@dataclass(frozen=True)
class Versions:
    """What is installed: packages as `pyproject.toml` allows them, resolved by these rules, and others."""

    options: tuple[str, ...]
    pinned: dict[str, str]
    others: tuple[str, ...] = ()

    def install(self, directory: Path) -> str:
        """Make an environment; return its interpreter."""
        python = str(directory / "bin" / "python")
        _uv("venv", "--python", sys.executable, str(directory))
        pins = [f"{name}=={version}" for name, version in self.pinned.items()] + [*self.others]
        _uv("pip", "install", "--python", python, *self.options, "--requirements", str(PROJECT), *pins)
        return python


SHARED = Versions((), {}, ("jupyterlab>=4.5", "jupyter-collaboration>=4"))
"""JupyterLab with documents that several people write in."""

VERSIONS = {
    "Colab's": Versions((), COLAB),
    "the lowest": Versions(("--resolution=lowest-direct", "--extra=notebook"), {}),
}


def _uv(*arguments: str) -> None:
    done = subprocess.run([find_uv_bin(), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
