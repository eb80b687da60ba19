"""Replies as lines of a terminal: nothing of them steers it."""

from __future__ import annotations

from ..language import N_, _
from ..messages.events import Continued, Ended, Event, ReasoningDelta, Step, Stepped, TextDelta
from ..words import shorten
from .place import Place
from .printable import printable
from .steps import FAILED

DIM, PLAIN = "\x1b[2m", "\x1b[0m"

# Of what came of a step, so much is printed.
LINES = 3
LINE_LENGTH = 200
ANEW = N_("── That gives way to a new answer.")


class Printer:
    """Prints the events of one reply after another to stdout, reasoning and steps dimmed."""

    def __init__(self, place: Place, *, show_reasoning: bool) -> None:
        self._out = place.stdout
        self._show_reasoning = show_reasoning
        self._reasoning = False
        self._printed = False
        self._in_line = False
        self._begun = False

    def print(self, event: Event, *, say_end: bool) -> None:
        """Print an event; with `say_end` also what its end has to say."""
        match event:
            case TextDelta(text):
                self._print(text, reasoning=False)
            case ReasoningDelta(text) if self._show_reasoning:
                self._print(text, reasoning=True)
            case Stepped(step):
                self._print_line(_as_lines(step))
            case Continued(keep_text=False) if self._printed:
                self._print_line(_(ANEW))
            case Ended(_reason, message) if say_end:
                self.print_notice(message)

    def print_notice(self, text: str) -> None:
        """Print what is to be said of a reply's end; nothing where there is nothing to say."""
        if text:
            self._print_line(f"{FAILED} {' '.join(printable(text).split())}")

    def print_heading(self, model: str) -> None:
        """Begin another reply."""
        self.finish()
        print(f"\n── {model}" if self._begun else f"── {model}", file=self._out, flush=True)
        self._printed = self._in_line = False
        self._begun = True

    def finish(self) -> None:
        """End the line that is being printed."""
        if self._reasoning:
            self._out.write(PLAIN)
            self._reasoning = False
        if self._printed:
            print(file=self._out, flush=True)
            self._printed = False

    def _print(self, text: str, *, reasoning: bool) -> None:
        if reasoning != self._reasoning:
            self._out.write(DIM if reasoning else f"{PLAIN}\n\n")
            self._reasoning = reasoning
        self._out.write(printable(text))
        self._out.flush()
        self._printed = True
        self._in_line = not text.endswith("\n")

    def _print_line(self, text: str) -> None:
        """Print something on lines of its own, dimmed."""
        if self._reasoning:
            self._out.write(PLAIN)
            self._reasoning = False
        if self._in_line:
            print(file=self._out)
        print(f"{DIM}{text}{PLAIN}", file=self._out, flush=True)
        self._printed = self._in_line = False


def _as_lines(step: Step) -> str:
    """`→ title`, and below it `← result`, cut to a few lines."""
    title = _cut(printable(" ".join(step.title.split())))
    lines = [_cut(printable(line)) for line in step.body.strip().split("\n") if line]
    mark = FAILED if step.failed else "←"
    results = [f"{' ' if at else mark} {line}" for at, line in enumerate(lines[:LINES])]
    more = ["  …"] if len(lines) > LINES else []
    return "\n".join([f"→ {title}", *results, *more])


def _cut(line: str) -> str:
    return shorten(line, LINE_LENGTH)
