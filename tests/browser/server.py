"""A Jupyter server of the tests' own: JupyterLab and Notebook 7 in one process, isolated from the user's."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..kernel import ROOT, clean_environment

STARTING = 120.0  # seconds, on the slowest machine we can think of
POLL_SECONDS = 0.05
ENDING = 15.0

# Not "python3": in a virtual environment the environment's own kernel of that name wins.
KERNEL = "metask-tests"

Settings = Mapping[str, Any]

# What would open a dialog, ask the network or write a file while a test looks.
_QUIET: Mapping[str, Settings] = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}

# What no test looks at, and what costs a quarter of the time a page takes to open.
_UNUSED = (
    *("console", "csvviewer", "debugger", "extensionmanager", "fileeditor", "help", "htmlviewer", "hub"),
    *("imageviewer", "inspector", "javascript", "json", "launcher", "lsp", "markdownviewer", "pdf"),
    *(
        "pluginmanager",
        "property-inspector",
        "running",
        "settingeditor",
        "terminal",
        "toc",
        "tooltip",
        "vega5",
    ),
)

SUBSHELLS = "@jupyterlab/apputils-extension:kernels-settings"
NO_SUBSHELLS: Settings = {"commsOverSubshells": "disabled"}


class JupyterServer:
    """A running server; a context manager that ends it and every kernel of it."""

    def __init__(self, directory: Path, kernel_env: Mapping[str, str], python: str = sys.executable) -> None:
        """Prepare a server that keeps all its files in `directory`; `kernel_env` is for its kernels.

        It runs in the environment of `python`.
        """
        self._python = python
        self.root = directory / "notebooks"
        self.token = secrets.token_hex(16)
        self.log = directory / "server.log"
        self.static = directory / "static"  # served as they are, for whoever asks
        self._directory = directory
        self._settings = directory / "settings"
        self._kernel_env = kernel_env
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""

    def __enter__(self) -> Self:
        self._write_files()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._python, "-m", "jupyterlab"],
                cwd=self._directory,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shut_kernels_down()
        self._end()

    @property
    def url(self) -> str:
        """Where the server is, with a slash at its end."""
        return self._url

    def api(self, path: str, method: str = "GET") -> Any:
        """Ask the server's REST interface; None where the answer is empty."""
        request = urllib.request.Request(
            f"{self._url}api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=ENDING) as response:
            return json.loads(response.read() or "null")

    def shut_kernels_down(self) -> None:
        """End all kernels, busy ones as well."""
        for kind in ("sessions", "kernels"):
            for one in self.api(kind):
                self.api(f"{kind}/{one['id']}", "DELETE")

    @contextmanager
    def settings(self, plugin: str, values: Settings) -> Iterator[None]:
        """Have a plugin's settings, for pages loaded meanwhile."""
        path = self._write_settings(plugin, values)
        try:
            yield
        finally:
            path.unlink()

    # Its files

    def add_kernel(self, name: str, python: str) -> None:
        """Offer kernels of an interpreter by this name."""
        kernel = {
            "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python 3",
            "language": "python",
            "env": dict(self._kernel_env),
        }
        _write_json(self._directory / "data/kernels" / name / "kernel.json", kernel)

    def _write_files(self) -> None:
        self.root.mkdir(parents=True)
        self.static.mkdir()
        config = {
            "ServerApp": {
                "ip": "127.0.0.1",
                "port": 0,  # any free one; the runtime file tells which
                "root_dir": str(self.root),
                "open_browser": False,
                "allow_root": True,  # containers
                "terminals_enabled": False,
                "extra_static_paths": [str(self.static)],
            },
            "LabApp": {
                "expose_app_in_browser": True,
                "news_url": None,
                "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
                "extension_manager": "readonly",
            },
            "JupyterNotebookApp": {"expose_app_in_browser": True},
        }
        _write_json(self._directory / "config/jupyter_server_config.json", config)
        self.add_kernel(KERNEL, self._python)
        disabled = {f"@jupyterlab/{name}-extension": True for name in _UNUSED}
        _write_json(self._directory / "config/labconfig/page_config.json", {"disabledExtensions": disabled})
        for plugin, values in _QUIET.items():
            self._write_settings(plugin, values)

    def _write_settings(self, plugin: str, values: Settings) -> Path:
        path = self._settings / f"{plugin.replace(':', '/')}.jupyterlab-settings"
        _write_json(path, values)
        return path

    def _environment(self) -> dict[str, str]:
        own = {
            "HOME": str(self._directory),
            "IPYTHONDIR": str(self._directory / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self._directory / "config"),
            "JUPYTER_DATA_DIR": str(self._directory / "data"),
            "JUPYTER_RUNTIME_DIR": str(self._directory / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(self._settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(self._directory / "workspaces"),
            "JUPYTER_TOKEN": self.token,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        }
        return clean_environment(os.environ) | own

    # Its process

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + STARTING
        while not self._is_ready():
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(f"the server ended: {self.tail}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"the server did not start in {STARTING:.0f} s: {self.tail}")
            time.sleep(POLL_SECONDS)

    def _is_ready(self) -> bool:
        """Whether the server has written where it is, and answers there."""
        for path in (self._directory / "runtime").glob("jpserver-*.json"):
            try:
                self._url = json.loads(path.read_text(encoding="utf-8"))["url"]
                self.api("status")
            except (OSError, ValueError):
                continue  # half written, or not listening yet
            return True
        return False

    @property
    def tail(self) -> str:
        """The end of the server's log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
