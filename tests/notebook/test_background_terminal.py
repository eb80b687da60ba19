"""`--background` in terminal IPython: nothing is printed under the prompt until it is asked for."""

from __future__ import annotations

from ..gateway_server import CUT, STALL, Gate, GatewayServer, Streamed
from ..terminal import Terminal
from .test_terminal import terminal

__all__ = ["terminal"]


def test_nothing_is_printed_until_asked_for(terminal: Terminal, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed(["Once upon ", gate, "a time."], finish_reason=None, done=False, framing="close"))
    terminal.type("story = %metask gpt-4o-mini --background A story?")
    assert gate.reached.wait(60)
    terminal.type("import time")
    terminal.type("while not story.text: time.sleep(0.01)")
    terminal.type("")
    terminal.type("story")
    terminal.wait_for("<BackgroundReply from gpt-4o-mini: coming, 10 characters>")
    assert "Once upon" not in terminal.screen
    gate.open()
    terminal.type("while not story.done: time.sleep(0.01)")
    terminal.type("")
    terminal.type("print('all', 'quiet')")
    screen = terminal.wait_for("all quiet")
    assert "a time" not in screen
    assert "may be incomplete" not in screen
    terminal.type("print(story.wait())")
    terminal.wait_for("Once upon a time.")


def test_the_value_is_a_line(terminal: Terminal, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["So far", STALL]))
    terminal.type("%metask gpt-4o-mini --background Hi")
    terminal.wait_for("<BackgroundReply from gpt-4o-mini: coming, ")
    (request,) = gateway.wait_for_requests(1)
    terminal.type("_.cancel()")
    assert request.disconnected.wait(30)


def test_a_failure_is_told_to_who_waits(terminal: Terminal, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["So far", CUT]))
    terminal.type("story = %metask gpt-4o-mini --background Hi")
    terminal.type("import time")
    terminal.type("while not story.done: time.sleep(0.01)")
    terminal.type("")
    terminal.type("print('all', 'quiet')")
    assert "StreamCutError" not in terminal.wait_for("all quiet")
    terminal.type("story.wait()")
    terminal.wait_for("StreamCutError: ")
    terminal.wait_for("The 6 characters that came are kept in the `reply` of the cell's value.")


def test_leaving_in_mid_stream_is_clean(terminal: Terminal, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["So far", STALL]))
    terminal.type("story = %metask gpt-4o-mini --background Hi")
    terminal.type("import time")
    terminal.type("while not story.text: time.sleep(0.01)")
    terminal.type("")
    terminal.type("exit()")
    assert terminal.process.wait(60) == 0
    assert gateway.last.disconnected.wait(30)
    assert "Traceback" not in terminal.screen
