"""The names of a notebook that are the user's own, and not Python's or IPython's: only they are offered."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_GIVEN = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})
"""What IPython puts into every namespace."""

_ABSENT = object()


def iter_own_names(
    namespace: Mapping[str, Any], fits: Callable[[Any], bool] = lambda _: True
) -> Iterator[str]:
    """Yield the names that a user may have meant, of values that `fits`."""
    for name, value in namespace.items():
        given = name in _GIVEN or getattr(builtins, name, _ABSENT) is value
        if not name.startswith("_") and not given and fits(value):
            yield name
