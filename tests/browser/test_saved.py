"""A notebook that was saved, reloaded or changed while a reply was coming."""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import expect

from ..gateway_server import CUT, Gate, GatewayServer, Reasoning, Streamed
from .lab import Lab
from .live import LiveView
from .notebook import NotebookPage

ASK = "%%metask gpt-4o-mini -o reply\nHi"
BACKGROUND = "%%metask gpt-4o-mini --background -o reply\nHi"
TELL = "print(reply.text, '/', reply.finish_reason)"
SO_FAR = "# So far"
SEEN_AND_HEARD = """(node) => [
  node.innerText,
  ...[...node.querySelectorAll("[aria-label]")].map((labelled) => labelled.getAttribute("aria-label")),
].join(" ")"""
WIDGET = "application/vnd.jupyter.widget-view+json"


def start(lab: Lab, *cells: str) -> tuple[NotebookPage, LiveView]:
    """A notebook whose first cell's reply has begun to come."""
    notebook = lab.open(*cells)
    notebook.start(1)
    view = LiveView(notebook, 1)
    view.expect_text("So far")
    return notebook, view


def without_kernel(lab: Lab, notebook: NotebookPage) -> NotebookPage:
    """The notebook as somebody else opens it, who has no kernel."""
    saved = notebook.on_disk()
    saved.metadata["kernelspec"]["name"] = "of-somebody-else"
    copy = notebook.path.with_stem(f"{notebook.path.stem}-elsewhere")
    nbformat.write(saved, copy)
    return lab.open_without_kernel(copy.name)


def test_what_is_saved_in_mid_stream_can_be_read_elsewhere(lab: Lab, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed([f"{SO_FAR}\n\nand *more*", gate, ", to the end."]))
    notebook, view = start(lab, ASK)
    (output,) = notebook.saved_outputs(1)
    expected = f"{SO_FAR}\n\nand *more*\n\n> Saved before its end."
    assert output.data == {"text/markdown": expected, "text/plain": expected}
    expect(view.column).to_have_attribute("data-status", "streaming")  # what is shown has not changed
    elsewhere = without_kernel(lab, notebook)
    expect(elsewhere.output(1).locator("h1")).to_contain_text("So far")
    expect(elsewhere.output(1).locator("blockquote")).to_contain_text("Saved before its end.")
    gate.open()
    notebook.wait_done(1)
    view.expect_gone()
    (output,) = notebook.saved_outputs(1)
    assert output.data["text/markdown"] == f"{SO_FAR}\n\nand *more*, to the end."
    assert "view" not in output.metadata.get("metask", {})


def test_a_chinese_kernel_shows_and_saves_no_english_word(lab: Lab, gateway: GatewayServer) -> None:
    held, gate = Gate(), Gate()
    gateway.script(
        Streamed([Reasoning("嗯。"), held, "# 你好\n\n- [ ] 一\n- ![](https://example.com/x.png)", gate])
    )
    notebook = lab.open('%config Metask.language = "zh"', ASK)
    notebook.run(1)
    notebook.start(2)
    view = LiveView(notebook, 2)
    expect(view.state).to_have_text("思考中")
    expect(view.reasoning.locator("summary")).to_have_text("思考过程")
    held.open()
    view.expect_text("你好")
    expect(view.state).to_have_text("回答中")
    expect(view.stop).to_have_text("停止")
    expect(view.copy).to_have_text("复制")
    # The page may have had another notebook a moment ago, whose end is still said.
    announced = notebook.page.locator(".metask-announcer p").last
    expect(announced).to_have_text("gpt-4o-mini：回答中")
    seen = f"{view.node.evaluate(SEEN_AND_HEARD)} {announced.text_content()}"
    assert {*re.findall("[A-Za-z]{2,}", seen.replace("gpt-4o-mini", ""))} <= {"Markdown", "token"}
    (output,) = notebook.saved_outputs(2)
    assert output.data["text/plain"].endswith("\n\n> 保存时回复还没有结束。")
    view.stop.click()
    notebook.wait_done(2)
    view.expect_gone()


