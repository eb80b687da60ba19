"""The filters a prompt's template has beside Jinja's own, which keep working on the values themselves."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import PromptError
from ..language import _
from .sources import source_of
from .tables import to_table
from .values import Whole, cut, to_text


def _json(value: Any, indent: int | None = None) -> str:
    """As JSON. Jinja's own `tojson` escapes `<` and `&`, for web pages."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_to_json)


def _to_json(value: Any) -> Any:
    """What JSON has no word for, as something it has."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return list(value)
    for method in ("model_dump", "isoformat", "tolist", "to_dict", "to_dicts", "to_pylist"):
        if hasattr(type(value), method):
            records = {"orient": "records"} if method == "to_dict" and hasattr(value, "iloc") else {}
            return getattr(value, method)(**records)
    raise TypeError(_("{kind} is no JSON", kind=type(value).__name__))


def _head(value: Any, count: int = 5) -> Any:
    """The first rows of a table, lines of a text, items of anything else."""
    if isinstance(value, str):
        return "".join(value.splitlines(keepends=True)[:count])
    return value.head(count) if hasattr(value, "head") else value[:count]


def _source(value: Any) -> Whole:
    source = source_of(value)
    if source is None:
        raise PromptError(
            _("A {kind} has no source here.", kind=type(value).__name__),
            _("The filter takes functions and classes written in Python."),
        )
    return Whole(source)


def _cut(value: Any, limit: int) -> Whole:
    """At most so many characters, whatever the limit of a value is otherwise."""
    return Whole(cut(value if isinstance(value, str) else to_text(value), limit))


def _table(value: Any, rows: int) -> Whole:
    """A table with up to so many rows."""
    table = to_table(value, rows)
    if table is None:
        raise PromptError(
            _("A {kind} is no table.", kind=type(value).__name__),
            _("The filter takes DataFrames and Series."),
        )
    return Whole(table)


FILTERS: dict[str, Callable[..., Any]] = {
    "json": _json,
    "head": _head,
    "source": _source,
    "repr": repr,
    "cut": _cut,
    "table": _table,
}
