"""The harness: notebooks in the pages of one test, against a server and a Chromium of the whole suite."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from .notebook import NotebookPage, empty
from .server import KERNEL, JupyterServer, Settings
from .watch import Watch

App = Literal["lab", "notebook"]

LOAD = "%load_ext metask_magic"

_KEPT = "cookies,file_systems,indexeddb,local_storage,service_workers,cache_storage"
_numbers = itertools.count(1)


class Lab:
    """A browser at the server, for all tests.

    As a context manager it checks at the end of a test what its pages did, and leaves the browser as new but
    for its cache, and for a page of JupyterLab without any notebook: to load one costs most of a short test.
    """

    def __init__(self, server: JupyterServer, context: BrowserContext) -> None:
        self.server = server
        self.context = context
        self.watch = Watch(context, server.url)
        self._blank = context.pages[0]  # without any, the browser would end
        self._emptied: Page | None = None
        self._has_settings = False  # a page that has read others is not for the next test

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        incidents = {kind: [*details] for kind, details in self.watch.incidents.items()}
        for page in self.context.pages:
            if page in (self._blank, self._emptied):
                continue
            reusable = error is None and not self._has_settings and self._emptied is None
            if reusable and empty(page):
                self._emptied = page
            else:
                page.close()
        self._has_settings = False
        self.server.shut_kernels_down()
        self._forget()
        self.watch.forget()
        if error is None:
            assert incidents == {}, incidents

    def _forget(self) -> None:
        """Take away what pages have kept."""
        self.context.clear_permissions()
        session = self.context.new_cdp_session(self._blank)
        origin = self.server.url.rstrip("/")
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": _KEPT})
        session.detach()

    @contextmanager
    def settings(self, plugin: str, values: Settings) -> Iterator[None]:
        """Have a plugin's settings, for pages loaded meanwhile."""
        self._has_settings = True
        if self._emptied is not None:
            self._emptied.close()
            self._emptied = None
        with self.server.settings(plugin, values):
            yield

    def at(self, server: JupyterServer) -> Lab:
        """The same browser at another server."""
        other = copy(self)
        other.server = server
        other._emptied = None
        other.watch.admit(server.url)
        return other

    def open(self, *cells: str, app: App = "lab") -> NotebookPage:
        """Open a new notebook: a cell that loads the extension, which is run at once, then these cells."""
        name = f"test-{next(_numbers)}.ipynb"
        write_notebook(self.server.root / name, [LOAD, *cells])
        notebook = self._open_in_emptied(name) if app == "lab" else None
        notebook = notebook or self.open_file(name, app=app)
        notebook.run(0)
        return notebook

    def _open_in_emptied(self, name: str) -> NotebookPage | None:
        """Open a notebook in the page that is left, if there is one.

        One of about a thousand was not ready after a minute, and why could not be found. It is there to save
        time, so that a new one takes its place; what it was like is printed.
        """
        if self._emptied is None:
            return None
        page, self._emptied = self._emptied, None
        notebook = NotebookPage(page, self._address(name, "lab"), self.server.root / name, self.watch)
        notebook.execute("docmanager:open", path=name, factory="Notebook")
        try:
            notebook.wait_until_ready()
        except PlaywrightTimeout as error:
            print(*error.__notes__)
            page.close()
            return None
        return notebook

    def open_file(self, name: str, *, app: App = "lab", needs_kernel: bool = True) -> NotebookPage:
        """Open a notebook that is there, in a tab of its own."""
        notebook = NotebookPage(
            self.context.new_page(), self._address(name, app), self.server.root / name, self.watch
        )
        notebook.load(needs_kernel=needs_kernel)
        return notebook

    def open_without_kernel(self, name: str) -> NotebookPage:
        """The notebook in a page that is offered no kernel for it."""
        notebook = NotebookPage(
            self.context.new_page(), self._address(name, "lab"), self.server.root / name, self.watch
        )
        notebook.page.goto(notebook.address)
        question = notebook.page.locator(".jp-Dialog")  # the toolbar has a button of the same name
        question.get_by_role("button", name="No Kernel", exact=True).click()
        return notebook

    def second_tab(self, notebook: NotebookPage, app: App = "lab") -> NotebookPage:
        """The same notebook once more, in a tab that does not wait for a kernel that may be busy."""
        return self.open_file(notebook.path.name, app=app, needs_kernel=False)

    def _address(self, name: str, app: App) -> str:
        # A workspace of its own keeps JupyterLab from restoring what another page had open.
        place = f"lab/workspaces/w{next(_numbers)}/tree" if app == "lab" else "notebooks"
        return f"{self.server.url}{place}/{name}?token={self.server.token}"


def write_notebook(path: Path, cells: Sequence[str], kernel: str = KERNEL) -> None:
    about = {"name": kernel, "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells], metadata={"kernelspec": about})
    nbformat.write(notebook, path)
