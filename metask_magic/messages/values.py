"""The values that travel: what is asked, what comes back, what stays. Frozen, and without any I/O."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias

from .kinds import JSON as JSON
from .kinds import FinishReason as FinishReason
from .kinds import Format as Format
from .kinds import Role as Role


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the model asks to be called; `arguments` is JSON text as it came."""

    id: str
    name: str
    arguments: str

    def to_json(self) -> dict[str, JSON]:
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": self.arguments},
        }


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text in a message that has other parts too."""

    text: str

    def to_json(self) -> dict[str, JSON]:
        return {"type": "text", "text": self.text}


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image in a message: `media_type` such as `image/png`, the file's bytes, and a name for people."""

    media_type: str
    data: bytes = field(repr=False)
    name: str = ""

    def to_json(self) -> dict[str, JSON]:
        url = f"data:{self.media_type};base64,{b64encode(self.data).decode()}"
        return {"type": "image_url", "image_url": {"url": url}}


Part: TypeAlias = TextPart | ImagePart

Content: TypeAlias = str | tuple[Part, ...]


def join_parts(parts: Sequence[Part]) -> Content:
    """Join neighbouring texts; a string where nothing else is there, which every model takes."""
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, TextPart) and joined and isinstance(joined[-1], TextPart):
            joined[-1] = TextPart(joined[-1].text + part.text)
        elif not isinstance(part, TextPart) or part.text:
            joined.append(part)
    if all(isinstance(part, TextPart) for part in joined):
        return "".join(part.text for part in joined if isinstance(part, TextPart))
    return tuple(joined)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    `tool_calls` are what an assistant's message asks for; `tool_call_id` says which call a tool's message
    answers.
    """

    role: Role
    content: Content
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """The text alone."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, TextPart))

    @property
    def images(self) -> tuple[ImagePart, ...]:
        """The images alone."""
        if isinstance(self.content, str):
            return ()
        return tuple(part for part in self.content if isinstance(part, ImagePart))

    def to_json(self) -> dict[str, JSON]:
        content: JSON = (
            self.content if isinstance(self.content, str) else [part.to_json() for part in self.content]
        )
        message: dict[str, JSON] = {"role": self.role, "content": content}
        if self.tool_calls:
            message |= {
                "content": content or None,
                "tool_calls": [call.to_json() for call in self.tool_calls],
            }
        if self.tool_call_id is not None:
            message["tool_call_id"] = self.tool_call_id
        return message


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of one model.

    `tools` and `response_format` are JSON as the API takes them; `params` are the request's other
    parameters by their names there (`temperature`, `seed`, …). `format` is what the reply will be shown as;
    it is not sent.
    """

    model: str
    messages: tuple[Message, ...]
    params: Mapping[str, JSON] = field(default_factory=dict)
    stream: bool = True
    tools: tuple[Mapping[str, JSON], ...] = ()
    response_format: Mapping[str, JSON] | None = None
    format: Format = "markdown"

    def to_json(self) -> dict[str, JSON]:
        """The body of the HTTP request, as the chat completions endpoint takes it."""
        body: dict[str, JSON] = {"model": self.model, "messages": [m.to_json() for m in self.messages]}
        if self.tools:
            body["tools"] = [dict(tool) for tool in self.tools]
        if self.response_format is not None:
            body["response_format"] = dict(self.response_format)
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


class Ended(NamedTuple):
    """The last event of every reply, however it ended. Whoever asked adds it; no backend sends it.

    `message` is what a person has to know: what failed and what to do, why it is not whole, or nothing;
    `outcome` the same in a word or two.
    """

    finish_reason: FinishReason
    message: str
    outcome: str = ""


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


@dataclass(frozen=True, slots=True)
class Record:
    """What stays in the notebook of one reply.

    `notice` says below the text why that is not whole, `outcome` the same in a word or two and `ending` in
    those of a table; `note` is what else is to be said, `failure` what failed and what to do: no part of the
    text. `steps` is what was done on the way. `elapsed` and `first_token_after` are seconds. `metadata` is
    the provenance: JSON that goes into the output's metadata.
    """

    model: str
    text: str
    finish_reason: FinishReason
    reasoning: str = ""
    notice: str = ""
    outcome: str = ""
    ending: str = ""
    note: str = ""
    failure: str = ""
    format: Format = "markdown"
    steps: tuple[Step, ...] = ()
    usage: Usage | None = None
    elapsed: float | None = None
    first_token_after: float | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """All that a person has to know beside the text, in lines; "" where there is nothing."""
        return "\n".join(filter(None, (self.failure or self.notice, self.note)))


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
