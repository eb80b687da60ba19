"""Eight replies side by side against one alone, in a real kernel that a notebook asks.

    python -m tests.benchmarks.many_streams

The server is a process of its own and paces every reply alike, so that eight at once could take as long as
one. Prints the wall time of both with their ratio, the messages and bytes the kernel sent to the page for N
and for 2 N chunks a reply, and how long after an interrupt in mid-stream the kernel was idle.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..gateway_server import MODELS
from ..kernel import Execution, Kernel, published
from .apart import server

CHUNKS = 2_000
CHUNKS_PER_SECOND = 400
CHUNK = "a word "
ROUNDS = 3
MOST = 1.3
SOON = 0.2
NOTEBOOK = {"cellId": "a"}


@dataclass(frozen=True)
class Traffic:
    """What one cell sent to the page."""

    messages: int
    size: int

    @classmethod
    def of(cls, cell: Execution) -> Traffic:
        sizes = [len(message.text.encode()) for message in cell.messages if message.kind == "comm_msg"]
        return cls(len(sizes), sum(sizes))


@contextmanager
def serving(kernel: Kernel, chunks: int) -> Iterator[None]:
    """Point the kernel at a server whose replies all have so many chunks."""
    answer = {"parts": [{"repeat": chunks, "text": CHUNK}], "chunks_per_second": CHUNKS_PER_SECOND}
    with server("--script", [answer]) as told:
        cell = kernel.run(
            f"import os\nos.environ['METASK_API_KEY'] = {told['api_key']!r}\n"
            f"%load_ext metask_magic\n%config Metask.base_url = {told['base_url']!r}\n"
        )
        assert cell.error is None, cell.error
        yield


def ask(models: int) -> str:
    return f"%%metask {' '.join(MODELS[:models])}\nGo on"


def seconds(kernel: Kernel, models: int) -> tuple[float, Execution]:
    """Run a cell to its end; return how long it took, and the cell."""
    began = time.perf_counter()
    cell = kernel.run(ask(models), metadata=NOTEBOOK, timeout=120)
    assert cell.error is None, cell.error
    return time.perf_counter() - began, cell


def idle_after_interrupt(kernel: Kernel) -> float:
    """Return the seconds from an interrupt in mid-stream until the kernel is idle."""
    cell = kernel.start_run(ask(len(MODELS)), metadata=NOTEBOOK)
    cell.wait_for(published("comm_msg", containing=CHUNK * 3))
    began = time.perf_counter()
    kernel.interrupt()
    cell.finish()
    assert cell.error is not None
    assert cell.error["ename"] == "Interrupted", cell.error
    return time.perf_counter() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, Kernel.start(Path(directory)) as kernel:
        with serving(kernel, CHUNKS):
            idle_after_interrupt(kernel)  # the first request pays for the imports
            alone = max(seconds(kernel, 1)[0] for _ in range(ROUNDS))
            many = [seconds(kernel, len(MODELS)) for _ in range(ROUNDS)]
            idle = [idle_after_interrupt(kernel) for _ in range(ROUNDS)]
        with serving(kernel, 2 * CHUNKS):
            twice = Traffic.of(seconds(kernel, len(MODELS))[1])
    together = statistics.median(took for took, _ in many)
    once = Traffic.of(many[0][1])
    print(
        f"{CHUNKS:,} chunks at {CHUNKS_PER_SECOND}/s: {alone:.2f} s alone (the slowest of {ROUNDS}),", end=" "
    )
    print(f"{together:.2f} s for {len(MODELS)} at once: ratio {together / alone:.2f} (at most {MOST})")
    for chunks, traffic in ((CHUNKS, once), (2 * CHUNKS, twice)):
        print(f"{len(MODELS)} × {chunks:,} chunks: {traffic.messages:,} messages, {traffic.size:,} bytes")
    print(f"twice the chunks: {twice.size / once.size:.2f} × the bytes")
    slowest = f"{max(idle) * 1000:.0f} ms (the slowest of {ROUNDS}; at most {SOON * 1000:.0f})"
    print(f"idle after an interrupt: {slowest}")


if __name__ == "__main__":
    main()
