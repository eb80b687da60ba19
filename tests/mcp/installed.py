"""Servers that others wrote, installed once and kept from run to run."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from uv import find_uv_bin

FROM_NPM = {"everything": "2026.8.31", "filesystem": "2026.8.31", "memory": "2026.8.31"}
FROM_PYPI = {"time": "2026.10.19", "sqlite": "2025.4.25"}
OLD = "mcp<2"  # the one for SQLite was written for the library before today's


class Installed:
    """The servers in a folder; `modules` is what npx looks into."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def modules(self) -> Path:
        return self._folder / "node_modules"

    def install(self) -> None:
        """Install what is not there of npm's. Skips the test where there is no npm."""
        if shutil.which("npm") is None:
            pytest.skip("there is no npm")
        with (self._folder / "lock").open("w") as lock:  # workers of xdist side by side
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._install_packages()

    def _install_packages(self) -> None:
        packages = [f"@modelcontextprotocol/server-{name}@{version}" for name, version in FROM_NPM.items()]
        if not all((self.modules / "@modelcontextprotocol" / f"server-{name}").exists() for name in FROM_NPM):
            _run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(self._folder), *packages)

    def program(self, name: str) -> str:
        """Return the program of a Python server, in an environment of its own."""
        environment = self._folder / name
        program = environment / "bin" / f"mcp-server-{name}"
        if not program.exists():
            _run(find_uv_bin(), "venv", "--clear", "--python", sys.executable, str(environment))
            wanted = [f"mcp-server-{name}=={FROM_PYPI[name]}", *([OLD] if name == "sqlite" else [])]
            _run(find_uv_bin(), "pip", "install", "--python", str(environment / "bin" / "python"), *wanted)
        return str(program)

    @contextmanager
    def over_http(self) -> Iterator[str]:
        """Run `server-everything` at an address, which is yielded."""
        program = self.modules / "@modelcontextprotocol/server-everything/dist/index.js"
        port = _free_port()
        process = subprocess.Popen(
            ["node", str(program), "streamableHttp"],
            env={"PORT": str(port), "PATH": os.environ["PATH"]},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if re.search("listening on port", line):
                    break
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.kill()
            process.communicate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
