"""Structured output: a backend that asks another one for an answer that fits a schema."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..asking.errands import Errands
from ..errors import BadRequestError, ContextLengthError, MetaskError, SchemaError
from ..language import _
from ..messages.ending import Ending, known_reason
from ..messages.events import Backend, Continued, Event, Notice, Parsed, Step, Stepped
from ..messages.fold import Fold
from ..messages.formats import INSTRUCTIONS, add_to_system, instruct
from ..messages.kinds import FinishReason
from ..messages.request import Message, Request
from ..words import LONGEST_QUOTE, shorten
from .schema import MisfitError, Schema

WORDS_OF_A_REFUSAL = (  # English: servers say them
    *("response_format", "json_schema", "json schema", "json_object", "structured", "guided"),
)
LONGEST_STEP = 2000

Refused = set[tuple[str, str]]
"""The response formats that were refused: a model, and the format as JSON."""


class StructuredBackend:
    """Asks `inner` for an answer that fits, and asks again where it does not.

    Parameters
    ----------
    inner
        Whom to ask. Its own rounds (of tools, say) pass through.
    schema
        What the answer must look like. It is validated in the cell's thread: validators are the user's code.
    repairs
        How often an answer that does not fit is sent back with its errors.
    errands
        The way to the cell's thread.
    refused
        What was refused before, so that no later request fails first. The caller keeps it with `inner`.
    recorded
        Whether the answer to a request is at hand: of several ways to ask, the one that was answered is then
        taken at once. What was refused is not recorded, and must not be asked again.

    """

    def __init__(
        self,
        inner: Backend,
        schema: Schema,
        repairs: int,
        errands: Errands,
        refused: Refused | None = None,
        recorded: Callable[[Request], bool] = lambda _: False,
    ) -> None:
        self._inner = inner
        self._schema = schema
        self._repairs = repairs
        self._errands = errands
        self._refused: Refused = set() if refused is None else refused
        self._recorded = recorded

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        """Ask, and yield what comes; before its end `Parsed`, or `SchemaError` is raised."""
        repaired = 0
        while True:
            answer = _Answer()
            async for event in self._iter_accepted(request):
                answer.take(event)
                yield event
            if answer.reason == "tool_calls":
                return
            answer.check_whole()
            try:
                yield Parsed(await self._validated(answer.text))
            except MisfitError as misfit:
                if repaired >= self._repairs or answer.reason == "incomplete":
                    raise _given_up(misfit, repaired, answer) from None
                repaired += 1
                error = misfit
            else:
                return
            again = _sent_back(answer.text, error)
            yield Stepped(_failed_step(answer.text, error))
            yield Notice(_asking_again(error, repaired, self._repairs))
            yield Continued(again, keep_text=False)
            request = replace(request, messages=(*request.messages, *answer.messages, *again))

    async def _validated(self, text: str) -> Any:
        done = await self._errands.call(lambda: (self._schema.validate(text),))
        if done is None:  # interrupted in a validator: the cell's thread is about to cancel this task
            await asyncio.Event().wait()
        return done[0]

    async def _iter_accepted(self, request: Request) -> AsyncIterator[Event]:
        """Ask in the first way that is not refused: with the schema, for JSON alone, in words alone."""
        ways = self._ways(request)
        recorded = await asyncio.to_thread(lambda: [way for way in ways if self._recorded(way[0])])
        for way, notice in recorded[:1] or ways:
            key = (request.model, json.dumps(way.response_format, sort_keys=True))
            last = way.response_format is None
            if not last and not recorded and key in self._refused:
                continue
            begun = False
            try:
                async for event in self._inner.stream(way):
                    begun = begun or not isinstance(event, Notice)
                    yield event
            except BadRequestError as error:
                if last or begun or not _is_about_the_format(error):
                    raise
                self._refused.add(key)
                yield Notice(notice)
            else:
                return

    def _ways(self, request: Request) -> list[tuple[Request, str]]:
        """Return the requests to try in turn, each with what is said when it is refused."""
        described = self._schema.json_schema
        no_format = _(
            "{model} takes no response_format: asking for JSON in words alone.", model=request.model
        )
        if described is None:
            told = replace(request, messages=instruct(request.messages, "json"))
            for_json = replace(told, response_format=self._schema.response_format)
            return [(for_json, no_format), (replace(told, response_format=None), "")]
        schema = json.dumps(described, ensure_ascii=False)
        words = f"{INSTRUCTIONS['json']} It must fit this JSON Schema:\n{schema}"  # English: a model reads it
        told = replace(request, messages=add_to_system(request.messages, words))
        return [
            (
                replace(request, response_format=self._schema.response_format),
                _(
                    "{model} does not take this JSON Schema: asking for JSON, the schema in words.",
                    model=request.model,
                ),
            ),
            (replace(told, response_format={"type": "json_object"}), no_format),
            (replace(told, response_format=None), ""),
        ]


@dataclass(slots=True)
class _Answer:
    """The last round of an answer, and the messages of the rounds before."""

    last: Fold = field(default_factory=Fold)
    messages: tuple[Message, ...] = ()

    def take(self, event: Event) -> None:
        if isinstance(event, Continued):
            self.last = Fold()
            self.messages += event.messages
        else:
            self.last.take(event)

    @property
    def text(self) -> str:
        return self.last.text

    @property
    def reason(self) -> FinishReason:
        return known_reason(self.last.reason)

    def check_whole(self) -> None:
        """Raise `SchemaError` where asking again would not help."""
        if Ending(self.reason, self.last.reason, refused=bool(self.last.refusal)).outcome == "refused":
            said = " ".join(self.text.split())
            refused = _("The model refused to answer: {said}", said=shorten(said, LONGEST_QUOTE))
            raise SchemaError(
                refused if said else _("The model refused to answer."), _("Ask otherwise, or another model.")
            )
        if self.reason == "length":
            raise SchemaError(
                _("The answer was cut at its greatest length before its JSON was whole."),
                _("Raise --max-tokens (or Metask.max_tokens), or ask for less."),
            )
        if self.reason == "content_filter":
            raise SchemaError(
                _("The answer was withheld by the provider's content filter."),
                _("Ask otherwise, or another model."),
            )
        if not self.text.strip():
            raise SchemaError(
                _("The model answered with nothing."),
                _("Run the cell again; if it goes on, try another model."),
            )


def _is_about_the_format(error: BadRequestError) -> bool:
    said = f"{error.message} {error.remedy} {error.code}".lower()
    return not isinstance(error, ContextLengthError) and any(word in said for word in WORDS_OF_A_REFUSAL)


def _asking_again(misfit: MisfitError, number: int, most: int) -> str:
    return _(
        "{summary}: asking once more ({number} of {most}).", summary=misfit.summary, number=number, most=most
    )


def _failed_step(text: str, misfit: MisfitError) -> Step:
    shown = shorten(text, LONGEST_STEP)
    return Step(misfit.summary, "\n".join([shown, "", *misfit.errors]), failed=True)


def _sent_back(text: str, misfit: MisfitError) -> tuple[Message, ...]:
    errors = "\n".join(f"- {error}" for error in misfit.english)
    said = (  # English: a model reads it
        f"Your answer does not fit the JSON Schema:\n{errors}\n"
        "Answer again with the whole corrected JSON value alone."
    )
    return Message("assistant", text.strip()), Message("user", said)


def _given_up(misfit: MisfitError, repaired: int, answer: _Answer) -> MetaskError:
    if answer.reason == "incomplete":
        unfinished = _("The stream ended without saying that it was finished.")
        return SchemaError(f"{misfit.message}\n  {unfinished}", _("Run the cell again."))
    if not repaired:
        remedy = _("Given up: look at the text, raise Metask.max_repairs, or try another model.")
    else:
        remedy = _(
            "Given up after {count} answers: look at the text, raise Metask.max_repairs, or try another "
            "model.",
            count=repaired + 1,
        )
    return SchemaError(misfit.message, remedy)
