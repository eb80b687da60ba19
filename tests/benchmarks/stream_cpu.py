"""CPU time of a long streamed reply: a `%%metask` cell against the plain openai loop.

    python -m tests.benchmarks.stream_cpu

Both run in a real kernel against the same loopback server, in turn: the cell, and a cell that prints the
chunks of `client.chat.completions.create(stream=True)` one by one, as the gateway's documentation shows it.
Prints the CPU seconds of the kernel's process for each, and the ratio of the medians.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from ..gateway_server import GatewayServer, Streamed
from ..kernel import Kernel

CHUNKS = 10_000
ROUNDS = 5
CHUNK = "word "

LOOP = """
stream = client.chat.completions.create(
    model="gpt-4o-mini", messages=[{"role": "user", "content": "Go on"}], stream=True
)
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="")
"""
CELL = "%%metask gpt-4o-mini\nGo on"


def main() -> None:
    with (
        GatewayServer() as server,
        tempfile.TemporaryDirectory() as directory,
        Kernel.start(Path(directory)) as kernel,
    ):
        _prepare(kernel, server)
        rounds = [[_cpu_seconds(kernel, server, code) for code in (LOOP, CELL)] for _ in range(ROUNDS)]
    loop, cell = (statistics.median(figures) for figures in zip(*rounds, strict=True))
    print(f"plain openai loop, printing: {loop:.2f} s of CPU for {CHUNKS:,} chunks (median of {ROUNDS})")
    print(f"%%metask cell:               {cell:.2f} s")
    print(f"ratio: {cell / loop:.2f}")


def _prepare(kernel: Kernel, server: GatewayServer) -> None:
    cell = kernel.run(
        f"import os, time, openai\nos.environ['METASK_API_KEY'] = {server.api_key!r}\n"
        f"client = openai.OpenAI(base_url={server.base_url!r}, api_key={server.api_key!r})\n"
        f"%load_ext metask_magic\n%config Metask.base_url = {server.base_url!r}"
    )
    assert cell.error is None, cell.error
    for code in (LOOP, CELL):
        kernel.run(code)


def _cpu_seconds(kernel: Kernel, server: GatewayServer, code: str) -> float:
    server.script(Streamed([CHUNK] * CHUNKS))
    before = _process_time(kernel)
    cell = kernel.run(code, metadata={"cellId": "a"}, timeout=120)
    assert cell.error is None, cell.error
    assert len("".join(str(output) for output in cell.outputs)) > CHUNKS * len(CHUNK), "all of it was shown"
    return _process_time(kernel) - before


def _process_time(kernel: Kernel) -> float:
    return float(kernel.run("print(time.process_time())").text())


if __name__ == "__main__":
    main()
