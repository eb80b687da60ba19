"""A trial of 20 models on 1,000 rows: CPU time and memory, against a prompt over as many rows of one model.

    python -m tests.benchmarks.trial

Both ask the same server, which is a process of its own, in processes of their own: a trial is twenty
thousand answers, checked by a column, its leaderboard drawn; `metask_magic.map` has a table of as many rows.
Both record every answer, and which comes first changes each time. Prints CPU milliseconds per request and the
peak of resident memory. Where the median request of the trial costs more than one of `map` (1.05: what the
same program differs by from run to run), or its memory is above 300 MB, the exit status is 1.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from typing import Any

from .apart import run_apart, server

MODELS = [f"vendor/model-{number:02}" for number in range(20)]
ROWS = 1000
ROUNDS = 7
REPLY = [{"parts": [{"repeat": 40, "text": "word "}]}]
ALLOWED = 1.05
ALLOWED_MB = 300
PROMPT = "{{ number }} " + "x" * 400


def _rows(count: int) -> list[dict[str, Any]]:
    return [{"number": number, "expected": "word" if number % 2 else "words"} for number in range(count)]


def trial() -> None:
    import metask_magic

    done: Any = metask_magic.trial(_rows(ROWS), PROMPT, models=MODELS, check="expected", quiet=True)
    assert len(done.answers) == ROWS * len(MODELS)
    assert all(answer.outcome == "answered" for answer in done.answers)
    assert done.leaderboard.to_html()


def mapped() -> None:
    import metask_magic

    table = metask_magic.map(_rows(ROWS * len(MODELS)), PROMPT, model=MODELS[0], quiet=True)
    assert all(row["reply"] for row in table)


def measured(who: str, address: dict[str, str]) -> tuple[float, float]:
    """Return CPU milliseconds per request, and the peak of resident memory in MB."""
    os.environ["METASK_API_KEY"], os.environ["METASK_BASE_URL"] = address["api_key"], address["base_url"]
    before = time.process_time()
    {"trial": trial, "map": mapped}[who]()
    used = (time.process_time() - before) / (ROWS * len(MODELS)) * 1000
    return used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> int:
    figures: dict[str, list[tuple[float, float]]] = {"map": [], "trial": []}
    for number in range(ROUNDS):
        for who in sorted(figures, reverse=number % 2 == 1):
            with server("--script", REPLY, models=MODELS) as address:  # a new one: it remembers every request
                cost, peak = json.loads(run_apart("tests.benchmarks.trial", who, json.dumps(address)))
            figures[who].append((cost, peak))
            print(f"{who}: {cost:.2f} ms of CPU a request, {peak:.0f} MB", flush=True)
    costs = {who: statistics.median(cost for cost, _ in found) for who, found in figures.items()}
    memory = max(peak for _, peak in figures["trial"])
    ratio = costs["trial"] / costs["map"]
    print(f"trial {costs['trial']:.2f} ms, map {costs['map']:.2f} ms, ratio {ratio:.2f}; {memory:.0f} MB")
    return 0 if ratio <= ALLOWED and memory <= ALLOWED_MB else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measured(sys.argv[1], json.loads(sys.argv[2]))))
    else:
        raise SystemExit(main())
