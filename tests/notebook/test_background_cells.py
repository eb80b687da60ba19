"""`--background` through a real kernel: the cell ends at once, and its display goes on while others run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from ..gateway_server import CUT, STALL, Gate, GatewayServer, Streamed, refused
from ..kernel import Execution, Kernel, KernelMessage, published
from .conftest import point_at, value

NOTEBOOK = {"cellId": "a-cell"}
ASK = "%%metask gpt-4o-mini --background -o story\nHi"
UNTIL_DONE = "import time\nwhile not story.done:\n    time.sleep(0.01)"
WAIT = "print(story.wait().text, story.wait().finish_reason)"


def ask(kernel: Kernel, code: str = ASK, cell_id: str = "a-cell") -> Execution:
    """Run an asking cell to its end, which does not wait for the reply's."""
    cell = kernel.run(code, metadata={"cellId": cell_id})
    assert cell.reply["status"] == "ok"
    return cell


def wait_for(kernel: Kernel, cell: Execution, kind: str, text: str = "") -> None:
    """Wait for a message of a cell that may have ended."""
    kernel.wait_for(lambda m: m.parent_id == cell.request_id and published(kind, text)(m))


def record(cell: Execution) -> dict[str, Any]:
    """The one display of a cell, which has to be the record by now."""
    (output,) = cell.displays
    data: dict[str, Any] = output["data"]
    return data


def view_of(cell: Execution) -> KernelMessage:
    """The message that opens the cell's view."""
    return next(
        m for m in cell.messages if m.kind == "comm_open" and "columns" in m.content["data"].get("state", {})
    )


def comm_of(cell: Execution) -> str:
    return str(view_of(cell).content["comm_id"])


def test_the_cell_ends_and_its_display_goes_on(asking: Kernel, gateway: GatewayServer) -> None:
    first, second = Gate(), Gate()
    gateway.script(Streamed(["Once upon ", first, "a time", second, "."]))
    cell = ask(asking)
    assert first.reached.wait(30)
    assert not gateway.last.finished.is_set()
    assert [m for m in cell.messages if m.kind == "execute_result"] == [], "the display is all there is"
    wait_for(asking, cell, "comm_msg", "Once upon")
    first.open()
    wait_for(asking, cell, "comm_msg", '"a time"')
    second.open()
    wait_for(asking, cell, "update_display_data")
    assert record(cell) == {"text/markdown": "Once upon a time.", "text/plain": "Once upon a time."}
    (output,) = cell.displays
    assert output["metadata"]["metask"]["usage"]["total_tokens"] == 18
    assert asking.run(WAIT).text() == "Once upon a time. stop\n"


def test_the_values(asking: Kernel, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed(["So far", gate, ", and on."]))
    cell = ask(asking)
    assert value(asking, "_ is story") == "True"
    wait_for(asking, cell, "comm_msg", "So far")
    assert value(asking, "type(story).__name__, str(story), story.text, story.done, story.reply") == (
        "('BackgroundReply', 'So far', 'So far', False, None)"
    )
    (shown,) = asking.run("story").displays
    assert shown["data"] == {"text/plain": "<BackgroundReply from gpt-4o-mini: coming, 6 characters>"}
    gate.open()
    assert asking.run(WAIT).text() == "So far, and on. stop\n"
    assert value(asking, "story.done, story.reply is story.wait()") == "(True, True)"


@pytest.mark.parametrize(
    "code", ["%metask --background gpt-4o-mini Hi", "x = %metask gpt-4o-mini --background Hi"]
)
def test_on_one_line(asking: Kernel, gateway: GatewayServer, code: str) -> None:
    gateway.script(Streamed(["Hello"]))
    cell = ask(asking, code)
    name = "x" if code.startswith("x") else f"Out[{cell.reply['execution_count']}]"
    assert value(asking, f"{name}.wait().text") == "'Hello'"
    assert record(cell)["text/plain"] == "Hello"


