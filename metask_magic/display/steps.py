"""The steps of a reply as lines of text: for the record, and for those who print."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..messages.events import Step
from ..words import shorten

LONGEST = 200
FAILED = "✗"


def steps_to_markdown(steps: Sequence[Step]) -> str:
    """Return the steps as a list, titles and results in code spans; nothing of them is markup.

    The list is quoted: whatever follows it, be it a list or indented, is no part of it.
    """
    titled = ((step, _code_span(_as_line(step.title)), _code_span(_as_line(step.body))) for step in steps)
    return "\n".join(f"> - {_joined(title, result, failed=step.failed)}" for step, title, result in titled)


def steps_to_plain(steps: Sequence[Step]) -> str:
    """Return the steps as lines of plain text."""
    return "\n".join(_joined(_as_line(step.title), _as_line(step.body), failed=step.failed) for step in steps)


def _joined(title: str, result: str, *, failed: bool) -> str:
    mark = f"{FAILED} " if failed else ""
    return f"{mark}{title} → {result}" if result else f"{mark}{title}"


def _as_line(text: str) -> str:
    """One line of it, cut where it is long."""
    # What is far behind the cut need not be read; blanks before it may be many.
    line = " ".join(text[: LONGEST * 50].split())
    return shorten(line if len(text) <= LONGEST * 50 else f"{line}…", LONGEST)


def _code_span(line: str) -> str:
    if not line:
        return ""
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"
