"""The sink where nobody watches: the record is published once, when it is whole.

For nbclient, nbconvert, papermill and nbval: no widget, no comm, no update of a display, which a saved
notebook would keep or a comparison would trip over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from ..chat.messages import Event, Notice, Record
from .place import Place
from .record import to_output


class PublishSink:
    """Publishes the record at the end; notices go to stderr, for those who wonder why it takes so long."""

    def __init__(self) -> None:
        self._place = Place()

    def open(self, stop: Callable[[int | None], None]) -> None:
        pass

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        for event in chain.from_iterable(news.values()):
            if isinstance(event, Notice):
                self._place.say(event.text)

    def close(self, records: Sequence[Record]) -> None:
        if len(records) > 1 or any(record.text for record in records):
            self._place.display(*to_output(records))
        say_notes(records, self._place)


def say_notes(records: Sequence[Record], place: Place) -> None:
    """Say what is to be said beside a reply; it is no part of it. Of several, the record says it."""
    if len(records) == 1 and records[0].note:
        place.say(records[0].note)
