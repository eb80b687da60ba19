"""The sink of a terminal: text is printed as it comes.

Several replies at once cannot share one stream of text: the first is printed live, the others in their
order as they end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..chat.messages import Continued, Event, Notice, ReasoningDelta, Record, Step, Stepped, TextDelta
from .place import Place
from .printable import printable
from .publish import say_notes
from .steps import FAILED

DIM, PLAIN = "\x1b[2m", "\x1b[0m"

# Of what came of a step, so much is printed.
LINES = 3
LINE_LENGTH = 200
ANEW = "── That gives way to a new answer."


class TerminalSink:
    """Prints replies to stdout, reasoning and steps dimmed, notices to stderr."""

    def __init__(self, *, show_reasoning: bool = True) -> None:
        self._show_reasoning = show_reasoning
        self._place = Place()
        self._reasoning = False
        self._printed = False
        self._in_line = False

    def open(self, stop: Callable[[int | None], None]) -> None:
        pass

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        for column, event in ((column, event) for column, events in news.items() for event in events):
            match event:
                case Notice(text):
                    self._place.say(text)
                case TextDelta(text) if column == 0:
                    self._print(text, reasoning=False)
                case ReasoningDelta(text) if column == 0 and self._show_reasoning:
                    self._print(text, reasoning=True)
                case Stepped(step) if column == 0:
                    self._print_line(_as_lines(step))
                case Continued(keep_text=False) if column == 0 and self._printed:
                    self._print_line(ANEW)

    def _print(self, text: str, *, reasoning: bool) -> None:
        if reasoning != self._reasoning:
            self._place.stdout.write(DIM if reasoning else f"{PLAIN}\n\n")
            self._reasoning = reasoning
        self._place.stdout.write(printable(text))
        self._place.stdout.flush()
        self._printed = True
        self._in_line = not text.endswith("\n")

    def _print_line(self, text: str) -> None:
        """Print something on lines of its own, dimmed."""
        if self._reasoning:
            self._place.stdout.write(PLAIN)
            self._reasoning = False
        if self._in_line:
            print(file=self._place.stdout)
        print(f"{DIM}{text}{PLAIN}", file=self._place.stdout, flush=True)
        self._printed = self._in_line = False

    def close(self, records: Sequence[Record]) -> None:
        if self._reasoning:
            self._place.stdout.write(PLAIN)
        if self._printed:
            print(file=self._place.stdout, flush=True)
        for record in records[1:]:
            steps = (f"{DIM}{_as_lines(step)}{PLAIN}" for step in record.steps)
            lines = [f"\n── {printable(record.model)}", *steps, printable(record.text)]
            print("\n".join(lines), file=self._place.stdout, flush=True)
        say_notes(records, self._place)


def _as_lines(step: Step) -> str:
    """`→ title`, and below it `← result`, cut to a few lines."""
    title = _cut(printable(" ".join(step.title.split())))
    lines = [_cut(printable(line)) for line in step.body.strip().split("\n") if line]
    mark = FAILED if step.failed else "←"
    results = [f"{' ' if at else mark} {line}" for at, line in enumerate(lines[:LINES])]
    more = ["  …"] if len(lines) > LINES else []
    return "\n".join([f"→ {title}", *results, *more])


def _cut(line: str) -> str:
    return line if len(line) <= LINE_LENGTH else f"{line[: LINE_LENGTH - 1]}…"
