"""`%metask usage` in JupyterLab: the bars keep their size among the theme's rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from ..gateway_server import Chunk, GatewayServer, Streamed
from .lab import Lab
from .notebook import NotebookPage, Theme

CELLS = (
    "%%metask gpt-4o-mini\nHi",
    "%%metask claude-3-5-sonnet-20241022\nHi",
    "%%metask gpt-4o-mini\nHi",
    "%%metask vendor/x\nHi",
    "%metask usage",
)
LAST = len(CELLS)  # after the cell that loads the extension
THEMES: tuple[Theme, ...] = ("JupyterLab Light", "JupyterLab Dark")


def script(gateway: GatewayServer) -> None:
    told = {"prompt_tokens": 1204, "completion_tokens": 310, "prompt_tokens_details": {"cached_tokens": 900}}
    gateway.script(Streamed("Hi", usage=told), Streamed("Hi", usage=told), model="gpt-4o-mini")
    gateway.script(Streamed("Hi", usage=told | {"completion_tokens": 822}), model=CELLS[1].split()[1])
    gateway.script(
        Streamed([Chunk({"choices": [], "usage": told}), "Hi"], usage=None), model=CELLS[3].split()[1]
    )


def expect_chart(notebook: NotebookPage) -> None:
    output = notebook.output(LAST)
    expect(output.locator("tbody tr")).to_have_count(3)
    bars = output.locator("td svg")
    expect(bars).to_have_count(3)
    sizes: list[Any] = [bar.bounding_box() for bar in bars.all()]
    assert [(size["width"], size["height"]) for size in sizes] == [(200, 8)] * 3
    keys: list[Any] = [key.bounding_box() for key in output.locator(".key svg").all()]
    assert {(size["width"], size["height"]) for size in keys} == {(12, 12)}


@pytest.mark.nightly
def test_the_report(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    script(gateway)
    notebook = lab.open(*CELLS)
    notebook.run(*range(1, LAST + 1))
    for theme in THEMES:
        notebook.set_theme(theme)
        notebook.output(LAST).scroll_into_view_if_needed()
        expect_chart(notebook)
        notebook.screenshot(screenshots / f"usage-{theme.split()[1].lower()}.png")
    notebook.save()
    notebook.reload()
    expect_chart(notebook)
