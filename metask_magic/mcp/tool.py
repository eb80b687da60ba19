"""A server's tool, as a model is offered it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..errors import MetaskError, ToolServerError
from ..language import _
from ..messages.events import Event, Noted, Notice
from ..messages.kinds import JSON
from ..messages.request import ToolCall
from ..tools.offered import Occasion, ToolResult
from ..tools.signature import BadArgumentsError
from ..tools.tool import cut, declined, misfit
from .arguments import bind
from .bulletin import Logged
from .connection import Connection
from .declared import Declared
from .kept import Kept, asked_of_tool, result_to_json
from .results import to_result

Consent = Callable[[ToolCall, str, Declared, bool], bool]
"""Asks whether a call may be made: the call, the server, what it declares, whether that has changed."""

MOST_LINES = 20
"""Lines of a server's log that stay with a step."""


@dataclass(frozen=True, slots=True)
class ServerTool:
    """A tool of a server under the name that the model knows it by.

    `consent` is asked in the cell's thread before a call of a tool that does not declare that it only reads,
    or of any where it `always_asks`; None lets all pass.
    """

    name: str
    declared: Declared
    connection: Connection
    kept: Kept
    consent: Consent | None
    always_asks: bool = False

    def to_json(self) -> Mapping[str, JSON]:
        """The tool as the API takes it."""
        return self.declared.to_function(self.name)

    @property
    def asks(self) -> bool:
        """Whether the user is asked before it runs."""
        return self.consent is not None and (self.always_asks or not self.declared.only_reads)

    async def run(self, call: ToolCall, occasion: Occasion) -> AsyncIterator[Event | ToolResult]:
        """Replay the call or make it (see `OfferedTool.run`)."""
        try:
            arguments = bind(call.arguments, self.declared.parameters)
        except BadArgumentsError as error:
            yield misfit(error)
            return
        asked = asked_of_tool(self.connection.server, self.declared.name, arguments, occasion)
        recorded = await self.kept.find_call(asked)
        if recorded is not None:
            yield recorded
            return
        async for said in self._attempt(call, arguments, occasion):
            if isinstance(said, ToolResult):
                unmade = said in (declined(), _stopped())
                trouble = "" if unmade else self.kept.keep(asked, result_to_json(said))
                if trouble:
                    yield Noted(trouble)
            yield said

    async def _attempt(
        self, call: ToolCall, arguments: dict[str, Any], occasion: Occasion
    ) -> AsyncIterator[Event | ToolResult]:
        """Make the call, if it may be made; what fails is told to the model."""
        try:
            declared = await self._declared_now()
            for remark in self.connection.bulletin.take_remarks():
                yield Noted(remark)
            if declared is None:
                yield ToolResult.failure(self._no_more)
                return
            if not await self._allowed(call, declared, occasion):
                yield declined()
                return
            async for said in _stoppable(self._call(declared, arguments)):
                yield said
        except ToolServerError as error:
            yield Noted(str(error))
            shown = cut(_("Error: {why}", why=error.message))
            yield ToolResult(cut(f"Error: {error.for_model or error.message}"), failed=True, shown=shown)

    def _no_more(self) -> str:
        return _("Error: the server has no tool {name!r} any more.", name=self.declared.name)

    async def _declared_now(self) -> Declared | None:
        tools = await self.connection.tools()
        return next((tool for tool in tools if tool.name == self.declared.name), None)

    async def _allowed(self, call: ToolCall, declared: Declared, occasion: Occasion) -> bool:
        """Ask where it has to be asked: also where the tool is not what it was when it was let run."""
        confirmed = self.connection.confirmed
        known = confirmed.get(declared.name, self.declared.fingerprint)
        changed = known != declared.fingerprint
        if self.consent is not None and (self.always_asks or changed or not declared.only_reads):
            ask = partial(self.consent, call, self.connection.server.name, declared, changed)
            if not await occasion.errands.call(ask):
                return False
        confirmed[declared.name] = declared.fingerprint
        return True

    async def _call(self, declared: Declared, arguments: dict[str, Any]) -> AsyncIterator[Event | ToolResult]:
        from mcp import MCPError

        lines: deque[str] = deque(maxlen=MOST_LINES)
        hide = self.connection.hide
        try:
            async for said in self.connection.call(declared, arguments):
                if isinstance(said, Noted | Notice):
                    yield said
                elif isinstance(said, Logged):
                    lines.append(said.text)
                    yield Notice(said.text)
                else:
                    yield _with_lines(to_result(said, hide), lines)
        except MCPError as error:
            yield _with_lines(ToolResult(cut(hide(f"Error: {error.message}")), failed=True), lines)
        except MetaskError:
            raise
        except Exception as error:  # noqa: BLE001 -- an answer that is none: the library has no name for it
            told = f"Error: {type(error).__name__}: {error}"
            yield _with_lines(ToolResult(cut(hide(told)), failed=True), lines)


async def _stoppable(calling: AsyncIterator[Event | ToolResult]) -> AsyncIterator[Event | ToolResult]:
    """Leave a step where a call is stopped: nobody knows what it had done by then."""
    try:
        async for said in calling:
            yield said
    except asyncio.CancelledError:
        yield _stopped()
        raise


def _stopped() -> ToolResult:
    return ToolResult.failure(lambda: _("Stopped, and the server was told. What it had done by then stays."))


def _with_lines(result: ToolResult, lines: Iterable[str]) -> ToolResult:
    """Return the result with what the server logged meanwhile, its last lines."""
    return replace(result, aside="\n".join(lines))
