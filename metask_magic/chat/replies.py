"""Several models' answers to one prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ..language import Language, _, current
from ..messages.record import Record
from ..words import listed
from .reply import Reply


class Replies(Mapping[str, Reply]):
    """A mapping from model to `Reply`, in the order asked.

    A model that was asked twice has a number behind its name the second time: `gpt-4o-mini (2)`.
    """

    def __init__(self, replies: Sequence[Reply]) -> None:
        names = distinct([reply.requested_model for reply in replies])
        self._replies = dict(zip(names, replies, strict=True))

    def __getitem__(self, model: str) -> Reply:
        return self._replies[model]

    def __iter__(self) -> Iterator[str]:
        return iter(self._replies)

    def __len__(self) -> int:
        return len(self._replies)

    @property
    def text(self) -> str:
        """All of them, each below its model's name."""
        return "\n\n".join(f"{model}:\n{reply.text}" for model, reply in self.items())

    @property
    def language(self) -> Language:
        """In which they are shown: that of the first."""
        return next((reply.language for reply in self.values()), current())

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        facts = (f"{model}: {reply.ending.detail}" for model, reply in self.items())
        return _("<Replies from {replies}>", replies=listed(facts))

    def to_records(self) -> list[Record]:
        """What stays in the notebook: one record per model."""
        return to_records(list(self.values()))


def to_records(replies: Sequence[Reply]) -> list[Record]:
    """What stays of the replies of one cell; several are told apart by the names they were asked by."""
    if len(replies) == 1:
        return [replies[0].to_record()]
    names = distinct([reply.requested_model for reply in replies])
    return [reply.to_record(name) for name, reply in zip(names, replies, strict=True)]


def distinct(names: Sequence[str]) -> list[str]:
    """Put a number behind each name that has been there before."""
    seen: Counter[str] = Counter()
    told: list[str] = []
    for name in names:
        seen[name] += 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told
