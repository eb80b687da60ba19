"""How soon the first request is on the wire: a `%%metask` cell against the plain openai client.

    python -m tests.benchmarks.first_request

Each is timed in fresh kernels, in turn, from sending the cell to its request's arrival at a loopback
gateway: the plain client, imported and asked in one cell; the extension, loaded and asked at once; and the
same asked some seconds after it was loaded, which is how people type. Prints the medians and their ratios.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from pathlib import Path

from ..gateway_server import GatewayServer
from ..gateway_server.answers import Streamed
from ..gateway_server.received import Received
from ..kernel import Kernel

ROUNDS = 7
IDLE_SECONDS = 2.0

PLAIN = """
import openai
client = openai.OpenAI(base_url={base_url!r}, api_key={key!r})
stream = client.chat.completions.create(
    model="gpt-4o-mini", messages=[{{"role": "user", "content": "Hi"}}], stream=True
)
for chunk in stream:
    pass
"""
LOAD = "%load_ext metask_magic"
ASK = "%%metask gpt-4o-mini\nHi"
NOTEBOOK = {"cellId": "a"}


class Arrival:
    """When the first chat request came."""

    def __init__(self) -> None:
        self.at = 0.0
        self._came = threading.Event()

    def __call__(self, received: Received) -> Streamed:
        self.at = self.at or time.perf_counter()
        self._came.set()
        return Streamed(["Hello"])

    def wait(self) -> float:
        assert self._came.wait(60)
        return self.at


def main() -> None:
    with GatewayServer() as server:
        rounds = [(_plain(server), _at_once(server), _later(server)) for _ in range(ROUNDS)]
    plain, at_once, later = (statistics.median(figures) for figures in zip(*rounds, strict=True))
    print(f"import openai and ask:             {plain * 1000:5.0f} ms (median of {ROUNDS} fresh kernels)")
    print(f"load the extension, ask at once:   {at_once * 1000:5.0f} ms")
    print(f"asked {IDLE_SECONDS:.0f} s after it was loaded:   {later * 1000:5.0f} ms")
    print(f"ratios: {at_once / plain:.2f}, {later / plain:.2f}")


def _plain(server: GatewayServer) -> float:
    return _seconds(server, [PLAIN.format(base_url=server.base_url, key=server.api_key)])


def _at_once(server: GatewayServer) -> float:
    return _seconds(server, [LOAD, ASK])


def _later(server: GatewayServer) -> float:
    return _seconds(server, [ASK], before=LOAD)


def _seconds(server: GatewayServer, cells: list[str], before: str | None = None) -> float:
    """Seconds from sending the first of the cells to the arrival of the request."""
    server.reset()
    server.answer_with(arrival := Arrival())
    env = {"METASK_API_KEY": server.api_key, "METASK_BASE_URL": server.base_url}
    with tempfile.TemporaryDirectory() as directory, Kernel.start(Path(directory), env) as kernel:
        if before is not None:
            kernel.run(before, metadata=NOTEBOOK)
            time.sleep(IDLE_SECONDS)
        began = time.perf_counter()
        running = [kernel.start_run(code, metadata=NOTEBOOK) for code in cells]
        arrived = arrival.wait() - began
        assert running[-1].finish().error is None
    return arrived


if __name__ == "__main__":
    main()
