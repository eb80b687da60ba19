"""A server's tool that cannot be called: a model is told why in English, the user in the user's language."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from metask_magic.asking.errands import Errands
from metask_magic.gateway.recorded import CONDUCTS
from metask_magic.gateway.recordings import Recordings
from metask_magic.language import Language, using
from metask_magic.mcp.bulletin import Bulletin
from metask_magic.mcp.declared import Declared
from metask_magic.mcp.faults import gone
from metask_magic.mcp.kept import Kept
from metask_magic.mcp.servers import Server
from metask_magic.mcp.stdio import Said
from metask_magic.mcp.tool import ServerTool
from metask_magic.messages.events import Noted
from metask_magic.messages.request import Message, Request, ToolCall
from metask_magic.tools.offered import Occasion, ToolResult

SERVER = Server("files", ("run",))
READ = Declared("read", parameters={"required": ["path"]}, hints={"readOnlyHint": True})


def connection(tools: Callable[[], list[Declared]], **more: Any) -> Any:
    """A connection without a server, as far as a tool uses one."""

    async def listed() -> list[Declared]:
        return tools()

    bulletin = Bulletin("files", str)
    return SimpleNamespace(server=SERVER, tools=listed, bulletin=bulletin, confirmed={}, hide=str, **more)


def gone_away() -> list[Declared]:
    raise gone(SERVER, Said(), str)


async def stopped(declared: Declared, arguments: dict[str, Any]) -> AsyncIterator[Any]:
    raise asyncio.CancelledError
    yield


def results(connection: Any, arguments: str = '{"path": "a"}', kept: Kept | None = None) -> list[Any]:
    """What a call of the tool yields, up to where it is stopped."""
    tool = ServerTool("files_read", READ, connection, kept or Kept(), None)
    occasion = Occasion(Request("m", (Message("user", "Hi"),)), 0, 1, Errands())
    said: list[Any] = []

    async def run() -> None:
        async for each in tool.run(ToolCall("c1", "files_read", arguments), occasion):
            said.append(each)

    with suppress(asyncio.CancelledError):
        asyncio.run(run())
    return said


@pytest.mark.parametrize(
    ("make", "arguments", "told", "shown"),
    [
        (
            lambda: connection(lambda: [READ]),
            "{}",
            "Error: the arguments do not fit.\n- arguments: 'path' is a required property",
            "错误：参数不符合要求。\n- 参数：'path' is a required property",
        ),
        (
            lambda: connection(list),
            '{"path": "a"}',
            "Error: the server has no tool 'read' any more.",
            "错误：服务器不再提供工具 'read'。",
        ),
        (
            lambda: connection(gone_away),
            '{"path": "a"}',
            "Error: The server files has ended.",
            "错误：服务器 files 已退出。",
        ),
        (
            lambda: connection(lambda: [READ], call=stopped),
            '{"path": "a"}',
            "Stopped, and the server was told. What it had done by then stays.",
            "已停止，并已通知服务器。此前完成的操作不会撤销。",
        ),
    ],
    ids=["arguments", "no such tool", "gone", "stopped"],
)
def test_what_fails(make: Callable[[], Any], arguments: str, told: str, shown: str) -> None:
    english = results(make(), arguments)[-1]
    assert (english, english.shown) == (ToolResult(told, failed=True), told)
    with using("zh"):
        chinese = results(make(), arguments)[-1]
    assert (chinese, chinese.shown) == (ToolResult(told, failed=True), shown)


@pytest.mark.parametrize(
    ("language", "recorded"),
    [
        ("en", {"text": "Error: The server files has ended.", "failed": True}),
        (
            "zh",
            {
                "text": "Error: The server files has ended.",
                "shown": "错误：服务器 files 已退出。",
                "failed": True,
            },
        ),
    ],
)
def test_a_failure_is_replayed_as_it_was_shown(
    tmp_path: Path, language: Language, recorded: dict[str, Any]
) -> None:
    path = tmp_path / "r.jsonl"
    with using(language):
        asked = results(connection(gone_away), kept=Kept(Recordings(path), CONDUCTS["auto"]))[-1]
        [replayed] = results(connection(gone_away), kept=Kept(Recordings(path), CONDUCTS["replay"]))
    assert replayed == asked
    assert (replayed.shown or replayed.text) == asked.shown
    [line] = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(json.loads(line)["reply"]["text"]) == recorded


def test_what_stays_beside_the_reply_is_in_the_users_language() -> None:
    with using("zh"):
        note, _ = results(connection(gone_away))
    assert note == Noted("服务器 files 已退出。下一个用到它的单元格会重新启动它。")
