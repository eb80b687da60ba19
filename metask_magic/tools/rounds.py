"""Rounds: the model asks for tools, they are called, and it is asked again with what they said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial

from ..asking.errands import Errands
from ..errors import ToolError
from ..messages.calls import as_sendable, describe
from ..messages.ending import known_reason
from ..messages.events import Backend, Continued, Event, Notice, Step, Stepped, TextDelta, ToolCallDelta
from ..messages.fold import Fold
from ..messages.request import Message, Request, ToolCall
from .tool import Tool, ToolResult


class ToolBackend:
    """A backend that calls the tools the model asks for, and asks again until it asks for none.

    The calls of a round are made one after the other in the cell's thread: notebook code is not written
    to run twice at once. `confirm` is asked there before each; None lets all pass.
    """

    def __init__(
        self,
        inner: Backend,
        tools: Sequence[Tool],
        errands: Errands,
        max_rounds: int,
        confirm: Callable[[ToolCall], bool] | None = None,
    ) -> None:
        self._inner = inner
        self._tools = {tool.name: tool for tool in tools}
        self._errands = errands
        self._max_rounds = max_rounds
        self._confirm = confirm

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        """Ask, call, ask again (see `Backend.stream`).

        Raises `ToolError` where the model still asks for tools after `max_rounds` rounds of them.
        """
        written = False
        for number in range(self._max_rounds + 1):
            answer, begun = Fold(), False
            async for event in self._inner.stream(request):
                if isinstance(event, TextDelta) and event.text and not begun:
                    if written:
                        yield TextDelta("\n\n")  # the texts of two rounds do not run together
                    begun = written = True
                answer.take(event)
                yield event
            for named in _names_for_the_nameless(answer, number):
                answer.take(named)
                yield named
            if not _wants_tools(answer):
                return
            if number == self._max_rounds:
                raise _endless(self._max_rounds)
            calls = list(answer.calls.values())
            messages = [Message("assistant", answer.text, tool_calls=tuple(map(as_sendable, calls)))]
            for call in calls:
                yield Notice(f"Calling {describe(call)} …")
                result = await self._errands.call(partial(self._answer, call))
                yield Stepped(Step(describe(call), result.text, result.failed))
                messages.append(Message("tool", result.text, tool_call_id=call.id))
            yield Continued(tuple(messages), keep_text=True)
            request = replace(request, messages=(*request.messages, *messages))

    def _answer(self, call: ToolCall) -> ToolResult:
        tool = self._tools.get(call.name)
        if tool is None:
            known = ", ".join(self._tools)
            return ToolResult(f"Error: there is no tool {call.name!r}. The tools are: {known}.", failed=True)
        confirm = self._confirm
        return tool.call(call.arguments, lambda: confirm is None or confirm(call))


def _wants_tools(answer: Fold) -> bool:
    """Whether calls came, and whole: some gateways say `stop` all the same."""
    return bool(answer.calls) and known_reason(answer.reason) in {"tool_calls", "stop"}


def _names_for_the_nameless(answer: Fold, number: int) -> list[ToolCallDelta]:
    """Return an id for each call without one, that its result can be told apart."""
    return [
        ToolCallDelta(position, f"call_{number + 1}_{position + 1}", "", "")
        for position, call in answer.calls.items()
        if not call.id
    ]


def _endless(rounds: int) -> ToolError:
    return ToolError(
        f"The model still asked for tools after {rounds} round{'s' if rounds != 1 else ''}.",
        "Allow more with `%config Metask.max_tool_rounds`, or ask for less at once.",
    )
