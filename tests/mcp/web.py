"""A server over HTTP that keeps the headers it is sent: the protocol of `hostile.py`, answered as JSON."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from aiohttp import web


class WebServer:
    """Runs on loopback while entered. With a `token`, only who sends it as `Authorization` is let in."""

    def __init__(self, token: str = "", status: int = 401) -> None:
        self._token = token
        self._status = status
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.headers: list[Mapping[str, str]] = []
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/mcp", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/mcp"

    async def _answer(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        if self._token and request.headers.get("Authorization") != self._token:
            return web.Response(status=self._status, text=f"You are not {self._token[:3]}…")
        if request.method != "POST":
            return web.Response(status=405)
        message = await request.json()
        if "id" not in message:
            return web.Response(status=202)
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], **_said(message)})


def _said(message: Mapping[str, Any]) -> dict[str, Any]:
    match message["method"]:
        case "initialize":
            return {
                "result": {
                    "protocolVersion": message["params"]["protocolVersion"],
                    "capabilities": {"tools": {}, "resources": {}, "prompts": {}},
                    "serverInfo": {"name": "web", "version": "1"},
                }
            }
        case "tools/list":
            schema = {"type": "object", "properties": {"query": {"type": "string"}}}
            search = {"name": "search", "description": "Search.", "inputSchema": schema}
            return {"result": {"tools": [{**search, "annotations": {"readOnlyHint": True}}]}}
        case "tools/call":
            said = f"found {message['params']['arguments'].get('query')}"
            return {"result": {"content": [{"type": "text", "text": said}]}}
        case "resources/list":
            return {"result": {"resources": [{"name": "report.txt", "uri": "docs://report.txt"}]}}
        case "resources/read":
            content = {"uri": message["params"]["uri"], "text": "Sold well."}
            return {"result": {"contents": [content]}}
        case "prompts/list":
            topic = {"name": "topic", "required": True}
            return {"result": {"prompts": [{"name": "summarize", "arguments": [topic]}]}}
        case "prompts/get":
            text = f"Sum up the {message['params']['arguments']['topic']}."
            content = {"type": "text", "text": text}
            return {"result": {"messages": [{"role": "user", "content": content}]}}
    return {"error": {"code": -32601, "message": "Method not found"}}
