"""What a user's strict type checker makes of the public names, from the installed package alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import metask_magic

pytestmark = pytest.mark.kernel

PROGRAM = """\
import metask_magic
from metask_magic import CodeBlock, Interrupted, Metask, MetaskError, Reply, ToolCall, Usage


def read(reply: Reply) -> tuple[str, int | None, list[str]]:
    usage: Usage | None = reply.usage
    calls: tuple[ToolCall, ...] = reply.tool_calls
    blocks: tuple[CodeBlock, ...] = reply.code_blocks
    tokens = usage.total_tokens if usage else None
    return reply.text, tokens, [call.name for call in calls] + [block.code for block in blocks]


def ask(rows: list[dict[str, str]]) -> object:
    try:
        return metask_magic.map(rows, "{{ text }}", model="gpt-4o-mini")
    except Interrupted:
        return None
    except MetaskError as error:
        return str(error)


settings: type[Metask] = Metask
wrong: int = read.__name__
"""

# What we are built on is not looked into, which takes ten times as long: none of it shows in a public name.
# Traitlets is, as `Metask` is of its kind.
CONFIGURATION = """\
[mypy]
strict = True
[mypy-openai.*,pydantic.*,IPython.*]
follow_imports = skip
"""


def test_a_strict_checker_understands_the_public_names(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(CONFIGURATION, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "program.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(Path(metask_magic.__file__).parents[1]), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in ran.stdout.splitlines() if ": error:" in line]
    assert ran.stderr == ""
    assert errors == [
        f"program.py:{PROGRAM.count(chr(10))}: error: Incompatible types in assignment "
        '(expression has type "str", variable has type "int")  [assignment]'
    ]


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(metask_magic.__file__).with_name("py.typed").exists()
