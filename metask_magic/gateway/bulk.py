"""Replies in one piece, hundreds at once: the gateway's client as a batch asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from ..errors import BadRequestError
from ..messages.events import Event
from ..messages.request import Request
from .client import GatewayClient
from .official import Connection
from .quirks import Quirks


class BulkBackend:
    """A backend for many requests at once. Its coroutines belong to one asyncio loop.

    Every request is sent once: whoever asks tries again, because only they know how the other requests fare.
    `quirks` is what is known of the gateway.
    """

    def __init__(self, connection: Connection, quirks: Quirks | None = None) -> None:
        self._client = GatewayClient(connection, bulk=True, quirks=quirks)
        self._not_streaming: set[str] = set()

    @property
    def connection(self) -> Connection:
        """Where and how it asks; `max_retries` means nothing here."""
        return self._client.connection

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        """Ask (see `Backend.stream`); the events of a reply that is not streamed come all at once.

        What is refused as a stream is asked for in one piece: some models have no other way.
        """
        refused = False
        if request.stream and request.model not in self._not_streaming:
            try:
                async for event in self._client.stream_once(request):
                    yield event
            except BadRequestError:
                refused = True
            else:
                return
        for event in await self._client.complete(replace(request, stream=False)):
            yield event
        if refused:
            self._not_streaming.add(request.model)

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._client.aclose()
