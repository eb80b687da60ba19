"""Servers at an address: streamable HTTP, headers by the names of variables, and who is not let in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from metask_magic.asking.loop import LoopThread
from metask_magic.errors import SettingError, ToolServerError
from metask_magic.mcp.connection import Connection
from metask_magic.mcp.servers import Server

from ..fakes import PATIENCE
from .web import WebServer

pytestmark = pytest.mark.kernel  # a server on loopback

SECRET = "Bearer made-up-secret-4711"


@pytest.fixture
def reach(loop: LoopThread) -> Iterator[Callable[..., Connection]]:
    made: list[Connection] = []

    def reach(url: str, **headers: str) -> Connection:
        made.append(Connection(Server("docs", url=url, headers=headers), lambda: PATIENCE))
        return made[-1]

    yield reach
    for connection in made:
        loop.run(connection.close())


async def search(connection: Connection) -> str:
    (tool,) = await connection.tools()
    said: list[Any] = [said async for said in connection.call(tool, {"query": "Lisbon"})]
    return str(said[-1].content[0].text)


def test_a_call_with_a_header_from_the_environment(
    loop: LoopThread, reach: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCS_TOKEN", SECRET)
    with WebServer(SECRET) as server:
        assert loop.run(search(reach(server.url, Authorization="${DOCS_TOKEN}"))) == "found Lisbon"
    assert {headers["Authorization"] for headers in server.headers} == {SECRET}


@pytest.mark.parametrize("status", [401, 403, 500, 404])
def test_who_is_not_let_in_is_told(
    loop: LoopThread, reach: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("DOCS_TOKEN", "Bearer another-secret")
    with WebServer(SECRET, status) as server, pytest.raises(ToolServerError) as failure:
        loop.run(search(reach(server.url, Authorization="${DOCS_TOKEN}")))
    said = f"The server docs at {server.url} cannot be reached: it answers {status} "
    assert failure.value.message.startswith(said)
    assert "what Authorization is" in failure.value.remedy
    assert "another-secret" not in str(failure.value)


def test_nobody_there(loop: LoopThread, reach: Callable[..., Connection]) -> None:
    with WebServer() as server:
        url = server.url
    with pytest.raises(ToolServerError) as failure:
        loop.run(search(reach(url)))
    assert failure.value.message.startswith(f"The server docs at {url} cannot be reached: ")
    assert "--header-env NAME=VARIABLE" in failure.value.remedy


def test_a_server_that_goes_away_is_told(loop: LoopThread, reach: Callable[..., Connection]) -> None:
    with WebServer() as server:
        connection = reach(server.url)
        assert loop.run(search(connection)) == "found Lisbon"
    with pytest.raises(ToolServerError, match=r"The server docs at .* cannot be reached"):
        loop.run(search(connection))


def test_nothing_travels_unencrypted(loop: LoopThread, reach: Callable[..., Connection]) -> None:
    with pytest.raises(SettingError, match=r"The address of the server docs is http://example\.org/mcp"):
        loop.run(reach("http://example.org/mcp?key=made-up").tools())
