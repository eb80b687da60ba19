"""What is asked: messages with their parts, and the request made of them. Frozen, and without any I/O."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from .kinds import JSON, Format, Role


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


def parts_of(message: Message) -> tuple[Part, ...]:
    """Return the content of a message as parts, also where it is text alone."""
    return (TextPart(message.content),) if isinstance(message.content, str) else message.content


def without_images(message: Message) -> Message:
    """Return the message with a note in the place of each image."""
    if not message.images:
        return message
    parts = (_note(part) if isinstance(part, ImagePart) else part for part in message.content)
    return replace(message, content=join_parts([TextPart(p) if isinstance(p, str) else p for p in parts]))


def _note(image: ImagePart) -> TextPart:
    named = f"image {image.name}" if image.name else "image"
    return TextPart(f"[{named} was taken out]")  # English: a model reads it


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
