"""Where the scenes are played: a notebook in JupyterLab, cleared of what is not the picture's subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from playwright.sync_api import Page, expect

from ..browser.lab import Lab, write_notebook
from ..browser.notebook import NotebookPage, Theme
from ..gateway_server import GatewayServer
from .words import WORDS, Language, Words

Shade = Literal["light", "dark"]
TAGS: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
THEMES: dict[Shade, Theme] = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

WIDTH, HEIGHT = 900, 1500
MARGIN = 4  # what is left of the cells beside them is not seen

# Two characters that look the same are two empty boxes.
_READS_CHINESE = """() => {
  const drawn = [..."文字"].map((character) => {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d");
    context.font = "40px sans-serif";
    context.fillText(character, 20, 60);
    return canvas.toDataURL();
  });
  return drawn[0] !== drawn[1];
}"""

Scene: TypeAlias = Callable[["Stage"], "Shot"]


class Shot:
    """What is to be seen: cells of a notebook from one to another; with `whole`, the window down to there."""

    def __init__(self, notebook: NotebookPage, first: int, last: int, *, whole: bool = False) -> None:
        self.notebook = notebook
        self._first, self._last, self._whole = first, last, whole

    def take(self, shade: Shade, path: Path) -> None:
        """Write a PNG."""
        self.notebook.set_theme(THEMES[shade])
        page = self.notebook.page
        page.mouse.move(0, 0)
        expect(page.locator("#jupyterlab-splash")).to_have_count(0)
        first, last = (self.notebook.cell(at).bounding_box() for at in (self._first, self._last))
        assert first is not None
        assert last is not None
        top = 0.0 if self._whole else first["y"] - MARGIN
        bottom = last["y"] + last["height"] + MARGIN
        assert bottom <= HEIGHT, "the picture is cut off: give the window more height"
        assert page.viewport_size is not None
        width = page.viewport_size["width"]
        page.screenshot(
            path=path,
            clip={"x": 0, "y": top, "width": width, "height": bottom - top},
            animations="disabled",
        )


class Stage:
    """A browser at a server whose kernels speak one language, and the gateway that they ask."""

    def __init__(self, lab: Lab, gateway: GatewayServer, language: Language) -> None:
        self.lab = lab
        self.gateway = gateway
        self.language = language
        self.words: Words = WORDS[language]

    def open(
        self, name: str, cells: Sequence[str], *, run: Sequence[int] = (), width: int = WIDTH
    ) -> NotebookPage:
        """Open a new notebook of this name in a window of that width, and run some of its cells."""
        write_notebook(self.lab.server.root / f"{name}.ipynb", [*cells, ""])
        notebook = self.lab.open_file(f"{name}.ipynb")
        notebook.page.set_viewport_size({"width": width, "height": HEIGHT})
        # Some characters look otherwise in Chinese than in Japanese: the page has to say which is meant.
        notebook.page.evaluate("(tag) => { document.documentElement.lang = tag; }", TAGS[self.language])
        _clear(notebook)
        notebook.run(*run)
        return notebook

    def rest(self, notebook: NotebookPage, last: int) -> None:
        """Make the empty cell after the last one the active one: its marks are out of the picture."""
        notebook.select(last + 1)


def reads_chinese(page: Page) -> bool:
    """Whether the machine has a font for Chinese."""
    found: bool = page.evaluate(_READS_CHINESE)
    return found


def _clear(notebook: NotebookPage) -> None:
    """Hide the side bars and the status bar."""
    notebook.execute("application:set-mode", mode="single-document")
    for side in ("left", "right"):
        notebook.execute("application:toggle-side-tabbar", side=side)
    notebook.execute("statusbar:toggle")
    if notebook.page.locator("#jp-left-stack").is_visible():
        notebook.execute("application:toggle-left-area")
