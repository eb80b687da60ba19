"""The servers of a kernel, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from ..asking.loop import network
from ..errors import OptionError
from ..language import _
from ..settings import Metask
from ..words import did_you_mean, nearest, plain
from .connection import Connection
from .servers import Server, check


class Servers:
    """Holds the connections. None is opened before it is used; `close` ends them all."""

    def __init__(self, settings: Metask, hide: Callable[[str], str] = str) -> None:
        self._settings = settings
        self._hide = hide
        self._connections: dict[str, Connection] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._connections.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._connections

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._connections)

    def get(self, name: str) -> Connection:
        """Return a server's connection. Raises `OptionError` where there is none of this name."""
        if name not in self._connections:
            near = did_you_mean(nearest(name, self._connections))
            raise OptionError(
                _("There is no server {name}.", name=plain(name)),
                near or _("`%metask tools` lists the servers."),
            )
        return self._connections[name]

    def add(self, server: Server) -> None:
        """Take a server in; nothing is started.

        Raises
        ------
        OptionError
            It can be none, or its name is taken.

        """
        check(server)
        if server.name in self._connections:
            raise OptionError(
                _("There is a server {name} already.", name=server.name),
                _("`%metask tools remove {name}` removes it.", name=server.name),
            )
        self._connections[server.name] = Connection(
            server,
            lambda: float(self._settings.server_timeout),
            self._hide,
            lambda: bool(self._settings.allow_http),
        )

    def remove(self, name: str) -> None:
        """End a server and forget it. Raises `OptionError` where there is none of this name."""
        connection = self.get(name)
        del self._connections[name]
        network.run(connection.close())

    def close(self) -> None:
        """End all servers, all at once."""
        if any(connection.begun for connection in self):
            network.run(_close_all(list(self)))


async def _close_all(connections: list[Connection]) -> None:
    await asyncio.gather(*(connection.close() for connection in connections), return_exceptions=True)
