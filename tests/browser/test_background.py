"""`--background` in the page: other cells run, and the display goes on."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ..gateway_server import CUT, Gate, GatewayServer, Streamed
from .lab import App, Lab
from .live import LiveView
from .notebook import NotebookPage

ASK = "%%metask gpt-4o-mini --background -o reply\nHi"
PRINT = "print('another', 'cell')"
BUSY = "import time\nwhile not reply.done:\n    time.sleep(0.01)\nprint('it has', 'ended')"
TOLD = f"print('it', 'goes on')\n{BUSY}"
TELL = "print(reply.wait().text, reply.reply.finish_reason)"
SO_FAR = "# So far"
STOPPED = "\n\n> Stopped before its end."


def start(
    lab: Lab, gateway: GatewayServer, *parts: str | Gate, app: App = "lab"
) -> tuple[NotebookPage, LiveView]:
    """A cell that has ended, with some of its reply on the screen."""
    gateway.script(Streamed([SO_FAR, *parts]))
    notebook = lab.open(ASK, PRINT, BUSY, TELL, TOLD, app=app)
    notebook.run(1)
    view = LiveView(notebook, 1)
    view.expect_text("So far")
    return notebook, view


def expect_record(notebook: NotebookPage, view: LiveView, text: str, notice: str = "") -> None:
    view.expect_gone()
    expect(notebook.output(1).locator(".jp-RenderedMarkdown h1")).to_contain_text("So far")
    (output,) = notebook.saved_outputs(1)
    assert output.data == {"text/markdown": f"{text}{notice}", "text/plain": text}
    assert "widgets" not in notebook.on_disk().metadata


@pytest.mark.parametrize("app", ["lab", pytest.param("notebook", marks=pytest.mark.nightly)])
def test_it_goes_on_while_another_cell_runs(lab: Lab, gateway: GatewayServer, app: App) -> None:
    first, second = Gate(), Gate()
    notebook, view = start(lab, gateway, first, "\n\nwhile another runs", second, "\n\nto the end.", app=app)
    notebook.run(2)
    notebook.expect_text(2, "another cell")
    notebook.start(3)
    first.open()
    view.expect_text("while another runs")
    expect(view.column).to_have_attribute("data-status", "streaming")
    second.open()
    notebook.wait_done(3)
    notebook.expect_text(3, "it has ended")
    expect_record(notebook, view, f"{SO_FAR}\n\nwhile another runs\n\nto the end.")
    assert notebook.saved_outputs(2)[0].text == "another cell\n"
    assert [output.text for output in notebook.saved_outputs(3)] == ["it has ended\n"]


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_stop(lab: Lab, gateway: GatewayServer, busy: bool) -> None:
    notebook, view = start(lab, gateway, Gate())
    expect(view.stop).to_be_visible()
    if busy:
        notebook.start(3)
        expect(notebook.cell(3).locator(".jp-InputPrompt")).to_contain_text("*")
    view.stop.click()
    assert gateway.chats[0].disconnected.wait(30)
    if busy:
        notebook.wait_done(3)
        notebook.expect_text(3, "it has ended")
    expect_record(notebook, view, SO_FAR, STOPPED)
    notebook.run(4)
    notebook.expect_text(4, f"{SO_FAR} interrupted")
    assert not view.interrupts, "it would have hit another cell"


def test_an_interrupt_is_for_the_cell_that_runs(lab: Lab, gateway: GatewayServer) -> None:
    gate = Gate()
    notebook, view = start(lab, gateway, gate, "\n\nto the end.")
    notebook.start(5)
    notebook.expect_text(5, "it goes on")  # before the cell runs, there is nothing to interrupt
    notebook.interrupt()
    notebook.wait_done(5)
    notebook.expect_text(5, "KeyboardInterrupt")
    expect(view.column).to_have_attribute("data-status", "streaming")
    gate.open()
    expect_record(notebook, view, f"{SO_FAR}\n\nto the end.")


@pytest.mark.nightly
def test_a_page_that_is_reloaded_shows_it_and_goes_on(lab: Lab, gateway: GatewayServer) -> None:
    first, second = Gate(), Gate()
    notebook, view = start(lab, gateway, first, "\n\nafter the reload", second, "\n\nto the end.")
    notebook.save()
    notebook.reload()
    view.expect_text("So far")
    first.open()
    view.expect_text("after the reload")
    expect(view.stop).to_be_visible()
    second.open()
    notebook.expect_text(1, "to the end.")
    expect(notebook.output(1).locator("[data-status=streaming], [data-status=waiting]")).to_have_count(0)


def test_a_failure_is_told_below_what_came(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(Streamed([SO_FAR, CUT]))
    notebook = lab.open(ASK, PRINT)
    notebook.run(1, 2)
    view = LiveView(notebook, 1)
    notebook.expect_text(1, "StreamCutError: ")
    view.expect_gone()
    expect(notebook.output(1).locator(".jp-RenderedMarkdown h1")).to_contain_text("So far")
    record, told = notebook.saved_outputs(1)
    assert record.data["text/plain"] == SO_FAR
    assert told.name == "stderr"
    assert "kept in reply.reply" in told.text


def test_the_end_of_the_kernel_leaves_the_record(lab: Lab, gateway: GatewayServer) -> None:
    notebook, view = start(lab, gateway, Gate())
    notebook.page.evaluate(_SHUT_DOWN)
    expect_record(notebook, view, SO_FAR, STOPPED)


def test_a_restart_leaves_what_came(lab: Lab, gateway: GatewayServer) -> None:
    notebook, view = start(lab, gateway, Gate())
    notebook.restart()  # JupyterLab takes nothing more from the kernel that ends
    assert gateway.chats[0].disconnected.wait(30)
    view.expect_text("So far")
    expect(notebook.output(1).locator("[data-status=streaming], [data-status=waiting]")).to_have_count(0)


_SHUT_DOWN = """async () => {
  const widgets = [...window.jupyterapp.shell.widgets("main")];
  await widgets.find((w) => w.sessionContext && w.content?.widgets).sessionContext.shutdown();
}"""
