"""How replies end, as a person sees it: while others still stream, and in what stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from metask_magic.messages.ending import Ending

from ..display.test_notice import NOTICE, STRANGE, TEXTS
from ..gateway_server import Answer, Delta, Gate, GatewayServer, Reasoning, Streamed, server_error
from .audit import audit
from .hostile import HOSTILE_LINES
from .lab import Lab
from .live import LiveView, contrast
from .notebook import NotebookPage
from .test_several import NARROW, fits
from .test_widget import JUMP, READABLE, THEMES, shade

TAGS = "\x1b[31m<img src=x onerror=alert(1)>\x1b[0m<script>alert(1)</script>"
MARKS = r"![x](http://a.example/x.png) **b** | $x^2$ $\href{javascript:x}{y}$ " + "x" * 10_000

# A model for each: its answer, the word of its state, how the line below its text begins, what a table says.
ENDINGS = {
    "gpt-4o": (
        Streamed(["So far"], "length"),
        "Cut off",
        "Cut off at the limit of 9 tokens: raise --max-tokens, or ask it to go on.",
        "length",
    ),
    "gpt-4o-mini": (
        Streamed(["So far"], "SAFETY"),
        "Filtered",
        "Cut off by the provider's content filter (SAFETY): ask otherwise",
        "content_filter (SAFETY)",
    ),
    "o1": (
        Streamed([Reasoning("Hm.")]),
        "Empty",
        "Empty: all 7 tokens went into its reasoning, and no answer came",
        "stop (empty)",
    ),
    "o3-mini": (
        Streamed([Delta({"refusal": "No."})]),
        "Refused",
        "The model refused to answer: ask otherwise",
        "stop (refused)",
    ),
    "claude-3-haiku-20240307": (
        Streamed(["So far"], None, done=False),
        "Perhaps cut off",
        "Perhaps cut off: the stream ended without saying that it was finished.",
        "incomplete",
    ),
    "gemini-1.5-pro": (
        Streamed(["So far"], TAGS),
        "Perhaps cut off",
        "It ended for a reason that is not known here (<img src=x onerror=alert(1)><script>alert",
        "stop (perhaps cut off, <img src=x onerror=alert(1)><script>alert",
    ),
    "gemini-1.5-flash": (
        Streamed(["So far"], MARKS),
        "Perhaps cut off",
        r"It ended for a reason that is not known here (![x](http://a.example/x.png) **b** | $x^2$ $\hre",
        r"stop (perhaps cut off, ![x](http://a.example/x.png) **b** | $x^2$ $\hre",
    ),
}
LAST = "gemini-2.0-flash"


def test_each_says_how_it_ended(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gate = Gate()
    for model, (answer, *_) in ENDINGS.items():
        gateway.script(answer, model=model)
    gateway.script(Streamed(["Still ", gate, "here."], "length"), model=LAST)
    notebook = lab.open(f"%%metask {' '.join(ENDINGS)} {LAST} --max-tokens 9\nHi")
    view = LiveView(notebook, 1)
    notebook.page.evaluate(_LISTEN)
    notebook.start(1)
    assert gate.reached.wait(60)
    notes = view.column.locator(".metask-note")
    for at, (model, (_, word, says, _)) in enumerate(ENDINGS.items()):
        expect(view.state.nth(at)).to_have_text(word)
        expect(notes.nth(at)).to_contain_text(says)
        end = f"{model}: {says if says.startswith(word) else f'{word}. {says}'}"
        notebook.wait_for("(end) => window.heard.some((said) => said.includes(end))", end)
    expect(notes.nth(len(ENDINGS))).to_have_text("")
    expect(view.column.locator(".metask-note > *")).to_have_count(0)
    for theme in THEMES:
        notebook.set_theme(theme)
        expect_readable(notes, len(ENDINGS))
        notebook.screenshot(screenshots / f"endings-live-{shade(theme)}.png")
    notebook.page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # a plain dictionary will do
    assert fits(notebook, 1)
    notebook.screenshot(screenshots / "endings-narrow.png")
    gate.open()
    notebook.wait_done(1)
    view.expect_gone()
    expect_record(
        notebook, [says for _, _, says, _ in ENDINGS.values()] + ["Cut off at the limit of 9 tokens"]
    )
    notebook.screenshot(screenshots / "endings-record.png")


# What a screen reader would read out. It stands there for a while only.
_LISTEN = """() => {
  window.heard = [];
  const listen = (changes) =>
    changes.flatMap(({ addedNodes }) => [...addedNodes]).forEach((node) => {
      if (node.parentElement?.matches(".metask-announcer")) window.heard.push(node.textContent);
    });
  new MutationObserver(listen).observe(document.body, { childList: true, subtree: true });
}"""


def expect_readable(lines: Locator, count: int) -> None:
    for at in range(count):
        expect(lines.nth(at)).to_be_visible()
        assert contrast(lines.nth(at)) >= READABLE


def expect_record(notebook: NotebookPage, notices: list[str]) -> None:
    """A section for each with its notice, a table of all, and nothing else in either."""
    record = notebook.output(1)
    expect(record.locator("blockquote")).to_have_count(len(notices))
    for at, says in enumerate(notices):
        expect(record.locator("blockquote").nth(at)).to_contain_text(says)
    for at, (*_, ending) in enumerate(ENDINGS.values()):
        expect(record.locator("tbody tr").nth(at).locator("td").last).to_contain_text(ending)
    expect(record.locator("mjx-container")).to_have_count(0)
    assert audit(notebook) == ""
    assert fits(notebook, 1)


ASK = "%%metask gpt-4o-mini --max-tokens 9\n{}"

# What stays below a cell of one model: for a failure beside the error, for one in the background later.
ALONE: dict[str, Answer] = {
    "Cut off at the limit of 9 tokens: raise --max-tokens, or ask it to go on.": Streamed(
        ["So far:\n\n```python\nx = 1"], "length"
    ),
    "Empty: the gateway sent no text: run the cell again, or ask another model.": Streamed([]),
    "It failed before any text came.": server_error(),
    "Cut off by the provider's content filter: ask otherwise, or ask another model.": Streamed(
        ["So far"], "content_filter"
    ),
}


def test_one_model_keeps_it_below_its_text(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gateway.script(*ALONE.values())
    notebook = lab.open(
        "%config Metask.max_retries = 0",
        *(ASK.format(number) for number in range(3)),
        "%%metask gpt-4o-mini --background -o later\nHi",
        "later.wait();",
    )
    notebook.run(1, 2, 3, 4, 5, 6)
    for index, says in enumerate(ALONE, start=2):
        quotation = notebook.output(index).locator(".jp-RenderedMarkdown > blockquote:last-child")
        expect(quotation).to_have_text(says)
    expect(notebook.output(2).locator("pre")).to_have_text("x = 1")
    outputs = notebook.output(4).locator(".jp-OutputArea-output")
    expect(outputs).to_have_count(2)
    expect(outputs.nth(1)).to_contain_text("ServerError: The gateway failed (500)")
    for theme in THEMES:
        notebook.set_theme(theme)
        for index in range(2, 6):
            expect_readable(notebook.output(index).locator("blockquote p"), 1)
        notebook.screenshot(screenshots / f"endings-alone-{shade(theme)}.png")


# The view stays as it was at the end, for as long as one looks.
HOLD = """
from metask_magic.display.place import Place

