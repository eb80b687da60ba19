"""What comes back: the events a backend yields while a reply comes in, and the values in them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from ..language import Language
from .kinds import JSON, FinishReason
from .request import Message, Request


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the gateway reported them; what it did not report is None."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Usage:
        """Read a `usage` object; anything that is not a number, or one as text, counts as not reported."""

        def number(source: Any, name: str) -> int | None:
            value = source.get(name) if isinstance(source, Mapping) else None
            if isinstance(value, str | float) and re.fullmatch(r"[0-9]{1,15}(\.0)?", str(value)):
                return int(float(value))
            return value if isinstance(value, int) and not isinstance(value, bool) else None

        return cls(
            prompt_tokens=number(data, "prompt_tokens"),
            completion_tokens=number(data, "completion_tokens"),
            total_tokens=number(data, "total_tokens"),
            cached_tokens=number(data.get("prompt_tokens_details"), "cached_tokens"),
            reasoning_tokens=number(data.get("completion_tokens_details"), "reasoning_tokens"),
        )

    def to_json(self) -> dict[str, int]:
        """The reported figures alone, by name."""
        figures = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in figures.items() if value is not None}

    def __add__(self, other: Usage) -> Usage:
        """Sum two requests; what one of them did not report stays unknown."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__dataclass_fields__)
        return Usage(*(None if None in pair else sum(pair) for pair in pairs))


@dataclass(frozen=True, slots=True)
class Step:
    """Something done on the way to a reply: a tool that was called, an answer that did not fit its schema.

    `title` is a line of plain text (`get_weather(city="Paris")`), `body` what came of it.
    """

    title: str
    body: str
    failed: bool = False

    def to_json(self) -> dict[str, JSON]:
        step: dict[str, JSON] = {"title": self.title, "body": self.body}
        return step | {"failed": True} if self.failed else step


# Events: what a backend yields while a reply comes in. Tuples, because there is one per chunk.


class TextDelta(NamedTuple):
    """More of the reply's text."""

    text: str


class ReasoningDelta(NamedTuple):
    """More of the reasoning some models show before they answer."""

    text: str


class ToolCallDelta(NamedTuple):
    """A piece of the tool call at `position`; `arguments` is appended to what came before."""

    position: int
    id: str
    name: str
    arguments: str


class Served(NamedTuple):
    """Who answers: the model's name as the server gives it, and its id for the request."""

    model: str | None
    request_id: str | None


class UsageReported(NamedTuple):
    """The tokens, as reported."""

    usage: Usage


class RefusalDelta(NamedTuple):
    """A piece of the text, which has come as `TextDelta` too, is the model's refusal to answer."""

    text: str


class Finished(NamedTuple):
    """Why the model stopped, in the server's own word; `stop` where it closed the stream without saying."""

    reason: str


class Notice(NamedTuple):
    """A line for the person who waits (a retry, the embedded model starting). Not part of the reply."""

    text: str


class Stepped(NamedTuple):
    """A step was taken."""

    step: Step


class Continued(NamedTuple):
    """The model is asked again within the same reply, with these messages after those it had.

    `keep_text` is false where the text so far was no answer and gives way to the next.
    """

    messages: tuple[Message, ...]
    keep_text: bool = True


class Parsed(NamedTuple):
    """The text as the value it stands for: an object that fits the schema."""

    data: Any


class Timed(NamedTuple):
    """How long the request took, where it was measured and kept: seconds to its end, and to the first piece.

    A backend that sends it sends it after everything else of the request, whenever that ended by itself.
    """

    elapsed: float
    first_token_after: float | None


class Noted(NamedTuple):
    """A line that stays beside the reply: something about it went wrong, though it is whole."""

    text: str


class Spoken(NamedTuple):
    """What we say of the reply was said in this language when it was recorded, which is not that of now."""

    language: Language


class Ended(NamedTuple):
    """The last event of every reply, however it ended. Whoever asked adds it; no backend sends it.

    `message` is what a person has to know: what failed and what to do, why it is not whole, or nothing;
    `outcome` the same in a word or two. `elapsed` is the reply's own, in seconds.
    """

    finish_reason: FinishReason
    message: str
    outcome: str = ""
    elapsed: float | None = None


Event: TypeAlias = (
    TextDelta
    | ReasoningDelta
    | ToolCallDelta
    | Served
    | UsageReported
    | RefusalDelta
    | Finished
    | Notice
    | Stepped
    | Continued
    | Parsed
    | Timed
    | Noted
    | Spoken
    | Ended
)


class Backend(Protocol):
    """Where replies come from: the gateway, a recording around it, or the embedded model."""

    def stream(self, request: Request) -> AsyncIterator[Event]:
        """Ask, and yield events as they come.

        Raises `MetaskError` when the reply fails, before the first event or after any of them.
        Cancelling the task that runs it closes the connection at once.
        """
        ...
