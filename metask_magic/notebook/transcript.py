"""A conversation to read, and to hand on to the API."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..chat.conversation import Conversation, Turn
from ..display.mathematics import with_dollars
from ..display.printable import printable
from ..display.record import UNTYPESET, to_safe_html
from ..language import _, ngettext
from ..messages.kinds import JSON
from ..messages.request import ImagePart, Message
from ..words import listed, size


@dataclass(frozen=True, slots=True)
class Transcript:
    """What `%metask chats show NAME` returns. Its text is untrusted: each piece is made harmless alone."""

    conversation: Conversation

    def to_messages(self) -> list[dict[str, JSON]]:
        """Return the messages as the API takes them: `client.chat.completions.create(messages=…)`."""
        return self.conversation.to_messages()

    def __str__(self) -> str:
        pieces = (f"{heading}\n{text}" for heading, text, _formatted in self._iter_pieces())
        return printable("\n\n".join((self._title, *pieces)))

    __repr__ = __str__

    def _repr_mimebundle_(self, **_asked: Any) -> dict[str, str]:
        pieces = (
            _heading(heading) + (to_safe_html(with_dollars(text)) if formatted else _as_it_stands(text))
            for heading, text, formatted in self._iter_pieces()
        )
        page = f"<div>{_heading(self._title)}{''.join(pieces)}</div>"
        return {"text/html": page, "text/plain": str(self)}

    @property
    def _title(self) -> str:
        turns = len(self.conversation.turns)
        return ngettext("{name}: {count} turn", "{name}: {count} turns", turns, name=self.conversation.name)

    def _iter_pieces(self) -> Iterator[tuple[str, str, bool]]:
        """Yield a heading, a text, and whether it is a model's, which writes Markdown."""
        for number, turn in enumerate(self.conversation.turns, start=1):
            if turn.system is not None:
                yield f"{number}. system", turn.system, False
            yield f"{number}. user", _text(turn.user), False
            yield from _iter_answer(number, turn)


def _iter_answer(number: int, turn: Turn) -> Iterator[tuple[str, str, bool]]:
    for message in turn.answer:
        if message.role != "assistant":
            yield f"{number}. {message.role}", _text(message), False
            continue
        if message.content:
            yield f"{number}. {turn.model}", _text(message), True
        for call in message.tool_calls:
            heading = _("{number}. {model} calls", number=number, model=turn.model)
            yield heading, f"{call.name}({call.arguments})", False


def _text(message: Message) -> str:
    if isinstance(message.content, str):
        return message.content
    return "".join(_describe(p) if isinstance(p, ImagePart) else p.text for p in message.content)


def _describe(image: ImagePart) -> str:
    facts = (image.name, image.media_type, size(len(image.data)))
    return _("[image {facts}]", facts=listed(fact for fact in facts if fact))


def _heading(text: str) -> str:
    return f'<p class="{UNTYPESET}"><strong>{_escaped(text)}</strong></p>'


def _as_it_stands(text: str) -> str:
    style = "white-space:pre-wrap;margin-bottom:1em"
    return f'<pre class="{UNTYPESET}" style="{style}">{_escaped(text)}</pre>'  # English: HTML


def _escaped(text: str) -> str:
    return html.escape(printable(text))
