"""Time to load the extension, against `import openai`.

    python -m tests.benchmarks.load_time

Both are timed in fresh interpreters, in turn; prints the medians and their ratio.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 7

PROGRAM = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""
LOAD = "shell.extension_manager.load_extension('metask_magic')"
IMPORT = "import openai"


def main() -> None:
    rounds = [(_seconds(LOAD), _seconds(IMPORT)) for _ in range(ROUNDS)]
    load, imported = (statistics.median(figures) for figures in zip(*rounds, strict=True))
    print(f"import openai:            {imported * 1000:.0f} ms (median of {ROUNDS} fresh interpreters)")
    print(f"%load_ext metask_magic:   {load * 1000:.0f} ms")
    print(f"ratio: {load / imported:.3f}")


def _seconds(statement: str) -> float:
    program = PROGRAM.format(statement=statement)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(done.stdout)


if __name__ == "__main__":
    main()
