"""Rows of a table of any kind, and the table again with columns beside its own.

Rows are read in chunks, so that a table of a million rows is not turned into a million objects at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Protocol, TypeAlias

from ..errors import OptionError
from ..language import _

CHUNK = 1000

Columns: TypeAlias = Mapping[str, Sequence[Any]]


class Row(dict[Any, Any]):
    """One row: its values by column; None is a missing one, whatever the table itself calls it.

    `row.column` is `row["column"]`, where a dict has no method of that name.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(_("The row has no column {name}.", name=name)) from None


class Rows(Protocol):
    """The rows of a table.

    `columns` are its labels, mostly strings; `length` is None where it is not known before they are read.
    """

    columns: tuple[Any, ...]
    length: int | None

    def __iter__(self) -> Iterator[Row | None]:
        """Yield the rows; None where the next one is not there yet."""
        ...

    def count(self) -> int | None:
        """Return how many rows there are; None where they can be read only once."""
        ...

    def head(self, count: int) -> Rows:
        """Return the first rows alone."""
        ...

    def join(self, columns: Columns, unread: Mapping[str, Any] | None = None) -> Any:
        """Return a table of the same kind with these columns too, in place of those of the same names.

        They have a value for each row, or for each that was read, where `length` is None: `unread` has what
        others get, if the table has others. A column without any value counts as text.
        """
        ...


class WholeRows(Rows, Protocol):
    """Rows that are all there, and can be read as often as one likes."""

    def head(self, count: int) -> WholeRows: ...

    def take(self, positions: Sequence[int]) -> WholeRows:
        """Return the rows at these positions, each as often as it is named."""
        ...


class PandasRows:
    """Of pandas itself: by position, for labels may occur twice, in the index and among the columns."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.columns: tuple[Any, ...] = tuple(frame.columns)
        self.length: int | None = len(frame)

    def __iter__(self) -> Iterator[Row]:
        for start in range(0, len(self._frame), CHUNK):
            part = self._frame.iloc[start : start + CHUNK]
            # Without any column there are no tuples in some versions.
            rows = part.itertuples(index=False, name=None) if self.columns else [()] * len(part)
            for values in rows:
                yield _row(self.columns, values)

    def count(self) -> int | None:
        return self.length

    def head(self, count: int) -> PandasRows:
        return PandasRows(self._frame.iloc[:count])

    def take(self, positions: Sequence[int]) -> PandasRows:
        return PandasRows(self._frame.iloc[[*positions]])

    def join(self, columns: Columns, _unread: Mapping[str, Any] | None = None) -> Any:
        joined, levels = self._frame.copy(), self._frame.columns.nlevels
        for name, values in columns.items():
            joined[(name, *[""] * (levels - 1)) if levels > 1 else name] = self._series(values)
        return joined

    def _series(self, values: Sequence[Any]) -> Any:
        import pandas as pd

        kinds = {type(value) for value in values if value is not None}
        if not kinds:  # as text: what that is depends on the version
            return pd.Series([*values, ""]).iloc[:-1].set_axis(self._frame.index)
        nullable = {int: "Int64", bool: "boolean"}.get(kinds.pop() if len(kinds) == 1 else object)
        dtype = nullable if None in values else None
        return pd.Series(values, index=self._frame.index, dtype=dtype)


class FrameRows:
    """Of any other library that narwhals knows."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.columns: tuple[Any, ...] = tuple(frame.columns)
        self.length: int | None = len(frame)

    def __iter__(self) -> Iterator[Row]:
        for start in range(0, len(self._frame), CHUNK):
            for values in self._frame[start : start + CHUNK].rows():
                yield _row(self.columns, values)

    def count(self) -> int | None:
        return self.length

    def head(self, count: int) -> FrameRows:
        return FrameRows(self._frame.head(count))

    def take(self, positions: Sequence[int]) -> FrameRows:
        return FrameRows(self._frame[[*positions]])

    def join(self, columns: Columns, _unread: Mapping[str, Any] | None = None) -> Any:
        series = [self._series(name, _level(values)) for name, values in columns.items()]
        return self._frame.with_columns(*series).to_native()

    def _series(self, name: str, values: Sequence[Any]) -> Any:
        import narwhals as nw

        backend = self._frame.implementation
        dtype = nw.String() if all(value is None for value in values) else None
        if backend.is_polars() and dtype is None:
            import polars as pl

            # Not strict: a strict one drops what the first of its objects have no field for.
            return nw.from_native(pl.Series(name, values, strict=False), series_only=True)
        try:
            return nw.new_series(name, values, dtype, backend=backend)
        except (TypeError, ValueError):  # objects whose fields differ in kind
            return nw.new_series(name, [*map(_to_json, values)], backend=backend)


