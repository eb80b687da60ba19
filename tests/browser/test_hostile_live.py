"""Hostile text in the live view, in a real JupyterLab: it stays text while it grows and when it has ended."""

from __future__ import annotations

from playwright.sync_api import expect

from ..gateway_server import GatewayServer
from .audit import audit, click_all
from .hostile import HOSTILE, HOSTILE_LINES
from .lab import Lab
from .live import LiveView
from .notebook import NotebookPage

# One view with a column for each text, which grow piece by piece as they would from the network.
VIEW = """
import time
from metask_magic.display.view import ReplyView

texts = {texts!r}
view = ReplyView({names!r})
display(view)
steps = 8
for step in range(steps):
    for column, text in enumerate(texts):
        part = text[len(text) * step // steps : len(text) * (step + 1) // steps]
        view.update(column, text=part, reasoning=part[:500], status="streaming", note=text[:200])
    view.flush()
    time.sleep(0.1)  # a frame for the page to draw what it has
"""
END = """
for column in range(len(texts)):
    view.update(column, status="stop", detail=texts[column][:100])
view.update(0, text=" The very end.")
view.flush()
"""


def expect_harmless(notebook: NotebookPage) -> None:
    assert audit(notebook) == ""
    click_all(notebook)
    assert audit(notebook) == ""
    assert notebook.watch.incidents == {}


def test_hostile_text_in_the_live_view(lab: Lab, gateway: GatewayServer) -> None:
    texts = ["Hello.", *HOSTILE.values()]
    names = [*HOSTILE_LINES.values()]
    names += [f"m{number}" for number in range(len(texts) - len(names))]
    notebook = lab.open(VIEW.format(texts=texts, names=names[: len(texts)]), END)
    view = LiveView(notebook, 1)
    notebook.run(1)
    expect(view.column).to_have_count(len(texts))
    expect(view.body.first).to_have_text("Hello.")
    expect_harmless(notebook)
    notebook.run(2)
    expect(view.body.first).to_have_text("Hello. The very end.")
    expect_harmless(notebook)
