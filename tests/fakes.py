"""The smallest backend and the smallest sink."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from metask_magic.messages.events import Event, TextDelta
from metask_magic.messages.record import Record
from metask_magic.messages.request import Request

PATIENCE = 30  # seconds until a test that would hang gives up


class Script:
    """A backend that yields events, raises exceptions, and stalls where the script says None."""

    def __init__(self, *steps: Event | Exception | None) -> None:
        self.steps = steps
        self.stalled = threading.Event()
        self.closed = threading.Event()

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        try:
            for step in self.steps:
                if step is None:
                    self.stalled.set()
                    await asyncio.Event().wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.closed.set()


class Recorder:
    """A sink that notes what it is told; `on` are things to do when told."""

    def __init__(self, **on: Callable[[], None]) -> None:
        self.calls: list[str] = []
        self.shown: dict[int, list[Event]] = {}
        self.records: list[Record] = []
        self._on = on

    def _called(self, name: str) -> None:
        self.calls.append(name)
        self._on.get(name, lambda: None)()

    def open(self, stop: Callable[[int | None], None]) -> None:
        self.stop = stop
        self._called("open")

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        for column, events in news.items():
            self.shown.setdefault(column, []).extend(events)
            self._called(f"show{column}")

    def close(self, records: Sequence[Record]) -> None:
        self.records = list(records)
        self._called("close")

    def text(self, column: int) -> str:
        return "".join(event.text for event in self.shown.get(column, []) if isinstance(event, TextDelta))
