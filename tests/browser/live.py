"""The live view of a cell, as a user sees it and reaches into it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, expect

from .notebook import NotebookPage

INTERRUPT = "/interrupt"

_CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")


class LiveView:
    """What a cell shows while its reply streams."""

    def __init__(self, notebook: NotebookPage, index: int) -> None:
        self.notebook = notebook
        self.node = notebook.output(index).locator(".metask")
        self.column = self.node.locator(".metask-column")
        self.body = self.node.locator(".metask-body")
        self.stop = self.node.locator(".metask-stop")
        self.copy = self.node.locator(".metask-copy")
        self.state = self.node.locator(".metask-state")
        self.reasoning = self.node.locator(".metask-reasoning")

    def expect_text(self, text: str) -> None:
        expect(self.body).to_contain_text(text)

    def expect_gone(self) -> None:
        """The record has taken the view's place."""
        expect(self.node).to_have_count(0)

    @property
    def interrupts(self) -> list[str]:
        """The requests by which the page interrupted the kernel."""
        return [url for url in self.notebook.watch.requests if url.endswith(INTERRUPT)]


def contrast(text: Locator) -> float:
    """The contrast of a text against what is behind it, as WCAG reckons it."""
    ratio: float = text.evaluate(_CONTRAST)
    return ratio
