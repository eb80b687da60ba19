"""A trial in JupyterLab: the leaderboard with its charts, readable in both themes."""

from __future__ import annotations

import json
import random
from pathlib import Path

from playwright.sync_api import expect

from ..gateway_server import GatewayServer, Streamed
from ..gateway_server.received import Received
from .chromium import VIEWPORT
from .lab import Lab
from .notebook import NotebookPage
from .test_accessibility import violations
from .test_usage import THEMES

SKILL = {
    "gpt-4o-mini": 0.8,
    "gpt-4o": 0.97,
    "claude-3-haiku-20240307": 0.7,
    "claude-3-5-sonnet-20241022": 0.95,
    "gemini-1.5-pro": 0.88,
    "gemini-2.0-flash": 0.72,
}
TABLE = 'reviews = [{"text": f"review {n}", "stars": n % 5 + 1} for n in range(40)]'
SHAPE = """\
from pydantic import BaseModel

class Review(BaseModel):
    stars: int"""
TRY = f"%%metask {' '.join(SKILL)} --map reviews --schema Review --check stars -o trial\n{{{{ text }}}}"
DIFFER = "trial.disagreements(n=2)"
LAST = 4  # the cell after which the leaderboard stands; the first one loads the extension


def answer(received: Received) -> Streamed:
    """Answer as well as the model is said to; the same each time."""
    model, text = received.json["model"], received.last_user_text
    right = int(text.split()[-1]) % 5 + 1
    draw = random.Random(model + text)  # noqa: S311 -- no secrets
    told = right if draw.random() < SKILL[model] else right % 5 + 1
    came = draw.randint(20, 60)
    usage = {"prompt_tokens": 80, "completion_tokens": came, "total_tokens": 80 + came}
    return Streamed([json.dumps({"stars": told})], usage=usage)


def expect_leaderboard(notebook: NotebookPage) -> None:
    output = notebook.output(LAST - 1)
    expect(output.locator("tbody tr")).to_have_count(len(SKILL))
    expect(output.locator("td svg")).to_have_count(len(SKILL))
    plot = output.locator(".plot")
    expect(plot).to_be_visible()
    size = plot.bounding_box()
    assert size is not None
    assert (size["width"], size["height"]) == (620, 300)
    expect(plot.locator("circle")).to_have_count(len(SKILL))
    names = plot.locator("i:not([class])")
    assert {name.get_attribute("data-t") for name in names.all()} == {*SKILL}
    within = plot.evaluate(
        """(plot) => {
          const frame = plot.getBoundingClientRect();
          return [...plot.querySelectorAll("i")].every((word) => {
            const box = word.getBoundingClientRect();
            return box.width > 0 && box.left >= frame.left && box.right <= frame.right
              && box.top >= frame.top && box.bottom <= frame.bottom;
          });
        }"""
    )
    assert within, "a word stands outside of the chart"


def test_the_leaderboard(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gateway.answer_with(answer)
    notebook = lab.open(TABLE, SHAPE, TRY, DIFFER)
    notebook.page.set_viewport_size({"width": 1500, "height": 1100})
    notebook.run(1, 2, 3, 4)
    for theme in THEMES:
        notebook.set_theme(theme)
        notebook.output(LAST - 1).scroll_into_view_if_needed()
        expect_leaderboard(notebook)
        name = theme.split()[1].lower()
        notebook.output(LAST - 1).locator(".metask-trial").screenshot(path=screenshots / f"trial-{name}.png")
        notebook.output(LAST).screenshot(path=screenshots / f"disagreements-{name}.png")
    assert violations(notebook, LAST - 1, within=".metask-trial") == []
    assert violations(notebook, LAST) == []
    notebook.save()
    notebook.reload()
    expect_leaderboard(notebook)
    notebook.page.set_viewport_size(VIEWPORT)
