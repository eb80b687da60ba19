"""The gateway's client: the official openai library, and the only module that imports it.

From the library come authentication, the connection pool, proxies, TLS and the shape of requests. Ours are
retries, because a person should see that they wait, and the decoding, which costs a fraction when every
event is parsed once. The many requests of a batch go straight to the library's connections (`complete`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ..errors import GatewayError, MetaskError, StreamCutError, StreamStalledError
from ..messages.values import Event, Finished, Noted, Request, Served
from ..precedence import first_requests
from ..settings import ApiKey
from ..words import plain
from . import faults
from .body import Body
from .decode import parse
from .library import import_library
from .quirks import Quirks
from .redirect import next_address
from .refusal import Refusal, is_error
from .retries import may_pass, wait_before, waiting
from .transport import connection_errors, new_http_client

if TYPE_CHECKING:
    import httpx2
    import openai

CONNECT_SECONDS = 15.0
DRAIN_SECONDS = 0.2
SENDING_SECONDS = 1.0  # to connect and send the first request, for which others wait
SHORTEST_HIDDEN = 4
MOST_ATTEMPTS = 5  # at one request: as it is, at another address of the gateway, without what it refused


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and how to ask. `timeout` is the longest silence in seconds, not the time of a whole reply."""

    base_url: str
    key: ApiKey
    timeout: float = 300.0
    max_retries: int = 2


class GatewayClient:
    """Asks one gateway. Its coroutines belong to one asyncio loop.

    `bulk` chooses connections for hundreds of requests at once; `quirks` is what is known of the gateway.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        bulk: bool = False,
        quirks: Quirks | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.connection = connection
        self._sleep = sleep
        self._bulk = bulk
        self._address = f"{connection.base_url}/chat/completions"
        self._module: Any = None
        self._client: openai.AsyncOpenAI | None = None
        self.quirks = quirks or Quirks()
        self._posts: dict[str, httpx2.Request] = {}
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
                    async for event in self._ask(request):
                        if isinstance(event, Served | Finished):
                            yield self._without_key(event)
                        else:
                            begun = True
                            yield event
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
            events = [event async for event in self._ask(request)]
        except MetaskError as error:
            raise self._redacted(error) from None
        return [
            self._without_key(event) if isinstance(event, Served | Finished) else event for event in events
        ]

    def as_sent(self, request: Request) -> Request:
        """Return a request with its parameters as this gateway turned out to take them."""
        return self.quirks.adapt(request)

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

    async def _ask(self, request: Request) -> AsyncIterator[Event]:
        response, notes = await self._answer(request)
        try:
            yield Served(None, _request_id(response))
            for note in notes:
                yield Noted(note)
            async for event in self._iter_events(response, request):
                yield event
        except MetaskError as error:
            error.request_id = error.request_id or _request_id(response)
            raise
        finally:
            await response.aclose()

    async def _answer(self, request: Request) -> tuple[httpx2.Response, list[str]]:
        """Return an answer that is no refusal, its head alone, and what is to be said of the way to it."""
        address, notes = self._address, list[str]()
        for _ in range(MOST_ATTEMPTS):
            body = self.quirks.to_body(request)
            came = await (self._post(address, body) if self._bulk else self._send(address, body))
            if not isinstance(came, Refusal):
                break
            moved, learnt = next_address(came, address), self.quirks.learn(came, body)
            if moved is None and learnt is None:
                break
            address = moved or address
            notes += [learnt] if learnt else []
        if isinstance(came, Refusal):
            raise faults.refused(came, self._asked(request))
        return came, notes

    async def _send(self, address: str, body: dict[str, Any]) -> httpx2.Response | Refusal:
        """Send a request through the library; return the answer's head, or all of a refusal."""
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

    async def _post(self, address: str, body: dict[str, Any]) -> httpx2.Response | Refusal:
        """Do what `_send` does, straight over the connections.

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

    async def _iter_events(self, response: Any, request: Request) -> AsyncIterator[Event]:
        """Yield what comes; where it breaks off, also what had come of the piece that is not whole."""
        body = self._new_body(response, request)
        data = self._iter_bytes(response)
        try:
            async for piece in data:
                for event in body.feed(piece):
                    yield event
                if body.done:
                    await _drain(data)
                    return
        except (StreamCutError, StreamStalledError):
            for event in body.rescue():
                yield event
            if not body.finished:
                raise
            return  # the reply is whole; only the end of the stream was lost
        for event in body.flush():
            yield event

    def _new_body(self, response: Any, request: Request) -> Body:
        asked, headers = self._asked(request), response.headers
        return Body(
            lambda said: faults.told(said, asked, headers),
            lambda body: faults.not_a_reply(Refusal(200, body, headers), self.connection.base_url),
        )

    async def _iter_bytes(self, response: Any) -> AsyncIterator[bytes]:
        try:
            async for data in response.aiter_bytes():
                yield data
        except connection_errors() as error:
            raise faults.broken(error, self.connection.timeout) from None

    async def _listed(self) -> list[dict[str, Any]]:
        address = f"{self.connection.base_url}/models"
        for _ in range(MOST_ATTEMPTS):
            answer = await self._get(address)
            if (moved := next_address(answer, address)) is None:
                break
            address = moved
        if answer.status >= 300:
            raise faults.refused(answer, self._asked())
        listed = _json_or_none(answer.body)
        entries = listed.get("data") if isinstance(listed, Mapping) else None
        if isinstance(entries, list):
            return [entry for entry in entries if isinstance(entry, dict) and entry.get("id")]
        if isinstance(listed, Mapping) and is_error(listed):
            raise faults.told(listed, self._asked(), answer.headers)
        raise faults.not_a_reply(answer, self.connection.base_url)

    async def _get(self, address: str) -> Refusal:
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

    # -- the official client ----------------------------------------------------------------------

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
            raise faults.misconfigured(error, self.connection.base_url) from None

    def _configured(self, module: Any, sent: Callable[[], None]) -> openai.AsyncOpenAI:
        timeout = self.connection.timeout
        self._http = new_http_client(module, self.connection.base_url, self._bulk, sent)
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

    def _asked(self, request: Request | None = None) -> faults.Asked:
        connection = self.connection
        return faults.Asked(
            request.model if request else "the list of models",
            connection.base_url,
            connection.key.source,
            tuple(request.params) if request else (),
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

    def _without_key(self, event: Served | Finished) -> Event:
        if isinstance(event, Finished):
            return Finished(self._hide(event.reason))
        return Served(*(hidden and self._hide(hidden) for hidden in event))

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


async def _refusal(answer: httpx2.Response, address: str) -> Refusal:
    return Refusal(answer.status_code, await answer.aread(), answer.headers, address)


def _request_id(response: httpx2.Response) -> str | None:
    return plain(response.headers.get("x-request-id", "")) or None


def _json_or_none(body: bytes) -> Any:
    try:
        return parse(body)
    except MetaskError:
        return None
