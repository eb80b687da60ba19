"""A server, started or reached when it is first used, and kept on the private loop.

One that ends is started again once, and once more when an answer has come after that. All coroutines here
run on the private loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ..language import _
from .bulletin import Bulletin
from .declared import Declared
from .environment import Given, resolve
from .faults import GoneError, gone, started_again
from .library import all_pages, is_closed, require
from .running import Running
from .servers import Server, check_transport

if TYPE_CHECKING:
    from mcp import Client

T = TypeVar("T")


class Connection:
    """A server and what is known of it.

    `patience` says how many seconds it may take to start, `hide` takes the key for the gateway out of a
    text, `allow_http` says whether it may be asked unencrypted.

    Attributes
    ----------
    used
        When each of its tools was last called.
    confirmed
        What each tool was declared to be when it was last let run (`Declared.fingerprint`).
    bulletin
        What it says beside its answers.

    """

    def __init__(
        self,
        server: Server,
        patience: Callable[[], float],
        hide: Callable[[str], str] = str,
        allow_http: Callable[[], bool] = lambda: False,
    ) -> None:
        self.server = server
        self.used: dict[str, datetime] = {}
        self.confirmed: dict[str, str] = {}
        self.bulletin = Bulletin(server.name, self.hide)
        self._patience = patience
        self._hide_key = hide
        self._allow_http = allow_http
        self._given: Given | None = None
        self._running: Running | None = None
        self._tools: tuple[Declared, ...] = ()
        self._deaths = 0
        self._starting, self._listing = asyncio.Lock(), asyncio.Lock()

    def hide(self, text: str) -> str:
        """Take the values that the server was given by name, and the key for the gateway, out of a text."""
        return self._given.hide(text) if self._given else self._hide_key(text)

    @property
    def begun(self) -> bool:
        """Whether it has been started."""
        return self._running is not None

    @property
    def known_tools(self) -> tuple[str, ...]:
        """The names of its tools, as far as it has been asked for them."""
        return tuple(tool.name for tool in self._tools)

    async def tools(self, *, anew: bool = False) -> tuple[Declared, ...]:
        """Return what the server has now; `anew` also where it has not said that anything changed.

        Raises
        ------
        ToolServerError
            It cannot be started or reached, or does not answer.

        """
        async with self._listing:
            if anew:
                self._deaths = 0
            running = await self._opened()
            if anew or running.has_changed:
                running.has_changed = False
                await self._list(tell=not anew)
        return self._tools

    async def ask(self, operation: Callable[[Client], Awaitable[T]], *, again: bool = True) -> T:
        """Return what the server answers; one that ends meanwhile is started again, and asked `again`.

        Raises
        ------
        ToolServerError
            It cannot be started or reached, or has ended: a `GoneError` then, also where it was started
            again and not asked.
        mcp.MCPError
            It answered with an error.

        """
        try:
            answer = await self._attempt(operation)
        except GoneError as error:
            if self._deaths > 1:
                raise
            await self._opened()
            told = started_again(error)
            self.bulletin.tell(told.message)
            if not again:
                raise told from None
            answer = await self._attempt(operation)
        self._deaths = 0
        return answer

    async def call(self, tool: Declared, arguments: dict[str, Any]) -> AsyncIterator[Any]:
        """Call a tool; yield what the server says meanwhile (`News`), and last the library's result.

        Closing the iterator, or cancelling who waits for it, cancels the call at the server. Raises as `ask`.
        """
        news = self.bulletin.open()

        async def told(progress: float, total: float | None, message: str | None) -> None:
            self.bulletin.progress(news, progress, total, message)

        async def made(client: Client) -> Any:
            return await client.call_tool(tool.name, arguments, progress_callback=told)

        self.used[tool.name] = datetime.now().astimezone()
        calling = asyncio.create_task(self.ask(made, again=tool.may_be_repeated))
        calling.add_done_callback(lambda _: news.put_nowait(None))
        try:
            while (line := await news.get()) is not None:
                yield line
            yield calling.result()
        finally:
            self.bulletin.close(news)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)

    async def close(self) -> None:
        """End the server. The next use starts it again."""
        async with self._starting:
            await self._end()

    async def _list(self, *, tell: bool) -> None:
        known = {tool.fingerprint for tool in self._tools}
        found = await self.ask(lambda client: all_pages(client.list_tools, "tools"))
        self._tools = tuple(Declared.of(tool, self.hide) for tool in found)
        if tell and known and known != {tool.fingerprint for tool in self._tools}:
            told = _(
                "The server {name} has changed its tools: the next cell has them as they are.",
                name=self.server.name,
            )
            self.bulletin.tell(told)

    async def _attempt(self, operation: Callable[[Client], Awaitable[T]]) -> T:
        running = await self._opened()
        try:
            return await operation(running.client)
        except Exception as error:
            if not (running.is_over or is_closed(error)):
                raise
        async with self._starting:
            if self._running is running:
                self._deaths += 1
                await self._end()
        raise gone(self.server, running.said, self.hide)

    async def _opened(self) -> Running:
        async with self._starting:
            ended: GoneError | None = None
            if self._running is not None and self._running.is_over:  # while nobody asked it anything
                said = self._running.said
                await self._end()
                ended = gone(self.server, said, self.hide)
            if self._running is None:
                check_transport(self.server, allow_http=self._allow_http())
                await asyncio.to_thread(require)  # it takes a second, in which the loop has other work
                self._given = resolve(self.server, self._hide_key)
                self._running = await Running.start(self.server, self._given, self.bulletin, self._patience())
            if ended is not None:
                self.bulletin.tell(started_again(ended).message)
            return self._running

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await running.close()