def test_awaiting_lets_other_work_go_on(asking: Kernel, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed(["a", gate, "b"]))
    ask(asking)
    cell = asking.start_run(
        "import asyncio\n"
        "async def tick():\n"
        "    for _ in range(3):\n"
        "        print('tick', flush=True)\n"
        "        await asyncio.sleep(0)\n"
        "ticking = asyncio.ensure_future(tick())\n"
        "print('got', (await story).text)"
    )
    cell.wait_for(published("stream", "tick"))
    assert not cell.idle
    gate.open()
    assert cell.finish().text().endswith("got ab\n")


def test_who_stops_awaiting_stops_nothing(asking: Kernel, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed(["a", gate, "b"]))
    ask(asking)
    cell = asking.run("import asyncio\nawait asyncio.wait_for(story, 0.01)")
    assert cell.error is not None
    assert cell.error["ename"] == "TimeoutError"
    assert value(asking, "story.done") == "False"
    gate.open()
    assert asking.run(WAIT).text() == "ab stop\n"


def parents(log: Sequence[KernelMessage], containing: str) -> set[str]:
    """The cells whose messages have this in them, what repeats a cell's own code apart."""
    return {
        m.parent_id
        for m in log
        if containing in m.text and m.kind != "execute_input" and m.channel == "iopub"
    }


def test_no_output_lands_in_another_cell(asking: Kernel, gateway: GatewayServer) -> None:
    models = ("gpt-4o-mini", "o1", "o3-mini")
    for model in models:
        words = [f"from-{model}-{number} " for number in range(400)]
        gateway.script(
            Streamed(words, finish_reason=None, done=False, framing="close", chunks_per_second=80),
            model=model,
        )
    start = len(asking.log)
    cells = {
        model: ask(asking, f"%%metask {model} --background -o r{at}\nHi", f"cell-{model}")
        for at, model in enumerate(models)
    }
    views = {comm_of(cell): cell.request_id for cell in cells.values()}
    others = [
        asking.run(f"import sys\nprint('cell {number}')\nprint('beside {number}', file=sys.stderr)\n{number}")
        for number in range(50)
    ]
    assert not all(value(asking, f"r{at}.done") == "True" for at in range(3)), "the streams were too short"
    asking.run("for r in (r0, r1, r2): r.wait()")
    for number, cell in enumerate(others):
        kinds = {"status", "execute_input", "stream", "execute_result"}
        assert {m.kind for m in cell.messages} == kinds
        assert (cell.text(), cell.text("stderr")) == (f"cell {number}\n", f"beside {number}\n")
    log = asking.log[start:]
    for model, cell in cells.items():
        assert parents(log, f"from-{model}-") == {cell.request_id}
        assert record(cell)["text/plain"].startswith(f"from-{model}-0 from-{model}-1 ")
        assert "\n\n> Perhaps cut off: the stream ended" in record(cell)["text/markdown"]
    for message in log:
        if message.kind in ("comm_msg", "comm_close") and message.content["comm_id"] in views:
            assert message.parent_id == views[message.content["comm_id"]]


@pytest.mark.parametrize("display", ["auto", "markdown", "text"])
def test_a_cell_that_captures_output_gets_none_of_it(
    asking: Kernel, gateway: GatewayServer, display: str
) -> None:
    gate = Gate()
    gateway.script(Streamed(["kept ", gate, "whole"], finish_reason=None, done=False, framing="close"))
    asking.run(f"%config Metask.display = '{display}'")
    cell = ask(asking)
    capturing = asking.start_run("%%capture caught\n_ = story.wait()")
    capturing.wait_for(published("execute_input"))
    gate.open()
    capturing.finish()
    asking.run("%config Metask.display = 'auto'")
    shown = cell.text() if display == "text" else record(cell)["text/plain"]
    assert shown.startswith("kept whole")
    assert "Perhaps cut off" in (shown if display == "text" else record(cell)["text/markdown"])
    assert value(asking, "caught.stdout, caught.stderr, len(caught.outputs)") == "('', '', 0)"


