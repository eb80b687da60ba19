"""Values that have no text but their address in memory: a generator, a groupby, a Styler, a module."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from types import ModuleType
from typing import Any

from ..language import N_, _
from ..words import plain, shorten

LONGEST_SHOWN = 80
MOST_ITEMS = 1_000

IS = N_(
    "{what} is a {kind}, of which a model gets {shown} alone: that tells it nothing, and makes each run "
    "another recording. Put in what matters of it, such as an attribute or `list({name})`."
)
HOLDS = N_(
    "{what} holds a {kind}, of which a model gets {shown} alone: that tells it nothing, and makes each run "
    "another recording. Put in what matters of it, such as an attribute or `list({name})`."
)

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+>")
_TEXTS = (str, bytes, bytearray, int, float, bool, type(None))


def tell_of_address(value: Any, text: str, name: str, say: Callable[[str], None]) -> None:
    """Say what of `value` tells a model nothing; `text` is its `str`, `name` what people call it."""
    if not isinstance(value, ModuleType) and not _ADDRESS.search(text):
        return
    found = next(_iter_nameless(value), None)
    if found is None:
        return
    kind, shown = type(found).__name__, shorten(plain(found), LONGEST_SHOWN)
    told, what = IS if found is value else HOLDS, name or _("A value")
    say(_(told, what=what, kind=kind, shown=shown, name=name or "value"))


def _iter_nameless(value: Any, depth: int = 0) -> Iterator[Any]:
    """Yield what has no text but its address: the value, or what it holds."""
    if isinstance(value, _TEXTS) or depth > 2:
        return
    inner = _items(value)
    if inner is None:
        if isinstance(value, ModuleType) or _ADDRESS.search(str(value)):
            yield value
        return
    for item in islice(inner, MOST_ITEMS):
        yield from _iter_nameless(item, depth + 1)


def _items(value: Any) -> Iterator[Any] | None:
    if isinstance(value, Mapping):
        return iter(value.values())
    return iter(value) if isinstance(value, list | tuple | set | frozenset) else None
