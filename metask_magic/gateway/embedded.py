"""The backend `local`: the embedded model behind the same client as the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import HostRefusedError
from ..keys import ApiKey
from ..language import N_, _
from ..messages.events import Event, Notice
from ..messages.request import Request
from .client import GatewayClient
from .local import Endpoint, LocalModel
from .official import Connection

LOCAL = "local"


class EmbeddedBackend:
    """Launches the embedded model when it is first asked, then asks it like any gateway."""

    def __init__(self, path: Path | None, *, timeout: float) -> None:
        self.path = path
        self._timeout = timeout
        self._model = LocalModel(path)
        self._client: tuple[Endpoint, GatewayClient] | None = None
        self._told: Endpoint | None = None

    @property
    def description(self) -> str:
        return self._model.description

    async def get_models(self) -> list[dict[str, Any]]:
        """Return the entries of the embedded server's own `GET /models`, launching it if need be."""
        endpoint = await self._model.launch(lambda _line: None)
        return await self._client_for(endpoint).get_models()

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        """Ask the embedded model (see `Backend.stream`); its start is told in notices."""
        try:
            async for event in self._ask(request):
                yield event
        except HostRefusedError:  # its process died a moment ago, and is launched anew
            async for event in self._ask(request):
                yield event

    async def _ask(self, request: Request) -> AsyncIterator[Event]:
        progress: asyncio.Queue[str] = asyncio.Queue()
        launch = asyncio.ensure_future(self._model.launch(progress.put_nowait))
        try:
            async for line in _iter_until_done(progress, launch):
                yield Notice(line)
        finally:
            launch.cancel()
        if self._told != launch.result():
            self._told = launch.result()
            yield Notice(_("{description}.", description=self.description))
        client = self._client_for(launch.result())
        async for event in client.stream(replace(request, model=launch.result().model)):
            yield event

    def _client_for(self, endpoint: Endpoint) -> GatewayClient:
        if self._client is None or self._client[0] != endpoint:
            key = ApiKey(endpoint.api_key, N_("the embedded model"))
            self._client = endpoint, GatewayClient(Connection(endpoint.base_url, key, self._timeout))
        return self._client[1]

    def terminate(self) -> None:
        """End the model's process."""
        self._model.terminate()


async def _iter_until_done(progress: asyncio.Queue[str], task: asyncio.Future[Any]) -> AsyncIterator[str]:
    """Yield lines as they come until the task has ended; its failure is the caller's to see."""
    while not task.done():
        line: asyncio.Future[Any] = asyncio.ensure_future(progress.get())
        try:
            await asyncio.wait({line, task}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            line.cancel()
            raise
        if line.done():
            yield line.result()
        else:
            line.cancel()
    while not progress.empty():
        yield progress.get_nowait()
