"""The `mcp` library, an extra: whether it is there, its transport over HTTP, and what it leaves open."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..errors import ToolServerError
from ..language import _
from .environment import Given
from .stdio import Said

if TYPE_CHECKING:
    from mcp import Client

CONNECT_SECONDS = 30.0

REFUSALS = {
    "sampling": "No server may ask a model through this client (sampling).",
    "elicitation": "No server may ask the user for anything through this client (elicitation).",
}  # English: a server reads it


def require() -> None:
    """Import the library, and keep its log out of the notebook. Raises `ToolServerError` where it is none."""
    if find_spec("mcp") is None:
        raise ToolServerError.told(
            lambda: _("Servers of tools need the library `mcp`, which is not installed."),
            _('Install it with `pip install "metask-magic[mcp]"`, and restart the kernel.'),
        )
    import_module("mcp")
    log = logging.getLogger("mcp")
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # what it says is told in words of ours


@asynccontextmanager
async def http(given: Given, said: Said) -> AsyncIterator[tuple[Any, Any]]:
    """Yield streams of messages from and to an address (streamable HTTP)."""
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    async def note(response: httpx2.Response) -> None:
        status, reason = response.status_code, response.reason_phrase

        def answers() -> str:
            return _("it answers {status} {reason}", status=status, reason=reason)

        said.trouble = answers if status >= 400 else str

    patience = httpx2.Timeout(CONNECT_SECONDS, read=None)  # a call may take long: who waits can stop it
    async with (
        httpx2.AsyncClient(
            headers=dict(given.headers), timeout=patience, event_hooks={"response": [note]}
        ) as client,
        streamable_http_client(given.url, http_client=client) as streams,
    ):
        yield streams


def refuse_requests(client: Client, told: Callable[[str], None]) -> None:
    """Answer what a server asks of its client with a reason, and tell `told` which it was.

    The client has declared that it does none of it. The library would say no too, but nobody would know
    that it was asked: it takes such answers only together with the declaration that they are given.
    """
    from mcp_types import INVALID_REQUEST, ErrorData

    def refusing(kind: str) -> Any:
        async def refuse(_context: Any, _params: Any) -> ErrorData:
            told(kind)
            return ErrorData(code=INVALID_REQUEST, message=REFUSALS[kind])

        return refuse

    for kind in REFUSALS:
        setattr(client.session, f"_{kind}_callback", refusing(kind))


def is_closed(error: Exception) -> bool:
    """Whether an error of the library says that the connection has ended."""
    from mcp import MCPError
    from mcp_types import CONNECTION_CLOSED

    # A server may use the number for an error of its own.
    closed = (CONNECTION_CLOSED, "Connection closed")  # English: the library's own word
    return isinstance(error, MCPError) and (error.code, error.message) == closed


async def all_pages(ask: Callable[..., Any], of: str, most: int = 100) -> list[Any]:
    """Return the entries of a list that comes in pages, from at most so many of them."""
    found: list[Any] = []
    cursor: str | None = None
    for _page in range(most):
        page = await ask(cursor=cursor)
        found += getattr(page, of)
        cursor = page.next_cursor
        if not cursor:
            break
    return found
