"""The sink where nobody watches: the record is published once, when it is whole.

For nbclient, nbconvert, papermill and nbval: no widget, no comm, no update of a display, which a saved
notebook would keep or a comparison would trip over.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from ..chat.messages import Event, Notice, Record
from .record import to_output


class PublishSink:
    """Publishes the record at the end; notices go to stderr, for those who wonder why it takes so long."""

    def open(self, stop: Callable[[int | None], None]) -> None:
        pass

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        for event in chain.from_iterable(news.values()):
            if isinstance(event, Notice):
                print(event.text, file=sys.stderr, flush=True)

    def close(self, records: Sequence[Record]) -> None:
        from IPython.display import display

        if any(record.text for record in records):
            bundle, metadata = to_output(records)
            display(bundle, raw=True, metadata=metadata)
        print_notes(records)


def print_notes(records: Sequence[Record]) -> None:
    """Print what is to be said beside the replies; it is no part of them."""
    for record in records:
        if record.note:
            print(record.note, file=sys.stderr, flush=True)
