"""Rounds: the model asks for tools, they are called, and it is asked again with what they said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ..asking.errands import Errands
from ..errors import ToolError
from ..messages.calls import as_sendable, describe
from ..messages.ending import known_reason
from ..messages.fold import fold_call
from ..messages.values import (
    Backend,
    Continued,
    Event,
    Finished,
    Message,
    Notice,
    Request,
    Step,
    Stepped,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
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
            answer = _Answer()
            async for event in self._inner.stream(request):
                if isinstance(event, TextDelta) and event.text and not answer.text:
                    if written:
                        yield TextDelta("\n\n")  # the texts of two rounds do not run together
                    written = True
                answer.take(event)
                yield event
            for position in answer.name_the_nameless(number):
                yield ToolCallDelta(position, answer.calls[position].id, "", "")
            if not answer.wants_tools:
                return
            if number == self._max_rounds:
                raise _endless(self._max_rounds)
            calls = [call for _, call in sorted(answer.calls.items())]
            messages = [Message("assistant", "".join(answer.text), tool_calls=tuple(map(as_sendable, calls)))]
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


@dataclass(slots=True)
class _Answer:
    """What one request brought."""

    text: list[str] = field(default_factory=list)
    calls: dict[int, ToolCall] = field(default_factory=dict)
    reported: str | None = None

    def take(self, event: Event) -> None:
        match event:
            case TextDelta(text) if text:
                self.text.append(text)
            case ToolCallDelta():
                fold_call(self.calls, event)
            case Finished(reason):
                self.reported = reason

    @property
    def wants_tools(self) -> bool:
        """Whether calls came, and whole: some gateways say `stop` all the same."""
        return bool(self.calls) and known_reason(self.reported) in {"tool_calls", "stop"}

    def name_the_nameless(self, number: int) -> Sequence[int]:
        """Give calls without an id one, that its result can be told apart; return their positions."""
        nameless = [position for position, call in sorted(self.calls.items()) if not call.id]
        for position in nameless:
            self.calls[position] = replace(self.calls[position], id=f"call_{number + 1}_{position + 1}")
        return nameless


def _endless(rounds: int) -> ToolError:
    return ToolError(
        f"The model still asked for tools after {rounds} round{'s' if rounds != 1 else ''}.",
        "Allow more with `%config Metask.max_tool_rounds`, or ask for less at once.",
    )
