"""The sink of a terminal: text is printed as it comes.

Several replies at once cannot share one stream of text: one of them is printed live, and the others when it
has ended, each as a whole if it has ended too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..messages.events import Continued, Ended, Event, Notice, ReasoningDelta, Stepped, TextDelta
from ..messages.record import Record
from .comparison import facts, header
from .place import Place
from .printable import printable
from .printer import Printer
from .publish import say_notes
from .table import Table

_SHOWN = TextDelta | ReasoningDelta | Stepped | Ended


@dataclass(slots=True)
class _Column:
    """A reply: what has not been printed yet, and how much of its text has been taken in."""

    held: list[Event] = field(default_factory=list)
    characters: int = 0
    ended: bool = False

    def take(self, event: Event) -> None:
        self.held.append(event)
        match event:
            case TextDelta(text):
                self.characters += len(text)
            case Continued(keep_text=False):
                self.characters = 0
            case Ended():
                self.ended = True

    @property
    def begun(self) -> bool:
        return any(isinstance(event, _SHOWN) for event in self.held)


class TerminalSink:
    """Prints replies to stdout, reasoning and steps dimmed, notices to stderr.

    Of several replies the first to begin is printed live below its model's name. When it ends, those that
    ended meanwhile are printed, in the order they did; then another one goes on live. Where a notebook keeps
    what is printed, there are to be no notices: a replay has none.
    """

    def __init__(
        self, models: Sequence[str], *, show_reasoning: bool = True, show_notices: bool = True
    ) -> None:
        self._models = [" ".join(printable(model).split()) for model in models]
        self._show_notices = show_notices
        self._place = Place()
        self._printer = Printer(self._place, show_reasoning=show_reasoning)
        self._columns = [_Column() for _ in models]
        self._live: int | None = None
        self._ended: deque[int] = deque()  # and not yet printed

    @property
    def _several(self) -> bool:
        return len(self._models) > 1

    def open(self, stop: Callable[[int | None], None]) -> None:
        pass

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        for column, event in ((column, event) for column, events in news.items() for event in events):
            if not isinstance(event, Notice):
                self._take(column, event)
            elif self._show_notices:
                said = f"{self._models[column]}: {event.text}" if self._several else event.text
                self._place.say(said)
        self._print()

    def _take(self, column: int, event: Event) -> None:
        self._columns[column].take(event)
        if isinstance(event, Ended) and column != self._live:
            self._ended.append(column)

    def _print(self) -> None:
        """Print what may be printed now."""
        while True:
            if self._live is None:
                self._live = self._next()
                if self._live is None:
                    return
                if self._several:
                    self._printer.print_heading(self._models[self._live])
            column = self._columns[self._live]
            held, column.held = column.held, []
            for event in held:
                self._printer.print(event, say_end=self._several)
            if not column.ended:
                return
            self._live = None

    def _next(self) -> int | None:
        if self._ended:
            return self._ended.popleft()
        waiting = (at for at, column in enumerate(self._columns) if not column.ended and column.begun)
        return next(waiting, None)

    def close(self, records: Sequence[Record]) -> None:
        unfinished = [at for at, column in enumerate(self._columns) if not column.ended]
        for at in sorted(unfinished, key=lambda at: at != self._live):
            for event in self._missing(self._columns[at], records[at]):
                self._take(at, event)
        self._print()
        if not self._several and records[0].finish_reason != "interrupted":  # of which the shell tells
            self._printer.print_notice(records[0].notice)
        self._printer.finish()
        if self._several:
            rows = [tuple(map(printable, facts(record))) for record in records]
            print(f"\n{Table('', header(), tuple(rows))}", file=self._place.stdout, flush=True)
        say_notes(records, self._place)

    @staticmethod
    def _missing(column: _Column, record: Record) -> list[Event]:
        """What `show` did not get any more: an interrupt ends the showing before the replies."""
        rest = record.text[column.characters :]
        ended = Ended(record.finish_reason, record.message, record.outcome, record.elapsed)
        return [*([TextDelta(rest)] if rest else []), ended]
