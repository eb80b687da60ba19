"""A terminal program as a person uses it: what is typed, and what the screen shows."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from .gateway_server import GatewayServer

IPYTHON = ("IPython", "--simple-prompt", "--no-banner", "--colors=NoColor")
CONSOLE = ("jupyter_console", "--simple-prompt")


class Terminal:
    """IPython, or another program, with a pipe for a keyboard and a pipe for a screen."""

    def __init__(self, directory: Path, gateway: GatewayServer, program: Sequence[str] = IPYTHON) -> None:
        environment = {
            **os.environ,
            "IPYTHONDIR": str(directory),
            "JUPYTER_RUNTIME_DIR": str(directory),
            "METASK_API_KEY": gateway.api_key,
            "METASK_BASE_URL": gateway.base_url,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        self._pieces: queue.Queue[bytes] = queue.Queue()
        self.screen = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.type("%load_ext metask_magic")

    def _read(self) -> None:
        assert self.process.stdout is not None
        while piece := os.read(self.process.stdout.fileno(), 4096):
            self._pieces.put(piece)

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def wait_for(self, text: str, timeout: float = 60.0) -> str:
        """Return the screen once it shows `text`."""
        while text not in self.screen:
            try:
                self.screen += self._pieces.get(timeout=timeout).decode()
            except queue.Empty:
                raise AssertionError(f"{text!r} never came; the screen: {self.screen}") from None
        return self.screen

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
