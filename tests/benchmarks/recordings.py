"""Loading and finding recordings, against executing a trivial cell for each.

    python -m tests.benchmarks.recordings

A store of 10,000 recordings is loaded anew and each is found once; a kernel executes the cell `1`. Prints
seconds per 10,000 of either, medians, and their ratio, which should stay below 1/20.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from metask_magic.gateway.recordings import Recordings

from ..gateway.recordings import recording
from ..kernel import Kernel

RECORDINGS = 10_000
CELLS = 300
ROUNDS = 5
REPLY = "word " * 200


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, Kernel.start(Path(directory)) as kernel:
        path = Path(directory) / "recordings.jsonl"
        lines = [recording(f"prompt {number}", REPLY) for number in range(RECORDINGS)]
        path.write_bytes(b"".join(line.to_line() for line in lines))
        keys = [line.key for line in lines]
        found, executed = zip(
            *[(_find_all(path, keys), _execute(kernel)) for _ in range(ROUNDS)], strict=True
        )
    find, execute = statistics.median(found), statistics.median(executed)
    print(f"trivial cells:            {execute:.1f} s per {RECORDINGS:,} (median of {ROUNDS})")
    print(f"load and find recordings: {find:.2f} s per {RECORDINGS:,}")
    print(f"ratio: {find / execute:.4f}")


def _find_all(path: Path, keys: list[str]) -> float:
    start = time.perf_counter()
    store = Recordings(path)
    for key in keys:
        assert store.has(key)
    return time.perf_counter() - start


def _execute(kernel: Kernel) -> float:
    start = time.perf_counter()
    for _ in range(CELLS):
        kernel.run("1")
    return (time.perf_counter() - start) * RECORDINGS / CELLS


if __name__ == "__main__":
    main()
