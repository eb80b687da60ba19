"""Memory and cost of a prompt over 100,000 rows, with short prompts and with prompts forty times as long.

    python -m tests.benchmarks.batch_memory

The rows come from a generator, every answer is recorded, and the server is a process of its own. Prints rows
a second, CPU milliseconds a row from the 1,000th to the 10,000th and from the 90,000th to the 99,000th, the
peak of resident memory after a tenth of the rows and at the end, and the ratio of the ends: what grows is the
table with its answers, and what is known of the recordings; nothing of the prompts may stay. Where memory
grows by more than 1.1 times, or the last rows cost more than 1.25 times what the first did, the exit status
is 1.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator

from .apart import run_apart, server
from .batch_cpu import REPLY

ROWS = 100_000
CHARACTERS = (200, 8_000)
IN_FLIGHT = 64
ALLOWED = 1.1
ALLOWED_COST = 1.25
MARKS = 1_000, 10_000, 90_000, 99_000


def _peak() -> float:
    """Return the peak of resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def ours(address: dict[str, str], characters: int) -> dict[str, float]:
    """Ask about all rows; return what that cost."""
    import metask_magic

    os.environ["METASK_API_KEY"], os.environ["METASK_BASE_URL"] = address["api_key"], address["base_url"]
    used: dict[int, float] = {}
    peaks: list[float] = []

    def rows() -> Iterator[dict[str, int]]:
        for number in range(ROWS):
            if number in MARKS:
                used[number] = time.process_time()
                peaks.append(_peak())
            yield {"number": number}

    prompt = "{{ number }} " + "x" * characters
    began = time.perf_counter()
    table = metask_magic.map(rows(), prompt, model="gpt-4o-mini", max_concurrency=IN_FLIGHT, quiet=True)
    took = time.perf_counter() - began
    assert all(row["reply"] for row in table)
    first, tenth, late, last = (used[mark] for mark in MARKS)
    return {
        "rows a second": ROWS / took,
        "first": (tenth - first) / (MARKS[1] - MARKS[0]) * 1000,
        "last": (last - late) / (MARKS[3] - MARKS[2]) * 1000,
        "tenth": peaks[1],
        "end": _peak(),
    }


def _measure(characters: int) -> dict[str, float]:
    with server("--script", REPLY) as address:
        printed = run_apart("tests.benchmarks.batch_memory", json.dumps(address), f"{characters}")
    found: dict[str, float] = json.loads(printed)
    print(
        f"{ROWS:,} rows, prompts of {characters:,} characters: {found['rows a second']:.0f} rows a second, "
        f"CPU a row {found['first']:.2f} ms at first and {found['last']:.2f} ms at last, "
        f"{found['tenth']:.0f} MB after a tenth, {found['end']:.0f} MB at the end",
        flush=True,
    )
    return found


def main() -> int:
    short, long = map(_measure, CHARACTERS)
    memory, cost = long["end"] / short["end"], max(each["last"] / each["first"] for each in (short, long))
    print(f"memory: ratio {memory:.2f}; cost of the last rows: ratio {cost:.2f}")
    return 0 if memory <= ALLOWED and cost <= ALLOWED_COST else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(ours(json.loads(sys.argv[1]), int(sys.argv[2]))))
    else:
        raise SystemExit(main())
