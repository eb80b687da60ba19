"""CPU time of a batch: ours against `AsyncOpenAI.chat.completions.create`, at the same concurrency.

    python -m tests.benchmarks.batch_cpu

Both ask the same server, which is a process of its own, in turn and in processes of their own: our engine
with its gate wide open and a journal that keeps nothing, and as many coroutines as requests may be under
way, each calling `create` with the library's default client. Prints CPU milliseconds per request and the
ratio of the medians; above one half the exit status is 1.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

IN_FLIGHT = (8, 64, 512)
REQUESTS = 2000
ROUNDS = 3
REPLY = [{"parts": [{"repeat": 40, "text": "word "}]}]
ALLOWED = 0.5


def ours(server: dict[str, str], in_flight: int) -> float:
    from metask_magic.chat.asker import Asker
    from metask_magic.chat.batch import Batch
    from metask_magic.chat.gate import Gate
    from metask_magic.chat.interrupt import InterruptRequest
    from metask_magic.chat.loop import network
    from metask_magic.chat.messages import Message, Request
    from metask_magic.chat.reply import Reply
    from metask_magic.gateway.bulk import BulkBackend
    from metask_magic.gateway.client import Connection
    from metask_magic.settings import ApiKey

    class NoJournal:
        def find(self, request: Request) -> None:
            return None

        def put(self, request: Request, reply: Reply) -> None:
            pass

    class OpenGate(Gate):
        """As it is after a while with a gateway that refuses nothing."""

        @property
        def limit(self) -> int:
            return self.max_concurrency

    backend = BulkBackend(Connection(server["base_url"], ApiKey(server["api_key"], "the benchmark")))

    def run(count: int) -> None:
        rows = (Request("gpt-4o-mini", (Message("user", f"{n}"),), stream=False) for n in range(count))
        batch = Batch(rows, Asker(backend, OpenGate(in_flight), max_retries=0), NoJournal())
        results = batch.run(lambda _: None, InterruptRequest())
        assert all(result.reply for result in results), results[0]

    run(in_flight)
    before = time.process_time()
    run(REQUESTS)
    used = time.process_time() - before
    network.run(backend.aclose())
    return used / REQUESTS * 1000


def theirs(server: dict[str, str], in_flight: int) -> float:
    import openai

    async def run() -> float:
        async with openai.AsyncOpenAI(**server, max_retries=0) as client:  # type: ignore[arg-type]

            async def ask(numbers: Iterator[int]) -> None:
                for number in numbers:
                    messages: Any = [{"role": "user", "content": f"{number}"}]
                    done = await client.chat.completions.create(model="gpt-4o-mini", messages=messages)
                    assert done.choices[0].message.content

            async def ask_all(count: int) -> None:
                numbers = iter(range(count))
                await asyncio.gather(*[ask(numbers) for _ in range(in_flight)])

            await ask_all(in_flight)
            before = time.process_time()
            await ask_all(REQUESTS)
            return (time.process_time() - before) / REQUESTS * 1000

    return asyncio.run(run())


@contextmanager
def server() -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "tests.gateway_server", "--script", json.dumps(REPLY)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def _measure(who: str, server: dict[str, str], in_flight: int) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.batch_cpu", who, json.dumps(server), f"{in_flight}"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> int:
    ratios = []
    for in_flight in IN_FLIGHT:
        figures: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(ROUNDS):
            with server() as address:  # a new one: it remembers every request
                for who, measured in figures.items():
                    measured.append(_measure(who, address, in_flight))
        batch, create = (statistics.median(measured) for measured in figures.values())
        ratios.append(batch / create)
        print(
            f"{in_flight:4} in flight: batch {batch:.2f} ms of CPU per request, create {create:.2f} ms, "
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
