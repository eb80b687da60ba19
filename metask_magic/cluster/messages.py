"""What the caller and the workers tell each other. Everything here is pickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..chat.reply import Reply
from ..keys import ApiKey
from ..language import Language
from ..usage.ledger import Slices

Ending = Literal["done", "lost", "refused"]
"""How a task ended: with all answers; because its worker had been lost; in one that knows no such run."""


class TravellingKey:
    """A key on its way to a worker, which shows itself to nobody: not in a log, not in an error."""

    __slots__ = ("_source", "_value")

    def __init__(self, key: ApiKey) -> None:
        self._value = key.reveal()
        self._source = key.source

    def arrive(self) -> ApiKey:
        """Return the key, for the one who sends it on."""
        return ApiKey(self._value, self._source)

    def __repr__(self) -> str:
        return f"<key from {self._source}>"


@dataclass(frozen=True, slots=True)
class Briefing:
    """What a worker must know to ask for a run's rows, and no task has in it.

    Attributes
    ----------
    version
        The caller's metask-magic.
    settings
        Settings of `Metask` by their names, without the key.
    key
        The caller's key; None where there is none, or none is needed.
    schema
        A pickled `Schema`; None where any text will do.
    language
        The caller's, in which the worker says what fails.

    """

    run: str
    version: str
    model: str
    settings: Mapping[str, Any]
    key: TravellingKey | None
    schema: bytes | None = field(default=None, repr=False)
    language: Language = "en"


@dataclass(frozen=True, slots=True)
class Share:
    """A worker's part of what a run may do: requests at once, and in a minute (None: as many)."""

    concurrency: int
    per_minute: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a task tells while it asks: the answers since its last report, by row, and what they used.

    `ending` is set in a task's last report.
    """

    task: int
    worker: str
    answers: tuple[tuple[int, Reply, bool], ...] = ()
    used: Slices = field(default_factory=dict)
    retried: int = 0
    ending: Ending | None = None
