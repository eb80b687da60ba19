"""Rounds: the model asks for tools, they are called, and it is asked again with what they said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from ..asking.errands import Errands
from ..errors import BadRequestError, RecordingMissError, ToolError
from ..language import N_, _, ngettext
from ..messages.calls import as_sendable, describe
from ..messages.ending import known_reason
from ..messages.events import (
    Backend,
    Continued,
    Event,
    Noted,
    Notice,
    Step,
    Stepped,
    TextDelta,
    ToolCallDelta,
)
from ..messages.fold import Fold
from ..messages.request import Message, Part, Request, TextPart, ToolCall, join_parts, without_images
from ..words import listed
from .offered import Occasion, OfferedTool, ToolResult

IMAGES_LEFT_OUT = N_("The images that tools gave were left out: the model, or its gateway, takes none.")


class ToolBackend:
    """A backend that calls the tools the model asks for, and asks again until it asks for none.

    The calls of a round are made one after the other, those of the notebook's functions in the cell's
    thread: notebook code is not written to run twice at once. `confirm` is asked there before each; None
    lets all pass. `sample` says which answer to the same request this is.
    """

    def __init__(
        self,
        inner: Backend,
        tools: Sequence[OfferedTool],
        errands: Errands,
        max_rounds: int,
        confirm: Callable[[ToolCall], bool] | None = None,
        sample: int = 1,
    ) -> None:
        self._inner = inner
        self._tools = {tool.name: tool for tool in tools}
        self._errands = errands
        self._max_rounds = max_rounds
        self._confirm = confirm
        self._sample = sample

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        """Ask, call, ask again (see `Backend.stream`).

        Raises `ToolError` where the model still asks for tools after `max_rounds` rounds of them.
        """
        written = False
        added: list[Message] = []
        for number in range(self._max_rounds + 1):
            answer, begun = Fold(), False
            async for event in self._ask(request, added):
                if isinstance(event, Continued):
                    request = replace(request, messages=(*request.messages, *event.messages))
                elif isinstance(event, TextDelta) and event.text and not begun:
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
            added = []
            async for event in self._call_all(answer, request, added):
                yield event

    async def _ask(self, request: Request, added: Sequence[Message]) -> AsyncIterator[Event]:
        """Ask with the messages that are `added`; a model that takes no images, again without those."""
        if any(message.images for message in added):
            events = self._inner.stream(replace(request, messages=(*request.messages, *added)))
            try:
                first = await anext(events)
            except (BadRequestError, RecordingMissError):
                yield Noted(_(IMAGES_LEFT_OUT))
                added = [without_images(message) for message in added]
            else:
                yield Continued(tuple(added))
                yield first
                async for event in events:
                    yield event
                return
        if added:
            yield Continued(tuple(added))
        async for event in self._inner.stream(replace(request, messages=(*request.messages, *added))):
            yield event

    async def _call_all(self, answer: Fold, request: Request, added: list[Message]) -> AsyncIterator[Event]:
        """Make the calls of a round, and put the messages into `added` that it adds."""
        calls = list(answer.calls.values())
        images: list[Part] = []
        added.append(Message("assistant", answer.text, tool_calls=tuple(map(as_sendable, calls))))
        for number, call in enumerate(calls):
            yield Notice(_("Calling {call} …", call=describe(call)))
            occasion = Occasion(request, number, self._sample, self._errands, self._confirm)
            async for said in self._run(call, occasion):
                if not isinstance(said, ToolResult):
                    yield said
                    continue
                shown = said.shown or said.text
                body = f"{shown}\n\n{said.aside}" if said.aside else shown
                yield Stepped(Step(describe(call), body, said.failed))
                added.append(Message("tool", said.text, tool_call_id=call.id))
                if said.images:
                    images += [TextPart(f"From {call.name}:\n\n"), *said.images, TextPart("\n")]
        if images:  # a tool's own message takes text alone
            added.append(Message("user", join_parts(images)))

    def _run(self, call: ToolCall, occasion: Occasion) -> AsyncIterator[Event | ToolResult]:
        tool = self._tools.get(call.name)
        return tool.run(call, occasion) if tool is not None else self._unknown(call)

    async def _unknown(self, call: ToolCall) -> AsyncIterator[ToolResult]:
        def say() -> str:
            known = listed(self._tools)
            return _("Error: there is no tool {name!r}. The tools are: {known}.", name=call.name, known=known)

        yield ToolResult.failure(say)


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
        ngettext(
            "The model still asked for tools after {count} round.",
            "The model still asked for tools after {count} rounds.",
            rounds,
        ),
        _("Allow more with `%config Metask.max_tool_rounds`, or ask for less at once."),
    )
