"""Which test files run which lines, kernels and other processes of theirs included."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CONFIG = """\
[run]
source = metask_magic
data_file = {data}
parallel = true
patch = subprocess
sigterm = true
"""
LEFT_OUT = ("browser", "frontend", "benchmarks", "mutation", "gateway_server")


def test_files(root: Path, room: str) -> list[str]:
    """Return the files of tests that break with the Python code, or those of one room."""
    found = sorted((root / "tests" / room).rglob("test_*.py"))
    return [str(path.relative_to(root)) for path in found if not set(LEFT_OUT) & set(path.parts)]


def measure(root: Path, out: Path, workers: int, room: str = "") -> dict[str, dict[str, list[int] | float]]:
    """Return for each test file the lines it runs by module, and its `seconds`; kept in `out`."""
    kept = out / f"reach{room and '_'}{room}.json"
    if not kept.exists():
        with ThreadPoolExecutor(workers) as pool:
            files = test_files(root, room)
            reached = dict(zip(files, pool.map(lambda file: _reach(root, out, file), files), strict=True))
        kept.write_text(json.dumps(reached))
    return json.loads(kept.read_text())  # type: ignore[no-any-return]


def _reach(root: Path, out: Path, file: str) -> dict[str, list[int] | float]:
    from coverage import Coverage, CoverageData
    from coverage.exceptions import CoverageException

    name = file.replace("/", ".")
    kept = out / f"{name}.json"
    if kept.exists():
        return json.loads(kept.read_text())  # type: ignore[no-any-return]
    data, config = out / f"{name}.coverage", out / f"{name}.coveragerc"
    config.write_text(CONFIG.format(data=data))
    begun = time.monotonic()
    command = [sys.executable, "-m", "coverage", "run", f"--rcfile={config}", "-m", "pytest", "-q", file]
    subprocess.run(
        [*command, "-p", "no:cacheprovider"],
        cwd=root,
        env=environment(root),
        capture_output=True,
        check=False,
    )
    reached: dict[str, list[int] | float] = {"seconds": round(time.monotonic() - begun, 1)}
    coverage = Coverage(data_file=str(data), config_file=False)
    for part in out.glob(f"{name}.coverage.*"):
        with contextlib.suppress(CoverageException):  # of a process that a test has killed while it wrote
            coverage.combine([str(part)])
    measured: CoverageData = coverage.get_data()
    for path in measured.measured_files():
        reached[str(Path(path).relative_to(root))] = sorted(measured.lines(path) or ())
    kept.write_text(json.dumps(reached))
    return reached


def environment(root: Path) -> dict[str, str]:
    """Of a process that imports the package under `root`, with bytecode of its own beside it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(root), "PYTHONPYCACHEPREFIX": f"{root}.pyc"}
