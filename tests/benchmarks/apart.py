"""What a benchmark has in processes of their own: its sides, and the server that they ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def run_apart(module: str, *arguments: str) -> str:
    """Run `python -m module arguments` in a folder of its own, and return what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True).stdout


@contextmanager
def server(option: str, value: object, **more: object) -> Iterator[dict[str, str]]:
    """Run the test gateway with options, and yield its address as the library takes it."""
    options = [option, json.dumps(value)]
    for name, each in more.items():
        options += [f"--{name}", json.dumps(each)]
    command = [sys.executable, "-m", "tests.gateway_server", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()
