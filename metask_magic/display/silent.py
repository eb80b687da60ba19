"""The sink of `--quiet`: nothing is shown, nothing stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..messages.events import Event
from ..messages.record import Record


class SilentSink:
    """Shows nothing."""

    def open(self, stop: Callable[[int | None], None]) -> None:
        pass

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        pass

    def close(self, records: Sequence[Record]) -> None:
        pass