replace, Place.replace = Place.replace, lambda *_: None
"""
RELEASE = "Place.replace = replace"


def test_nothing_jumps_when_the_record_comes(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    answers = [
        Streamed([Reasoning("Hm."), "# So far\n\nand"], "length"),
        Streamed([Reasoning("Hm.")]),
        Streamed([Delta({"refusal": "- No."})]),
    ]
    gateway.script(*answers, *answers)
    asks = [ASK.format(at) for at in range(3)]
    notebook = lab.open(HOLD, *asks, RELEASE, *asks)
    notebook.run(1)
    held = []
    for index in (2, 3, 4):
        notebook.run(index)
        note = notebook.output(index).locator(".metask-note")
        expect(note).not_to_have_text("")
        held.append((note.inner_text(), place_of(note, notebook.output(index))))
    notebook.screenshot(screenshots / "endings-held.png")
    notebook.run(5, 6, 7, 8)
    for index, (text, place) in enumerate(held, start=6):
        record = notebook.output(index).locator("blockquote")
        expect(record).to_have_text(text)
        assert place_of(record, notebook.output(index)) == pytest.approx(place, abs=JUMP)


# At one moment: between two the page may scroll.
PLACE = """
(node, output) => {
    const here = node.getBoundingClientRect(), there = output.getBoundingClientRect();
    return [here.x - there.x, here.y - there.y];
}
"""


def place_of(node: Locator, output: Locator) -> tuple[float, float]:
    """Where a node stands in an output."""
    x, y = node.evaluate(PLACE, output.element_handle())
    return x, y


SHOW = """
from metask_magic.display.record import to_bundle

for text, notice in {shown!r}:
    display(to_bundle(text, notice=notice), raw=True)
"""
MOST_OUTPUTS = 50  # JupyterLab hides the rest

# Typeset last: when it is, what came before it is as well.
TYPESET = ("$x$", "The end.")


def test_it_stands_below_any_text_and_is_text_itself(lab: Lab) -> None:
    words = [*STRANGE, *HOSTILE_LINES.values()]
    shown = [(text, NOTICE) for text in TEXTS.values()]
    shown += [("So far", Ending("stop", word).notice) for word in words]
    shown = [(text, notice) for text, notice in shown if notice] + [TYPESET]
    cells = [shown[at : at + MOST_OUTPUTS] for at in range(0, len(shown), MOST_OUTPUTS)]
    notebook = lab.open(*(SHOW.format(shown=some) for some in cells))
    notebook.run(*range(1, len(cells) + 1))
    expect(notebook.output(len(cells)).locator("mjx-container")).to_have_count(1)
    for index, some in enumerate(cells, start=1):
        said = notebook.output(index).locator(
            ".jp-RenderedMarkdown > blockquote:last-child, .metask-record:last-child > blockquote:last-child"
        )
        told = said.evaluate_all("(nodes) => nodes.map((node) => node.textContent)")
        assert [seen(text) for text in told] == [seen(notice) for _, notice in some]
        expect(said.locator("mjx-container, img, code, strong, em")).to_have_count(0)
    assert audit(notebook) == ""


def seen(text: str) -> str:
    """What there is to see of a text: the record marks what is not."""
    return " ".join(
        "".join(c if c.isprintable() or c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text).split()
    )
