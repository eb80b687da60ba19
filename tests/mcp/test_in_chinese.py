"""What is said of servers by their name, and of what they have, in Chinese."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mcp import MCPError

from metask_magic.errors import MetaskError
from metask_magic.gateway.recorded import CONDUCTS
from metask_magic.gateway.recordings import Recordings
from metask_magic.language import using
from metask_magic.mcp.bulletin import Bulletin
from metask_magic.mcp.kept import Kept, asked_for
from metask_magic.mcp.prompts import fetch_prompt
from metask_magic.mcp.registry import Servers
from metask_magic.mcp.resources import read_resource
from metask_magic.mcp.servers import Server, check, check_transport
from metask_magic.mcp.toolbox import Toolbox
from metask_magic.messages.events import Noted, Notice
from metask_magic.messages.request import TextPart
from metask_magic.prompt.values import TEXT_LIMIT
from metask_magic.settings import Metask

from ..chinese import left_in_english
from ..english import english_sentences

FILES = Server("files", ("run",))
PROMPTS = ["summarize", "translate"]
RESOURCES = {"report.txt": "file:///report.txt", "note": "file:///note"}


class Client:
    """What a server answers, without one."""

    server_capabilities = SimpleNamespace(prompts=True, resources=True)

    def __init__(self, resources: Mapping[str, str] = RESOURCES) -> None:
        self._resources = resources

    async def list_prompts(self, cursor: Any) -> Any:
        arguments = [SimpleNamespace(name=name, required=True) for name in ("text", "length")]
        prompts = [SimpleNamespace(name=name, arguments=arguments) for name in PROMPTS]
        return SimpleNamespace(prompts=prompts, next_cursor=None)

    async def list_resources(self, cursor: Any) -> Any:
        found = [SimpleNamespace(name=name, title=None, uri=uri) for name, uri in self._resources.items()]
        return SimpleNamespace(resources=found, next_cursor=None)

    async def get_prompt(self, name: str, arguments: Any) -> Any:
        raise MCPError(1, "not today")

    async def read_resource(self, address: str) -> Any:
        if not address.endswith("report.txt"):
            raise MCPError(1, "not today")
        content = SimpleNamespace(uri=address, text="x" * (TEXT_LIMIT + 1), mime_type="text/plain")
        return SimpleNamespace(contents=[content])


def connection(client: Client | None = None) -> Any:
    async def ask(operation: Callable[[Client], Any]) -> Any:
        return await operation(client or Client())

    return SimpleNamespace(server=FILES, ask=ask, hide=str, bulletin=Bulletin("files", str))


def prompted(name: str, **arguments: str) -> Any:
    return asyncio.run(fetch_prompt(connection(), name, arguments))


def read(what: str, **resources: str) -> Any:
    return asyncio.run(read_resource(connection(Client(resources or RESOURCES)), what))


def with_files() -> Servers:
    servers = Servers(Metask())
    servers.add(FILES)
    return servers


def replaying(path: Path, what: str) -> Any:
    return Kept(Recordings(path), CONDUCTS["replay"]).find(asked_for(FILES, what))


def tools_of_none() -> Any:
    box = Toolbox(with_files(), Kept())
    box.declared = lambda connection: ()  # type: ignore[method-assign]
    return box.tools("files")


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no server": (lambda: with_files().get("x"), "没有名为 x 的服务器。用 `%metask tools` 查看所有服务器。"),
    "a server like it": (lambda: with_files().get("file"), "没有名为 file 的服务器。是不是想用 files？"),
    "twice": (
        lambda: with_files().add(FILES),
        "已经有名为 files 的服务器。用 `%metask tools remove files` 移除它。",
    ),
    "a bad name": (
        lambda: check(Server("a b", ("x",))),
        "a b 不能用作服务器名称。最多使用 32 个字母、数字、_ 和 -，以字母开头。",
    ),
    "nothing to run": (
        lambda: check(Server("one")),
        "服务器 one 需要一条命令，或以 http:// 或 https:// 开头的地址。"
        "例如：`%metask tools add files -- npx @modelcontextprotocol/server-filesystem .`",
    ),
    "a password": (
        lambda: check(Server("one", url="https://me:made-up@example.org")),
        "服务器 one 的地址中含有用户名或密码。把它放进环境变量：`--header-env Authorization=VARIABLE`",
    ),
    "no address": (
        lambda: check(Server("one", url="ftp://example.org")),
        "服务器 one 的地址无效：ftp://example.org。地址应以 http:// 或 https:// 开头。",
    ),
    "unencrypted": (
        lambda: check_transport(Server("one", url="http://example.org/mcp"), allow_http=False),
        "服务器 one 的地址是 http://example.org/mcp：发往它的内容会以未加密的方式传输。"
        "改用 https://，或用 `%config Metask.allow_http = True` 允许。",
    ),
    "no prompt": (
        lambda: prompted("q"),
        "服务器 files 没有提示词 q。用 `%metask tools show files` 查看它提供的内容。",
    ),
    "a prompt like it": (
        lambda: prompted("summarise"),
        "服务器 files 没有提示词 summarise。是不是想用 files.summarize？",
    ),
    "arguments missing": (
        lambda: prompted("summarize"),
        "提示词 files.summarize 需要参数 text 和 length。用法：`--prompt files.summarize text=… length=…`",
    ),
    "an argument too many": (
        lambda: prompted("summarize", text="a", length="b", tone="c"),
        "提示词 files.summarize 没有参数 tone。用法：`--prompt files.summarize text=… length=…`",
    ),
    "a prompt refused": (
        lambda: prompted("summarize", text="a", length="b"),
        "服务器 files 未能提供提示词 summarize：not today。"
        "用 `%metask tools show files` 查看它的提示词及参数。",
    ),
    "no resource": (
        lambda: read("q"),
        "服务器 files 没有资源 q。用 `%metask tools show files` 查看它提供的内容。",
    ),
    "two resources": (
        lambda: read("a", x="file:///x/a", y="file:///y/a"),
        "服务器 files 有 2 项名为 a 的资源。写出其中一项的地址：file:///x/a、file:///y/a",
    ),
    "a resource refused": (
        lambda: read("note"),
        "服务器 files 无法读取 file:///note：not today。用 `%metask tools show files` 查看它提供的内容。",
    ),
    "no tools": (tools_of_none, "服务器 files 没有工具。用 `%metask tools` 查看各服务器提供的内容。"),
}


@pytest.mark.parametrize(("refuse", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(refuse: Callable[[], Any], says: str) -> None:
    with using("zh"), pytest.raises(MetaskError) as caught:
        refuse()
    assert str(caught.value) == says
    assert left_in_english(caught.value) == []


@pytest.mark.parametrize(
    ("what", "missing"),
    [
        ("tools", "The tools of the server files are"),
        ("resource", "A resource of the server files is"),
        ("prompt", "A prompt of the server files is"),
    ],
)
def test_what_is_not_recorded(tmp_path: Path, what: str, missing: str) -> None:
    path = tmp_path / "r.jsonl"
    with pytest.raises(MetaskError, match=f"^{missing} not recorded in {path}, and nothing may be asked"):
        replaying(path, what)
    with using("zh"), pytest.raises(MetaskError, match=f"^{path} 中没有服务器 files 的.*的录制，") as caught:
        replaying(path, what)
    assert left_in_english(caught.value) == []


def test_what_is_said_meanwhile() -> None:
    bulletin = Bulletin("files", str)
    news = bulletin.open()
    with using("zh"):
        bulletin.progress(news, 1, 2, None)
        bulletin.progress(news, 2, 2, "nearly")
        bulletin.refuse("sampling")
        bulletin.refuse("elicitation")
    assert [news.get_nowait() for _ in range(4)] == [
        Notice("files: 1/2"),
        Notice("files: nearly（2/2）"),
        Noted("服务器 files 请求调用模型（sampling）；这里不允许服务器这样做。"),
        Noted("服务器 files 请求向用户提问（elicitation）；这里不允许服务器这样做。"),
    ]


def test_a_long_resource_is_told_in_chinese_and_sent_in_english() -> None:
    known = connection()
    with using("zh"):
        (part,) = asyncio.run(read_resource(known, "report.txt"))
    assert isinstance(part, TextPart)
    assert "characters left out …]" in part.text
    (remark,) = known.bulletin.take_remarks()
    assert remark.startswith("files 的一项资源共 ")
    assert english_sentences(remark) == []
