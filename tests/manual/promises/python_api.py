"""What `python-api.md` promises."""

from __future__ import annotations

from ..promise import Promise

PROMISES = [
    Promise(
        "from metask_magic import (",
        values={"__import__('builtins').map is map": True},
    ),
]
