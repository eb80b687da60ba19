"""The gateway's client: requests through the official library, their retries, and events out of answers.

Ours are retries, because a person should see that they wait, and the decoding, which costs a fraction when
every event is parsed once. The many requests of a batch come as a whole (`complete`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import GatewayError, MetaskError, StreamCutError, StreamStalledError
from ..messages.events import Event, Finished, Noted, Served
from ..messages.request import Request
from ..words import plain
from . import faults, unreached
from .body import Body
from .decode import parse
from .official import Connection, OfficialClient
from .quirks import Quirks
from .redirect import next_address
from .refusal import Refusal, is_error
from .retries import may_pass, wait_before, waiting
from .transport import connection_errors

if TYPE_CHECKING:
    import httpx2

DRAIN_SECONDS = 0.2
MOST_ATTEMPTS = 5  # at one request: as it is, at another address of the gateway, without what it refused


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
        self._official = OfficialClient(connection, bulk=bulk)
        self._address = f"{connection.base_url}/chat/completions"
        self.quirks = quirks or Quirks()
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

    async def stream_once(self, request: Request) -> AsyncIterator[Event]:
        """Ask once, and yield the events as they come; whoever asks tries again.

        Raises what `stream` does, after the first attempt.
        """
        try:
            async for event in self._ask(request):
                yield self._without_key(event) if isinstance(event, Served | Finished) else event
        except MetaskError as error:
            raise self._redacted(error) from None

    async def complete(self, request: Request) -> list[Event]:
        """Ask once for a reply in one piece, and return its events; whoever asks tries again.

        Raises what `stream` does, after the first attempt.
        """
        return [event async for event in self.stream_once(request)]

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
        await self._official.aclose()

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
            came = await self._official.post(address, body)
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
            raise unreached.broken(error, self.connection.timeout) from None

    async def _listed(self) -> list[dict[str, Any]]:
        address = f"{self.connection.base_url}/models"
        for _ in range(MOST_ATTEMPTS):
            answer = await self._official.get(address)
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

    # -- failures ---------------------------------------------------------------------------------

    def _asked(self, request: Request | None = None) -> faults.Asked:
        connection = self.connection
        return faults.Asked(
            request.model if request else "",
            connection.base_url,
            connection.key.source,
            tuple(request.params) if request else (),
        )

    def _redacted(self, error: MetaskError) -> MetaskError:
        """Take the key out of what a server may have repeated, and the frames that held it off the error."""
        hide = self.connection.hide
        error.message, error.remedy = hide(error.message), hide(error.remedy)
        error.request_id = hide(error.request_id) if error.request_id else None
        if isinstance(error, GatewayError) and error.code:
            error.code = hide(error.code)
        error.args = (error.message,)
        error.__context__ = error.__cause__ = None
        return error.with_traceback(None)

    def _without_key(self, event: Served | Finished) -> Event:
        if isinstance(event, Finished):
            return Finished(self.connection.hide(event.reason))
        return Served(*(hidden and self.connection.hide(hidden) for hidden in event))


async def _drain(body: AsyncIterator[bytes]) -> None:
    """Read the end of a stream that said it is done, so that the connection can serve again."""
    with contextlib.suppress(TimeoutError, MetaskError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in body:
                pass


def _request_id(response: httpx2.Response) -> str | None:
    return plain(response.headers.get("x-request-id", "")) or None


def _json_or_none(body: bytes) -> Any:
    try:
        return parse(body)
    except MetaskError:
        return None
