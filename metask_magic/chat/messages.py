"""The values that travel: what is asked, what comes back, what stays. Frozen, and without any I/O."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

Role = Literal["system", "user", "assistant", "tool"]

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "interrupted", "incomplete", "error"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str

    def to_json(self) -> dict[str, JSON]:
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of one model.

    `params` are the request's other parameters by their names in the API (`temperature`, `seed`, …).
    """

    model: str
    messages: tuple[Message, ...]
    params: Mapping[str, JSON] = field(default_factory=dict)
    stream: bool = True

    def to_json(self) -> dict[str, JSON]:
        """The body of the HTTP request, as the chat completions endpoint takes it."""
        body: dict[str, JSON] = {"model": self.model, "messages": [m.to_json() for m in self.messages]}
        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body | dict(self.params)


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
        """Read a `usage` object; anything that is not a number counts as not reported."""

        def number(source: Any, name: str) -> int | None:
            value = source.get(name) if isinstance(source, Mapping) else None
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


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the model asks to be called; `arguments` is JSON text as it came."""

    id: str
    name: str
    arguments: str


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


class Finished(NamedTuple):
    """Why the model stopped; `stop` where the stream was closed properly without saying."""

    reason: str


class Notice(NamedTuple):
    """A line for the person who waits (a retry, the embedded model starting). Not part of the reply."""

    text: str


class Ended(NamedTuple):
    """The last event of every reply, however it ended. Whoever asked adds it; no backend sends it."""

    finish_reason: FinishReason
    message: str


Event: TypeAlias = (
    TextDelta | ReasoningDelta | ToolCallDelta | Served | UsageReported | Finished | Notice | Ended
)


class Backend(Protocol):
    """Where replies come from: the gateway, a recording around it, or the embedded model."""

    def stream(self, request: Request) -> AsyncIterator[Event]:
        """Ask, and yield events as they come.

        Raises `MetaskError` when the reply fails, before the first event or after any of them.
        Cancelling the task that runs it closes the connection at once.
        """
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """What stays in the notebook of one reply.

    `note` is a line beside the text (why it stopped early), never a part of it. `metadata` is the
    provenance: JSON that goes into the output's metadata.
    """

    model: str
    text: str
    finish_reason: str
    reasoning: str = ""
    note: str = ""
    metadata: Mapping[str, JSON] = field(default_factory=dict)


class Sink(Protocol):
    """Where replies go. Every method is called from the cell's own thread.

    `open` comes first, then `show` at most thirty times a second while anything happens, `close` exactly
    once, with the whole of every reply again.
    """

    def open(self, stop: Callable[[int | None], None]) -> None:
        """Take the place in the cell where the replies will stand.

        `stop` ends the reply of a column, or all (None); it may be called from any thread.
        """
        ...

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        """Show what is new, by column; neighbouring deltas come joined into one."""
        ...

    def close(self, records: Sequence[Record]) -> None:
        """Replace what was live by what stays: one record per column."""
        ...
