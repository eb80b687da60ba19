"""Memory of a prompt over 100,000 rows, with short prompts and with prompts forty times as long.

    python -m tests.benchmarks.batch_memory

The rows come from a generator, every answer is recorded, and the server is a process of its own. Prints the
peak of resident memory after a tenth of the rows and at the end, and the ratio of the ends: what grows is the
table with its answers, and what is known of the recordings; nothing of the prompts may stay. Above 1.1 the
exit status is 1. It takes some ten minutes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .batch_cpu import server

ROWS = 100_000
CHARACTERS = (200, 8_000)
IN_FLIGHT = 64
ALLOWED = 1.1


def _peak() -> float:
    """Return the peak of resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def ours(address: dict[str, str], characters: int) -> list[float]:
    """Ask about all rows; return the peaks when a tenth was read, and at the end."""
    import metask_magic

    os.environ["METASK_API_KEY"], os.environ["METASK_BASE_URL"] = address["api_key"], address["base_url"]
    peaks: list[float] = []

    def rows() -> Iterator[dict[str, int]]:
        for number in range(ROWS):
            if number == ROWS // 10:
                peaks.append(_peak())
            yield {"number": number}

    prompt = "{{ number }} " + "x" * characters
    table = metask_magic.map(rows(), prompt, model="gpt-4o-mini", max_concurrency=IN_FLIGHT, quiet=True)
    assert all(row["reply"] for row in table)
    return [*peaks, _peak()]


def _measure(characters: int) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.batch_memory"]
    with server() as address, tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        arguments = [json.dumps(address), f"{characters}"]
        done = subprocess.run(
            [*command, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True
        )
    begun, ended = json.loads(done.stdout)
    print(
        f"prompts of {characters:,} characters: {begun:.0f} MB after {ROWS // 10:,} rows, "
        f"{ended:.0f} MB after {ROWS:,} ({(ended - begun) / (ROWS - ROWS // 10) * 1000:.1f} kB a row)",
        flush=True,
    )
    return float(ended)


def main() -> int:
    short, long = map(_measure, CHARACTERS)
    print(f"ratio: {long / short:.2f}")
    return 0 if long / short <= ALLOWED else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(ours(json.loads(sys.argv[1]), int(sys.argv[2]))))
    else:
        raise SystemExit(main())
