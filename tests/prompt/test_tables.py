"""Tables as Markdown: shape, columns, and the rows that fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from metask_magic.language import using
from metask_magic.prompt.tables import to_table

FRAME = pd.DataFrame(
    {
        "city": ["a|b", "c\nd"],
        "temp": [1.23456789, math.nan],
        "when": pd.to_datetime(["2024-01-01", "2024-02-01"]).astype("datetime64[ns]"),
    },
).astype({"city": object})


def lines(*rows: str) -> str:
    return "\n".join(rows)


TABLES: dict[str, tuple[Any, str]] = {
    "pandas": (
        FRAME,
        lines(
            "2 rows × 3 columns: city (object), temp (float64), when (datetime64[ns])",
            "",
            "| city | temp | when |",
            "| --- | --- | --- |",
            r"| a\|b | 1.23457 | 2024-01-01 00:00:00 |",
            r"| c\nd | NaN | 2024-02-01 00:00:00 |",
        ),
    ),
    "index": (
        pd.DataFrame({"n": [1]}, index=pd.Index(["x"], name="key", dtype=object)),
        lines(
            "1 row × 1 column, index key (object): n (int64)", "", "| key | n |", "| --- | --- |", "| x | 1 |"
        ),
    ),
    "tail": (
        pd.DataFrame({"n": [1, 2]}).tail(1),
        lines("1 row × 1 column, index (int64): n (int64)", "", "|  | n |", "| --- | --- |", "| 1 | 2 |"),
    ),
    "two levels": (
        pd.DataFrame({("a", "x"): [1]}, index=pd.MultiIndex.from_tuples([(1, 2)], names=["i", "j"])),
        lines(
            "1 row × 1 column, index i (int64), j (int64): a / x (int64)",
            "",
            "| i | j | a / x |",
            "| --- | --- | --- |",
            "| 1 | 2 | 1 |",
        ),
    ),
    "a name twice": (
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        lines("1 row × 2 columns: a (int64), a (int64)", "", "| a | a |", "| --- | --- |", "| 1 | 2 |"),
    ),
    "empty": (pd.DataFrame(), "0 rows × 0 columns"),
    "series": (
        pd.Series([1.5, 2], name="t"),
        lines("2 rows × 1 column: t (float64)", "", "| t |", "| --- |", "| 1.5 |", "| 2.0 |"),
    ),
    "polars": (
        pl.DataFrame({"a": [1, None]}),
        lines("2 rows × 1 column: a (Int64)", "", "| a |", "| --- |", "| 1 |", "| null |"),
    ),
    "polars series": (
        pl.Series([True]),
        lines("1 row × 1 column: value (Boolean)", "", "| value |", "| --- |", "| True |"),
    ),
    "polars lazy": (
        pl.LazyFrame({"a": [1]}),
        lines(
            "rows not counted × 1 column: a (Int64)",
            "",
            "| a |",
            "| --- |",
            "| 1 |",
            "",
            "(rows after the first 1 left out, if there are any.)",
        ),
    ),
    "arrow": (
        pa.table({"a": ["x"]}),
        lines("1 row × 1 column: a (String)", "", "| a |", "| --- |", "| x |"),
    ),
}


@pytest.mark.parametrize(("value", "expected"), TABLES.values(), ids=TABLES)
def test_a_table_is_markdown(value: Any, expected: str) -> None:
    """In any language: a model reads it, and a recording is found by it."""
    assert to_table(value) == expected
    with using("zh"):
        assert to_table(value) == expected


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_a_large_table_says_what_it_leaves_out(kind: Callable[[Any], Any]) -> None:
    text = to_table(kind({f"c{column}": range(1204) for column in range(50)})) or ""
    assert text.startswith("1,204 rows × 50 columns: c0 (")
    assert "c19 (" in text
    assert "c20 (" not in text
    assert ", …, c40 (" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 40 + 1 + 20
    assert {row.count(" | ") for row in rows} == {30}
    assert [rows[41][:5], rows[42][:5], rows[43][:8]] == ["| 39 ", "| … |", "| 1184 |"]
    assert text.endswith(
        "(1,144 rows between the first 40 and the last 20 left out; 20 columns after the first 20 left out.)"
    )


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (123456.789, "123456.79"),
        (1e20, "1e+20"),
        (1e15, "1e+15"),
        (1e15 - 1, "999999999999999.0"),
        (0.000012345678, "1.23457e-05"),
        (20240101.0, "20240101.0"),
        ("x" * 600, f"{'x' * 500}… [100 more characters]"),
        ("a\r\nb", r"a\r\nb"),
    ],
)
def test_cells(cell: Any, shown: str) -> None:
    assert (to_table(pd.DataFrame({"a": [cell]})) or "").endswith(f"| {shown} |")


@pytest.mark.parametrize("value", [None, "x", [1], {"a": [1]}, object()])
def test_what_is_no_table(value: Any) -> None:
    assert to_table(value) is None
