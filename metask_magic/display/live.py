"""The sink of a notebook: text streams into a widget, which becomes the record in place.

The text is escaped and shown as it comes; Markdown is rendered once, in the record. What is shown is cut
into blocks that are sent once when they are full, so that traffic grows with the text and not its square.
"""

from __future__ import annotations

import html
import uuid
from collections.abc import Sequence
from typing import Any

from ..chat.messages import Event, Notice, ReasoningDelta, Record, TextDelta
from .publish import print_notes
from .record import to_output

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
BLOCK_CHARACTERS = 2_000

_PRE = '<div style="white-space:pre-wrap;line-height:1.5;{style}">{text}</div>'
_DIM = "opacity:.65"


class LiveSink:
    """Streams replies into `ipywidgets`; at the end the same display holds the record alone."""

    def __init__(self, *, show_reasoning: bool = True) -> None:
        self._show_reasoning = show_reasoning
        self._display_id = f"metask-{uuid.uuid4().hex}"
        self._box: Any = None
        self._open_block: tuple[int, str, str] | None = None

    def open(self) -> None:
        pass  # a display that never gets text would stay behind as an empty output

    def show(self, column: int, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case TextDelta(text):
                    self._append(column, text, "")
                case ReasoningDelta(text) if self._show_reasoning:
                    self._append(column, text, _DIM)
                case Notice(text):
                    self._append(column, text + "\n", f"{_DIM};font-style:italic")

    def _append(self, column: int, text: str, style: str) -> None:
        import ipywidgets

        if self._box is None:
            self._box = ipywidgets.VBox()
            self._publish_box()
        known = self._open_block
        if known and known[0] == column and known[1] == style and len(known[2]) < BLOCK_CHARACTERS:
            text = known[2] + text
        else:
            self._box.children = (*self._box.children, ipywidgets.HTML())
        self._open_block = (column, style, text)
        self._box.children[-1].value = _PRE.format(style=style, text=html.escape(text))

    def _publish_box(self) -> None:
        from IPython.display import display

        view = {"version_major": 2, "version_minor": 0, "model_id": self._box.model_id}
        display({WIDGET_VIEW: view, "text/plain": "…"}, raw=True, display_id=self._display_id)

    def close(self, records: Sequence[Record]) -> None:
        from IPython.display import display, update_display

        bundle, metadata = to_output(records)
        if self._box is not None:
            update_display(bundle, raw=True, metadata=metadata, display_id=self._display_id)
            for child in self._box.children:
                child.close()
            self._box.close()
        elif any(record.text for record in records):
            display(bundle, raw=True, metadata=metadata)
        print_notes(records)
