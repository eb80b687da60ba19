"""Pages with the widget managers of other hosts than Jupyter's own, fed from a real kernel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

from .lab import LOAD, Lab

SOURCES = Path(__file__).with_name("hosts")

# Built by their makers; of their dependencies, which are bundled in them, npm would fetch 400 MB.
PACKAGES = {
    "vscode7": "@vscode/jupyter-ipywidgets7@2.0.4",
    "vscode8": "@vscode/jupyter-ipywidgets8@1.0.9",
    "plain7": "@jupyter-widgets/html-manager@0.20.6",
    "plain8": "@jupyter-widgets/html-manager@1.0.15",
    "require": "requirejs@2.3.7",
}


def build(directory: Path, python: str = sys.executable) -> None:
    """Put the pages, and what they load, into a directory that the server serves."""
    work = directory / "work"
    shutil.copytree(SOURCES, work)
    _npm(work, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    _npm(work, "run", "build", "--", "--outfile=../page.bundle.js")
    for name in ("page.html", "vscode.css"):
        shutil.copy(work / name, directory)
    archives = _npm(work, "pack", "--silent", *PACKAGES.values()).split()
    for name, archive in zip(PACKAGES, archives, strict=True):
        with tarfile.open(work / archive) as packed:
            packed.extractall(work / name, filter="data")
        (work / name / "package").rename(directory / name)
    shutil.copytree(_extension(python), directory / "anywidget")


def _npm(folder: Path, *arguments: str) -> str:
    npm = shutil.which("npm")
    assert npm is not None, "npm is not installed: the pages of other hosts are built with it"
    done = subprocess.run([npm, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"npm {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _extension(python: str) -> Path:
    """anywidget's module, as hosts find it beside the kernel."""
    return Path(python).parents[1] / "share/jupyter/nbextensions/anywidget"


class HostPage:
    """A page of one host, with a kernel of its own that has the extension loaded."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.cells = page.locator("section.cell")

    @classmethod
    def open(cls, lab: Lab, manager: str, kernel: str) -> HostPage:
        page = lab.context.new_page()
        page.goto(
            f"{lab.server.url}static/page.html?manager={manager}&kernel={kernel}&token={lab.server.token}"
        )
        page.wait_for_function("() => window.host")
        assert page.evaluate("() => host.error ?? ''") == ""
        host = cls(page)
        host.run(LOAD)
        return host

    def start(self, code: str) -> None:
        """Run a cell, and do not wait for its end."""
        self.page.evaluate("(code) => { window.running = host.run(code); }", code)

    def wait_done(self) -> str:
        """Wait for the end of the cell that was started last; return its status."""
        status: str = self.page.evaluate("() => running")
        return status

    def run(self, code: str) -> str:
        self.start(code)
        return self.wait_done()

    @property
    def last(self) -> Locator:
        """The outputs of the cell that was run last."""
        return self.cells.last.locator("> div")

    @property
    def saved(self) -> Sequence[Mapping[str, Any]]:
        """The outputs of that cell, as a notebook would keep them."""
        outputs: Sequence[Mapping[str, Any]] = self.page.evaluate("() => host.outputs().at(-1)")
        return outputs
