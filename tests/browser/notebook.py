"""A notebook in a page of JupyterLab or Notebook 7, as a user handles it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import nbformat
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

from .chromium import VIEWPORT
from .watch import Watch

Theme = Literal["JupyterLab Light", "JupyterLab Dark"]


# `currentWidget` would miss it while the file browser has the focus.
_PANEL = """
window.jupyterapp &&
  [...window.jupyterapp.shell.widgets("main")].find((w) => w.sessionContext && w.content?.widgets)
"""
_READY = f"""(needsKernel) => {{
  const panel = {_PANEL.strip()};
  if (!panel?.context.isReady || !panel.sessionContext.isReady) return false;
  const kernel = panel.sessionContext.session?.kernel;
  return !needsKernel || (kernel?.connectionStatus === "connected" && kernel.status === "idle");
}}"""
_STATE = f"""() => {{
  const panel = {_PANEL.strip()};
  const session = panel?.sessionContext;
  return {{
    context: panel?.context.isReady,
    session: session?.isReady,
    connection: session?.session?.kernel?.connectionStatus,
    kernel: session?.session?.kernel?.status,
    dialog: document.querySelector(".jp-Dialog")?.textContent,
  }};
}}"""
# The command's promise is kept in the page: waiting for it here would keep the test from looking meanwhile.
_START = f"""([command, index, key]) => {{
  const panel = {_PANEL.strip()};
  if (index !== null) {{
    panel.content.activeCellIndex = index;
    panel.content.deselectAll();
  }}
  const run = {{ done: false, error: null }};
  (window.__runs ??= {{}})[key] = run;
  window.jupyterapp.commands.execute(command).then(
    () => {{ run.done = true; }},
    (error) => {{ run.done = true; run.error = String(error); }},
  );
}}"""
_SELECT = f"""(index) => {{
  const {{ content }} = {_PANEL.strip()};
  content.activeCellIndex = index;
  content.deselectAll();
  content.mode = "command";
}}"""
_RUN_ERROR = "(key) => window.__runs[key].error"
_IS_DONE = "(key) => window.__runs?.[key]?.done"
_EXECUTE = "async ([command, args]) => { await window.jupyterapp.commands.execute(command, args); }"
_RESTART = f"async () => {{ await ({_PANEL.strip()}).sessionContext.session.kernel.restart(); }}"
_INTERRUPT = f"async () => {{ await ({_PANEL.strip()}).sessionContext.session.kernel.interrupt(); }}"

# A kernel that a page still speaks to when its notebook goes would leave errors behind, for the next test.
_EMPTY = """async () => {
  if (!window.jupyterapp || !location.pathname.startsWith("/lab/")) return false;
  for (const widget of [...window.jupyterapp.shell.widgets("main")]) {
    await widget.sessionContext?.shutdown();
    widget.dispose();
  }
  delete window.__runs;
  return !document.querySelector(".jp-Dialog");
}"""

ALL = "all"


class NotebookPage:
    """One open notebook; `page` is Playwright's, for what is not wrapped here."""

    def __init__(self, page: Page, address: str, path: Path, watch: Watch) -> None:
        self.page = page
        self.address = address
        self.path = path
        self.watch = watch

    # Opening

    def load(self, *, needs_kernel: bool = True) -> None:
        """Open the page, and wait for the notebook and for its kernel to be idle."""
        self.page.goto(self.address)
        self.wait_until_ready(needs_kernel=needs_kernel)

    def reload(self, *, needs_kernel: bool = True) -> None:
        """Load it anew; with `needs_kernel=False` do not wait for a kernel that is busy."""
        self.page.goto(self.address)  # which a page that had other notebooks before does not have
        self.wait_until_ready(needs_kernel=needs_kernel)

    def wait_until_ready(self, *, needs_kernel: bool = True) -> None:
        """Wait for the notebook, and for its kernel to be idle. An error says how far they were."""
        try:
            self.page.wait_for_function(_READY, arg=needs_kernel)
        except PlaywrightError as error:
            error.add_note(str(self.page.evaluate(_STATE)))
            raise

    # Cells

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """The output area of a cell."""
        return self.cell(index).locator(".jp-Cell-outputArea")

    def start(self, index: int) -> None:
        """Run a cell, and do not wait for its end."""
        self.page.evaluate(_START, ["notebook:run-cell", index, str(index)])

    def wait_done(self, index: int | str) -> None:
        """Wait until a cell that was started in this page (or `ALL`) has ended, well or not."""
        self.page.wait_for_function(_IS_DONE, arg=str(index))
        assert self.page.evaluate(_RUN_ERROR, str(index)) is None

    def run(self, *indexes: int) -> None:
        """Run cells, one after the other, each to its end."""
        for index in indexes:
            self.start(index)
            self.wait_done(index)

    def run_all(self) -> None:
        """Run all cells to their end; the first that fails stops it."""
        self.page.evaluate(_START, ["notebook:run-all-cells", None, ALL])
        self.wait_done(ALL)

    def expect_text(self, index: int, text: str) -> None:
        """Wait until a cell's output shows this text."""
        expect(self.output(index)).to_contain_text(text)

    # Commands

    def execute(self, command: str, **args: Any) -> None:
        """Run a command of the front end to its end."""
        self.page.evaluate(_EXECUTE, [command, args])

    def select(self, index: int) -> None:
        """Make a cell the one that commands are for."""
        self.page.evaluate(_SELECT, index)

    def save(self) -> nbformat.NotebookNode:
        """Save, and return what then is on the disk."""
        self.execute("docmanager:save")
        return self.on_disk()

    def on_disk(self) -> nbformat.NotebookNode:
        notebook: nbformat.NotebookNode = nbformat.read(self.path, as_version=4)
        nbformat.validate(notebook)
        return notebook

    def saved_outputs(self, index: int) -> Sequence[nbformat.NotebookNode]:
        """Save, and return the outputs of a cell as they are on the disk."""
        outputs: Sequence[nbformat.NotebookNode] = self.save().cells[index].outputs
        return outputs

    def restart(self) -> None:
        """Restart the kernel, without the question whether that is meant, and wait for it."""
        self.page.evaluate(_RESTART)
        self.wait_until_ready()

    def interrupt(self) -> None:
        """What the ■ button does."""
        self.page.evaluate(_INTERRUPT)

    def set_theme(self, theme: Theme) -> None:
        self.execute("apputils:change-theme", theme=theme)
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-name", theme)

    # Looking

    def wait_for(self, condition: str, arg: Any = None) -> None:
        """Wait until a JavaScript expression or function holds in the page."""
        self.page.wait_for_function(condition, arg=arg)

    def screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)  # it covers a change of the theme
        self.page.screenshot(path=path)


Opener = Callable[..., NotebookPage]


def empty(page: Page) -> bool:
    """Close the notebooks in a page of JupyterLab, unsaved; tells whether others can be opened in it."""
    try:
        page.set_viewport_size(VIEWPORT)
        return bool(page.evaluate(_EMPTY))
    except PlaywrightError:
        return False
