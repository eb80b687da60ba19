"""Stopping a reply from the page: by message, by interrupt, by keyboard, too late and twice."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ..gateway_server import Gate, GatewayServer, Streamed
from .lab import App, Lab
from .live import LiveView
from .notebook import NotebookPage
from .server import NO_SUBSHELLS, SUBSHELLS

ASK = "%%metask gpt-4o-mini -o reply\nHi"
TELL = "print(reply.text, reply.finish_reason)"
SO_FAR = "# So far"

# A live view, and code that is not ours.
BUSY = """
import time
from metask_magic.display.widget import WidgetSink
from metask_magic.messages.events import TextDelta

sink = WidgetSink(["gpt-4o-mini"])
sink.open(lambda column: None)
sink.show({0: [TextDelta("So far")]})
time.sleep(60)
"""

# After a press the view asks again, and after 1.5 s it interrupts the kernel: by then this must be over.
LATER = "(start) => performance.now() > start + 3000"


def start(lab: Lab, gateway: GatewayServer, app: App = "lab") -> tuple[NotebookPage, LiveView]:
    """A cell whose reply never ends by itself, with some of it on the screen."""
    gateway.script(Streamed([SO_FAR, Gate()]))
    notebook = lab.open(ASK, TELL, ASK, app=app)
    view = LiveView(notebook, 1)
    notebook.start(1)
    view.expect_text("So far")
    return notebook, view


def expect_stopped(notebook: NotebookPage, gateway: GatewayServer, view: LiveView) -> None:
    """The connection is closed, the cell has ended, and what came is kept on the page and in the kernel."""
    assert gateway.chats[0].disconnected.wait(30)
    notebook.wait_done(1)
    view.expect_gone()
    expect(notebook.output(1).locator(".jp-RenderedMarkdown h1")).to_contain_text("So far")
    stopped = {"text/markdown": f"{SO_FAR}\n\n> Stopped before its end.", "text/plain": SO_FAR}
    assert notebook.saved_outputs(1)[0].data == stopped
    notebook.run(2)
    notebook.expect_text(2, f"{SO_FAR} interrupted")


@pytest.mark.parametrize("app", ["lab", pytest.param("notebook", marks=pytest.mark.nightly)])
def test_stop_by_message(lab: Lab, gateway: GatewayServer, app: App) -> None:
    notebook, view = start(lab, gateway, app)
    # Until the kernel has answered a hello, the page would interrupt it.
    notebook.wait_for(_ACKNOWLEDGED)
    view.stop.click()
    expect_stopped(notebook, gateway, view)
    assert not view.interrupts


def test_stop_by_message_without_subshells(lab: Lab, gateway: GatewayServer) -> None:
    """The message is in the queue of the cells, and the cell that waits answers it."""
    with lab.settings(SUBSHELLS, NO_SUBSHELLS):
        notebook, view = start(lab, gateway)
    notebook.wait_for(_ACKNOWLEDGED)
    view.stop.click()
    expect_stopped(notebook, gateway, view)
    assert not view.interrupts


def test_stop_by_interrupt_where_the_kernel_answers_nothing(lab: Lab) -> None:
    with lab.settings(SUBSHELLS, NO_SUBSHELLS):
        notebook = lab.open(BUSY)
    view = LiveView(notebook, 1)
    notebook.start(1)
    view.expect_text("So far")
    view.stop.click()
    notebook.expect_text(1, "KeyboardInterrupt")
    assert len(view.interrupts) == 1


def test_stop_by_keyboard_alone(lab: Lab, gateway: GatewayServer) -> None:
    notebook, view = start(lab, gateway)
    keyboard = notebook.page.keyboard
    notebook.cell(1).locator(".jp-InputArea-editor").click()
    keyboard.press("Escape")
    for _ in range(60):
        keyboard.press("Tab")
        if view.stop.evaluate("(button) => button === document.activeElement"):
            break
    expect(view.stop).to_be_focused()
    keyboard.press("Enter")
    expect_stopped(notebook, gateway, view)


def test_pressing_too_late_or_twice_harms_nobody(lab: Lab, gateway: GatewayServer) -> None:
    notebook, view = start(lab, gateway)
    button = view.stop.element_handle()
    pressed = notebook.page.evaluate("() => performance.now()")
    view.stop.dblclick()
    expect_stopped(notebook, gateway, view)
    before = len(view.interrupts)
    gate = Gate()
    gateway.script(Streamed(["The next ", gate, "reply."]))
    notebook.start(3)
    LiveView(notebook, 3).expect_text("The next")
    button.evaluate("(button) => { button.click(); button.dispatchEvent(new PointerEvent('pointerdown')); }")
    notebook.wait_for(LATER, pressed)
    gate.open()
    notebook.wait_done(3)
    notebook.expect_text(3, "The next reply.")
    assert len(view.interrupts) == before


# Sessions hang on the page, so that all views of a cell share theirs.
_ACKNOWLEDGED = """
() => [...window[Symbol.for("metask_magic.sessions")].values()].some(({ session }) => session.acknowledged)
"""
