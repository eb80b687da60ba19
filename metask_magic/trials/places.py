"""Rows of a table in words."""

from __future__ import annotations

from collections.abc import Sequence

from ..language import _
from ..words import listed

_SHOWN = 3


def places(rows: Sequence[int]) -> str:
    """Return `row 3`, or `rows 0, 1, 2 and 4 more`, in the current language."""
    if len(rows) == 1:
        return _("row {row:,}", row=rows[0])
    shown = listed(f"{row:,}" for row in rows[:_SHOWN])
    if len(rows) <= _SHOWN:
        return _("rows {rows}", rows=shown)
    return _("rows {rows} and {more:,} more", rows=shown, more=len(rows) - _SHOWN)
