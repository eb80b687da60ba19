"""The official openai library's client: made when first asked through, over one pool of connections.

This is the only module that uses the library. It gives authentication, the pool, proxies, TLS and the shape
of requests; an answer that is no success comes back as a `Refusal`, whole.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ..errors import MetaskError
from ..keys import ApiKey
from ..precedence import first_requests
from . import unreached
from .library import import_library
from .refusal import Refusal
from .transport import connection_errors, new_http_client

if TYPE_CHECKING:
    import httpx2
    import openai

CONNECT_SECONDS = 15.0
SENDING_SECONDS = 1.0  # to connect and send the first request, for which others wait
SHORTEST_HIDDEN = 4


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and how to ask. `timeout` is the longest silence in seconds, not the time of a whole reply."""

    base_url: str
    key: ApiKey
    timeout: float = 300.0
    max_retries: int = 2

    def hide(self, text: str) -> str:
        """Take out the key, also where `plain` cut a quotation in the middle of it."""
        key = self.key.reveal()
        text = self.key.hide(text)
        for length in range(len(key) - 1, SHORTEST_HIDDEN - 1, -1):
            text = text.replace(f"{key[:length]}…", "[key]…")
        return text


class OfficialClient:
    """Sends requests to one gateway. Its coroutines belong to one asyncio loop.

    `bulk` chooses connections for hundreds of requests at once.
    """

    def __init__(self, connection: Connection, *, bulk: bool = False) -> None:
        self._connection = connection
        self._bulk = bulk
        self._module: Any = None
        self._client: openai.AsyncOpenAI | None = None
        self._posts: dict[str, httpx2.Request] = {}

    async def post(self, address: str, body: dict[str, Any]) -> httpx2.Response | Refusal:
        """Send a request; return the answer's head, or all of a refusal."""
        return await (self._post_at_once(address, body) if self._bulk else self._post(address, body))

    async def get(self, address: str) -> Refusal:
        """Return an answer, whatever it is."""
        openai, client = await self._connected()
        import httpx2

        try:
            answer = await client.get(address, cast_to=httpx2.Response)
        except openai.APIStatusError as error:
            answer = error.response
        except openai.APIConnectionError as error:
            raise self._unreachable(error) from None
        return await _refusal(answer, address)

    async def aclose(self) -> None:
        """Close the pooled connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _post(self, address: str, body: dict[str, Any]) -> httpx2.Response | Refusal:
        """Send it through the library."""
        openai, client = await self._connected()
        import httpx2

        try:
            answer = await client.post(
                address,
                body=body,
                cast_to=httpx2.Response,
                stream=True,
                stream_cls=openai.AsyncStream,
            )
        except openai.APIStatusError as error:
            return await _refusal(error.response, address)
        except (openai.APIConnectionError, *connection_errors()) as error:  # the latter within a refusal
            raise self._unreachable(error) from None
        return cast(httpx2.Response, answer)  # also of a stream, where that is what is asked for

    async def _post_at_once(self, address: str, body: dict[str, Any]) -> httpx2.Response | Refusal:
        """Send it straight over the connections.

        What the library does on the way to them for every request costs as much as the request itself. It
        has told the headers.
        """
        _, client = await self._connected()
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        try:
            answer = await self._http.send(self._new_post(client, address, content.encode()), stream=True)
            if answer.is_success:
                return answer
            return await _refusal(answer, address)
        except connection_errors() as error:
            raise self._unreachable(error) from None

    def _new_post(self, client: openai.AsyncOpenAI, address: str, content: bytes) -> httpx2.Request:
        """Return a request like the last one to the address, whose making costs as much as sending it."""
        import httpx2

        like = self._posts.get(address)
        if like is None:
            like = self._http.build_request("POST", address, headers=self._headers, timeout=client.timeout)
            del like.headers["content-length"]
            self._posts[address] = like
        return httpx2.Request(
            "POST",
            like.url,
            headers=[*like.headers.raw, (b"Content-Length", b"%d" % len(content))],
            stream=httpx2.ByteStream(content),
            extensions=like.extensions,
        )

    async def _connected(self) -> tuple[Any, openai.AsyncOpenAI]:
        if self._client is not None:
            return self._module, self._client
        turn = first_requests.take()
        try:
            # The first import takes long: in a thread, so that an interrupt need not wait for it.
            self._module = await asyncio.to_thread(import_library)
            if self._client is None:  # else another request made one meanwhile
                self._client = self._new_client(self._module, turn.passed)
        finally:
            turn.end_in(0.0 if self._bulk else SENDING_SECONDS)  # rows have no view that waits
        return self._module, self._client

    def _new_client(self, module: Any, sent: Callable[[], None]) -> openai.AsyncOpenAI:
        import httpx2

        try:
            return self._configured(module, sent)
        except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
            raise unreached.misconfigured(error, self._connection.base_url) from None

    def _configured(self, module: Any, sent: Callable[[], None]) -> openai.AsyncOpenAI:
        timeout = self._connection.timeout
        self._http = new_http_client(module, self._connection.base_url, self._bulk, sent)
        client: openai.AsyncOpenAI = module.AsyncOpenAI(
            base_url=self._connection.base_url,
            api_key=self._connection.key.reveal(),
            max_retries=0,
            timeout=module.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            http_client=self._http,
        )
        # The library takes these from the environment, where they were meant for api.openai.com.
        client.organization = client.project = None
        client._custom_headers = {}
        told = {**client.default_headers, **client.auth_headers}
        self._headers = {name: value for name, value in told.items() if isinstance(value, str)}
        return client

    def _unreachable(self, error: BaseException) -> MetaskError:
        return unreached.unreachable(error, self._connection.base_url, self._connection.timeout)


async def _refusal(answer: httpx2.Response, address: str) -> Refusal:
    return Refusal(answer.status_code, await answer.aread(), answer.headers, address)
