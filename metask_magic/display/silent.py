"""The sink of `--quiet`: nothing is shown, nothing stays."""

from __future__ import annotations

from collections.abc import Sequence

from ..chat.messages import Event, Record


class SilentSink:
    """Shows nothing."""

    def open(self) -> None:
        pass

    def show(self, column: int, events: Sequence[Event]) -> None:
        pass

    def close(self, records: Sequence[Record]) -> None:
        pass
