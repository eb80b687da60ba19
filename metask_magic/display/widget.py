"""The sink of a notebook: replies stream into a widget, which becomes the record in place."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..language import ngettext
from ..messages.events import (
    Continued,
    Ended,
    Event,
    Notice,
    ReasoningDelta,
    Stepped,
    TextDelta,
    UsageReported,
)
from ..messages.kinds import Format
from ..messages.record import Record
from ..words import listed
from .extras import NONE, Extras
from .json_indent import JsonIndenter
from .place import Place
from .publish import say_notes
from .record import to_output

if TYPE_CHECKING:
    from .view import ReplyView

_STATUS = {"empty": "empty", "refused": "refused", "perhaps cut off": "incomplete"}  # English: keys
"""What the page calls an outcome that the finish reason does not tell."""

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KEPT_VIEWS = 4
LINGER_SECONDS = (
    10.0  # a page that is slow speaks to a view that has ended, and the kernel would complain of it
)
HELLO_SECONDS = (
    0.8  # from opening a view; a page that can be heard while the cell runs has said hello by then
)

# A page that was reloaded in mid-stream still shows the widget, and finds its text while the view is open.
_ended: deque[tuple[float, ReplyView]] = deque()


@dataclass(slots=True)
class _Progress:
    """How far a reply has been shown, and what is said beside it.

    `characters` counts the text as it came, however it is laid out; `elapsed` is known once it has ended.
    """

    indenter: JsonIndenter | None
    characters: int = 0
    steps: int = 0
    tokens: int | None = None
    elapsed: float | None = None

    def lay_out(self, text: str) -> str:
        """Count more of the text, and return what is to be shown of it."""
        self.characters += len(text)
        return self.indenter.feed(text) if self.indenter else text

    def start_anew(self) -> None:
        """Count the text from its beginning again."""
        self.characters = 0
        self.indenter = JsonIndenter() if self.indenter else None

    def detail(self, so_far: float) -> str:
        """Return the figures; it has been `so_far` seconds, if it has not ended."""
        told = [
            f"{so_far if self.elapsed is None else self.elapsed:.1f} s",
            ngettext("{count} character", "{count} characters", self.characters),
        ]
        if self.tokens is not None:
            told.append(ngettext("{count} token", "{count} tokens", self.tokens))
        return " · ".join(told)


class WidgetSink:
    """Streams replies into a `ReplyView`; at the end the same display holds the record alone.

    In the `background` the cell has ended long before, and others may run. It is made when the requests are
    sent, and counts their seconds from there: the first view of a kernel opens late.
    """

    def __init__(
        self,
        models: Sequence[str],
        *,
        show_reasoning: bool = True,
        format: Format = "markdown",
        background: bool = False,
        extras: Extras = NONE,
    ) -> None:
        self._models = models
        self._extras = extras
        self._background = background
        self._place = Place()
        self._show_reasoning = show_reasoning
        self._format = format
        self._view: ReplyView | None = None
        self._made_at = self._opened_at = time.perf_counter()
        self._progress = [_Progress(JsonIndenter() if format == "json" else None) for _ in models]

    def open(self, stop: Callable[[int | None], None]) -> None:
        from .view import ReplyView

        self._opened_at = time.perf_counter()
        # An interrupt would stop whatever cell runs by then: the page must not know the kernel to send it to.
        unknown = {"kernel_id": ""} if self._background else {}
        cell = self._place.cell
        self._view = view = ReplyView(self._models, on_stop=stop, format=self._format, cell=cell, **unknown)
        bundle = {
            WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": view.model_id},
            "text/plain": f"{listed(self._models)} …",
        }
        self._place.display(bundle, {}, self._display_id(view))

    @staticmethod
    def _display_id(view: ReplyView) -> str:
        return f"metask-{view.session}"

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        if self._view is None:
            return
        so_far = time.perf_counter() - self._made_at
        for column, events in news.items():
            for event in events:
                self._take(self._view, column, event)
            self._view.update(column, detail=self._progress[column].detail(so_far))
        self._view.flush()

    def _take(self, view: ReplyView, column: int, event: Event) -> None:
        progress = self._progress[column]
        match event:
            case TextDelta(text):
                view.update(column, text=progress.lay_out(text), status="streaming", note="")
            case ReasoningDelta(text) if self._show_reasoning:
                view.update(column, reasoning=text, status="streaming", note="")
            case Notice(text):
                view.update(column, note=text)
            case Stepped(step):
                progress.steps += 1
                view.add_step(column, step)
                view.update(column, note="")
            case Continued(keep_text=False):
                progress.start_anew()
                view.give_way(column)
            case UsageReported(usage):
                progress.tokens = usage.completion_tokens
            case Ended(reason, message, outcome, elapsed):
                progress.elapsed = elapsed
                view.update(column, status=_STATUS.get(outcome, reason), note=message)

    def close(self, records: Sequence[Record]) -> None:
        bundle, metadata = to_output(records, self._extras)
        if self._view is None:  # `open` failed: there is no place to update
            self._place.display(bundle, metadata)
        else:
            self._finish(self._view, records)
            self._place.replace(self._display_id(self._view), bundle, metadata)
            self._view.keep(bundle, metadata, _said_beside(records))
            _retire(self._view)
        say_notes(records, self._place)

    def _finish(self, view: ReplyView, records: Sequence[Record]) -> None:
        """Show what `show` did not get any more: every view must see its reply end."""
        so_far = time.perf_counter() - self._made_at
        for column, record in enumerate(records):
            progress = self._progress[column]
            for step in record.steps[progress.steps :]:
                view.add_step(column, step)
            missing = record.text[progress.characters :]
            shown = progress.lay_out(missing)
            status = _STATUS.get(record.outcome, record.finish_reason)
            progress.elapsed = record.elapsed
            detail = progress.detail(so_far)
            view.update(column, text=shown, status=status, note=record.message, detail=detail)
        view.flush()

    def fill_next_cell(self, cell: str, source: str, known: str | None = None) -> bool:
        """Put code into the cell behind `cell` (its id), if a page that can has answered; tell whether.

        A cell we have put there before is filled anew unless the user has changed it; `known` is what we
        have put there otherwise. May be called once the record is in place.
        """
        if self._view is None:
            return False
        waited = time.perf_counter() - self._opened_at
        if not self._view.await_cells(max(0.0, HELLO_SECONDS - waited)):
            return False
        self._view.fill_next_cell(cell, source, known)
        return True


def _said_beside(records: Sequence[Record]) -> str:
    """Return what is said below a record; of several, the record says it."""
    return "\n".join(filter(None, (records[0].failure, records[0].note))) if len(records) == 1 else ""


def _retire(view: ReplyView) -> None:
    now = time.monotonic()
    _ended.append((now, view))
    while len(_ended) > KEPT_VIEWS and now - _ended[0][0] >= LINGER_SECONDS:
        _ended.popleft()[1].close()
