"""The record in JupyterLab: what stays of a reply on the page, on the disk and after a reload."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from ..gateway_server import Gate, GatewayServer, Streamed
from .lab import Lab
from .notebook import NotebookPage

REPLY = """# A heading

Some **bold** text with `code` and $x^2$.

| name | count |
| --- | ---: |
| apples | 3 |

```python
def answer() -> int:
    return 42
```

1. first
2. second
"""

ASK = "%%metask gpt-4o-mini\nHi"


def pieces(text: str, size: int = 7) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def expect_record(output: Locator) -> None:
    """The reply is shown as Markdown, by the front end's own renderer."""
    record = output.locator(".jp-OutputArea-output.jp-RenderedMarkdown")
    expect(record).to_have_count(1)
    expect(output.locator(".jp-OutputArea-child")).to_have_count(1)
    expect(record.locator("h1")).to_contain_text("A heading")
    expect(record.locator("strong")).to_have_text("bold")
    expect(record.locator("td").first).to_have_text("apples")
    expect(record.locator("pre code")).to_contain_text("def answer() -> int:")
    expect(record.locator("ol > li")).to_have_count(2)
    expect(record.locator("mjx-container")).to_have_count(1)


def expect_plain_file(notebook: NotebookPage, index: int, text: str) -> None:
    """The saved notebook holds the reply as Markdown and text, and nothing of a widget."""
    saved = notebook.save()
    (output,) = saved.cells[index].outputs
    assert output.output_type == "display_data"
    assert output.data == {"text/markdown": text, "text/plain": text}
    assert output.metadata["metask"]["model"] == "gpt-4o-mini"
    assert "widgets" not in saved.metadata
    assert "widget" not in notebook.path.read_text(encoding="utf-8")


def test_a_reply_becomes_one_plain_output(lab: Lab, gateway: GatewayServer) -> None:
    gate = Gate()
    rest = pieces(REPLY.removeprefix("# A heading"))
    gateway.script(Streamed(["# A head", gate, "ing", *rest]), Streamed(pieces(REPLY)))
    notebook = lab.open(ASK)
    notebook.start(1)
    notebook.expect_text(1, "A head")
    gate.open()
    notebook.wait_done(1)
    expect_record(notebook.output(1))
    expect_plain_file(notebook, 1, REPLY)
    notebook.run(1)  # again: it takes the place of the first
    expect_record(notebook.output(1))
    expect_plain_file(notebook, 1, REPLY)


def test_the_record_outlives_reload_and_restart(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(Streamed(pieces(REPLY)))
    notebook = lab.open(ASK, "1 + 1")
    notebook.run(1)
    notebook.restart()
    expect_record(notebook.output(1))
    expect_plain_file(notebook, 1, REPLY)
    notebook.reload()
    expect_record(notebook.output(1))
    notebook.run(2)
    notebook.expect_text(2, "2")
    expect_plain_file(notebook, 1, REPLY)


@pytest.mark.nightly
def test_a_closed_notebook_is_opened_again_with_its_reply(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(Streamed(pieces(REPLY)), Streamed(pieces(REPLY)))
    notebook = lab.open(ASK)
    notebook.run(1)
    notebook.save()
    notebook.page.close()
    lab.server.shut_kernels_down()
    for app in ("lab", "notebook"):
        notebook = lab.open_file(notebook.path.name, app=app)
        expect_record(notebook.output(1))
    notebook.run(0, 1)  # here Notebook 7 shows the reply as it comes
    expect_record(notebook.output(1))
    expect_plain_file(notebook, 1, REPLY)


def test_an_interrupted_reply_stays_as_far_as_it_came(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["# So far", Gate()]))
    notebook = lab.open(ASK, "str(_)")
    notebook.start(1)
    notebook.expect_text(1, "So far")
    notebook.interrupt()
    notebook.wait_done(1)
    expect(notebook.output(1).locator(".jp-RenderedMarkdown h1")).to_contain_text("So far")
    record, *_ = notebook.saved_outputs(1)
    stopped = "# So far\n\n> Stopped before its end."
    assert record.data == {"text/markdown": stopped, "text/plain": "# So far"}
    notebook.run(2)
    notebook.expect_text(2, "'# So far'")
