"""A value in a few characters, whatever its `repr` does: for telling a model what a variable holds."""

from __future__ import annotations

import re
import reprlib
import threading
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

from ..words import shorten
from .hiding import HIDDEN, is_secret

LONGEST = 300  # characters of a value
LONGEST_TABLE = 1_500
MOST_COLUMNS = 30
MOST_ITEMS = 1_000  # of a container with a `repr` of its own, which would write them all
SECONDS = 0.5  # for one value
SECONDS_IN_ALL = 2.0

_READ = 10_000  # characters looked at where only the first few are shown
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_CONTAINERS = (dict, list, tuple, set, frozenset, str, bytes, bytearray)
_PLAIN = (int, float, bool, type(None))


class Glimpser:
    """Describes values. One that is slow is left, and after `SECONDS_IN_ALL` all that is not plain.

    Parameters
    ----------
    hide
        Takes secrets out of a text; it is called before texts are cut, so that no half of one stays.

    """

    def __init__(self, hide: Callable[[str], str]) -> None:
        self._repr = _ShortRepr(hide)
        self._left = SECONDS_IN_ALL

    def __call__(self, value: Any) -> str:
        """Return what `value` looks like; never raises."""
        if type(value) in _PLAIN:
            return self._repr.safely(value)
        if self._left <= 0:
            return "<not looked at>"  # English: a model reads it
        found: list[str] = []
        # A `repr` is the user's code and may never end; a thread is the only place where it can be left.
        thread = threading.Thread(target=lambda: found.append(self._repr.safely(value)), daemon=True)
        began = time.monotonic()
        thread.start()
        thread.join(min(SECONDS, self._left))
        self._left -= time.monotonic() - began
        return found[0] if found else "<repr took too long>"  # English: a model reads it


class _Hidden:
    def __repr__(self) -> str:
        return HIDDEN


class _ShortRepr(reprlib.Repr):
    def __init__(self, hide: Callable[[str], str]) -> None:
        super().__init__()
        self._hide = hide
        self.maxlevel = 4
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = 10
        self.maxstring = 200

    def safely(self, value: Any) -> str:
        try:
            return shorten(self.repr(value), LONGEST_TABLE if _is_table(value) else LONGEST)
        except BaseException as error:  # noqa: BLE001 -- whatever it is, the value cannot be shown
            return f"<repr failed: {type(error).__name__}>"  # English: a model reads it

    def repr_str(self, x: str, level: int) -> str:
        return super().repr_str(self._hide(x[:_READ]), level)

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        few = {
            key: _Hidden() if isinstance(key, str) and is_secret(key, value) else value
            for key, value in islice(x.items(), self.maxdict + 1)
        }
        return super().repr_dict(few, level)

    def repr_set(self, x: set[Any], level: int) -> str:
        return super().repr_set(set(islice(x, self.maxset + 1)), level)  # it sorts what it is given

    def repr_frozenset(self, x: frozenset[Any], level: int) -> str:
        return super().repr_frozenset(frozenset(islice(x, self.maxfrozenset + 1)), level)

    def repr_instance(self, x: Any, level: int) -> str:
        try:
            return self._hide(self._describe(x))
        except BaseException as error:  # noqa: BLE001 -- the code of the user runs here, SystemExit and all
            said = f"{type(error).__name__}: {str(error)[:100]}"
            return self._hide(f"<repr failed: {said}>")  # English: a model reads it

    def _describe(self, x: Any) -> str:
        kind = type(x).__name__
        if _is_table(x):
            return _describe_table(x)
        if hasattr(type(x), "shape") and hasattr(type(x), "dtype"):
            values = repr(x)[:_READ] if 0 < getattr(x, "size", 0) <= self.maxlist else ""
            between = "\n" if "\n" in values else " "
            told = f"{kind} of shape {tuple(x.shape)}, dtype {x.dtype}"  # English: a model reads it
            return f"{told}{between}{values}".rstrip()
        if isinstance(x, _CONTAINERS) and len(x) > MOST_ITEMS:
            return f"<{kind} of length {len(x):,}>"  # English: a model reads it
        return _ADDRESS.sub("", repr(x)[:_READ])


def _is_table(value: Any) -> bool:
    return any(kind.__name__ == "DataFrame" for kind in type(value).__mro__) and hasattr(type(value), "head")


def _describe_table(table: Any) -> str:
    columns = list(zip(table.columns, table.dtypes, strict=False))
    kinds = ", ".join(f"{name}: {dtype}" for name, dtype in columns[:MOST_COLUMNS])
    more = f", and {len(columns) - MOST_COLUMNS} more" if len(columns) > MOST_COLUMNS else ""
    told = f"DataFrame of shape {tuple(table.shape)}; columns {kinds}{more}"  # English: a model reads it
    return f"{told}; it begins\n{table.head(3)}"  # English: it too
