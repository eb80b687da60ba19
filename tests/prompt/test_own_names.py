"""Names that are offered: the user's own."""

from __future__ import annotations

import os
from typing import Any

from metask_magic.prompt.own_names import iter_own_names


def mine() -> None:
    pass


NAMESPACE: dict[str, Any] = {
    "_": 1, "_i": "", "In": [], "Out": {}, "exit": 0, "quit": 0, "get_ipython": mine, "open": mine,
    "len": len, "print": print, "__name__": "x",
    "df": [1], "mine": mine, "os": os, "max": mine,
}  # fmt: skip


def test_the_user_s_own_alone() -> None:
    assert list(iter_own_names(NAMESPACE)) == ["df", "mine", "os", "max"]
    assert list(iter_own_names(NAMESPACE, callable)) == ["mine", "max"]
