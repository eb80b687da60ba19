"""What one cell uses of the servers: their tools, resources and prompts, live or as they were recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from ..asking.interrupt import result_of
from ..asking.loop import network
from ..errors import Interrupted, OptionError
from ..language import _
from ..messages.kinds import JSON
from ..messages.request import Message, Part
from ..words import did_you_mean, listed, nearest, plain
from .connection import Connection
from .declared import Declared, function_name
from .kept import Kept, asked_for, parts_from_json, parts_to_json
from .prompts import fetch_prompt, prompt_from_json, prompt_to_json
from .registry import Servers
from .resources import read_resource
from .tool import Consent, ServerTool

T = TypeVar("T")

SLOW_SECONDS = 1.0
"""How long a server may take to start before the person who waits is told that it is being started."""


class Toolbox:
    """The servers, as one cell uses them.

    What `kept` has is taken from there, unless the cell is to be asked `live`; `replayed` says whether any
    of it was. `consent` is asked before calls (see `ServerTool`).
    """

    def __init__(
        self,
        servers: Servers,
        kept: Kept,
        consent: Consent | None = None,
        *,
        always_asks: bool = False,
        live: bool = False,
    ) -> None:
        self._servers = servers
        self._kept = kept
        self._consent = consent
        self._always_asks = always_asks
        self._live = live
        self.replayed = False

    @property
    def asks(self) -> bool:
        """Whether a server may be asked for what is not recorded."""
        return self._kept.conduct.asks

    def has(self, word: str) -> bool:
        """Whether a word (`files`, `files.read_file`) names a server or what it has."""
        return word.partition(".")[0] in self._servers

    def holds(self, what: str) -> bool:
        """Whether `-a what` names a server's resource: `files:report.txt`."""
        server, colon, resource = what.partition(":")
        return bool(colon and resource) and server in self._servers

    def tools(self, word: str) -> list[ServerTool]:
        """Return the tools of a server, or the one that is named.

        Raises
        ------
        OptionError
            The server has no such tool, or none at all.
        ToolServerError
            It cannot be started or reached.

        """
        name, _, tool = word.partition(".")
        connection = self._servers.get(name)
        declared = self.declared(connection)
        chosen = [one for one in declared if not tool or one.name == tool]
        if not chosen:
            raise _no_such(name, tool, [one.name for one in declared])
        return [
            ServerTool(
                function_name(name, one.name), one, connection, self._kept, self._consent, self._always_asks
            )
            for one in chosen
        ]

    def declared(self, connection: Connection) -> tuple[Declared, ...]:
        """Return what tools a server has, as it says. Raises as `tools`."""

        async def ask() -> JSON:
            return [one.to_json() for one in await connection.tools(anew=True)]

        data: Any = self._answer(connection, asked_for(connection.server, "tools"), ask)
        return tuple(Declared.from_json(one) for one in data)

    def attach(self, what: str) -> list[Part]:
        """Return the parts of a message that `-a what` stands for.

        Raises
        ------
        AttachmentError
            The server has no such resource, or it is nothing that a model takes.
        ToolServerError
            It cannot be started or reached.

        """
        name, _, resource = what.partition(":")
        connection = self._servers.get(name)

        async def ask() -> JSON:
            return parts_to_json(await read_resource(connection, resource))

        asked = asked_for(connection.server, "resource", resource=resource)
        return parts_from_json(self._answer(connection, asked, ask))

    def prompt(self, word: str, arguments: Mapping[str, str]) -> list[Message]:
        """Return the messages that a server's prompt stands for.

        Raises
        ------
        OptionError
            There is no such server or prompt, or its arguments do not fit.
        ToolServerError
            It cannot be started or reached.

        """
        name, _, prompt = word.partition(".")
        connection = self._servers.get(name)

        async def ask() -> JSON:
            return prompt_to_json(await fetch_prompt(connection, prompt, arguments))

        asked = asked_for(connection.server, "prompt", prompt=prompt, arguments=dict(arguments))
        return prompt_from_json(self._answer(connection, asked, ask))

    def _answer(
        self, connection: Connection, asked: Mapping[str, JSON], ask: Callable[[], Coroutine[Any, Any, JSON]]
    ) -> Any:
        """Return what was recorded, or ask and record it."""
        if not self._live and (found := self._kept.find(asked)) is not None:
            self.replayed = True
            return found
        answer = wait_for(connection, ask())
        self._say(self._kept.keep(asked, answer))
        for remark in connection.bulletin.take_remarks():
            self._say(remark)
        return answer

    def _say(self, text: str) -> None:
        if text:
            print(text, file=sys.stderr)


def wait_for(connection: Connection, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the private loop and wait for it, saying so where the server has to start first.

    Raises
    ------
    Interrupted
        The user stopped the cell meanwhile.

    """
    starts = not connection.begun
    future = network.submit(coroutine)
    try:
        if starts:
            try:
                return result_of(future, SLOW_SECONDS)
            except TimeoutError:
                if not future.done():
                    print(_("Starting the server {name} …", name=connection.server.name), file=sys.stderr)
        return result_of(future)
    except KeyboardInterrupt:
        future.cancel()
        stopped = _("Stopped while the server {name} was asked.", name=connection.server.name)
        raise Interrupted(None, stopped) from None


def _no_such(server: str, name: str, known: Sequence[str]) -> OptionError:
    if not known:
        return OptionError(
            _("The server {server} has no tools.", server=server),
            _("`%metask tools` shows what servers have."),
        )
    near = did_you_mean([f"{server}.{one}" for one in nearest(name, known)])
    return OptionError(
        _("The server {server} has no tool {name}.", server=server, name=plain(name)),
        near or _("It has {names}.", names=listed(map(plain, known))),
    )
