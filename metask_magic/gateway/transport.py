"""The connections below the official library's client: its own, or those of aiohttp."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any, cast

from ..settings import is_loopback
from .faults import proxy_for

if TYPE_CHECKING:
    import httpx2

MOST_CONNECTIONS = 1000


def new_http_client(openai: Any, base_url: str, bulk: bool) -> httpx2.AsyncClient:
    """Return a client for the library `openai` to ask through.

    With `bulk` it holds as many connections as may be under way at once (one that is closed after each
    request costs more than the request), and they are aiohttp's where that is installed: they cost less.
    """
    import httpx2

    options: dict[str, Any] = {}
    if is_loopback(base_url):  # proxies of the environment would capture this machine too
        options |= {"trust_env": False, "verify": httpx2.create_ssl_context()}
    if not bulk:
        return cast(httpx2.AsyncClient, openai.DefaultAsyncHttpx2Client(**options))
    options["limits"] = httpx2.Limits(
        max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS
    )
    kind = openai.DefaultAioHttpClient if _aiohttp_serves(base_url) else openai.DefaultAsyncHttpx2Client
    return cast(httpx2.AsyncClient, kind(**options))


def connection_errors() -> tuple[type[Exception], ...]:
    """Return what the connections raise: httpx2's errors, and those of aiohttp's that are not made such."""
    import httpx2

    aiohttp = sys.modules.get("aiohttp")
    return (httpx2.RequestError, aiohttp.ClientError) if aiohttp else (httpx2.RequestError,)


def _aiohttp_serves(base_url: str) -> bool:
    """Whether aiohttp is there, and no proxy in between: those are better left to the library's own."""
    return importlib.util.find_spec("aiohttp") is not None and proxy_for(base_url) is None
