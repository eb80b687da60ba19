"""The sink of a notebook: replies stream into a widget, which becomes the record in place."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..chat.messages import (
    Ended,
    Event,
    Notice,
    ReasoningDelta,
    Record,
    TextDelta,
    UsageReported,
)
from .publish import print_notes
from .record import to_output

if TYPE_CHECKING:
    from .view import ReplyView

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KEPT_VIEWS = 4

# A page that was reloaded in mid-stream still shows the widget, and finds its text while the view is open.
_ended: deque[ReplyView] = deque()


@dataclass(slots=True)
class _Progress:
    """What is said beside a reply while it comes."""

    began: float
    characters: int = 0
    tokens: int | None = None

    def detail(self, now: float) -> str:
        counted = f"{now - self.began:.1f} s · {self.characters:,} characters"
        return counted if self.tokens is None else f"{counted} · {self.tokens:,} tokens"


class WidgetSink:
    """Streams replies into a `ReplyView`; at the end the same display holds the record alone."""

    def __init__(self, models: Sequence[str], *, show_reasoning: bool = True) -> None:
        self._models = models
        self._show_reasoning = show_reasoning
        self._view: ReplyView | None = None
        self._progress: list[_Progress] = []

    def open(self, stop: Callable[[int | None], None]) -> None:
        from IPython.display import display

        from .view import ReplyView

        self._progress = [_Progress(time.perf_counter()) for _ in self._models]
        self._view = view = ReplyView(self._models, on_stop=stop)
        bundle = {
            WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": view.model_id},
            "text/plain": f"{', '.join(self._models)} …",
        }
        display(bundle, raw=True, display_id=self._display_id(view))

    @staticmethod
    def _display_id(view: ReplyView) -> str:
        return f"metask-{view.session}"

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        if self._view is None:
            return
        now = time.perf_counter()
        for column, events in news.items():
            for event in events:
                self._take(self._view, column, event)
            self._view.update(column, detail=self._progress[column].detail(now))
        self._view.flush()

    def _take(self, view: ReplyView, column: int, event: Event) -> None:
        progress = self._progress[column]
        match event:
            case TextDelta(text):
                progress.characters += len(text)
                view.update(column, text=text, status="streaming", note="")
            case ReasoningDelta(text) if self._show_reasoning:
                view.update(column, reasoning=text, status="streaming", note="")
            case Notice(text):
                view.update(column, note=text)
            case UsageReported(usage):
                progress.tokens = usage.completion_tokens
            case Ended(reason, message):
                view.update(column, status=reason, note=message)

    def close(self, records: Sequence[Record]) -> None:
        from IPython.display import display, update_display

        bundle, metadata = to_output(records)
        if self._view is None:  # `open` failed: there is no place to update
            display(bundle, raw=True, metadata=metadata)
        else:
            self._finish(self._view, records)
            update_display(bundle, raw=True, metadata=metadata, display_id=self._display_id(self._view))
            _retire(self._view)
        print_notes(records)

    def _finish(self, view: ReplyView, records: Sequence[Record]) -> None:
        """Show what `show` did not get any more: every view must see its reply end."""
        for column, record in enumerate(records):
            missing = record.text[self._progress[column].characters :]
            view.update(column, text=missing, status=record.finish_reason)
        view.flush()


def _retire(view: ReplyView) -> None:
    _ended.append(view)
    while len(_ended) > KEPT_VIEWS:
        _ended.popleft().close()
