"""The nearest names for a model that the gateway does not have."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from ..errors import MetaskError, NotFoundError
from ..gateway.models import Catalog
from ..messages.events import Backend, Event
from ..messages.request import Request
from ..words import did_you_mean, nearest, sentences

LOOK_UP_SECONDS = 5.0


class SuggestingBackend:
    """Passes another backend's events through, and puts the nearest names into the remedy of a 404.

    The names are looked up on the network's loop, as a part of the reply: whatever else comes goes on
    being shown, and an interrupt ends it.
    """

    def __init__(self, backend: Backend, catalog: Catalog) -> None:
        self._backend = backend
        self._catalog = catalog

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        """See `Backend.stream`."""
        try:
            async for event in self._backend.stream(request):
                yield event
        except NotFoundError as error:
            error.remedy = sentences(await self._names_like(request.model), error.remedy)
            raise

    async def _names_like(self, name: str) -> str:
        """Return a question that offers names; a list that cannot be had must not hide the error."""
        with contextlib.suppress(MetaskError, TimeoutError):
            async with asyncio.timeout(LOOK_UP_SECONDS):
                models = await self._catalog.list()
            return did_you_mean(nearest(name, (model.id for model in models if model.id != name)))
        return ""
