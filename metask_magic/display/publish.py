"""The sink where nobody watches: the record is published once, when it is whole.

For nbclient, nbconvert, papermill and nbval: no widget, no comm, no update of a display, which a saved
notebook would keep or a comparison would trip over. No notices either: a retry or the start of the embedded
model is no part of the notebook, and a replay has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..messages.events import Event
from ..messages.record import Record
from .extras import NONE, Extras
from .place import Place
from .record import to_output

_EARLY = {"interrupted", "error"}


class PublishSink:
    """Publishes the record at the end, but where a reply that failed brought nothing at all."""

    def __init__(self, extras: Extras = NONE) -> None:
        self._place = Place()
        self._extras = extras

    def open(self, stop: Callable[[int | None], None]) -> None:
        pass

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        pass

    def close(self, records: Sequence[Record]) -> None:
        some = any(record.text or record.steps or record.finish_reason not in _EARLY for record in records)
        if len(records) > 1 or some:
            self._place.display(*to_output(records, self._extras))
        say_notes(records, self._place)


def say_notes(records: Sequence[Record], place: Place) -> None:
    """Say what is to be said beside a reply; it is no part of it. Of several, the record says it."""
    if len(records) == 1 and records[0].note:
        place.say(records[0].note)
