"""Tables as a reader wants them: shape, columns with their types, and rows as compact Markdown.

A table too large is shown by its first and last rows and columns; a note says what is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..words import counted

ROWS = 60
"""A table with more rows is shown by the first and last of them."""

COLUMNS = 30
"""A table with more columns is shown by the first and last of them."""

CELL = 500
"""Characters of a cell; a longer one says how many more it has."""

GAP = "…"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name, and the name of its type."""

    name: str
    dtype: str

    def __str__(self) -> str:
        return f"{self.name} ({self.dtype})".lstrip()


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is shown of a table of `rows` (None: not counted) × `width`.

    `first` and `last` are the rows at its ends, each with the values of `index` and then of `columns`;
    between the first `left` columns and the others some are left out, if there are fewer than `width`.
    """

    rows: int | None
    width: int
    columns: tuple[Column, ...]
    first: Sequence[Sequence[Any]]
    last: Sequence[Sequence[Any]] = ()
    left: int = COLUMNS
    index: tuple[Column, ...] = ()

    def to_markdown(self) -> str:
        names = self._spread_row([column.name for column in (*self.index, *self.columns)])
        first, last = ([self._spread_row(row) for row in rows] for rows in (self.first, self.last))
        gap = [[GAP] * len(names)] if last else []
        lines = [_line(row) for row in (names, ["---"] * len(names), *first, *gap, *last)]
        parts = [self._heading(), "\n".join(lines) if names else "", self._note()]
        return "\n\n".join(part for part in parts if part)

    def _spread_row(self, row: Sequence[Any]) -> list[str]:
        cells = [_cell(value) for value in row]
        return [*cells[: len(self.index)], *self._spread(cells[len(self.index) :])]

    def _spread(self, cells: list[str]) -> list[str]:
        """Put the gap where columns are left out."""
        return cells if len(cells) == self.width else [*cells[: self.left], GAP, *cells[self.left :]]

    def _heading(self) -> str:
        columns = ", ".join(self._spread([str(column) for column in self.columns]))
        index = f", index {', '.join(map(str, self.index))}" if self.index else ""
        uncounted = "rows not counted"  # English: a model reads it
        rows = uncounted if self.rows is None else counted(self.rows, "row")
        return f"{rows} × {counted(self.width, 'column')}{index}" + (f": {columns}" if columns else "")

    def _note(self) -> str:
        missing_columns = self.width - len(self.columns)
        missing_rows = None if self.rows is None else self.rows - len(self.first) - len(self.last)
        said = []
        if self.rows is None:
            perhaps = (
                f"rows after the first {len(self.first)} left out, if there are any"  # English: as above
            )
            said.append(perhaps)
        elif missing_rows:
            said.append(self._rows_left_out(missing_rows))
        if missing_columns:
            columns = counted(missing_columns, "column")
            said.append(f"{columns} after the first {self.left} left out")  # English: a model reads it
        return f"({'; '.join(said)}.)" if said else ""

    def _rows_left_out(self, number: int) -> str:
        rows, first, last = counted(number, "row"), len(self.first), len(self.last)
        if not last:
            return f"{rows} after these left out"  # English: a model reads it
        return f"{rows} between the first {first} and the last {last} left out"  # English: a model reads it


def to_table(value: Any, rows: int = ROWS) -> str | None:
    """Return a DataFrame, Series or Arrow table as Markdown; None for anything else.

    More than `rows` rows are shown by the first two thirds and the last third of that number.
    """
    if type(value).__module__ == "builtins":
        return None
    import narwhals as nw

    if nw.dependencies.is_pandas_series(value):
        value = value.to_frame(value.name if value.name is not None else "value")
    if nw.dependencies.is_pandas_dataframe(value):
        return _excerpt_pandas(value, rows).to_markdown()
    frame = nw.from_native(value, pass_through=True, allow_series=True)
    if isinstance(frame, nw.Series):
        frame = (frame if frame.name else frame.alias("value")).to_frame()
    if isinstance(frame, nw.LazyFrame):
        return _excerpt_lazy(frame, rows).to_markdown()
    return _excerpt(frame, rows).to_markdown() if isinstance(frame, nw.DataFrame) else None


def excerpt_rows(names: Sequence[str], rows: Sequence[Sequence[str]], dtype: str) -> Excerpt:
    """Return the excerpt of rows of text, each as long as there are names."""
    first, last = _ends(len(rows), ROWS)
    places = _places(len(names), COLUMNS)

    def picked(some: Sequence[Sequence[str]]) -> list[list[str]]:
        return [[row[place] for place in places] for row in some]

    columns = tuple(Column(names[place], dtype) for place in places)
    tail = rows[len(rows) - last :] if last else []
    return Excerpt(len(rows), len(names), columns, picked(rows[:first]), picked(tail), _left(COLUMNS))


def _excerpt_pandas(frame: Any, rows: int) -> Excerpt:
    height, width = frame.shape
    first, last = _ends(height, rows)
    places = _places(width, COLUMNS)
    # By position throughout: pandas allows names that occur twice.
    shown = frame.iloc[:, places]
    columns = tuple(
        Column(_label(name), str(dtype)) for name, dtype in zip(shown.columns, shown.dtypes, strict=True)
    )
    index = _pandas_index(frame.index)

    def picked(some: Any) -> list[list[Any]]:
        values = [list(row) for row in some.itertuples(index=False, name=None)]
        values = values or [[] for _ in range(len(some))]
        if not index:
            return values
        labels = [label if len(index) > 1 else [label] for label in some.index]
        return [[*label, *row] for label, row in zip(labels, values, strict=True)]

    tail = picked(shown.iloc[height - last :]) if last else []
    return Excerpt(height, width, columns, picked(shown.iloc[:first]), tail, _left(COLUMNS), index)


def _pandas_index(index: Any) -> tuple[Column, ...]:
    """The index as columns; nothing where it only numbers the rows from 0."""
    if type(index).__name__ == "RangeIndex" and (index.start, index.step, index.name) == (0, 1, None):
        return ()
    levels = index.levels if index.nlevels > 1 else [index]
    return tuple(
        Column("" if name is None else _label(name), str(level.dtype))
        for name, level in zip(index.names, levels, strict=True)
    )


def _excerpt(frame: Any, rows: int) -> Excerpt:
    height, width = frame.shape
    first, last = _ends(height, rows)
    shown = frame[:, _places(width, COLUMNS)]
    tail = shown.tail(last).rows() if last else []
    return Excerpt(height, width, _columns(shown), shown.head(first).rows(), tail, _left(COLUMNS))


def _excerpt_lazy(frame: Any, rows: int) -> Excerpt:
    """The first rows alone: to count or to reach the last ones may take hours."""
    width = len(frame.collect_schema())
    shown = frame.head(rows).collect()
    shown = shown[:, _places(width, COLUMNS)]
    return Excerpt(None, width, _columns(shown), shown.rows(), left=_left(COLUMNS))


def _columns(frame: Any) -> tuple[Column, ...]:
    return tuple(Column(str(name), str(dtype)) for name, dtype in frame.schema.items())


def _ends(height: int, rows: int) -> tuple[int, int]:
    """How many rows to show at the beginning and at the end."""
    return (height, 0) if height <= rows else (_left(rows), rows - _left(rows))


def _places(width: int, columns: int) -> list[int]:
    left = _left(columns)
    return list(range(width)) if width <= columns else [*range(left), *range(width - (columns - left), width)]


def _left(shown: int) -> int:
    return shown - shown // 3


def _label(name: Any) -> str:
    return " / ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, float):
        return "NaN" if value != value else _short(value)
    text = str(value)
    if len(text) > CELL:
        text = f"{text[:CELL]}… [{len(text) - CELL:,} more characters]"  # English: a model reads it
    return text.replace("|", "\\|").replace("\r", "\\r").replace("\n", "\\n")


def _short(value: float) -> str:
    """Six significant digits, and never less than the cents: a large number may be money or an identifier."""
    if value.is_integer() and abs(value) < 1e15:
        return f"{value:.1f}"
    return f"{value:.2f}" if 1e4 <= abs(value) < 1e15 else f"{value:.6g}"
