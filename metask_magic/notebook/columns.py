"""The columns of a table, as far as they are known without reading it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from itertools import chain, islice
from typing import Any

MOST_RECORDS = 100  # of a list that are looked at

# Where each library has the names, by its own class: a subclass may compute them.
_NAMES: Mapping[tuple[str, str], str] = {
    ("pandas", "DataFrame"): "columns",
    ("polars", "DataFrame"): "columns",
    ("dask", "DataFrame"): "columns",
    ("pyarrow", "Table"): "column_names",
}


def known_columns(table: Any) -> list[str]:
    """Return the columns whose names are text; none where they could not be told without computing."""
    return [label for label in dict.fromkeys(_labels(table)) if isinstance(label, str)]


def _labels(table: Any) -> list[Any]:
    if type(table) is list:
        return [*chain.from_iterable(each for each in islice(table, MOST_RECORDS) if type(each) is dict)]
    for base in type(table).__mro__:
        name = _NAMES.get((base.__module__.partition(".")[0], base.__name__))
        if name is not None:
            return [*inspect.getattr_static(base, name).__get__(table)]
    return []
