"""CPU time of a prompt over a table: ours against `AsyncOpenAI.chat.completions.create` behind a semaphore.

    python -m tests.benchmarks.batch_cpu

Both ask the same server, which is a process of its own, in turn and in processes of their own: ours is
`metask_magic.map`, with prompts made, answers recorded and the table put together; theirs is a task for each
row that calls `create` with the library's default client, and nothing else. Prints CPU milliseconds per row
and the ratio of the medians; above one half the exit status is 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from typing import Any

from .apart import run_apart, server

IN_FLIGHT = (8, 64, 512)
REQUESTS = 2000
ROUNDS = 3
REPLY = [{"parts": [{"repeat": 40, "text": "word "}]}]
ALLOWED = 0.5


def ours(server: dict[str, str], in_flight: int) -> float:
    import metask_magic

    os.environ["METASK_API_KEY"], os.environ["METASK_BASE_URL"] = server["api_key"], server["base_url"]

    def run(words: list[str]) -> None:
        rows = [{"word": word} for word in words]
        table = metask_magic.map(
            rows, "{{ word }}", model="gpt-4o-mini", max_concurrency=in_flight, quiet=True
        )
        assert all(row["reply"] for row in table), table[0]

    run([f"first {number}" for number in range(in_flight)])
    before = time.process_time()
    run([f"{number}" for number in range(REQUESTS)])
    return (time.process_time() - before) / REQUESTS * 1000


def theirs(server: dict[str, str], in_flight: int) -> float:
    import openai

    async def run() -> float:
        async with openai.AsyncOpenAI(**server, max_retries=0) as client:  # type: ignore[arg-type]
            places = asyncio.Semaphore(in_flight)

            async def ask(number: int) -> None:
                async with places:
                    messages: Any = [{"role": "user", "content": f"{number}"}]
                    done = await client.chat.completions.create(model="gpt-4o-mini", messages=messages)
                    assert done.choices[0].message.content

            await asyncio.gather(*map(ask, range(in_flight)))
            before = time.process_time()
            await asyncio.gather(*map(ask, range(REQUESTS)))
            return (time.process_time() - before) / REQUESTS * 1000

    return asyncio.run(run())


def _measure(who: str, server: dict[str, str], in_flight: int) -> float:
    return float(run_apart("tests.benchmarks.batch_cpu", who, json.dumps(server), f"{in_flight}"))


def main() -> int:
    ratios = []
    for in_flight in IN_FLIGHT:
        figures: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(ROUNDS):
            with server("--script", REPLY) as address:  # a new one: it remembers every request
                for who, measured in figures.items():
                    measured.append(_measure(who, address, in_flight))
        batch, create = (statistics.median(measured) for measured in figures.values())
        ratios.append(batch / create)
        print(
            f"{in_flight:4} in flight: map {batch:.2f} ms of CPU a row, create {create:.2f} ms, "
            f"ratio {ratios[-1]:.2f}",
            flush=True,
        )
    return 0 if max(ratios) <= ALLOWED else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        side = {"ours": ours, "theirs": theirs}[sys.argv[1]]
        print(side(json.loads(sys.argv[2]), int(sys.argv[3])))
    else:
        raise SystemExit(main())
