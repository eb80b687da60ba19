"""README's two commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .examples import documents, iter_blocks
from .kernel import ROOT, clean_environment

COMMANDS = [block.code for block in iter_blocks(documents()["README.md"]) if block.language == "sh"]


def test_there_are_two_commands() -> None:
    run, test = COMMANDS
    assert run.startswith('pip install ".[local,notebook]" && ')
    assert test.endswith(" && pytest -n 4 --dist loadfile\n"), "that .ci/run runs"


@pytest.mark.kernel
def test_the_quickstart_runs_as_readme_says() -> None:
    command = COMMANDS[0].rpartition(" && ")[2]
    assert command.startswith("METASK_RECORDING=off jupyter nbconvert --execute ")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = clean_environment(os.environ) | {"PATH": path}
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "%%metask local -o story --temperature 0 --max-tokens 120\n" in done.stdout
    assert len(re.findall(r"```\n\n\n\w[^`]{5,}", done.stdout)) == 3, done.stdout
