"""The harness: notebooks in the pages of one test, against a server and a Chromium of the whole suite."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser

from .notebook import NotebookPage
from .server import KERNEL, JupyterServer
from .watch import Watch

App = Literal["lab", "notebook"]

LOAD = "%load_ext metask_magic"

_KERNEL = {"name": KERNEL, "display_name": "Python 3", "language": "python"}
_VIEWPORT: Literal[1280] = 1280
_numbers = itertools.count(1)


class Lab:
    """A browser as new (no cookies, no cache) at the server; a context manager that checks what it did."""

    def __init__(self, server: JupyterServer, browser: Browser) -> None:
        self.server = server
        self.context = browser.new_context(viewport={"width": _VIEWPORT, "height": 900})
        self.watch = Watch(self.context, server.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.context.close()
        self.server.shut_kernels_down()
        if error is None:
            assert self.watch.incidents == {}, self.watch.incidents

    def open(self, *cells: str, app: App = "lab") -> NotebookPage:
        """Open a new notebook: a cell that loads the extension, which is run at once, then these cells."""
        name = f"test-{next(_numbers)}.ipynb"
        write_notebook(self.server.root / name, [LOAD, *cells])
        notebook = self.open_file(name, app=app)
        notebook.run(0)
        return notebook

    def open_file(self, name: str, *, app: App = "lab", needs_kernel: bool = True) -> NotebookPage:
        """Open a notebook that is there, in a tab of its own."""
        notebook = NotebookPage(
            self.context.new_page(), self._address(name, app), self.server.root / name, self.watch
        )
        notebook.load(needs_kernel=needs_kernel)
        return notebook

    def second_tab(self, notebook: NotebookPage, app: App = "lab") -> NotebookPage:
        """The same notebook once more, in a tab that does not wait for a kernel that may be busy."""
        return self.open_file(notebook.path.name, app=app, needs_kernel=False)

    def _address(self, name: str, app: App) -> str:
        # A workspace of its own keeps JupyterLab from restoring what another page had open.
        place = f"lab/workspaces/w{next(_numbers)}/tree" if app == "lab" else "notebooks"
        return f"{self.server.url}{place}/{name}?token={self.server.token}"


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    notebook = new_notebook(
        cells=[new_code_cell(source) for source in cells], metadata={"kernelspec": _KERNEL}
    )
    nbformat.write(notebook, path)
