"""What stays of a reply in the notebook, and where replies go on their way to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .events import Event, Step, Usage
from .kinds import JSON, FinishReason, Format


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
