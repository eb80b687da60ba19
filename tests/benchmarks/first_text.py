"""How soon the first text is to be seen: from its leaving the gateway to the page's message, and to a print.

    python -m tests.benchmarks.first_text

A loopback gateway holds its first chunk back, and lets it go; the time is taken until the kernel has
published it: as a message of the live view, as what a cell prints with `Metask.display = "text"` (a
terminal's way), and as what the plain openai loop prints and flushes. Prints the medians in milliseconds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from ..gateway_server import Gate, GatewayServer, Streamed
from ..kernel import Kernel, published

ROUNDS = 31
FIRST = "Hello there"

PLAIN = """
stream = client.chat.completions.create(
    model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}], stream=True
)
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
"""
ASK = "%%metask gpt-4o-mini\nHi"


def main() -> None:
    with GatewayServer() as server, tempfile.TemporaryDirectory() as directory:
        env = {"METASK_API_KEY": server.api_key, "METASK_BASE_URL": server.base_url}
        with Kernel.start(Path(directory), env) as kernel:
            kernel.run(
                f"import openai\n%load_ext metask_magic\n"
                f"client = openai.OpenAI(base_url={server.base_url!r}, api_key={server.api_key!r})"
            )
            ways = {"plain": (PLAIN, "stream"), "view": (ASK, "comm_msg"), "text": (ASK, "stream")}
            taken: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(ROUNDS):
                for way, (code, kind) in ways.items():
                    kernel.run(f"%config Metask.display = {'text' if way == 'text' else 'auto'!r}")
                    taken[way].append(_milliseconds(server, kernel, code, kind))
    for way, what in {
        "plain": "plain openai loop, printing:",
        "view": "the live view's message:",
        "text": "printed by %%metask:",
    }.items():
        print(f"{what:30} {statistics.median(taken[way][1:]):.1f} ms (median of {ROUNDS - 1})")


def _milliseconds(server: GatewayServer, kernel: Kernel, code: str, kind: str) -> float:
    gate = Gate()
    server.script(Streamed([gate, FIRST]))
    running = kernel.start_run(code, metadata={"cellId": "a"})
    assert gate.reached.wait(30)
    time.sleep(0.1)  # everybody is waiting by now
    began = time.perf_counter()
    gate.open()
    running.wait_for(published(kind, containing=FIRST))
    taken = time.perf_counter() - began
    assert running.finish().error is None
    return taken * 1000


if __name__ == "__main__":
    main()
