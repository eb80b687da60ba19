"""The connections below the official library's client: its own, or those of aiohttp."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from ..settings import is_loopback
from .bounds import LONGEST_REFUSAL, LONGEST_REPLY
from .unreached import proxy_for

if TYPE_CHECKING:
    import httpx2

MOST_CONNECTIONS = 1000


def new_http_client(openai: Any, base_url: str, bulk: bool, sent: Callable[[], None]) -> httpx2.AsyncClient:
    """Return a client for the library `openai` to ask through; `sent` is called when a request has gone out.

    With `bulk` it holds as many connections as may be under way at once (one that is closed after each
    request costs more than the request), and they are aiohttp's, which cost half as much. Behind a proxy
    they are the library's own.
    """
    import httpx2

    # A redirect to another address would take the prompt there: whoever asks looks at it first.
    hooks: dict[str, list[Any]] = {"response": [_bound_refusal]}
    options: dict[str, Any] = {"follow_redirects": False, "event_hooks": hooks}
    if is_loopback(base_url):  # proxies of the environment would capture this machine too
        secure = base_url.startswith("https:")
        options |= {"trust_env": False, "verify": httpx2.create_ssl_context() if secure else False}
    if not bulk:
        hooks["request"] = [_teller(sent)]
        return cast(httpx2.AsyncClient, openai.DefaultAsyncHttpx2Client(**options))
    options["limits"] = httpx2.Limits(
        max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS
    )
    kind = openai.DefaultAsyncHttpx2Client if proxy_for(base_url) else openai.DefaultAioHttpClient
    return cast(httpx2.AsyncClient, kind(**options))


def _teller(sent: Callable[[], None]) -> Callable[[httpx2.Request], Awaitable[None]]:
    """Return a hook that has the first request tell when all of it has gone out."""
    told = False

    async def trace(name: str, _info: Any) -> None:
        if name.endswith("send_request_body.complete"):
            sent()

    async def watch(request: httpx2.Request) -> None:
        nonlocal told
        if not told:
            told = True
            request.extensions = {**request.extensions, "trace": trace}

    return watch


async def _bound_refusal(response: httpx2.Response) -> None:
    """Let no more be read of an answer that is no reply than a person could want to know.

    A list of models is read at once too, and may be long.
    """
    if not response.is_success:
        response.stream = _bounded(response.stream, LONGEST_REFUSAL)
    elif response.request.method == "GET":
        response.stream = _bounded(response.stream, LONGEST_REPLY)


def _bounded(stream: Any, most: int) -> httpx2.AsyncByteStream:
    import httpx2

    class Bounded(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = most
            async for data in stream:
                yield data[:left]
                left -= len(data)
                if left <= 0:
                    return

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()


def connection_errors() -> tuple[type[Exception], ...]:
    """Return what the connections raise: httpx2's errors, and those of aiohttp's that are not made such."""
    import httpx2

    aiohttp = sys.modules.get("aiohttp")
    return (httpx2.RequestError, aiohttp.ClientError) if aiohttp else (httpx2.RequestError,)
