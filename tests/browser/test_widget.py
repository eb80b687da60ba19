"""The live view in JupyterLab and Notebook 7: what is seen while a reply streams, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from ..gateway_server import CUT, Gate, GatewayServer, Reasoning, Streamed, refused
from .lab import App, Lab
from .live import LiveView, contrast
from .notebook import Theme

ASK = "%%metask gpt-4o-mini -o reply\nHi"

MARKDOWN = """# A heading

Some **bold** text with `code`, a [link](https://example.com) and $x^2$.

| name | count |
| --- | ---: |
| apples | 3 |

1. first
2. second
   - nested

```python
def answer() -> int:
    return 42  # never closed"""

# A swap may move the text by less than this: what the eye takes for standing still.
JUMP = 8.0


def pieces(text: str, size: int = 7) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


# What WCAG 2 asks for between a text and its background.
READABLE = 4.5

THEMES: tuple[Theme, ...] = ("JupyterLab Light", "JupyterLab Dark")


def shade(theme: Theme) -> str:
    return theme.removeprefix("JupyterLab ").lower()


def top_of(heading: Locator) -> float:
    box = heading.bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_markdown_is_rendered_while_it_streams(lab: Lab, gateway: GatewayServer, app: App) -> None:
    gate = Gate()
    gateway.script(Streamed([*pieces(MARKDOWN), gate, "\n```\n\nThe end."]))
    notebook = lab.open(ASK, app=app)
    view = LiveView(notebook, 1)
    notebook.start(1)
    assert gate.reached.wait(60)
    view.expect_text("never closed")
    expect(view.body.locator("h1")).to_have_text("A heading")
    expect(view.body.locator("strong")).to_have_text("bold")
    expect(view.body.locator("tbody td")).to_have_text(["apples", "3"])
    expect(view.body.locator("ol > li")).to_have_count(2)
    expect(view.body.locator("ol ul > li")).to_have_text("nested")
    expect(view.body.locator("pre code span").first).to_be_visible()
    expect(view.body.locator("a")).to_have_attribute("href", "https://example.com/")
    expect(view.column).to_have_attribute("data-status", "streaming")
    before = top_of(view.body.locator("h1"))
    gate.open()
    notebook.wait_done(1)
    view.expect_gone()
    assert abs(top_of(notebook.output(1).locator("h1")) - before) < JUMP


def test_reasoning_is_open_while_it_streams(lab: Lab, gateway: GatewayServer) -> None:
    thinking, answering = Gate(), Gate()
    gateway.script(Streamed([Reasoning("Let me "), Reasoning("see."), thinking, "So it ", answering, "is."]))
    notebook = lab.open(ASK)
    view = LiveView(notebook, 1)
    notebook.start(1)
    expect(view.reasoning).to_contain_text("Let me see.")
    expect(view.reasoning).to_have_attribute("open", "")
    expect(view.state).to_have_text("Reasoning")
    thinking.open()
    view.expect_text("So it")
    expect(view.reasoning).not_to_have_attribute("open", "")
    view.reasoning.locator("summary").click()
    expect(view.reasoning.get_by_text("Let me see.")).to_be_visible()
    answering.open()
    notebook.wait_done(1)
    (output,) = notebook.saved_outputs(1)
    assert output.data == {"text/markdown": "So it is.", "text/plain": "So it is."}


def test_copy_gives_the_markdown_so_far(lab: Lab, gateway: GatewayServer) -> None:
    lab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    gate = Gate()
    gateway.script(Streamed(["**So** ", "far", gate]))
    notebook = lab.open(ASK)
    view = LiveView(notebook, 1)
    notebook.start(1)
    view.expect_text("So far")
    view.copy.click()
    expect(view.copy).to_have_text("Copied")
    assert notebook.page.evaluate("() => navigator.clipboard.readText()") == "**So** far"
    gate.open()
    notebook.wait_done(1)


def test_a_failure_keeps_what_came(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["# So far", CUT]), refused(400, "No such thing."))
    notebook = lab.open(ASK, ASK)
    notebook.run(1)
    expect(notebook.output(1).locator(".jp-RenderedMarkdown h1")).to_contain_text("So far")
    notebook.expect_text(1, "StreamCutError")
    notebook.run(2)
    notebook.expect_text(2, "No such thing.")
    for index in (1, 2):
        LiveView(notebook, index).expect_gone()
        assert "widget" not in str(notebook.saved_outputs(index))


def test_the_view_can_be_read_in_both_themes(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gate = Gate()
    gateway.script(Streamed([Reasoning("Let me see."), *pieces(MARKDOWN), gate, "\n```\n"]))
    notebook = lab.open(ASK)
    view = LiveView(notebook, 1)
    notebook.start(1)
    view.expect_text("never closed")
    for theme in THEMES:
        notebook.set_theme(theme)
        notebook.screenshot(screenshots / f"live-{shade(theme)}.png")
        texts = (
            view.body.locator("p").first,
            view.body.locator("pre code"),
            view.state,
            view.stop,
            view.copy,
        )
        assert min(map(contrast, texts)) >= READABLE
    gate.open()
    notebook.wait_done(1)
    expect(notebook.output(1).locator("mjx-container")).to_have_count(1)
    for theme in THEMES:
        notebook.set_theme(theme)
        notebook.screenshot(screenshots / f"record-{shade(theme)}.png")


def test_a_page_loaded_in_mid_stream_shows_it_and_goes_on(lab: Lab, gateway: GatewayServer) -> None:
    """Although the kernel is busy, in a reloaded page and in a second one."""
    first, second = Gate(), Gate()
    gateway.script(Streamed(["# So far", first, "\n\nafter the reload", second, "\n\nAnd the end."]))
    notebook = lab.open(ASK)
    notebook.start(1)
    LiveView(notebook, 1).expect_text("So far")
    notebook.save()  # else a reload shows the notebook without the output
    other = lab.second_tab(notebook)
    notebook.reload(needs_kernel=False)
    tabs = (notebook, other)
    for tab in tabs:
        expect(tab.output(1).locator("h1")).to_contain_text("So far")
    first.open()
    for tab in tabs:
        LiveView(tab, 1).expect_text("after the reload")
        expect(LiveView(tab, 1).stop).to_be_visible()
    second.open()
    for tab in tabs:
        tab.expect_text(1, "And the end.")
        expect(tab.output(1).locator("[data-status=streaming], [data-status=waiting]")).to_have_count(0)


def test_a_restart_leaves_what_came(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["# So far", Gate()]))
    notebook = lab.open(ASK, "1 + 1")
    notebook.start(1)
    LiveView(notebook, 1).expect_text("So far")
    notebook.restart()
    notebook.expect_text(1, "So far")
    expect(notebook.output(1).locator("[data-status=streaming], [data-status=waiting]")).to_have_count(0)
    notebook.run(2)
    notebook.expect_text(2, "2")
