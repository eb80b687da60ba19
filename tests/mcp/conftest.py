"""Connections to the server that misbehaves, each on a loop of its own, ended after the test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from metask_magic.asking.loop import LoopThread
from metask_magic.mcp.connection import Connection
from metask_magic.mcp.servers import Server

from ..fakes import PATIENCE

HOSTILE = (sys.executable, "-I", "-S", str(Path(__file__).with_name("hostile.py")))


@pytest.fixture
def connect(loop: LoopThread, tmp_path: Path) -> Iterator[Callable[..., Connection]]:
    """Return connections to `hostile.py`: `connect("banner", env={…})`. Nothing is started by that."""
    made: list[Connection] = []

    def connect(how: str = "", *, patience: float = PATIENCE, **more: Any) -> Connection:
        server = Server("hostile", (*HOSTILE, how), folder=tmp_path, **more)
        made.append(Connection(server, lambda: patience))
        return made[-1]

    yield connect
    for connection in made:
        loop.run(connection.close())
