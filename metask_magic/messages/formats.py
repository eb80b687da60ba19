"""What a model is told about the form of its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .kinds import Format
from .request import Content, Message, TextPart, join_parts

INSTRUCTIONS: Mapping[Format, str] = {  # English: a model reads it
    "markdown": "",
    "text": "Answer in plain text, without any Markdown.",
    "code": (
        "Answer with one fenced block of Python code that runs as it stands in a notebook cell. "
        "Put explanations into its comments."
    ),
    "json": "Answer with one JSON value alone: no Markdown, no explanation.",
    "html": (
        "Answer with one self-contained HTML fragment alone: no scripts, no event handlers, and nothing that "
        "is loaded from elsewhere."
    ),
    "math": "Answer with the LaTeX of the formula alone: no delimiters such as $, no explanation.",
}


def instruct(messages: Sequence[Message], format: Format) -> tuple[Message, ...]:
    """Return the messages with what the format asks for in the system message.

    Whoever speaks of JSON has said more than the instruction for it does; the API insists that somebody
    does.
    """
    if format == "json" and any("json" in message.text.lower() for message in messages):
        return tuple(messages)
    return add_to_system(messages, INSTRUCTIONS[format])


def add_to_system(messages: Sequence[Message], text: str) -> tuple[Message, ...]:
    """Return the messages with a paragraph more in the first system message, which is made if need be."""
    if not text:
        return tuple(messages)
    for at, message in enumerate(messages):
        if message.role == "system":
            return (*messages[:at], Message("system", _appended(message.content, text)), *messages[at + 1 :])
    return (Message("system", text), *messages)


def _appended(content: Content, text: str) -> Content:
    parts = (TextPart(content),) if isinstance(content, str) else content
    return join_parts([*parts, TextPart(f"\n\n{text}" if content else text)])
