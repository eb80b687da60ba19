"""What axe, the checker of the field, has against what we show: live and after, in both themes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from ..gateway_server import Gate, GatewayServer, Reasoning, Streamed, ToolCall, refused
from .lab import Lab
from .live import LiveView
from .notebook import NotebookPage
from .test_widget import THEMES

TEXT = """\
# Rivers

| river | km |
|---|---:|
| Nile | 6650 |

- [x] `long`, **long** and [linked](https://example.org)

```python
def length() -> int:  # in km
    return 6650
```

> quoted, $x^2$

1. one
"""
DOUBLE = "def double(n: int) -> int:\n    return 2 * n"
ONE = "%%metask gpt-4o-mini -T double\nRivers?"
TWO = "%%metask gpt-4o-mini claude-3-5-sonnet-20241022\nRivers?"


RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
OF_JUPYTERLAB = ".jp-RenderedMarkdown input"  # what it makes of a task in a record's Markdown, without a name


def violations(notebook: NotebookPage, *indexes: int, within: str = "") -> list[str]:
    """What axe finds in the outputs of cells, in each theme: rule and element."""
    found: list[str] = []
    for theme in THEMES:
        notebook.set_theme(theme)
        for index in indexes:
            notebook.output(index).evaluate("(node, index) => { node.id = `looked-at-${index}`; }", index)
        rules = found_by_axe(notebook.page, *(f"#looked-at-{index} {within}".strip() for index in indexes))
        found += [f"{theme}: {each}" for each in rules]
        for index in indexes:
            notebook.output(index).evaluate("(node) => { node.removeAttribute('id'); }")
    return found


def found_by_axe(page: Page, *within: str) -> list[str]:
    """What axe finds in parts of a page: rule and element."""
    for part in within:
        expect(page.locator(part)).not_to_have_count(0)
    context = {"include": [[part] for part in within], "exclude": [[OF_JUPYTERLAB]]}
    rules = Axe().run(page, context, RULES).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in rules for node in rule["nodes"]]


def test_while_it_streams(lab: Lab, gateway: GatewayServer) -> None:
    call = ToolCall(0, json.dumps({"n": 21}), "c0", "double")
    gates = Gate(), Gate()
    gateway.script(
        Streamed([call], finish_reason="tool_calls"),
        Streamed([Reasoning("Africa, then."), TEXT, gates[0]]),
    )
    notebook = lab.open(DOUBLE, ONE, TWO)
    notebook.run(1)
    notebook.start(2)
    LiveView(notebook, 2).expect_text("quoted")
    assert violations(notebook, 2, within=".metask") == []
    gates[0].open()
    notebook.wait_done(2)
    gateway.script(*[Streamed([Reasoning("Africa, then."), TEXT, gates[1]])] * 2)
    notebook.start(3)
    for column in LiveView(notebook, 3).body.all():
        column.get_by_text("quoted").wait_for()
    assert violations(notebook, 3, within=".metask") == []
    gates[1].open()
    notebook.wait_done(3)


def test_the_focus_stays_and_what_is_said_is_heard(lab: Lab, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed(["One ", gate, "word after another."]))
    notebook = lab.open("%%metask gpt-4o-mini\nRivers?")
    view = LiveView(notebook, 1)
    notebook.start(1)
    view.expect_text("One")
    view.copy.focus()
    said = notebook.page.locator("body > .metask-announcer")
    expect(said).to_contain_text("gpt-4o-mini: Answering")
    gate.open()
    notebook.wait_done(1)
    view.expect_gone()
    expect(said).to_contain_text("gpt-4o-mini: Done")  # though the view has gone
    assert "word" not in said.inner_text()
    assert notebook.page.evaluate("() => document.activeElement.closest('.jp-Notebook') !== null")


# Twice as large is half as wide; 400 pixels are a telephone's.
@pytest.mark.parametrize("width", [pytest.param(640, marks=pytest.mark.nightly), 400])
def test_nothing_is_lost_where_it_is_narrow(lab: Lab, gateway: GatewayServer, width: int) -> None:
    gates = Gate(), Gate()
    gateway.script(*[Streamed([Reasoning("Africa, then."), TEXT, gate]) for gate in gates])
    notebook = lab.open(TWO)
    notebook.page.emulate_media(reduced_motion="reduce")
    notebook.start(1)
    view = LiveView(notebook, 1)
    for column in view.body.all():
        column.get_by_text("quoted").wait_for()
    notebook.page.set_viewport_size({"width": width, "height": 900})
    notebook.execute("application:toggle-left-area")
    node = notebook.output(1)
    assert node.evaluate("(node) => node.scrollWidth <= node.clientWidth + 1")
    for button in (*view.stop.all(), *view.copy.all()):
        button.scroll_into_view_if_needed()
        box = button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert view.node.evaluate(_MOVING) == 0
    for gate in gates:
        gate.open()
    notebook.wait_done(1)
    assert node.evaluate("(node) => node.scrollWidth <= node.clientWidth + 1")
    notebook.execute("application:toggle-left-area")
    notebook.page.emulate_media(reduced_motion="no-preference")


def test_text_is_set_in_its_own_direction(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gate = Gate()
    arabic, chinese = "\u0645\u0631\u062d\u0628\u0627", "\u6c34\u662f**\u751f\u547d**\u4e4b\u6e90\u3002"
    text = f"{arabic} (one).\n\nLeft (two).\n\n{chinese}"
    gateway.script(Streamed([text, gate]))
    notebook = lab.open("%%metask gpt-4o-mini\nRivers?")
    view = LiveView(notebook, 1)
    notebook.start(1)
    view.expect_text("\u4e4b\u6e90")
    starts = [paragraph.evaluate(_INDENT) for paragraph in view.body.locator("p").all()]
    assert starts[0] > 100
    assert starts[1] == starts[2] == 0
    expect(view.body.locator("strong")).to_have_text("\u751f\u547d")
    notebook.screenshot(screenshots / "directions.png")
    gate.open()
    notebook.wait_done(1)


def test_formulas_are_typeset_while_it_streams(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gates = Gate(), Gate(), Gate()
    gateway.script(
        Streamed(
            [r"Let $x^2$ be \(y\), then $$\frac{x", gates[0], "}{y}$$ and", gates[1], " so on.", gates[2]]
        )
    )
    notebook = lab.open("%%metask gpt-4o-mini\nRivers?")
    view = LiveView(notebook, 1)
    notebook.start(1)
    set_ = view.body.locator("mjx-container")
    expect(set_).to_have_count(2)
    expect(view.body).to_contain_text(r"$$\frac{x")
    set_.first.evaluate("(node) => { window.firstFormula = node; }")
    gates[0].open()
    expect(set_).to_have_count(3)
    gates[1].open()
    view.expect_text("so on.")
    assert set_.first.evaluate("(node) => node === window.firstFormula"), "it has not flickered"
    notebook.screenshot(screenshots / "formulas.png")
    gates[2].open()
    notebook.wait_done(1)
    expect(notebook.output(1).locator(".jp-RenderedMarkdown mjx-container")).to_have_count(3)


def test_what_stays(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(
        *[Streamed([TEXT], "length"), Streamed([f"{TEXT}\n<b>raw</b>"]), Streamed([TEXT]), Streamed([TEXT])],
        refused(401, "No such key."),
    )
    cells = (
        "%%metask gpt-4o-mini --max-tokens 9\nRivers?",
        "%%metask gpt-4o-mini\nRivers?",
        TWO,
        "%metask usage",
        "%metask models",
        "%%metask gpt-4o-mini --dry-run\nRivers?",
        "%metask",
        "%%metask gpt-4o-mini -f html\n<h1>Hi</h1>",
        "%metask gpt-4o-mini Rivers then",
    )
    notebook = lab.open(*cells)
    indexes = range(1, len(cells) + 1)
    notebook.run(*indexes)
    assert violations(notebook, *indexes) == []


_MOVING = """(node) =>
  [...node.querySelectorAll("*")].filter((e) => getComputedStyle(e).animationName !== "none").length
"""
_INDENT = """(node) => {
  const range = document.createRange();
  range.selectNodeContents(node);
  return range.getBoundingClientRect().left - node.getBoundingClientRect().left;
}"""
