"""How replies end, as a person sees it: while others still stream, and in what stays."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from ..gateway_server import Delta, Gate, GatewayServer, Reasoning, Streamed, server_error
from .lab import Lab
from .live import LiveView, contrast
from .test_widget import READABLE, THEMES, shade

HOSTILE = "<img src=x onerror=alert(1)>![x](http://a.example/x.png)$\\href{javascript:x}{y}$" + "x" * 10_000

# A model for each: its answer, the word of its state, and how the line below its text begins.
ENDINGS = {
    "gpt-4o": (
        Streamed(["So far"], "length"),
        "Cut off at the token limit",
        "Cut off at the limit of 9 tokens",
    ),
    "gpt-4o-mini": (
        Streamed(["So far"], "SAFETY"),
        "Cut off by the content filter",
        "Cut off by the provider's content filter (SAFETY)",
    ),
    "o1": (Streamed([Reasoning("Hm.")]), "Empty", "Empty: all 7 tokens went into its reasoning"),
    "o3-mini": (Streamed([Delta({"refusal": "No."})]), "Refused", "The model refused to answer"),
    "claude-3-haiku-20240307": (
        Streamed(["So far"], None, done=False),
        "Ended early",
        "Perhaps cut off: the stream ended",
    ),
    "gemini-1.5-pro": (
        Streamed(["So far"], HOSTILE),
        "Ended early",
        "It ended for a reason that is not known",
    ),
}
LAST = "gemini-2.0-flash"


def test_each_says_how_it_ended(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gate = Gate()
    for model, (answer, _, _) in ENDINGS.items():
        gateway.script(answer, model=model)
    gateway.script(Streamed(["Still ", gate, "here."]), model=LAST)
    notebook = lab.open(f"%%metask {' '.join(ENDINGS)} {LAST} --max-tokens 9\nHi")
    view = LiveView(notebook, 1)
    notebook.start(1)
    assert gate.reached.wait(60)
    for at, (_, word, says) in enumerate(ENDINGS.values()):
        expect(view.state.nth(at)).to_have_text(word, timeout=60_000)
        note = view.column.nth(at).locator(".metask-note")
        expect(note).to_contain_text(says)
        expect(note).to_be_visible()
    expect(view.column.nth(len(ENDINGS)).locator(".metask-note")).to_have_text("")
    for theme in THEMES:
        notebook.set_theme(theme)
        assert contrast(view.column.nth(0).locator(".metask-note")) >= READABLE
        notebook.screenshot(screenshots / f"endings-live-{shade(theme)}.png")
    gate.open()
    notebook.wait_done(1)
    view.expect_gone()
    record = notebook.output(1)
    for at, (_, _, says) in enumerate(ENDINGS.values()):
        expect(record.locator("blockquote").nth(at)).to_contain_text(says)
    expect(record.locator("blockquote")).to_have_count(len(ENDINGS))
    expect(record.locator("img")).to_have_count(0)
    notebook.screenshot(screenshots / "endings-record.png")


def test_one_model_keeps_it_below_its_text(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gateway.script(
        Streamed(["Some ```python\nopen fence"], "length"),
        Streamed([]),
        server_error(),
        Streamed(["So far"], "content_filter"),
    )
    notebook = lab.open(
        "%config Metask.max_retries = 0",
        *(f"%%metask gpt-4o-mini --max-tokens 9\n{number}" for number in range(3)),
        "%%metask gpt-4o-mini --background -o later\nHi",
        "later.wait()",
    )
    notebook.run(1, 2, 3, 4)
    notebook.run(5, 6)
    for index, says in (
        (2, "Cut off at the limit of 9 tokens: raise --max-tokens, or ask it to go on."),
        (3, "Empty: the gateway sent no text: run the cell again, or ask another model."),
        (4, "It failed before any text came."),
        (5, "Cut off by the provider's content filter: ask otherwise, or ask another model."),
    ):
        expect(notebook.output(index).locator("blockquote")).to_have_text(says)
    expect(notebook.output(4)).to_contain_text("ServerError: The gateway failed (500)")
    saved = notebook.save()
    kinds = [list(output.get("data", {})) for output in saved.cells[4].outputs]
    assert ["text/markdown", "text/plain"] in kinds
    for theme in THEMES:
        notebook.set_theme(theme)
        assert contrast(notebook.output(2).locator("blockquote p")) >= READABLE
        notebook.screenshot(screenshots / f"endings-alone-{shade(theme)}.png")
