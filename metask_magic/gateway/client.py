"""The gateway's client: the official openai library, and the only module that imports it.

From the library come authentication, the connection pool, proxies, TLS and the shape of requests. Ours are
retries, because a person should see that they wait, and the decoding, which costs a fraction when every
event is parsed once. The many requests of a batch go straight to the library's connections (`complete`).
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ..chat.messages import Event, Finished, Request, Served
from ..errors import (
    BrokenReplyError,
    GatewayError,
    MetaskError,
)
from ..settings import ApiKey
from ..words import plain
from . import faults
from .decode import StreamDecoder, iter_whole, parse
from .retries import may_pass, wait_before, waiting
from .transport import connection_errors, new_http_client

if TYPE_CHECKING:
    import httpx2
    import openai

CONNECT_SECONDS = 15.0
DRAIN_SECONDS = 0.2
SHORTEST_HIDDEN = 4


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and how to ask. `timeout` is the longest silence in seconds, not the time of a whole reply."""

    base_url: str
    key: ApiKey
    timeout: float = 300.0
    max_retries: int = 2


class _UsageRejectedError(Exception):
    """The gateway does not know `stream_options`: the request is made once more without it."""


class GatewayClient:
    """Asks one gateway. Its coroutines belong to one asyncio loop.

    `bulk` chooses connections for hundreds of requests at once.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        bulk: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.connection = connection
        self._sleep = sleep
        self._bulk = bulk
        self._address = f"{connection.base_url}/chat/completions"
        self._module: Any = None
        self._client: openai.AsyncOpenAI | None = None
        self._reports_usage = True
        self._replies = 0
        self._unused = asyncio.Event()
        self._unused.set()

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        """Ask, and yield events as they come (see `Backend.stream`).

        Waits and tries again on 429, 5xx and a connection that died before an answer, `max_retries` times,
        with a `Notice` each; what has begun to arrive is never asked for twice.
        """
        with self._in_use():
            tries = 0
            while True:
                begun = False
                try:
                    async for event in self._attempt(request):
                        begun = True
                        yield self._without_key(event) if isinstance(event, Served) else event
                except MetaskError as error:
                    if begun or tries >= self.connection.max_retries or not may_pass(error):
                        raise self._redacted(error) from None
                    tries += 1
                    wait = wait_before(error, tries)
                    yield waiting(error, wait, tries, self.connection.max_retries)
                    await self._sleep(wait)
                else:
                    return

    async def complete(self, request: Request) -> list[Event]:
        """Ask once for a reply in one piece, and return its events; whoever asks tries again.

        Raises what `stream` does, after the first attempt.
        """
        try:
            response = await self._post(request)
            try:
                events = await self._iter_plain(response, response.headers.get("content-type", ""))
            except MetaskError as error:
                error.request_id = error.request_id or _request_id(response)
                raise
            finally:
                await response.aclose()
        except MetaskError as error:
            raise self._redacted(error) from None
        served = Served(None, _request_id(response))
        return [
            self._without_key(event) if isinstance(event, Served) else event for event in (served, *events)
        ]

    async def get_models(self) -> list[dict[str, Any]]:
        """Return the entries of `GET /models`, as they came."""
        try:
            return await self._listed()
        except MetaskError as error:
            raise self._redacted(error) from None

    async def aclose(self) -> None:
        """Close the pooled connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def retire(self) -> None:
        """Close them when the replies that come over them have ended."""
        try:
            await self._unused.wait()
        finally:
            await self.aclose()

    @contextlib.contextmanager
    def _in_use(self) -> Iterator[None]:
        self._replies += 1
        self._unused.clear()
        try:
            yield
        finally:
            self._replies -= 1
            if not self._replies:
                self._unused.set()

    # -- one attempt ------------------------------------------------------------------------------

    async def _attempt(self, request: Request) -> AsyncIterator[Event]:
        try:
            async for event in self._ask(request, self._body(request)):
                yield event
        except _UsageRejectedError:
            self._reports_usage = False
            async for event in self._ask(request, self._body(request)):
                yield event

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = request.to_json()
        if not self._reports_usage:
            body.pop("stream_options", None)
        return body

    async def _ask(self, request: Request, body: dict[str, Any]) -> AsyncIterator[Event]:
        response = await self._send(request, body)
        try:
            yield Served(None, _request_id(response))
            async for event in self._iter_events(response, request.stream):
                yield event
        except MetaskError as error:
            error.request_id = error.request_id or _request_id(response)
            raise
        finally:
            await response.aclose()

    async def _send(self, request: Request, body: dict[str, Any]) -> httpx2.Response:
        """Return the answer to a request, of which only the head has been read."""
        openai, client = await self._connected()
        import httpx2

        try:
            answer = await client.post(
                "/chat/completions",
                body=body,
                cast_to=httpx2.Response,
                stream=True,
                stream_cls=openai.AsyncStream,
            )
        except openai.APIStatusError as error:
            refusal = faults.Refusal(
                error.response.status_code, await error.response.aread(), error.response.headers
            )
            if request.stream and self._reports_usage and _rejects_usage(refusal):
                raise _UsageRejectedError from None
            raise self._refused(refusal, request.model) from None
        except (openai.APIConnectionError, *connection_errors()) as error:  # the latter within a refusal
            raise self._unreachable(error) from None
        return cast(httpx2.Response, answer)  # also of a stream, where that is what is asked for

    async def _post(self, request: Request) -> httpx2.Response:
        """Return the answer to a request that went straight to the connections.

        What the library does on the way to them for every request costs as much as the request itself. It
        has told the headers.
        """
        _, client = await self._connected()
        body = json.dumps(request.to_json(), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        sent = self._http.build_request(
            "POST", self._address, content=body.encode(), headers=self._headers, timeout=client.timeout
        )
        try:
            answer = await self._http.send(sent, stream=True)
            refused = await answer.aread() if answer.status_code >= 400 else None
        except connection_errors() as error:
            raise self._unreachable(error) from None
        if refused is not None:
            refusal = faults.Refusal(answer.status_code, refused, answer.headers)
            raise self._refused(refusal, request.model)
        return answer

    async def _iter_events(self, response: Any, streamed: bool) -> AsyncIterator[Event]:
        content_type = response.headers.get("content-type", "")
        if not streamed or "json" in content_type:
            for event in await self._iter_plain(response, content_type):
                yield event
            return
        decoder = StreamDecoder()
        body = self._iter_bytes(response)
        try:
            async for data in body:
                for event in decoder.feed(data):
                    yield event
                if decoder.done:
                    await _drain(body)
                    return
        except BrokenReplyError:
            if not decoder.finished:
                raise
            return  # the reply is whole; only the end of the stream was lost
        for event in decoder.flush():
            yield event
        if decoder.empty:
            raise faults.not_a_reply(content_type, self.connection.base_url)

    async def _iter_plain(self, response: Any, content_type: str) -> list[Event]:
        """Events of a reply in one piece, which some gateways send although a stream was asked for."""
        body = b"".join([data async for data in self._iter_bytes(response)])
        whole = _json_or_none(body)
        if not isinstance(whole, Mapping) or not (whole.get("choices") or whole.get("error")):
            raise faults.not_a_reply(content_type, self.connection.base_url)
        try:
            events = list(iter_whole(whole))
        except (AttributeError, TypeError):
            raise faults.not_a_reply(content_type, self.connection.base_url) from None
        if not any(isinstance(event, Finished) for event in events):
            events.append(Finished("stop"))  # it came whole
        return events

    async def _iter_bytes(self, response: Any) -> AsyncIterator[bytes]:
        try:
            async for data in response.aiter_bytes():
                yield data
        except connection_errors() as error:
            raise faults.broken(error, self.connection.timeout) from None

    async def _listed(self) -> list[dict[str, Any]]:
        status, headers, body = await self._get("/models")
        if status >= 400:
            raise self._refused(faults.Refusal(status, body, headers), "the list of models")
        listed = _json_or_none(body)
        entries = listed.get("data") if isinstance(listed, Mapping) else None
        if not isinstance(entries, list):
            raise faults.not_a_reply(headers.get("content-type", ""), self.connection.base_url)
        return [entry for entry in entries if isinstance(entry, dict) and entry.get("id")]

    async def _get(self, path: str) -> tuple[int, Mapping[str, str], bytes]:
        openai, client = await self._connected()
        import httpx2

        try:
            answer = await client.get(path, cast_to=httpx2.Response)
        except openai.APIStatusError as error:
            answer = error.response
        except openai.APIConnectionError as error:
            raise self._unreachable(error) from None
        return answer.status_code, answer.headers, await answer.aread()

    # -- the official client ----------------------------------------------------------------------

    async def _connected(self) -> tuple[Any, openai.AsyncOpenAI]:
        if self._client is not None:
            return self._module, self._client
        # The first import takes a second or more: in a thread, so that an interrupt need not wait for it.
        self._module = await asyncio.to_thread(importlib.import_module, "openai")
        import httpx2

        if self._client is None:  # else another request made one meanwhile
            try:
                self._client = self._new_client(self._module)
            except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
                raise faults.misconfigured(error, self.connection.base_url) from None
        return self._module, self._client

    def _new_client(self, module: Any) -> openai.AsyncOpenAI:
        timeout = self.connection.timeout
        self._http = new_http_client(module, self.connection.base_url, self._bulk)
        client: openai.AsyncOpenAI = module.AsyncOpenAI(
            base_url=self.connection.base_url,
            api_key=self.connection.key.reveal(),
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

    # -- failures ---------------------------------------------------------------------------------

    def _refused(self, refusal: faults.Refusal, model: str) -> GatewayError:
        return faults.refused(
            refusal,
            model=model,
            base_url=self.connection.base_url,
            key_source=self.connection.key.source,
        )

    def _unreachable(self, error: BaseException) -> MetaskError:
        return faults.unreachable(error, self.connection.base_url, self.connection.timeout)

    def _redacted(self, error: MetaskError) -> MetaskError:
        """Take the key out of what a server may have repeated, and the frames that held it off the error."""
        hide = self._hide
        error.message, error.remedy = hide(error.message), hide(error.remedy)
        error.request_id = hide(error.request_id) if error.request_id else None
        if isinstance(error, GatewayError) and error.code:
            error.code = hide(error.code)
        error.args = (error.message,)
        error.__context__ = error.__cause__ = None
        return error.with_traceback(None)

    def _without_key(self, served: Served) -> Served:
        return Served(*(hidden and self._hide(hidden) for hidden in served))

    def _hide(self, text: str) -> str:
        """Take out the key, also where `plain` cut a quotation in the middle of it."""
        key = self.connection.key.reveal()
        text = self.connection.key.hide(text)
        for length in range(len(key) - 1, SHORTEST_HIDDEN - 1, -1):
            text = text.replace(f"{key[:length]}…", "[key]…")
        return text


async def _drain(body: AsyncIterator[bytes]) -> None:
    """Read the end of a stream that said it is done, so that the connection can serve again."""
    with contextlib.suppress(TimeoutError, MetaskError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in body:
                pass


def _request_id(response: httpx2.Response) -> str | None:
    return plain(response.headers.get("x-request-id", "")) or None


def _rejects_usage(refusal: faults.Refusal) -> bool:
    return refusal.status in {400, 422} and refusal.mentions("stream_options", "include_usage")


def _json_or_none(body: bytes) -> Any:
    try:
        return parse(body)
    except MetaskError:
        return None
