"""Hostile text, through the magic into outputs JupyterLab trusts: it stays text."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.sync_api import expect

from ..gateway_server import Answer, GatewayServer, Page, Reasoning, Received, Streamed, error_event, refused
from .audit import audit, click_all
from .hostile import HOSTILE, HOSTILE_LINES
from .lab import Lab
from .notebook import NotebookPage

# Many in one cell, as a cell of its own for each takes three times as long. JupyterLab shows 50 outputs of a
# cell and hides the rest; a failure makes two.
AT_ONCE = 24

# Typeset last: when it is, what came before it is as well.
END = "The end: $x$"

ASK_EACH = """
for prompt in {prompts!r}:
    try:
        get_ipython().run_cell_magic("metask", "gpt-4o-mini", prompt)
    except Exception:
        get_ipython().showtraceback()
"""


def answer(received: Received) -> Streamed:
    """The hostile text the prompt names, from a model whose name and reasoning are no better."""
    text = HOSTILE.get(received.last_user_text, received.last_user_text)
    size = max(5, len(text) // 20)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return Streamed([Reasoning(text[:2_000]), *pieces], model=text[:200])


def ask_all(lab: Lab, prompts: Sequence[str], display: str = "auto") -> tuple[NotebookPage, list[list[str]]]:
    """Ask these in a new notebook; returns it, and the prompts of each cell."""
    batches = [list(prompts[at : at + AT_ONCE]) for at in range(0, len(prompts), AT_ONCE)]
    cells = [ASK_EACH.format(prompts=batch) for batch in [*batches, [END]]]
    settings = f"%config Metask.max_retries = 0\n%config Metask.display = '{display}'"
    notebook = lab.open(settings, *cells)
    for index in range(1, len(cells) + 2):
        notebook.run(index)
    return notebook, [[], [], *batches, [END]]


def expect_harmless(notebook: NotebookPage, places: Sequence[Sequence[str]]) -> None:
    """Nothing is in the page that should not be, before and after everything has been clicked."""
    expect(notebook.output(len(places) - 1).locator("mjx-container")).to_have_count(1)
    assert audit(notebook, places) == ""
    click_all(notebook)
    assert audit(notebook, places) == ""
    assert notebook.watch.incidents == {}


def test_hostile_replies_stay_text(lab: Lab, gateway: GatewayServer) -> None:
    gateway.answer_with(answer)
    # Without the live view, which has these texts in a test of its own and takes half of the time.
    notebook, places = ask_all(lab, list(HOSTILE), "markdown")
    expect_harmless(notebook, places)
    saved = notebook.save()
    for batch, cell in zip(places, saved.cells, strict=True):
        texts = [output.data["text/plain"] for output in cell.outputs]
        assert texts == [HOSTILE.get(name, name) for name in batch]
    notebook.reload()
    expect_harmless(notebook, places)


def faults(message: str) -> list[Answer]:
    """A server that says this in every place an error can come from."""
    page = f"<html><title>{message}</title>{message}</html>".encode()
    return [
        refused(400, message),
        refused(429, message, code="insufficient_quota"),
        Streamed(["so far", error_event(message)]),
        Page(page, 502, content_type="text/html"),
    ]


def test_hostile_errors_stay_text(lab: Lab, gateway: GatewayServer) -> None:
    lines = list(HOSTILE_LINES.values())
    answers = [fault for at in range(8) for fault in faults(" ".join(lines[at::8]))]
    gateway.script(*answers)
    gateway.answer_with(answer)
    notebook, places = ask_all(lab, [str(number) for number in range(len(answers))])
    notebook.expect_text(2, "BadRequestError")
    expect_harmless(notebook, places)
    assert not gateway.unused


def list_models(lab: Lab, gateway: GatewayServer, names: Sequence[str]) -> None:
    """Have the server list these, and be suggested one of them."""
    gateway.models = ["gpt-4o-mini", *names]
    gateway.answer_with(answer)
    notebook = lab.open("%metask models", "%metask gpt-4o-mnii Hi", f"%metask gpt-4o-mini {END}")
    notebook.run(1, 2, 3)
    expect(notebook.output(1).locator("tbody tr")).to_have_count(len(gateway.models))
    expect_harmless(notebook, [[], ["list"], ["nearest"], ["end"]])


MATHS = "maths"


def test_hostile_names_of_models_stay_text(lab: Lab, gateway: GatewayServer) -> None:
    list_models(lab, gateway, [line for name, line in HOSTILE_LINES.items() if not name.startswith(MATHS)])


def test_names_of_models_are_no_mathematics(lab: Lab, gateway: GatewayServer) -> None:
    list_models(lab, gateway, [line for name, line in HOSTILE_LINES.items() if name.startswith(MATHS)])
