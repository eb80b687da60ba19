"""A part of a benchmark in a process of its own, and in a folder of its own for what it records."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def run_apart(module: str, *arguments: str) -> str:
    """Run `python -m module arguments`, and return what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True).stdout
