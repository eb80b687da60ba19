"""Batches side by side: the caller's thread pumps all of them until each has ended, or the user interrupts.

A lane is a sequence of batches that are run one after another, such as the repeats of one model's rows. The
next batch of a lane is made when the one before it has ended well: what stopped one would stop it too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ..asking.interrupt import HEARTBEAT_SECONDS, InterruptRequest
from .asker import ends_all
from .batch import Batch, Progress

REST_SECONDS = 0.005
LONGEST_REST_SECONDS = 0.1


class Together:
    """Runs lanes of batches, at most `side_by_side` at the same time.

    `total` is the number of rows of all batches; None where there is one batch alone, which knows it best.
    `shared` is told the numbers of the lanes that run, whenever one begins or ends.
    """

    def __init__(
        self,
        lanes: Sequence[Iterator[Batch]],
        *,
        side_by_side: int | None = None,
        total: int | None = None,
        shared: Callable[[Sequence[int]], None] = lambda _: None,
    ) -> None:
        self._waiting = list(enumerate(lanes))
        self._most = len(lanes) if side_by_side is None else side_by_side
        self._total = total
        self._shared = shared
        self._running: dict[int, tuple[Iterator[Batch], Batch]] = {}
        self._ended: list[Batch] = []
        self._wake = threading.Event()

    def run(self, show: Callable[[Progress], None], interrupt: InterruptRequest) -> None:
        """Run until every lane has ended, the user interrupts, or no lane could go on.

        `show` is called some ten times a second, in this thread. Raises what a lane, a batch or `show` raise.
        """
        try:
            self._pump(show, interrupt)
        finally:
            for _, batch in self._running.values():
                batch.end()
        show(self._progress())

    def _pump(self, show: Callable[[Progress], None], interrupt: InterruptRequest) -> None:
        shown_at = 0.0
        while not interrupt.requested:
            self._fill()
            if not self._running:
                return
            # Each step for all lanes: what they put is written at once, and a file is read anew when it was.
            for _, batch in self._running.values():
                batch.collect()
            for _, batch in self._running.values():
                batch.settle()
            for number in list(self._running):
                if self._advance(number, interrupt):
                    return
            if time.monotonic() - shown_at >= HEARTBEAT_SECONDS:
                show(self._progress())
                shown_at = time.monotonic()
            if self._has_room():
                continue
            # Several answers at once cost less than one by one; each of many lanes has but a few.
            time.sleep(min(LONGEST_REST_SECONDS, REST_SECONDS * len(self._running)))
            self._wake.wait(HEARTBEAT_SECONDS)
            self._wake.clear()

    def _has_room(self) -> bool:
        return not self._running or bool(self._waiting and len(self._running) < self._most)

    def _fill(self) -> None:
        """Begin lanes where there is room; all are there before one of them asks."""
        began = False
        while self._waiting and len(self._running) < self._most:
            number, lane = self._waiting.pop(0)
            began = self._begin_next(number, lane) or began
        if began:
            self._shared([*self._running])

    def _begin_next(self, number: int, lane: Iterator[Batch]) -> bool:
        batch = next(lane, None)
        if batch is None:
            return False
        self._running[number] = lane, batch
        batch.begin(self._wake.set)
        return True

    def _advance(self, number: int, interrupt: InterruptRequest) -> bool:
        """Pump a lane. Return whether what stopped it would stop all."""
        lane, batch = self._running[number]
        if not batch.advance(interrupt):
            return False
        del self._running[number]
        self._ended.append(batch)
        batch.end()
        if batch.stopped is None:
            self._begin_next(number, lane)
        self._shared([*self._running])
        return batch.stopped is not None and ends_all(batch.stopped)

    def _progress(self) -> Progress:
        running = [batch.progress for _, batch in self._running.values()]
        every = [*running, *(batch.progress for batch in self._ended)]
        if self._total is None and len(every) == 1:
            return every[0]
        tokens = [progress.tokens for progress in every if progress.tokens is not None]
        held = {progress.hindrance for progress in running}
        return replace(
            every[0] if every else _NOTHING,
            done=sum(progress.done for progress in every),
            failed=sum(progress.failed for progress in every),
            journalled=sum(progress.journalled for progress in every),
            tokens=sum(tokens) if tokens else None,
            in_flight=sum(progress.in_flight for progress in running),
            limit=sum(progress.limit for progress in running),
            total=self._total,
            retried=sum(progress.retried for progress in every),
            hindrance=held.pop() if len(held) == 1 else "",
        )


_NOTHING = Progress(0, 0, 0, None, 0, 0, None)
