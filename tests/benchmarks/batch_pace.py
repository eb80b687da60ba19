"""Wall time of a batch at a gateway that allows 20 at once, against a loop that was told so.

    python -m tests.benchmarks.batch_pace

The server is a process of its own that says 429 beyond its limit; in the second line 3 % of the rows fail
with a 500 the first time, and 1 % are reset. Ours does not know the limit: it is `metask_magic.map` with all
settings at their defaults, recordings included. Theirs is `AsyncOpenAI.chat.completions.create` in as many
coroutines as are allowed, which ask again at once where a request failed. They ask in turn, each in a process
of its own and with the library imported before. Prints the seconds of each, and the ratio of the medians;
above 1.25 the exit status is 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from .apart import run_apart, server

ROWS = 2000
PLACES = 20
ROUNDS = 3
ALLOWED = 1.25

GATEWAYS: Mapping[str, Mapping[str, Any]] = {
    "no faults": {"places": PLACES, "seconds": 0.04},
    "3 % 500s, 1 % resets": {
        "places": PLACES,
        "seconds": 0.04,
        "failing": 0.03,
        "reset": 0.01,
        "passing": True,
    },
}


def ours(address: Mapping[str, str]) -> float:
    import metask_magic
    from metask_magic.gateway.library import import_library

    os.environ["METASK_API_KEY"], os.environ["METASK_BASE_URL"] = address["api_key"], address["base_url"]
    import_library()
    rows = [{"number": number} for number in range(ROWS)]
    before = time.perf_counter()
    table = metask_magic.map(rows, "row {{ number }}", model="gpt-4o-mini", quiet=True)
    took = time.perf_counter() - before
    assert [row["reply"] for row in table] == [f"row {number}" for number in range(ROWS)]
    return took


def theirs(address: Mapping[str, str]) -> float:
    import openai

    async def run() -> float:
        async with openai.AsyncOpenAI(**address, max_retries=0) as client:  # type: ignore[arg-type]

            async def ask(numbers: Iterator[int]) -> None:
                for number in numbers:
                    messages: Any = [{"role": "user", "content": f"row {number}"}]
                    while True:
                        try:
                            done = await client.chat.completions.create(
                                model="gpt-4o-mini", messages=messages
                            )
                        except (openai.InternalServerError, openai.APIConnectionError, openai.RateLimitError):
                            continue
                        break
                    assert done.choices[0].message.content == f"row {number}"

            before = time.perf_counter()
            numbers = iter(range(ROWS))
            await asyncio.gather(*[ask(numbers) for _ in range(PLACES)])
            return time.perf_counter() - before

    return asyncio.run(run())


def main() -> int:
    ratios = []
    for name, trouble in GATEWAYS.items():
        figures: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(ROUNDS):
            for who, measured in figures.items():
                with server(
                    "--trouble", trouble
                ) as address:  # a new one: which row fails is the first time's
                    measured.append(float(run_apart("tests.benchmarks.batch_pace", who, json.dumps(address))))
        batch, loop = (statistics.median(measured) for measured in figures.values())
        ratios.append(batch / loop)
        print(
            f"{ROWS:,} rows, {PLACES} at once, {name}: batch {batch:.1f} s, loop {loop:.1f} s, "
            f"ratio {ratios[-1]:.2f}",
            flush=True,
        )
    return 0 if max(ratios) <= ALLOWED else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print({"ours": ours, "theirs": theirs}[sys.argv[1]](json.loads(sys.argv[2])))
    else:
        raise SystemExit(main())
