"""Break the product in many places, one at a time, and count how often a test sees it.

    pip install cosmic-ray
    python -m tests.mutation --count 320 --workers 2 --out /tmp/mutation

The mutants are cosmic-ray's, one for each line and kind of change, a fixed lot of `--count` over all rooms.
Each is tried in a copy of the tree by the test files that run its line: those of the module's name first,
then the quickest, as many as take `BUDGET` seconds in all. Browser tests take no part.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import accumulate, count
from pathlib import Path
from queue import SimpleQueue

from .reach import environment, measure
from .sites import Mutant, sample

ROOT = Path(__file__).parents[2]
BUDGET = 120.0  # seconds of a mutant's tests, as they took when it was found which lines they run
HANGING = 400.0  # seconds after which a mutant is one that hangs, and so is seen

Reach = Mapping[str, Mapping[str, Sequence[int] | float]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--count", type=int, default=320)
    parser.add_argument("--room", default="", help="one room and its own tests alone")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    mutants = sample(ROOT, options.count, options.room)
    reach = measure(ROOT, options.out, options.workers, options.room)
    copies: SimpleQueue[Path] = SimpleQueue()
    for number in range(options.workers):
        copies.put(_copy(options.out / f"copy_{number}"))
    seen: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    tried = _tried(options.out / "results.jsonl")
    with ThreadPoolExecutor(options.workers) as pool, (options.out / "results.jsonl").open("a") as results:

        def look(mutant: Mutant) -> tuple[Mutant, str]:
            known = tried.get(json.dumps(asdict(mutant)))
            return mutant, _try(mutant, reach, copies) if known is None else known

        for mutant, killer in pool.map(look, mutants):
            (seen if killer else missed)[mutant.module.split("/")[1]] += 1
            if json.dumps(asdict(mutant)) not in tried:
                print(json.dumps({**asdict(mutant), "killer": killer}), file=results, flush=True)
    _report(seen, missed)


def _tried(results: Path) -> dict[str, str]:
    """Return what an earlier run has found out, by mutant."""
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    found = [json.loads(line) for line in lines]
    return {json.dumps({k: v for k, v in each.items() if k != "killer"}): each["killer"] for each in found}


def _copy(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    left_out = shutil.ignore_patterns(".git", "node_modules", "__pycache__", ".*_cache")
    return Path(shutil.copytree(ROOT, place, ignore=left_out))


def _try(mutant: Mutant, reach: Reach, copies: SimpleQueue[Path]) -> str:
    """Return the test that fails, "" where none does."""
    copy = copies.get()
    module = copy / mutant.module
    whole = module.read_text(encoding="utf-8")
    try:
        _write(module, mutant.apply(whole) or whole)
        return next(filter(None, (_failing(copy, files) for files in _iter_files(mutant, reach))), "")
    finally:
        _write(module, whole)
        copies.put(copy)


_seconds = count(1_000_000_000)


def _write(module: Path, text: str) -> None:
    """Write a module, at a time that no other version has: compiled ones are known by time and size."""
    module.write_text(text, encoding="utf-8")
    at = next(_seconds)
    os.utime(module, (at, at))


def _iter_files(mutant: Mutant, reach: Reach) -> Iterator[list[str]]:
    """Yield the test files to try, those of the module's name first; the others within the budget."""

    def seconds(file: str) -> float:
        return float(reach[file]["seconds"])  # type: ignore[arg-type]

    def lines(file: str) -> Sequence[int]:
        return reach[file].get(mutant.module, ())  # type: ignore[return-value]

    stem = f"test_{Path(mutant.module).stem}"
    own = [file for file in reach if Path(file).stem.startswith(stem)]
    others = sorted({file for file in reach if mutant.line in lines(file)} - {*own}, key=seconds)
    spent = accumulate(map(seconds, own + others))
    within = [file for file, so_far in zip(own + others, spent, strict=True) if so_far <= BUDGET]
    yield own
    yield within[len(own) :] or ([] if own else others[:1])


def _failing(copy: Path, files: Sequence[str]) -> str:
    """Return the test, or the files, where one of them fails; "" where none does."""
    if not files:
        return ""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    try:
        ran = subprocess.run(
            command, cwd=copy, env=environment(copy), capture_output=True, timeout=HANGING, check=False
        )
    except subprocess.TimeoutExpired:
        return " ".join(files)
    if ran.returncode in {0, 5}:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", ran.stdout.decode(), re.MULTILINE)
    return failed[1] if failed else " ".join(files)


def _report(seen: Counter[str], missed: Counter[str]) -> None:
    for room in sorted(seen | missed):
        print(f"{room:14} {seen[room]:4} of {seen[room] + missed[room]:4}")
    total = seen.total() + missed.total()
    print(f"{'all':14} {seen.total():4} of {total:4}: {seen.total() / total:.1%}")


if __name__ == "__main__":
    main()
