"""One run of a server, from its start to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .bulletin import Bulletin
from .environment import Given
from .faults import not_started
from .library import http, refuse_requests
from .servers import Server
from .stdio import Said, pipes

if TYPE_CHECKING:
    from mcp import Client


class Running:
    """Holds a connection open, in a task of its own: the one that opens it has to close it.

    Attributes
    ----------
    said
        What the server says beside the protocol.
    has_changed
        Whether its tools are to be asked for: at first, and when it says so.

    """

    client: Client

    def __init__(self, server: Server, given: Given, bulletin: Bulletin) -> None:
        self.said = Said()
        self.has_changed = True
        self._server = server
        self._given = given
        self._bulletin = bulletin
        self._ending = asyncio.Event()
        self._opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._serving = asyncio.create_task(self._serve())

    @classmethod
    async def start(cls, server: Server, given: Given, bulletin: Bulletin, seconds: float) -> Running:
        """Start a server, and wait until it has answered.

        Raises
        ------
        ToolServerError
            It does not answer, or has not within so many seconds.

        """
        running = cls(server, given, bulletin)
        failure: BaseException | None = None
        try:
            async with asyncio.timeout(seconds):
                running.client = await asyncio.shield(running._opened)
                return running
        except Exception as error:  # noqa: BLE001 -- of the library, the system, or the server
            failure = error
        except BaseException:  # an interrupt leaves no server half started
            await running.close()
            raise
        # Not within the clause above: IPython shows no error of ours that has a group in its context.
        await running.close()
        late = seconds if isinstance(failure, TimeoutError) else None
        raise not_started(server, running.said, given.hide, failure, seconds=late)

    @property
    def is_over(self) -> bool:
        """Whether nothing comes from it any more."""
        return self.said.over.is_set()

    async def close(self) -> None:
        """End it, and wait for that."""
        self._ending.set()
        if not self._opened.done():
            self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)

    async def _serve(self) -> None:
        from mcp import Client

        given, said = self._given, self.said
        transport = http(given, said) if self._server.url else pipes(given, self._server.folder, said)
        try:
            async with Client(
                transport,
                logging_callback=self._bulletin.log,
                log_level="info",
                message_handler=self._notice_change,
                cache=None,
            ) as client:
                refuse_requests(client, self._bulletin.refuse)
                self._opened.set_result(client)
                await self._until_over(client)
        except Exception as error:  # noqa: BLE001 -- told by whoever waits for it to open
            if not self._opened.done():
                self._opened.set_exception(error)
        finally:
            said.over.set()

    async def _until_over(self, client: Client) -> None:
        tasks = [asyncio.create_task(event.wait()) for event in (self._ending, self.said.over)]
        listening = asyncio.create_task(self._listen(client))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, listening):
                task.cancel()
            await asyncio.gather(*tasks, listening, return_exceptions=True)

    async def _listen(self, client: Client) -> None:
        """Hear of changed tools where they have to be asked for: since the protocol of 2026."""
        from mcp.client.subscriptions import ListenNotSupportedError

        tools = client.server_capabilities.tools
        if tools is None or not tools.list_changed:
            return
        try:
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    self.has_changed = True
        except ListenNotSupportedError:
            return  # an older server says it unasked

    async def _notice_change(self, message: Any) -> None:
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self.has_changed = True
