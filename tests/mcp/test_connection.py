"""One server: started at first use, started again once, ended with all that it started; and its faults."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metask_magic.asking.loop import LoopThread
from metask_magic.errors import ToolServerError
from metask_magic.mcp.bulletin import Logged
from metask_magic.mcp.connection import Connection
from metask_magic.messages.events import Noted, Notice

from ..fakes import PATIENCE

pytestmark = pytest.mark.kernel  # processes of their own

Connect = Callable[..., Connection]


async def calling(connection: Connection, name: str, **arguments: Any) -> list[Any]:
    """Everything that a call yields."""
    tools = {tool.name: tool for tool in await connection.tools()}
    return [said async for said in connection.call(tools[name], arguments)]


def text_of(result: Any) -> str:
    return str(result.content[0].text)


def test_it_starts_when_it_is_first_used(loop: LoopThread, connect: Connect) -> None:
    connection = connect()
    assert not connection.begun
    (result,) = loop.run(calling(connection, "echo", text="Hi"))
    assert text_of(result) == "Hi"
    assert connection.begun
    assert list(connection.used) == ["echo"]


@pytest.mark.parametrize("how", ["banner", "flood"])
def test_a_start_that_is_only_odd(loop: LoopThread, connect: Connect, how: str) -> None:
    assert text_of(loop.run(calling(connect(how), "echo", text="Hi"))[-1]) == "Hi"


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("hang", ["has not answered within 0.25 s", "its last words: about to think."]),
        (
            "garbage",
            ["has not answered within 0.25 s", "no message of the protocol: 'Welcome to the server!'"],
        ),
        ("exit", ["cannot be started", "its last words: no licence / [ended with exit code 4]."]),
    ],
)
def test_a_start_that_fails(loop: LoopThread, connect: Connect, how: str, says: list[str]) -> None:
    connection = connect(how, patience=0.25 if how != "exit" else PATIENCE)
    with pytest.raises(ToolServerError) as failure:
        loop.run(connection.tools())
    assert [piece for piece in says if piece not in failure.value.message] == [], failure.value.message
    assert not connection.begun


def test_a_command_that_is_none(loop: LoopThread, connect: Connect) -> None:
    connection = connect()
    object.__setattr__(connection.server, "command", ("no-such-command-anywhere",))
    with pytest.raises(ToolServerError, match="no-such-command-anywhere: No such file or directory"):
        loop.run(connection.tools())


def test_it_dies_in_a_call_that_may_not_be_repeated(loop: LoopThread, connect: Connect) -> None:
    connection = connect()
    with pytest.raises(ToolServerError) as failure:
        loop.run(calling(connection, "die"))
    words = "Segmentation fault, it says / [ended with exit code 3]"
    assert failure.value.message == (
        f"The server hostile has ended; its last words: {words}. It was started again."
    )
    assert text_of(loop.run(calling(connection, "echo", text="on"))[-1]) == "on"


def test_it_dies_and_the_call_is_repeated(loop: LoopThread, connect: Connect, tmp_path: Path) -> None:
    note, result = loop.run(calling(connect(), "die_once", mark=str(tmp_path / "died")))
    assert isinstance(note, Noted)
    assert note.text.endswith("[ended with exit code 3]. It was started again.")
    assert text_of(result) == "alive"


def test_it_is_started_again_once(loop: LoopThread, connect: Connect) -> None:
    connection = connect()
    with pytest.raises(ToolServerError) as failure:
        loop.run(calling(connection, "die_reading"))
    assert "started again" not in failure.value.message, "it died twice"
    assert text_of(loop.run(calling(connection, "echo", text="Hi"))[-1]) == "Hi", "the next use starts it"


def test_one_that_ended_while_nobody_asked_is_started_again(loop: LoopThread, connect: Connect) -> None:
    connection = connect()

    async def leave() -> None:
        assert text_of((await calling(connection, "leave"))[-1]) == "goodbye"
        assert connection._running is not None
        await connection._running.said.over.wait()

    loop.run(leave())
    assert len(loop.run(connection.tools(anew=True))) > 10
    assert connection.bulletin.take_remarks() == [
        "The server hostile has ended; its last words: [ended with exit code 0]. It was started again."
    ]


def test_what_is_no_message_is_passed_over(loop: LoopThread, connect: Connect) -> None:
    assert text_of(loop.run(calling(connect(), "noise"))[-1]) == "after the noise"


def test_fifty_megabytes(loop: LoopThread, connect: Connect) -> None:
    (result,) = loop.run(calling(connect(), "big", megabytes=50))
    assert len(text_of(result)) == 50 << 20


def test_a_message_without_end(loop: LoopThread, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metask_magic.mcp.stdio.LONGEST_MESSAGE", 1 << 20)
    with pytest.raises(ToolServerError, match="it sent a message of more than 1 MiB"):
        loop.run(calling(connect(), "big", megabytes=2))


def test_what_it_says_meanwhile(loop: LoopThread, connect: Connect) -> None:
    said = loop.run(calling(connect(), "log"))
    assert said[:-1] == [
        Logged("hostile: warning: Careful."),
        Notice("hostile: 1 of 2"),
        Notice("hostile: nearly (2 of 2)"),
    ]


@pytest.mark.parametrize(("what", "wanted"), [("sampling", "to ask a model"), ("elicitation", "the user")])
def test_what_no_server_may(loop: LoopThread, connect: Connect, what: str, wanted: str) -> None:
    note, result = loop.run(calling(connect(), "ask", what=what))
    assert wanted in note.text
    assert f"through this client ({what})" in text_of(result)


def test_changed_tools_are_noticed(loop: LoopThread, connect: Connect) -> None:
    connection = connect()
    before = {tool.name: tool for tool in loop.run(connection.tools())}
    loop.run(calling(connection, "change"))
    after = {tool.name: tool for tool in loop.run(connection.tools())}
    assert after.keys() - before.keys() == {"new"}
    assert before.keys() - after.keys() == {"write"}
    assert after["echo"].fingerprint != before["echo"].fingerprint
    assert after["log"].fingerprint == before["log"].fingerprint


def test_a_call_that_is_cancelled_is_cancelled_there(
    loop: LoopThread, connect: Connect, tmp_path: Path
) -> None:
    connection = connect(env={"MARK": str(tmp_path / "mark")})

    async def cancelled() -> str:
        (tool,) = [tool for tool in await connection.tools() if tool.name == "wait"]
        begun = asyncio.Event()

        async def wait() -> None:
            async for _ in connection.call(tool, {}):
                begun.set()

        waiting = asyncio.create_task(wait())
        await begun.wait()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await connection.tools(anew=True)  # what it was told before is known by then
        return (tmp_path / "mark").read_text(encoding="utf-8")

    assert loop.run(cancelled()) == "cancelled\n"


def test_calls_side_by_side(loop: LoopThread, connect: Connect) -> None:
    connection = connect()

    async def both() -> list[str]:
        calls = [calling(connection, "echo", text=f"{number}") for number in range(20)]
        return [text_of(said[-1]) for said in await asyncio.gather(*calls)]

    assert loop.run(both()) == [f"{number}" for number in range(20)]


def test_one_that_reads_nothing_any_more_is_ended(
    loop: LoopThread, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metask_magic.mcp.stdio.ENDING_SECONDS", 0.2)
    connection = connect()

    async def talk() -> None:
        await calling(connection, "deafen")
        talking = asyncio.create_task(calling(connection, "echo", text="x" * (1 << 22)))
        await asyncio.wait([talking], timeout=0.1)
        await connection.close()
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)

    loop.run(talk())
    assert not connection.begun
    (result,) = loop.run(calling(connection, "echo", text="Hi"))
    assert text_of(result) == "Hi"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_one_that_will_not_end_is_ended_with_what_it_started(
    loop: LoopThread, connect: Connect, tmp_path: Path
) -> None:
    connection = connect("stay", env={"MARK": str(tmp_path / "mark")})
    loop.run(connection.tools())
    numbers = (tmp_path / "mark").read_text(encoding="utf-8").split()
    processes = [os.pidfd_open(int(number)) for number in numbers]
    assert select.select(processes, [], [], 0)[0] == [], "both are there"
    loop.run(connection.close())
    for process in processes:
        assert select.select([process], [], [], PATIENCE)[0], "it is still there"
        os.close(process)