def test_cancelling_closes_the_connection_and_keeps_what_came(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["So far", STALL]))
    cell = ask(asking)
    wait_for(asking, cell, "comm_msg", "So far")
    asking.run("story.cancel()")
    assert gateway.last.disconnected.wait(30)
    assert asking.run(WAIT).text() == "So far interrupted\n"
    assert record(cell) == {
        "text/plain": "So far",
        "text/markdown": "So far\n\n> Stopped before its end.",
    }
    assert value(asking, "story") == "<BackgroundReply from gpt-4o-mini: cancelled, 6 characters>"


def test_a_failure_is_told_in_its_cell_and_raised_to_who_waits(
    asking: Kernel, gateway: GatewayServer
) -> None:
    gateway.script(Streamed(["So far", CUT]))
    cell = ask(asking)
    other = asking.run(UNTIL_DONE)
    assert other.outputs == []
    assert record(cell)["text/plain"] == "So far"
    told = cell.text("stderr").splitlines()
    assert told[0].startswith("StreamCutError: ")
    assert told[1].startswith("  → ")
    assert told[2] == "  The 6 characters that came are kept in story.reply."
    for _ in range(2):
        error = asking.run("story.wait()").error
        assert error is not None
        assert error["ename"] == "StreamCutError"
        assert error["traceback"] == told
    assert value(asking, "story.reply.text, story.reply.finish_reason") == "('So far', 'error')"
    error = asking.run("await story").error
    assert error is not None
    assert error["traceback"] == told


def test_a_failure_before_any_text(asking: Kernel, gateway: GatewayServer) -> None:
    cell = ask(asking, "%%metask gpt-4o-mini- --background -o story\nHi")
    asking.run(UNTIL_DONE)
    assert "Did you mean gpt-4o-mini" in cell.text("stderr")
    assert "story.reply" not in cell.text("stderr")


def test_several_models(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["from the first"]), model="gpt-4o")
    gateway.script(refused(400, "No such thing."), model="o1")
    cell = ask(asking, "%%metask gpt-4o o1 --background -o story\nHi")
    assert value(asking, "[(m, r.text, r.finish_reason) for m, r in story.wait().items()]") == (
        "[('gpt-4o', 'from the first', 'stop'), ('o1', '', 'error')]"
    )
    assert "from the first" in record(cell)["text/plain"]


def test_a_schema(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("from dataclasses import dataclass\n@dataclass\nclass City:\n    name: str\n    people: int")
    gateway.script(Streamed(['{"name": "Rome"}']), Streamed(['{"name": "Rome", "people": 3}']))
    cell = ask(asking, "%%metask gpt-4o-mini --schema City --background -o story\nHi")
    assert value(asking, "story.wait().data") == "City(name='Rome', people=3)"
    assert "people" in record(cell)["text/plain"]


def test_code_is_put_nowhere(asking: Kernel, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed([gate, "```python\nx = 1\n```"]))
    cell = ask(asking, "%%metask gpt-4o-mini -f code --background -o story\nHi")
    waiting = asking.start_run("story.wait();")
    gate.open()
    assert waiting.finish().reply["payload"] == []
    assert not [m for m in asking.log if m.kind == "comm_msg" and "next_cell" in m.text]
    assert "no code was put into the next" in cell.text("stderr")


@pytest.mark.parametrize("line", ["-T len", "-c talk"])
def test_what_needs_the_cell_is_refused(asking: Kernel, gateway: GatewayServer, line: str) -> None:
    error = asking.run(f"%%metask gpt-4o-mini --background {line}\nHi", metadata=NOTEBOOK).error
    assert error is not None
    assert error["ename"] == "OptionError"
    assert not gateway.requests


def test_quiet(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["Hi", CUT]))
    cell = ask(asking, "%%metask gpt-4o-mini --quiet --background -o story\nHi")
    error = asking.run("story.wait()").error
    assert error is not None
    assert error["ename"] == "StreamCutError"
    assert cell.outputs == []