class RecordRows:
    """A list of dicts; a row has the keys it has."""

    def __init__(self, records: Sequence[Any], name: str) -> None:
        for at, record in enumerate(records):
            _check_record(record, at, name)
        self._records = records
        self._name = name
        self.columns: tuple[Any, ...] = tuple(dict.fromkeys(chain.from_iterable(records)))
        self.length: int | None = len(records)

    def __iter__(self) -> Iterator[Row]:
        return (_row(self.columns, [*map(record.get, self.columns)]) for record in self._records)

    def count(self) -> int | None:
        return self.length

    def head(self, count: int) -> RecordRows:
        return RecordRows(self._records[:count], self._name)

    def take(self, positions: Sequence[int]) -> RecordRows:
        return RecordRows([self._records[at] for at in positions], self._name)

    def join(self, columns: Columns, _unread: Mapping[str, Any] | None = None) -> list[dict[Any, Any]]:
        return _join_records(self._records, columns)


class StreamedRows:
    """Dicts that come one after another; those that were read are kept, for the result has them too."""

    def __init__(self, source: Iterable[Any], name: str) -> None:
        self._source = iter(source)
        self._name = name
        self._read: list[Mapping[Any, Any]] = []
        self._first = list(islice(self._source, 1))
        for record in self._first:
            _check_record(record, 0, name)
        self.columns: tuple[Any, ...] = tuple(self._first[0]) if self._first else ()
        self.length: int | None = None

    def __iter__(self) -> Iterator[Row]:
        for record in chain(self._first, self._source):
            _check_record(record, len(self._read), self._name)
            self._read.append(record)
            whole = {**dict.fromkeys(self.columns), **record}
            yield _row((*whole,), (*whole.values(),))

    def count(self) -> None:
        return None

    def head(self, count: int) -> StreamedRows:
        return StreamedRows(islice(chain(self._first, self._source), count), self._name)

    def join(self, columns: Columns, _unread: Mapping[str, Any] | None = None) -> list[dict[Any, Any]]:
        return _join_records(self._read, columns)


def _check_record(record: Any, at: int, name: str) -> None:
    if not isinstance(record, Mapping):
        raise OptionError(
            _(
                "Item {number} of {name} is a {kind}, and not a dict.",
                number=at,
                name=name,
                kind=type(record).__name__,
            ),
            _('Give each row names: [{{"text": item}} for item in {name}].', name=name),
        )


def _join_records(records: Sequence[Mapping[Any, Any]], columns: Columns) -> list[dict[Any, Any]]:
    return [
        {**record, **dict(zip(columns, values, strict=True))}
        for record, values in zip(records, zip(*columns.values(), strict=True), strict=False)
    ]


def _row(columns: Sequence[Any], values: Sequence[Any]) -> Row:
    return Row(zip(columns, [None if _is_missing(value) else value for value in values], strict=True))


def _is_missing(value: Any) -> bool:
    """Whether a value stands for none: None, NaN, pandas' NaT and NA."""
    if isinstance(value, float):
        return value != value
    return value is None or type(value).__name__ in {"NaTType", "NAType"}


def _level(values: Sequence[Any]) -> Sequence[Any]:
    """Return values that one typed column can hold: as JSON where they are of several kinds."""
    kinds = {_kind(value) for value in values if value is not None}
    return values if len(kinds) <= 1 else [*map(_to_json, values)]


def _kind(value: Any) -> str:
    kind = type(value).__name__
    return "number" if kind in {"int", "float"} else kind


def _to_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)
