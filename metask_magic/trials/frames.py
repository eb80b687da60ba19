"""A table of one kind as a table of another."""

from __future__ import annotations

from typing import Any

from ..errors import MetaskError
from ..language import _
from ..table.opening import open_rows


def to_pandas(table: Any) -> Any:
    """Return it as a DataFrame of pandas. Raises `MetaskError`."""
    try:
        import pandas
    except ImportError:
        raise _missing("pandas") from None
    if isinstance(table, list):
        return pandas.DataFrame(table)
    if hasattr(table, "compute"):  # Dask's
        return table.compute()
    return _native(table).to_pandas()


def to_polars(table: Any) -> Any:
    """Return it as a DataFrame of Polars. Raises `MetaskError`."""
    try:
        import polars
    except ImportError:
        raise _missing("polars") from None
    if isinstance(table, list):
        return (
            polars.from_dicts(table, infer_schema_length=None, strict=False) if table else polars.DataFrame()
        )
    return _native(table).to_polars()


def to_arrow(table: Any) -> Any:
    """Return it as a Table of PyArrow. Raises `MetaskError`."""
    try:
        import pyarrow
    except ImportError:
        raise _missing("pyarrow") from None
    if isinstance(table, list):
        return pyarrow.Table.from_pylist(table)
    return _native(table).to_arrow()


def to_dicts(table: Any) -> list[dict[Any, Any]]:
    """Return it as a list of dicts, None where a value is missing."""
    if isinstance(table, list):
        return [dict(row) for row in table]
    here = table.compute() if hasattr(table, "compute") else table
    return [dict(row) for row in open_rows(here, _("the table")) if row is not None]


def _native(table: Any) -> Any:
    import narwhals as nw

    return nw.from_native(table.compute() if hasattr(table, "compute") else table)


def _missing(name: str) -> MetaskError:
    return MetaskError(
        _("{name} is not installed.", name=name),
        _("`pip install {name}`, or use `to_dicts()`.", name=name),
    )
