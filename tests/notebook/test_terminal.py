"""Terminal IPython: a real one in a process of its own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from wcwidth import wcswidth

from ..gateway_server import STALL, Gate, GatewayServer, Reasoning, Streamed
from ..terminal import CONSOLE, Terminal

pytestmark = pytest.mark.kernel


@pytest.fixture
def terminal(tmp_path: Path, gateway: GatewayServer) -> Iterator[Terminal]:
    running = Terminal(tmp_path, gateway)
    yield running
    running.close()


def test_text_streams_and_the_value_is_a_line_of_facts(terminal: Terminal, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed([Reasoning("Hm."), "Once upon \x1b]0;evil\x07", gate, "a time."]))
    terminal.type("%metask gpt-4o-mini A story?")
    assert gate.reached.wait(60)
    assert "\x1b[2mHm.\x1b[0m" in terminal.wait_for("Once upon ")
    gate.open()
    terminal.wait_for("<Reply from gpt-4o-mini: ")
    assert "\x1b]0;evil" not in terminal.screen
    terminal.type("print(_.text.count('a time'), 'kept')")
    terminal.wait_for("1 kept")


def test_an_interrupt_keeps_what_came(terminal: Terminal, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["so far", STALL]))
    terminal.type("%metask gpt-4o-mini Hi")
    terminal.wait_for("so far")
    terminal.process.send_signal(signal.SIGINT)
    terminal.wait_for("Interrupted: Stopped. The 6 characters that came are kept in _.")
    assert gateway.last.disconnected.wait(30)
    terminal.type("print(_.text + '!')")
    terminal.wait_for("so far!")


@pytest.mark.parametrize(
    ("answer", "says", "facts"),
    [
        (
            Streamed(["So far"], "length"),
            "So far\n\x1b[2m✗ Cut off at the limit of 5 tokens: raise --max-tokens, or ask it to go on.",
            "6 characters, 7 tokens, length>",
        ),
        (
            Streamed([], "SAFETY"),
            "✗ Withheld by the provider's content filter (SAFETY)",
            "content_filter (SAFETY)>",
        ),
        (Streamed([]), "✗ Empty: the gateway sent no text", "stop (empty)>"),
        (Streamed(["So far"], None, done=False), "✗ Perhaps cut off: the stream ended", "incomplete>"),
    ],
)
def test_an_end_that_is_none_is_told(
    terminal: Terminal, gateway: GatewayServer, answer: Streamed, says: str, facts: str
) -> None:
    gateway.script(answer)
    terminal.type("%metask gpt-4o-mini --max-tokens 5 Go on")
    screen = terminal.wait_for(facts)
    assert says in screen.replace("\r", "")
    assert screen.count("✗") == 1


def test_each_of_several_says_its_own(terminal: Terminal, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["So far"], "MAX_TOKENS"), model="gpt-4o")
    gateway.script(Streamed([]), model="o1")
    gateway.script(Streamed(["All of it."]), model="o3-mini")
    terminal.type("%config Metask.aliases = {'all': 'gpt-4o o1 o3-mini'}")
    terminal.type("%metask all Hi")
    screen = terminal.wait_for("<Replies from gpt-4o: length (MAX_TOKENS), o1: stop (empty), o3-mini: stop>")
    shown = screen.replace("\r", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert "── gpt-4o\nSo far\n✗ Cut off at the model's limit of tokens (MAX_TOKENS): " in shown
    assert "── o1\n✗ Empty: the gateway sent no text: " in shown
    assert shown.count("✗") == 2
    table = shown.rpartition("first token")[2]
    assert all(said in table for said in ("length (MAX_TOKENS)", "stop (empty)"))


def test_a_table_says_how_it_went(terminal: Terminal, gateway: GatewayServer) -> None:
    gateway.script(Streamed([], "content_filter"))
    terminal.type("%config Metask.recording = 'off'")
    terminal.type("rows = [{'n': 1}]")
    terminal.type(
        "get_ipython().run_cell_magic('metask', 'gpt-4o-mini --map rows', 'Say {{ n }}')[0]['reply_error']"
    )
    terminal.wait_for("Withheld by the provider's content filter")
    assert "1 row: 0 answered, 1 filtered." in terminal.screen


def test_each_line_is_a_turn_of_its_own(terminal: Terminal, gateway: GatewayServer) -> None:
    terminal.type("%metask -c story gpt-4o-mini one")
    terminal.wait_for("<Reply from gpt-4o-mini: 3 characters")
    terminal.type("%metask -c story gpt-4o-mini three")
    terminal.wait_for("<Reply from gpt-4o-mini: 5 characters")
    assert [message["content"] for message in gateway.last.json["messages"]] == ["one", "one", "three"]
    terminal.type("%metask chats show story")
    terminal.wait_for("story: 2 turns")


def test_several_models_one_after_the_other(terminal: Terminal, gateway: GatewayServer) -> None:
    first, second, third = Gate(), Gate(), Gate()
    gateway.script(Streamed(["One be", first, "gins."]), model="gpt-4o")
    gateway.script(Streamed([second, "Two."]), model="o1")
    gateway.script(Streamed([third, "Three."]), model="o3-mini")
    terminal.type("%config Metask.aliases = {'all': 'gpt-4o o1 o3-mini'}")
    terminal.type("%metask all Hi")
    terminal.wait_for("── gpt-4o\nOne be")
    second.open()
    (of_second,) = (received for received in gateway.wait_for_requests(3) if received.json["model"] == "o1")
    assert of_second.finished.wait(30)
    first.open()
    terminal.wait_for("gins.\n\n── o1\nTwo.")
    third.open()
    terminal.wait_for("\n\n── o3-mini\nThree.\n\nmodel    first token")
    terminal.wait_for("<Replies from gpt-4o: stop, o1: stop, o3-mini: stop>")


def test_in_chinese_the_columns_stand_below_each_other(terminal: Terminal, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["好。"]), model="gpt-4o")
    terminal.type("%config Metask.language = 'zh'")
    terminal.type("%config Metask.aliases = {'all': 'gpt-4o 元任务-1'}")
    terminal.type("%metask all 你好")
    screen = terminal.wait_for("<多个回复：gpt-4o: stop、元任务-1: error>").replace("\r", "")
    head, *rows = screen.rpartition("\n\n模型 ")[2].splitlines()[:3]
    place = wcswidth(f"模型 {head[: head.index('结束原因')]}")
    ends = [row[: row.index(ending)] for row, ending in zip(rows, ("stop", "error"), strict=True)]
    assert [*map(wcswidth, ends)] == [place] * 2


def test_a_table_in_chinese(terminal: Terminal, gateway: GatewayServer) -> None:
    terminal.type("%config Metask.language = 'zh'")
    terminal.type("%config Metask.recording = 'off'")
    terminal.type("rows = [{'n': 1}, {'n': 2}]")
    terminal.type("get_ipython().run_cell_magic('metask', 'gpt-4o --map rows', 'Say {{ n }}')[1]['reply']")
    terminal.wait_for("'Say 2'")
    assert "2 行：已回答 2 行。" in terminal.screen
    assert "行/s" in terminal.screen


def test_text_comes_in_a_console_as_well(tmp_path: Path, gateway: GatewayServer) -> None:
    """`jupyter console` has a kernel and no cells; what it prints is kept nowhere."""
    gate = Gate()
    gateway.script(Streamed(["Once upon ", gate, "a time."]))
    console = Terminal(tmp_path, gateway, CONSOLE)
    try:
        console.type("%metask gpt-4o-mini A story please")
        console.wait_for("Once upon ")
        gate.open()
        console.wait_for("a time.")
        console.type("print(_.text.count('a time'), 'kept')")
        console.wait_for("1 kept")
        assert console.screen.count("Once upon") == 1
    finally:
        console.type("exit")  # its kernel ends with it
        console.process.wait(60)
        console.close()
