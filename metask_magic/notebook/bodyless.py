"""A cell that is its `%%metask` line alone, as one that only attaches something may be.

IPython refuses a cell magic with nothing below its line before the magic could say anything.
"""

from __future__ import annotations

import re
from typing import Any

_LINE = re.compile(r"%%metask(?:[ \t](?!.*\?\s*$).*)?\s*")


def with_body(lines: list[str]) -> list[str]:
    """Return the lines of a cell; of one that is its `%%metask` line alone, with an empty line below."""
    return [*lines, "\n"] if len(lines) == 1 and _LINE.fullmatch(lines[0]) else lines


def register(shell: Any) -> None:
    # Not among the clean-ups: a terminal's line would be a finished cell before its prompt is written.
    shell.input_transformer_manager.line_transforms.insert(0, with_body)


def unregister(shell: Any) -> None:
    shell.input_transformer_manager.line_transforms.remove(with_body)
