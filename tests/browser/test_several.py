"""Several replies side by side: columns that stream at once, each with its own end."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, expect

from ..gateway_server import Gate, GatewayServer, Reasoning, Streamed, error_event
from .lab import Lab
from .live import LiveView, contrast
from .notebook import NotebookPage
from .test_stop import _ACKNOWLEDGED
from .test_widget import MARKDOWN, READABLE, THEMES, pieces, shade

STOPPED, FAILING, WHOLE = "gpt-4o-mini", "claude-3-5-sonnet-20241022", "gemini-1.5-pro"
ASK = f"%%metask {STOPPED} {FAILING} {WHOLE} -o replies\nHi"
TELL = "print([(r.text[:5], r.finish_reason) for r in replies.values()])"
NARROW = {"width": 700, "height": 900}


def left_and_top(node: Locator) -> tuple[float, float]:
    box = node.bounding_box()
    assert box is not None
    return box["x"], box["y"]


def fits(notebook: NotebookPage, index: int) -> bool:
    """Whether nothing of a cell's output stands out sideways."""
    fit: bool = notebook.output(index).evaluate("(node) => node.scrollWidth <= node.clientWidth + 1")
    return fit


def test_three_columns_each_with_its_own_end(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    lab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    never, failing, whole = Gate(), Gate(), Gate()
    gateway.script(Streamed(["# One\n\nso *far*", never]), model=STOPPED)
    broken = error_event("The server had an error.", code="server_error")
    gateway.script(Streamed(["# Two\n\nso **far**", failing, broken]), model=FAILING)
    gateway.script(Streamed([Reasoning("Hm."), *pieces(MARKDOWN), whole, "\n```\n\nThe end."]), model=WHOLE)
    notebook = lab.open(ASK, TELL)
    view = LiveView(notebook, 1)
    notebook.start(1)
    for gate in (never, failing, whole):
        assert gate.reached.wait(60)
    for at, text in enumerate(("One", "Two", "never closed")):
        expect(view.body.nth(at)).to_contain_text(text)
        expect(view.column.nth(at)).to_have_attribute("data-status", "streaming")
    tops = {left_and_top(view.column.nth(at))[1] for at in range(3)}
    assert len(tops) == 1, "side by side"
    for theme in THEMES:
        notebook.set_theme(theme)
        notebook.screenshot(screenshots / f"several-live-{shade(theme)}.png")

    view.copy.nth(1).click()
    expect(view.copy.nth(1)).to_have_text("Copied")
    assert notebook.page.evaluate("() => navigator.clipboard.readText()") == "# Two\n\nso **far**"

    notebook.wait_for(_ACKNOWLEDGED)
    view.stop.nth(0).click()
    expect(view.column.nth(0)).to_have_attribute("data-status", "interrupted")
    assert gateway.chats[0].disconnected.wait(30) or gateway.chats[1].disconnected.wait(30)
    failing.open()
    expect(view.column.nth(1)).to_have_attribute("data-status", "error")
    expect(view.column.nth(1).locator(".metask-note")).to_contain_text("The server had an error.")
    expect(view.column.nth(2)).to_have_attribute("data-status", "streaming")
    for theme in THEMES:
        notebook.set_theme(theme)
        notebook.screenshot(screenshots / f"several-ends-{shade(theme)}.png")
        texts = (
            view.state.nth(1),
            view.column.nth(1).locator(".metask-note"),
            view.column.nth(0).locator("h1"),
        )
        assert min(map(contrast, texts)) >= READABLE
    assert not view.interrupts

    notebook.page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # a plain dictionary will do
    assert len({left_and_top(view.column.nth(at))[1] for at in range(3)}) > 1, "they wrap"
    assert fits(notebook, 1)
    notebook.screenshot(screenshots / "several-narrow.png")
    notebook.page.set_viewport_size({"width": 1280, "height": 900})

    whole.open()
    notebook.wait_done(1)
    view.expect_gone()
    record = notebook.output(1).locator(".jp-RenderedMarkdown")
    expect(record.locator("h3")).to_have_count(3)
    expect(record.locator("blockquote")).to_contain_text(
        ["Stopped before its end.", "The server had an error."]
    )
    expect(record.locator("table").last.locator("tbody tr")).to_have_count(3)
    for theme in THEMES:
        notebook.set_theme(theme)
        notebook.screenshot(screenshots / f"several-record-{shade(theme)}.png")
    record.locator("table").last.scroll_into_view_if_needed()
    notebook.screenshot(screenshots / "several-table-dark.png")
    notebook.run(2)
    notebook.expect_text(2, "[('# One', 'interrupted'), ('# Two', 'error'), ('# A h', 'stop')]")


def test_many_columns_long_names_and_a_long_text(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gateway.models = [f"organisation/{'very-long-name-' * 6}{at}" for at in range(12)]
    gate = Gate()
    long = "\n\n".join(f"Paragraph {at}: {'word ' * 40}" for at in range(1_000))
    gateway.script(Streamed([*pieces(long, 2_000), gate]), model=gateway.models[0])
    gateway.answer_with(lambda _: Streamed(["A few words.", gate]))
    notebook = lab.open(f"%%metask {' '.join(gateway.models)}\nHi")
    view = LiveView(notebook, 1)
    notebook.start(1)
    expect(view.column).to_have_count(12)
    for at in range(1, 12):
        expect(view.body.nth(at)).to_contain_text("A few words.")
    expect(view.body.nth(0)).to_contain_text("Paragraph 999")
    assert fits(notebook, 1)
    notebook.screenshot(screenshots / "several-twelve.png")
    gate.open()
    notebook.wait_done(1)
    view.expect_gone()
    assert fits(notebook, 1)
    notebook.screenshot(screenshots / "several-twelve-record.png")
