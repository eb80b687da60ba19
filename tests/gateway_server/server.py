"""The server itself: a thread with its own loop, what it was asked, and what it has in store."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import trustme
from aiohttp import web

from .answers import Answer
from .openai_spec import ChatRequests
from .play import gone, play
from .received import Received
from .script import Chooser, Script

API_KEY = "sk-made-up-Qx7vT2mZ9-for-tests-only"
LARGEST_BODY = 256 * 2**20
STARTING = 30.0  # seconds, on the slowest machine we can think of


class GatewayServer:
    """An OpenAI-compatible gateway on the loopback, whose answers a test scripts.

    A context manager. Every method may be called from any thread.
    """

    def __init__(
        self, *, port: int = 0, tls: bool = False, api_key: str = API_KEY, cache_dir: Path | None = None
    ) -> None:
        self.api_key = api_key
        self.ca: Path | None = None
        self._port = port
        self._tls = tls
        self._spec = ChatRequests(cache_dir)
        self._changed = threading.Condition()
        self._cleanup = contextlib.ExitStack()
        self._forget()

    def __enter__(self) -> Self:
        ready: Future[int] = Future()
        context = self._make_tls() if self._tls else None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(context, ready)), name="gateway-server", daemon=True
        )
        self._thread.start()
        self._port = ready.result(STARTING)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STARTING)
        self._cleanup.close()

    @property
    def base_url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}/v1"

    # What it will say

    def script(self, *answers: Answer, model: str | None = None) -> None:
        """Put answers in store, one per chat request; with `model`, for requests to that model alone."""
        self._script.add(answers, model)

    def script_models(self, *answers: Answer) -> None:
        """Put answers in store for `GET /v1/models`; afterwards it lists `models` again."""
        self._script.add_listing(answers)

    def answer_with(self, chooser: Chooser) -> None:
        """What to answer when nothing is in store; at first, the last user message, word by word."""
        self._script.default = chooser

    def reject(self, *parameters: str) -> None:
        """Answer 422 from now on to chat requests with any of these parameters; the script stays as it is."""
        self._script.rejected.update(parameters)

    @property
    def models(self) -> list[str]:
        """The ids `GET /v1/models` lists; a chat with another model is a 404 unless scripted."""
        return self._script.models

    @models.setter
    def models(self, ids: list[str]) -> None:
        self._script.models = ids

    @property
    def unused(self) -> int:
        """How many scripted answers nobody has asked for yet."""
        return self._script.left

    def reset(self) -> None:
        """Be as new, on the same port: connections are cut, everything said and scripted is forgotten."""
        asyncio.run_coroutine_threadsafe(self._drop_connections(), self._loop).result(STARTING)
        self._forget()

    # What it was asked

    @property
    def requests(self) -> list[Received]:
        """Every request so far, in the order of their coming."""
        with self._changed:
            return list(self._requests)

    @property
    def chats(self) -> list[Received]:
        """The chat requests so far."""
        return [received for received in self.requests if received.is_chat]

    @property
    def usage_sent(self) -> list[Mapping[str, Any]]:
        """What the chat requests were told of their tokens: the last report of each that got one."""
        return [received.usage_sent[-1] for received in self.chats if received.usage_sent]

    @property
    def last(self) -> Received:
        return self.requests[-1]

    @property
    def most_at_once(self) -> int:
        """The highest number of requests under way at the same time."""
        return self._most_at_once

    def wait_for_requests(self, count: int, timeout: float = 30.0) -> list[Received]:
        """Wait until that many requests have come, and return all there are."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._requests) >= count, timeout):
                raise TimeoutError(f"{len(self._requests)} requests came, {count} were expected")
            return list(self._requests)

    @property
    def violations(self) -> list[str]:
        """What OpenAI's OpenAPI description has against the chat requests so far."""
        told = ((received, self._spec.violation(received.body)) for received in self.chats)
        return [f"{received.request_id}: {violation}" for received, violation in told if violation]

    # In the server's own thread

    def _forget(self) -> None:
        self._script = Script(self.api_key)
        self._requests: list[Received] = []
        self._under_way: set[asyncio.Task[web.StreamResponse]] = set()
        self._most_at_once = 0

    async def _serve(self, context: ssl.SSLContext | None, ready: Future[int]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        # Cancellation is how a handler that waits learns that its client has gone.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        try:
            await self._runner.setup()
            site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=context, backlog=1024)
            await site.start()
        except BaseException as error:
            ready.set_exception(error)
            raise
        ready.set_result(self._runner.addresses[0][1])
        await self._stop.wait()
        await self._drop_connections()
        await self._runner.cleanup()

    async def _drop_connections(self) -> None:
        server = self._runner.server
        for connection in server.connections if server is not None else ():
            if connection.transport is not None:
                connection.transport.abort()
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        received = self._remember(request, await request.read())
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        self._most_at_once = max(self._most_at_once, len(self._under_way))
        try:
            return await self._play(request, received)
        except asyncio.CancelledError:
            if not received.finished.is_set():
                received.disconnected.set()
            raise

    async def _play(self, request: web.Request, received: Received) -> web.StreamResponse:
        try:
            return await play(self._script.answer(received), request, received)
        except ConnectionError:
            # The client left while we wrote. Being cancelled for it is on its way, and aiohttp logs no error.
            return await gone()

    def _remember(self, request: web.Request, body: bytes) -> Received:
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._changed:
            received = Received(len(self._requests) + 1, request.method, request.path, headers, body)
            self._requests.append(received)
            self._changed.notify_all()
        return received

    def _make_tls(self) -> ssl.SSLContext:
        """A certificate for the loopback from an authority of our own, which nobody trusts."""
        authority = trustme.CA()
        directory = self._cleanup.enter_context(TemporaryDirectory(prefix="gateway-ca-"))
        self.ca = Path(directory, "ca.pem")
        authority.cert_pem.write_to_path(str(self.ca))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        return context
