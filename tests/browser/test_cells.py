"""Cells whose replies are values, as a person sees them in JupyterLab."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from ..gateway_server import Gate, GatewayServer, Streamed, ToolCall
from .lab import Lab
from .live import LiveView

PERSON = """
from pydantic import BaseModel

class Person(BaseModel):
    name: str
    languages: list[str]
"""
DOUBLE = '''
def double(n: int) -> int:
    """Double it."""
    return 2 * n
'''
FIGURE = """
from matplotlib.figure import Figure
figure = Figure(figsize=(2, 1))
_ = figure.subplots().plot([1, 3, 2])
"""


def test_a_schema(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gate = Gate()
    gateway.script(Streamed(['{"name": "Ada", "lang', gate, 'uages": ["English", "French"]}']))
    notebook = lab.open(PERSON, "%%metask gpt-4o-mini --schema Person -o r\nWho?", "r.data")
    notebook.run(1)
    notebook.start(2)
    view = LiveView(notebook, 2)
    view.expect_text('"Ada"')
    notebook.screenshot(screenshots / "schema-live.png")
    gate.open()
    notebook.wait_done(2)
    view.expect_gone()
    expect(notebook.output(2).locator("pre")).to_contain_text('"French"')
    notebook.run(3)
    notebook.expect_text(3, "Person(name='Ada', languages=['English', 'French'])")
    notebook.screenshot(screenshots / "schema-record.png")


def test_a_tool_that_is_confirmed(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    call = Streamed(
        ["Let me see.", ToolCall(0, '{"n": 21}', id="c", name="double")], finish_reason="tool_calls"
    )
    gateway.script(call, Streamed(["It is 42."]))
    notebook = lab.open(DOUBLE, "%%metask gpt-4o-mini -T double --confirm\nTwice 21?")
    notebook.run(1)
    notebook.start(2)
    box = notebook.output(2).locator("input.jp-Stdin-input")
    expect(box).to_be_visible()
    expect(notebook.output(2)).to_contain_text("Call double(n=21)?")
    notebook.screenshot(screenshots / "confirm-asks.png")
    box.fill("y")
    box.press("Enter")
    notebook.wait_done(2)
    notebook.expect_text(2, "It is 42.")
    LiveView(notebook, 2).expect_gone()
    notebook.screenshot(screenshots / "confirm-record.png")


def test_code_for_the_next_cell(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gateway.script(Streamed(["Here:\n\n```python\nprint(6 * 7)\n```\n"]))
    notebook = lab.open("%%metask gpt-4o-mini -f code\nPrint 42.")
    notebook.run(1)
    expect(notebook.cell(2).locator(".cm-content")).to_contain_text("print(6 * 7)")
    notebook.screenshot(screenshots / "code.png")


def test_a_conversation_is_shown(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    notebook = lab.open(
        FIGURE,
        "%%metask gpt-4o-mini -c story -a figure -s 'Be {brief}.'\nSay *this*\n    and that.",
        "%%metask gpt-4o-mini -c story\n- and `more`",
        "%metask chats",
        "%metask chats show story",
    )
    notebook.run(1, 2, 3, 4, 5)
    notebook.expect_text(5, "[image figure, image/png,")
    notebook.screenshot(screenshots / "chats-show.png")


def test_a_dry_run_with_an_image(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    notebook = lab.open(FIGURE, "%%metask gpt-4o-mini --dry-run -a figure -s 'Be brief.'\nWhat is it?")
    notebook.run(1, 2)
    cell = notebook.output(2).locator("td")
    expect(cell).to_contain_text("bytes of PNG")
    notebook.screenshot(screenshots / "dry-run.png")
    lines = "el => el.innerText.split('\\n').filter((line) => line.startsWith('  ')).length"
    assert cell.evaluate(lines) > 10, "the JSON keeps its indentation"