def test_the_ledger_counts_it(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("%metask usage --reset")
    gateway.script(Streamed(["Hi"]))
    ask(asking)
    asking.run("story.wait();\nused = %metask usage")
    assert value(asking, "used.total.requests, used.total.tokens") == "(1, 18)"


def test_where_nobody_looks_the_cell_waits(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["whole"]), Streamed(["So far", CUT]))
    cell = asking.run(ASK)
    assert record(cell)["text/plain"] == "whole"
    assert value(asking, "story.done") == "True"
    failed = asking.run(ASK)
    assert failed.error is not None
    assert failed.error["ename"] == "StreamCutError"
    assert failed.text("stderr") == "", "it is told once"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import time\ntime.sleep(600)", "KeyboardInterrupt"),
        ("story.wait()", "KeyboardInterrupt"),
        ("await story", "CancelledError"),
    ],
)
def test_interrupting_another_cell_stops_nothing(
    asking: Kernel, gateway: GatewayServer, code: str, error: str
) -> None:
    gate = Gate()
    gateway.script(Streamed(["a", gate, "b"]))
    ask(asking)
    cell = asking.start_run(f"print('on', flush=True)\n{code}")
    cell.wait_for(published("stream", "on"))
    asking.interrupt()
    raised = cell.finish().error
    assert raised is not None
    assert raised["ename"] == error
    assert value(asking, "story.done") == "False"
    gate.open()
    assert asking.run(WAIT).text() == "ab stop\n"


def test_stop_in_the_page_while_the_kernel_is_idle(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["So far", STALL]))
    cell = ask(asking)
    wait_for(asking, cell, "comm_msg", "So far")
    comm = comm_of(cell)

    def tell(content: dict[str, Any]) -> None:
        asking.send("comm_msg", {"comm_id": comm, "data": {"method": "custom", "content": content}})

    tell({"type": "hello", "cells": False})
    asking.wait_for(lambda m: comm in m.text and published("comm_msg", '"ack"')(m))
    tell({"type": "resync"})
    asking.wait_for(lambda m: comm in m.text and published("comm_msg", '"keyframe"')(m))
    tell({"type": "stop", "column": 0})
    assert gateway.last.disconnected.wait(30)
    assert asking.run(WAIT).text() == "So far interrupted\n"
    assert record(cell)["text/plain"] == "So far"


def test_a_changed_setting_does_not_cut_it(asking: Kernel, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed(["a", gate, "b"]))
    ask(asking)
    assert gate.reached.wait(30)
    asking.run("%config Metask.timeout = 59\n%metask --quiet gpt-4o-mini Hi")
    gate.open()
    assert asking.run(WAIT).text() == "ab stop\n"


def test_unloading_ends_it_and_its_record_stays(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["So far", STALL]))
    cell = ask(asking)
    wait_for(asking, cell, "comm_msg", "So far")
    unloading = asking.run("%unload_ext metask_magic")
    assert unloading.outputs == []
    assert gateway.last.disconnected.wait(30)
    assert record(cell)["text/plain"] == "So far"
    assert cell.text("stderr") == ""
    assert value(asking, "story.wait().finish_reason") == "'interrupted'"
    assert (
        value(asking, "[t.name for t in __import__('threading').enumerate() if 'metask' in t.name]") == "[]"
    )


@pytest.mark.parametrize("restart", [False, True])
def test_the_end_of_the_kernel_is_clean_and_records_stay(
    fresh_kernel: Kernel, gateway: GatewayServer, restart: bool
) -> None:
    point_at(fresh_kernel, gateway)
    gateway.script(*[Streamed(["So far", STALL]) for _ in range(2)], Streamed("So far" * 9_999))
    cells = [ask(fresh_kernel, ASK, f"cell-{at}") for at in range(3)]
    for cell in cells:
        wait_for(fresh_kernel, cell, "comm_msg", "So far")
    fresh_kernel.send("shutdown_request", {"restart": restart}, channel="control")
    for cell in cells:
        wait_for(fresh_kernel, cell, "update_display_data")
        assert record(cell)["text/plain"].startswith("So far")
    deadline = time.monotonic() + 30
    while fresh_kernel.is_alive:
        assert time.monotonic() < deadline, "the process does not end by itself"
    assert all(request.disconnected.wait(30) for request in gateway.chats[:2])
    assert "Traceback" not in fresh_kernel.process_output
    assert "Fatal" not in fresh_kernel.process_output