@pytest.mark.parametrize(
    ("ask", "saved"), [(ASK, True), (ASK, False), (BACKGROUND, True)], ids=["cell", "unsaved", "background"]
)
def test_a_page_reloaded_in_mid_stream_gets_the_record(
    lab: Lab, gateway: GatewayServer, ask: str, saved: bool
) -> None:
    gate = Gate()
    gateway.script(Streamed([SO_FAR, gate, "\n\nTo the end."]))
    notebook, view = start(lab, ask, TELL)
    if saved:
        notebook.save()
    notebook.reload(needs_kernel=False)
    expect(view.column).to_have_attribute("data-status", "streaming")
    gate.open()
    view.expect_gone()
    notebook.expect_text(1, "To the end.")
    (output,) = notebook.saved_outputs(1)
    whole = f"{SO_FAR}\n\nTo the end."
    assert output.data == {"text/markdown": whole, "text/plain": whole}


def test_a_page_loaded_after_the_end_gets_the_record(lab: Lab, gateway: GatewayServer) -> None:
    """And what was said beside it."""
    gate = Gate()
    gateway.script(Streamed([SO_FAR, gate, CUT]))
    notebook, _ = start(lab, ASK, "1 + 1")
    notebook.save()
    notebook.page.goto("about:blank")
    gate.open()
    notebook.reload(needs_kernel=False)
    notebook.expect_text(1, "The connection was cut")
    LiveView(notebook, 1).expect_gone()
    record, told = notebook.saved_outputs(1)
    assert record.data["text/plain"] == SO_FAR
    assert "The connection was cut" in told.text


def test_what_could_be_more_than_text_is_saved_as_it_was_written(lab: Lab, gateway: GatewayServer) -> None:
    text = "# So far <img src=//canary.example/x> ![x](//canary.example/y)"
    gateway.script(Streamed([text, Gate()]))
    notebook, _ = start(lab, ASK)
    (output,) = notebook.saved_outputs(1)
    assert output.data == {"text/plain": f"{text}\n\n> Saved before its end."}
    notebook.interrupt()
    notebook.wait_done(1)


def test_a_kernel_that_died_leaves_text(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(Streamed([SO_FAR, Gate()]))
    notebook, _ = start(lab, ASK)
    notebook.restart()
    notebook.expect_text(1, "Broken off")
    (output,) = notebook.saved_outputs(1)
    assert output.data["text/markdown"] == f"{SO_FAR}\n\n> Broken off: the kernel has gone."
    notebook.reload()
    expect(notebook.output(1).locator("blockquote")).to_contain_text("Broken off: the kernel has gone.")


DELETE, MOVE = "notebook:delete-cell", "notebook:move-cell-down"
CLEAR, COLLAPSE = "notebook:clear-cell-output", "notebook:hide-cell-outputs"


def test_a_cell_that_is_deleted_ends_its_reply(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(Streamed([SO_FAR, Gate()]))
    notebook, _ = start(lab, ASK, TELL)
    notebook.select(1)
    notebook.execute(DELETE)
    assert gateway.chats[0].disconnected.wait(30)
    notebook.run(1)
    notebook.expect_text(1, f"{SO_FAR} / interrupted")


@pytest.mark.parametrize("command", [MOVE, CLEAR, pytest.param(COLLAPSE, marks=pytest.mark.nightly)])
def test_the_reply_goes_on(lab: Lab, gateway: GatewayServer, command: str) -> None:
    """Whatever is done with its cell; and the end is seen once, where the output is still wanted."""
    gate = Gate()
    gateway.script(Streamed([SO_FAR, gate, "\n\nTo the end."]))
    notebook, _ = start(lab, ASK, TELL)
    notebook.select(1)
    notebook.execute(command)
    at, other = (2, 1) if command == MOVE else (1, 2)
    gate.open()
    assert gateway.chats[0].finished.wait(30)
    notebook.run(other)
    notebook.expect_text(other, "To the end. / stop")
    outputs = [output.data["text/plain"] for output in notebook.saved_outputs(at)]
    assert outputs == ([] if command == CLEAR else [f"{SO_FAR}\n\nTo the end."])


def test_run_again_in_mid_stream_shows_the_second_reply_alone(lab: Lab, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed([SO_FAR, gate]), Streamed(["The second."]))
    notebook, view = start(lab, ASK)
    notebook.start(1)
    gate.open()
    notebook.expect_text(1, "The second.")
    view.expect_gone()
    outputs = [output.data["text/plain"] for output in notebook.saved_outputs(1)]
    assert outputs == ["The second."]
