"""The sink of a terminal: text is printed as it comes.

Several replies at once cannot share one stream of text: the first is printed live, the others in their
order as they end.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence

from ..chat.messages import Event, Notice, ReasoningDelta, Record, TextDelta
from .publish import print_notes

DIM, PLAIN = "\x1b[2m", "\x1b[0m"

# A reply must not move the cursor, rename the window or fill the clipboard.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class TerminalSink:
    """Prints replies to stdout, reasoning dimmed, notices to stderr."""

    def __init__(self, *, show_reasoning: bool = True) -> None:
        self._show_reasoning = show_reasoning
        self._reasoning = False
        self._printed = False

    def open(self, stop: Callable[[int | None], None]) -> None:
        pass

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        for column, event in ((column, event) for column, events in news.items() for event in events):
            match event:
                case Notice(text):
                    print(text, file=sys.stderr, flush=True)
                case TextDelta(text) if column == 0:
                    self._print(text, reasoning=False)
                case ReasoningDelta(text) if column == 0 and self._show_reasoning:
                    self._print(text, reasoning=True)

    def _print(self, text: str, *, reasoning: bool) -> None:
        if reasoning != self._reasoning:
            sys.stdout.write(DIM if reasoning else f"{PLAIN}\n\n")
            self._reasoning = reasoning
        sys.stdout.write(_CONTROL.sub("", text))
        sys.stdout.flush()
        self._printed = True

    def close(self, records: Sequence[Record]) -> None:
        if self._reasoning:
            sys.stdout.write(PLAIN)
        if self._printed:
            print(flush=True)
        for record in records[1:]:
            print(f"\n── {_CONTROL.sub('', record.model)}\n{_CONTROL.sub('', record.text)}", flush=True)
        print_notes(records)
