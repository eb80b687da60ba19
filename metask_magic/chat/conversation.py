"""A conversation: the turns that cells took in it, each at its own place.

Whoever runs a cell again means to replace what that cell said, wherever it stands: a conversation knows its
turns by their cells. Later turns stay, and are no context for an earlier cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..messages.kinds import JSON
from ..messages.request import ImagePart, Message, without_images
from .reply import Reply

_WHOLE = {"stop", "length", "tool_calls", "content_filter"}


@dataclass(frozen=True, slots=True)
class CellKey:
    """Which question this is: the `ordinal`-th, from 0, that one execution of a cell asks a conversation.

    `cell` is the cell's id, empty where the front end sends none: such a cell cannot be known again, and
    each of its executions asks anew. `execution` tells one run of the cell from the next.
    """

    cell: str
    execution: str
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and all that came of it.

    `answer` holds the calls of tools, their results and the model's text. `system` is the system message
    that the cell itself gave, None where it gave none; it holds for later turns too.
    """

    key: CellKey
    user: Message
    answer: tuple[Message, ...]
    model: str
    system: str | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        return (self.user, *self.answer)

    @property
    def images(self) -> tuple[ImagePart, ...]:
        return tuple(image for message in self.messages for image in message.images)

    @property
    def characters(self) -> int:
        """How much text is sent for it, the system message and the arguments of tools included."""
        arguments = (call.arguments for message in self.messages for call in message.tool_calls)
        texts = (self.system or "", *(message.text for message in self.messages), *arguments)
        return sum(map(len, texts))


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns in the order in which they are sent. Every change makes a new conversation."""

    name: str
    turns: tuple[Turn, ...] = ()

    def before(self, key: CellKey) -> tuple[Turn, ...]:
        """Return the context of a question: the turns before its own place; all where it is a new one."""
        return self.turns[: self._place(key)]

    def system_for(self, key: CellKey, own: str | None = None) -> str | None:
        """Return the system message of a question: its own, else the nearest that was given before it."""
        return own if own is not None else _last_system(self.before(key))

    def with_turn(self, turn: Turn) -> Conversation:
        """Put a turn in: over the one that the same question left, or where it belongs.

        Of what earlier executions of the cell left, the later questions go too: they followed an answer
        that is no more. Nothing else changes.
        """
        at = self._place(turn.key)
        kept = (
            *(other for other in self.turns[:at] if not _is_replaced(other.key, turn.key)),
            turn,
            *(other for other in self.turns[at:] if not _is_replaced(other.key, turn.key)),
        )
        return replace(self, turns=kept)

    def renamed(self, name: str) -> Conversation:
        """Return the same turns under another name."""
        return replace(self, name=name)

    def trimmed(self, keep: int) -> Conversation:
        """Return the last `keep` turns, at least one; the system message in force there stays in force."""
        first = max(0, len(self.turns) - keep)
        kept = list(self.turns[first:])
        if kept:
            kept[0] = replace(kept[0], system=_last_system(self.turns[: first + 1]))
        return replace(self, turns=tuple(kept))

    def without_images(self) -> Conversation:
        """Return the same turns with a note in the place of each image."""
        turns = (
            replace(
                turn,
                user=without_images(turn.user),
                answer=tuple(without_images(message) for message in turn.answer),
            )
            for turn in self.turns
        )
        return replace(self, turns=tuple(turns))

    def to_messages(self) -> list[dict[str, JSON]]:
        """Return it as the API takes it: the system message in force at its end, then all turns."""
        system = _last_system(self.turns)
        opening = [Message("system", system)] if system else []
        return [message.to_json() for message in (*opening, *iter_messages(self.turns))]

    def _place(self, key: CellKey) -> int:
        """Where a question's turn stands, or would: the questions of a cell stay together, in their order."""
        if not key.cell:
            return len(self.turns)
        later: int | None = None
        after: int | None = None
        for at, turn in enumerate(self.turns):
            if turn.key.cell != key.cell:
                continue
            if turn.key.ordinal == key.ordinal:
                return at
            if turn.key.ordinal < key.ordinal:
                after = at + 1
            elif later is None:
                later = at
        return next((at for at in (after, later) if at is not None), len(self.turns))


def iter_messages(turns: tuple[Turn, ...]) -> Iterator[Message]:
    """Yield what the turns say, in order."""
    for turn in turns:
        yield from turn.messages


def is_turn(reply: Reply) -> bool:
    """Whether a reply can be answered to, and so takes its turn.

    One that failed, was stopped or was cut off cannot, nor can one without any text. One whose calls of
    tools nobody answered would make the gateway refuse every later request of the conversation.
    """
    answered = {message.tool_call_id for message in reply.messages}
    calls = [call for message in reply.messages for call in message.tool_calls]
    says = bool(reply.messages) and bool(reply.messages[-1].text)
    return reply.finish_reason in _WHOLE and says and all(call.id in answered for call in calls)


def _is_replaced(old: CellKey, new: CellKey) -> bool:
    if not new.cell or old.cell != new.cell:
        return False
    return old.ordinal == new.ordinal or (old.ordinal > new.ordinal and old.execution != new.execution)


def _last_system(turns: tuple[Turn, ...]) -> str | None:
    return next((turn.system for turn in reversed(turns) if turn.system is not None), None)
