"""Files of tables: CSV, TSV, JSON Lines, Parquet, through whatever table library there is."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from importlib.util import find_spec
from io import BytesIO, StringIO
from typing import Any

from ..errors import AttachmentError
from ..language import _
from .tables import excerpt_rows, to_table

TABLES = ("csv", "tsv", "jsonl", "ndjson", "parquet")

INSTALL = "pip install pandas pyarrow"  # English: it is a command


def table_text(name: str, suffix: str, data: bytes) -> str | None:
    """Return the excerpt of the table in a file; None where the file is better shown as text.

    Raises
    ------
    AttachmentError
        A Parquet file cannot be read.

    """
    library = _library()
    try:
        if library is not None:
            return to_table(_READERS[library](suffix, data))
    except Exception as error:
        if suffix == "parquet":
            raise AttachmentError(
                _("{name} cannot be read as Parquet: {error}", name=name, error=_first_line(error)),
                _("Check the file, or write it anew."),
            ) from error
        return None  # as text: it goes out whole, or its encoding is complained about
    if suffix == "parquet":
        raise AttachmentError(
            _("To read {name}, a table library is needed.", name=name),
            _("Install one: {command}", command=INSTALL),
        )
    return _read_text(suffix, data)


def _library() -> str | None:
    """The library the notebook uses already, else the first that is installed."""
    used = [name for name in _READERS if name in sys.modules]
    installed = (name for name in _READERS if find_spec(name) is not None)
    return used[0] if used else next(installed, None)


def _pandas(suffix: str, data: bytes) -> Any:
    import pandas

    match suffix:
        case "parquet":
            return pandas.read_parquet(BytesIO(data))
        case "csv" | "tsv":
            return pandas.read_csv(BytesIO(data), sep=_SEPARATORS[suffix])
        case _:
            return pandas.read_json(BytesIO(data), lines=True)


def _polars(suffix: str, data: bytes) -> Any:
    import polars

    match suffix:
        case "parquet":
            return polars.read_parquet(BytesIO(data))
        case "csv" | "tsv":
            return polars.read_csv(BytesIO(data), separator=_SEPARATORS[suffix], infer_schema_length=None)
        case _:
            return polars.read_ndjson(BytesIO(data), infer_schema_length=None)


def _pyarrow(suffix: str, data: bytes) -> Any:
    match suffix:
        case "parquet":
            from pyarrow import parquet

            return parquet.read_table(BytesIO(data))
        case "csv" | "tsv":
            from pyarrow import csv as arrow_csv

            options = arrow_csv.ParseOptions(delimiter=_SEPARATORS[suffix])
            return arrow_csv.read_csv(BytesIO(data), parse_options=options)
        case _:
            from pyarrow import json as arrow_json

            return arrow_json.read_json(BytesIO(data))


_SEPARATORS = {"csv": ",", "tsv": "\t"}

_READERS: dict[str, Callable[[str, bytes], Any]] = {"pandas": _pandas, "polars": _polars, "pyarrow": _pyarrow}


def _read_text(suffix: str, data: bytes) -> str | None:
    """Read CSV or TSV without a library: every column is text."""
    if suffix not in _SEPARATORS:
        return None
    try:
        text = data.decode("utf-8-sig")
        rows = [row for row in csv.reader(StringIO(text), delimiter=_SEPARATORS[suffix], strict=True) if row]
    except (UnicodeDecodeError, csv.Error):
        return None
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        return None
    return excerpt_rows(rows[0], rows[1:], "text").to_markdown()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
