"""One server, started or reached when it is first used, and kept on the private loop.

A server that ends is started again once, and once more when an answer has come after that. All coroutines
here run on the private loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..messages.events import Noted, Notice
from ..words import plain
from .declared import Declared
from .environment import Given, resolve
from .faults import GoneError, gone, not_started
from .library import all_pages, http, is_closed, refuse_requests, require
from .servers import Server, check_transport
from .stdio import Said, pipes

if TYPE_CHECKING:
    from mcp import Client

T = TypeVar("T")

MOST_NEWS = 200
"""Lines of one call that wait to be shown; what comes faster than that is not."""


class Logged(NamedTuple):
    """A line of a server's log."""

    text: str


News = Notice | Noted | Logged


class Connection:
    """A server and what is known of it.

    `patience` says how many seconds it may take to start, `hide` takes the key for the gateway out of a
    text.

    Attributes
    ----------
    used
        When each of its tools was last called.
    confirmed
        What each tool was declared to be when it was last let run (`Declared.fingerprint`).
    remarks
        What is to be told of it and was not yet, because no call was under way.

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
        self.remarks: list[str] = []
        self._patience = patience
        self._hide_key = hide
        self._allow_http = allow_http
        self._given: Given | None = None
        self._lock = asyncio.Lock()
        self._client: Client | None = None
        self._serving: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()
        self._said = Said()
        self._tools: tuple[Declared, ...] = ()
        self._stale = True
        self._listing = asyncio.Lock()
        self._deaths = 0
        self._watchers: set[asyncio.Queue[News | None]] = set()

    def hide(self, text: str) -> str:
        """Take the values that the server was given by name, and the key for the gateway, out of a text."""
        return self._given.hide(text) if self._given else self._hide_key(text)

    @property
    def begun(self) -> bool:
        """Whether it has been started, or is being."""
        return self._serving is not None

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
            if anew or self._stale or self._said.over.is_set():
                await self._list(tell=not anew)
        return self._tools

    async def _list(self, *, tell: bool) -> None:
        await self._opened()  # a server that is started again may have others
        known, self._stale = {tool.fingerprint for tool in self._tools}, False
        found = await self.ask(lambda client: all_pages(client.list_tools, "tools"))
        self._tools = tuple(Declared.of(tool, self.hide) for tool in found)
        if tell and known and known != {tool.fingerprint for tool in self._tools}:
            name = self.server.name
            self._tell(f"The server {name} has changed its tools: the next cell has them as they are.")

    def take_remarks(self) -> list[str]:
        """Return what is to be told of it and was not yet."""
        remarks, self.remarks = self.remarks, []
        return remarks

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
            restarted = f"{error.message} It was started again."
            self._tell(restarted)
            if not again:
                raise GoneError(restarted, error.remedy) from None
            answer = await self._attempt(operation)
        self._deaths = 0
        return answer

    async def call(self, tool: Declared, arguments: dict[str, Any]) -> AsyncIterator[Any]:
        """Call a tool; yield what the server says meanwhile (`News`), and last the library's result.

        Closing the iterator, or cancelling who waits for it, cancels the call at the server. Raises as `ask`.
        """
        news: asyncio.Queue[News | None] = asyncio.Queue()

        async def told(progress: float, total: float | None, message: str | None) -> None:
            self._put(news, Notice(self._progress(progress, total, message)))

        async def made(client: Client) -> Any:
            return await client.call_tool(tool.name, arguments, progress_callback=told)

        self.used[tool.name] = datetime.now().astimezone()
        self._watchers.add(news)
        calling = asyncio.create_task(self.ask(made, again=tool.may_be_repeated))
        calling.add_done_callback(lambda _: news.put_nowait(None))
        try:
            while (line := await news.get()) is not None:
                yield line
            yield calling.result()
        finally:
            self._watchers.discard(news)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)

    async def close(self) -> None:
        """End the server. The next use starts it again."""
        async with self._lock:
            await self._end()

    # -- the running server ---------------------------------------------------------------------------

    async def _attempt(self, operation: Callable[[Client], Awaitable[T]]) -> T:
        client = await self._opened()
        said = self._said
        try:
            return await operation(client)
        except Exception as error:
            if not (said.over.is_set() or is_closed(error)):
                raise
        async with self._lock:
            if self._client is client:
                self._deaths += 1
                await self._end()
        raise gone(self.server, said, self.hide)

    async def _opened(self) -> Client:
        async with self._lock:
            if self._client is not None and self._said.over.is_set():  # while nobody asked it anything
                await self._end()
                self._tell(f"{gone(self.server, self._said, self.hide).message} It was started again.")
            if self._client is None:
                self._client = await self._start()
            return self._client

    async def _start(self) -> Client:
        check_transport(self.server, allow_http=self._allow_http())
        await asyncio.to_thread(require)  # the first time it takes a second, in which the loop has other work
        self._given = resolve(self.server, self._hide_key)
        self._said, self._ending, self._stale = Said(), asyncio.Event(), True
        opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._serving = asyncio.create_task(self._serve(self._given, self._said, opened))
        seconds = self._patience()
        failure: BaseException | None = None
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(opened)
        except Exception as error:  # noqa: BLE001 -- of the library, the system, or the server
            failure = error
        except BaseException:  # an interrupt leaves no server half started
            await self._end()
            raise
        # Not within the clause above: IPython shows no error of ours that has a group in its context.
        await self._end()
        late = seconds if isinstance(failure, TimeoutError) else None
        raise not_started(self.server, self._said, self.hide, failure, seconds=late)

    async def _end(self) -> None:
        serving, begun = self._serving, self._client is not None
        self._client = self._serving = None
        if serving is None:
            return
        self._ending.set()
        if not begun:
            serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    async def _serve(self, given: Given, said: Said, opened: asyncio.Future[Client]) -> None:
        """Hold the connection open until it is to end, or ends: a task that opens it has to close it."""
        from mcp import Client

        transport = http(given, said) if self.server.url else pipes(given, self.server.folder, said)
        try:
            async with Client(
                transport,
                logging_callback=self._log,
                log_level="info",
                message_handler=self._notice_change,
                cache=None,
            ) as client:
                refuse_requests(client, self._refused)
                opened.set_result(client)
                await self._until_over(client, said)
        except Exception as error:  # noqa: BLE001 -- told by whoever waits for it to open
            if not opened.done():
                opened.set_exception(error)
        finally:
            said.over.set()

    async def _until_over(self, client: Client, said: Said) -> None:
        tasks = [asyncio.create_task(event.wait()) for event in (self._ending, said.over)]
        listening = asyncio.create_task(self._listen(client))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, listening):
                task.cancel()
            await asyncio.gather(*tasks, listening, return_exceptions=True)

    # -- what it says by itself -----------------------------------------------------------------------

    async def _listen(self, client: Client) -> None:
        """Hear of changed tools where they have to be asked for: since the protocol of 2026."""
        from mcp.client.subscriptions import ListenNotSupportedError

        tools = client.server_capabilities.tools
        if tools is None or not tools.list_changed:
            return
        try:
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    self._stale = True
        except ListenNotSupportedError:
            return  # an older server says it unasked

    async def _notice_change(self, message: Any) -> None:
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self._stale = True

    async def _log(self, params: Any) -> None:
        said = params.data if isinstance(params.data, str) else repr(params.data)
        for news in self._watchers:
            self._put(news, Logged(self._line(f"{params.level}: {said}")))

    def _refused(self, kind: str) -> None:
        asked = {"sampling": "to ask a model", "elicitation": "to ask the user something"}[kind]
        self._tell(f"The server {self.server.name} wanted {asked} ({kind}), which no server may here.")

    def _progress(self, done: float, total: float | None, message: str | None) -> str:
        figures = f"{done:g} of {total:g}" if total else f"{done:g}"
        return self._line(f"{message} ({figures})" if message else figures)

    def _line(self, text: str) -> str:
        return f"{self.server.name}: {plain(self.hide(text))}"

    def _tell(self, text: str) -> None:
        for news in self._watchers:
            news.put_nowait(Noted(text))
        if not self._watchers:
            self.remarks.append(text)

    def _put(self, news: asyncio.Queue[News | None], line: News) -> None:
        if news.qsize() < MOST_NEWS:
            news.put_nowait(line)
