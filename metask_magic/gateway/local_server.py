"""The embedded model's own process.

Run by its path, with nothing of the rest of the package, so that it starts quickly. The first line of
stdin is its settings, a JSON object (there and not on the command line, which every user of the machine
can read, because it holds the key). Once requests are answered, one JSON line on stdout gives the port.
It ends when stdin ends or its parent is gone; while the weights are being read, right after that.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit

SLOTS = 2
SLOT_TOKENS = 4096
PARENT_CHECK_SECONDS = 1.0
LOG_ERRORS_ONLY = 1


def main() -> None:
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C stops a cell, not the model
    settings = json.loads(sys.stdin.readline())
    threading.Thread(target=_leave_at_end_of_stdin, daemon=True).start()
    try:
        server = _serve(settings)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent quotes it
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    _report({"port": urlsplit(server.listening_address).port})
    # A process forked from the parent holds our stdin open too, so its end alone is not enough.
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(0)


def _report(state: dict[str, int | None]) -> None:
    # In one write and on a line of its own: the log of llama.cpp's threads goes into the same pipe.
    os.write(sys.stdout.fileno(), f"\n{json.dumps(state)}\n".encode())


def _leave_at_end_of_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


def _serve(settings: dict[str, Any]) -> Any:
    """Load the model and answer requests in threads of llama.cpp's own; returns when it listens."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = {settings["name"]}
    params.chat_template = settings["chat_template"]
    params.n_predict = settings["max_tokens"]
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * SLOT_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _threads()
    params.cache_ram_mib = 0  # else old prompts may take up to 8 GB
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings["api_key"]]
    params.cors_origins = ""  # no web page has business here
    params.ui = False
    params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    params.verbosity = LOG_ERRORS_ONLY
    return xllamacpp.Server(params)


def _threads() -> int:
    """All the processors this process may use but one, which stays free for the notebook."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable - 1)


if __name__ == "__main__":
    main()
