"""Tables of every kind, row by row, and the same kind again with more columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from metask_magic.errors import OptionError
from metask_magic.table.opening import open_rows
from metask_magic.table.rows import CHUNK

RECORDS: list[dict[str, Any]] = [
    {"text": "good", "stars": 5, "a b": 1.5},
    {"text": None, "stars": 1, "a b": None},
    {"text": "bad", "stars": 3, "a b": 2.5},
]

KINDS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "pandas": pd.DataFrame,
    "Polars": pl.DataFrame,
    "PyArrow": pa.Table.from_pylist,
    "list": list,
    "tuple": tuple,
    "generator": lambda records: (record for record in records),
}


def records_of(table: Any) -> list[dict[str, Any]]:
    """Any table as a list, missing values as None."""
    if isinstance(table, pd.DataFrame):
        return [
            {
                name: None if not isinstance(value, dict | list) and pd.isna(value) else value
                for name, value in record.items()
            }
            for record in table.to_dict("records")
        ]
    return table if isinstance(table, list) else nw.from_native(table).rows(named=True)


@pytest.fixture(params=[*KINDS.values()], ids=[*KINDS])
def make(request: pytest.FixtureRequest) -> Callable[[list[dict[str, Any]]], Any]:
    kind: Callable[[list[dict[str, Any]]], Any] = request.param
    return kind


def test_rows_are_dicts_with_none_for_what_is_missing(make: Callable[..., Any]) -> None:
    rows = open_rows(make(RECORDS), "df")
    assert rows.columns == ("text", "stars", "a b")
    assert rows.length in (3, None)
    assert [*rows] == RECORDS


def test_the_first_rows_alone(make: Callable[..., Any]) -> None:
    rows = open_rows(make(RECORDS), "df").head(2)
    assert [*rows] == RECORDS[:2]
    assert records_of(rows.join({"reply": ["a", "b"]}))[1] == {**RECORDS[1], "reply": "b"}


def test_no_rows(make: Callable[..., Any]) -> None:
    rows = open_rows(make([]), "df")
    assert [*rows] == []
    assert len(rows.join({"reply": [], "reply_meta": []})) == 0


ADDED: dict[str, tuple[list[Any], list[Any]]] = {
    "text": (["x", None, "z"], ["x", None, "z"]),
    "nothing": ([None, None, None], [None, None, None]),
    "numbers": ([1, None, 3], [1, None, 3]),
    "truth": ([True, None, False], [True, None, False]),
    "objects": ([{"a": 1, "b": [2]}, None, {"a": 3, "b": []}], [{"a": 1, "b": [2]}, None, {"a": 3, "b": []}]),
    "lists": ([["x"], [], None], [["x"], [], None]),
}


@pytest.mark.parametrize(("values", "expected"), ADDED.values(), ids=ADDED)
def test_columns_are_added_in_the_tables_own_kind(
    make: Callable[..., Any], values: list[Any], expected: list[Any]
) -> None:
    table = make(RECORDS)
    rows = open_rows(table, "df")
    assert [*rows]  # a generator has the rows that were read
    joined = rows.join({"new": values})
    assert type(joined) is (
        type(table) if isinstance(table, pd.DataFrame | pl.DataFrame | pa.Table) else list
    )
    assert records_of(joined) == [
        {**record, "new": value} for record, value in zip(RECORDS, expected, strict=True)
    ]


def test_a_column_of_the_same_name_gives_way(make: Callable[..., Any]) -> None:
    rows = open_rows(make(RECORDS), "df")
    assert [*rows]
    joined = records_of(rows.join({"text": ["x", "y", "z"]}))
    assert [record["text"] for record in joined] == ["x", "y", "z"]
    assert [*joined[0]] == ["text", "stars", "a b"]


MIXED: dict[str, tuple[list[Any], list[Any]]] = {
    "kinds": ([1, "x", None], ["1", '"x"', None]),
    "text and objects": (["é", {"a": 1}, [1]], ['"é"', '{"a": 1}', "[1]"]),
}


@pytest.mark.parametrize("make", [pl.DataFrame, pa.Table.from_pylist])
@pytest.mark.parametrize(("values", "expected"), MIXED.values(), ids=MIXED)
def test_what_no_typed_column_holds_is_json(
    make: Callable[..., Any], values: list[Any], expected: list[Any]
) -> None:
    joined = open_rows(make(RECORDS), "df").join({"new": values})
    assert [record["new"] for record in records_of(joined)] == expected


@pytest.mark.parametrize("make", [pl.DataFrame, pa.Table.from_pylist])
def test_a_field_that_comes_late_is_not_lost(make: Callable[..., Any]) -> None:
    joined = open_rows(make(RECORDS), "df").join({"new": [{"a": 1}, {"a": 2, "b": "x"}, None]})
    assert records_of(joined)[1]["new"] == {"a": 2, "b": "x"}


def test_fields_that_differ_in_kind_are_json_where_there_is_no_other_way() -> None:
    joined = open_rows(pa.Table.from_pylist(RECORDS), "df").join({"new": [{"a": 1}, {"a": "x"}, None]})
    assert joined.column("new").to_pylist() == ['{"a": 1}', '{"a": "x"}', None]


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(["b", "a", "b"], name="id"),
        pd.MultiIndex.from_tuples([("x", 1), ("x", 1), ("y", 2)], names=["k", None]),
        pd.DatetimeIndex(["2026-01-02", "2026-01-01", "2026-01-01"]),
    ],
    ids=["not unique", "several levels", "dates"],
)
def test_the_index_of_pandas_stays(index: pd.Index) -> None:
    frame = pd.DataFrame(RECORDS, index=index)
    joined = open_rows(frame, "df").join({"reply": ["x", None, "z"], "reply_error": [None] * 3})
    pd.testing.assert_index_equal(joined.index, index)
    assert list(joined["reply"].fillna("?")) == ["x", "?", "z"]
    assert joined.reply_error.isna().all()
    assert list(frame.columns) == ["text", "stars", "a b"]


def test_the_oddities_of_pandas() -> None:
    frame = pd.DataFrame(
        [[1, 2, pd.NaT, pd.NA], [np.nan, 4, pd.Timestamp("2026-01-01"), True]],
        columns=["a", "a", 0, ("x", "y")],
    )
    rows = open_rows(frame, "df")
    assert [*rows] == [
        {"a": 2, 0: None, ("x", "y"): None},
        {"a": 4, 0: pd.Timestamp("2026-01-01"), ("x", "y"): True},
    ]
    assert list(rows.join({"reply": ["x", "y"]}).columns) == ["a", "a", 0, ("x", "y"), "reply"]
    assert [*open_rows(pd.DataFrame(index=[1, 2]), "df")] == [{}, {}]


def test_columns_by_label_of_several_levels() -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    rows = open_rows(frame, "df")
    assert [*rows] == [{("a", "x"): 1, ("a", "y"): 2}]
    assert rows.join({"reply": ["z"]})["reply"].iloc[0] == "z"


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.Table.from_pylist])
def test_more_rows_than_a_chunk(make: Callable[..., Any]) -> None:
    count = 2 * CHUNK + 3
    rows = open_rows(make([{"n": n} for n in range(count)]), "df")
    assert [row and row["n"] for row in rows] == list(range(count))


def test_dicts_that_differ() -> None:
    rows = open_rows([{"a": 1}, {"b": 2}], "df")
    assert rows.columns == ("a", "b")
    assert [*rows] == [{"a": 1, "b": None}, {"a": None, "b": 2}]
    assert rows.join({"reply": ["x", "y"]}) == [{"a": 1, "reply": "x"}, {"b": 2, "reply": "y"}]


def test_a_generator_is_read_as_it_is_needed() -> None:
    read: list[int] = []

    def generate() -> Iterator[dict[str, int]]:
        for n in range(10**9):
            read.append(n)
            yield {"n": n}

    rows = open_rows(generate(), "df")
    assert [*islice(rows, 2)] == [{"n": 0}, {"n": 1}]
    assert read == [0, 1]
    assert rows.join({"reply": ["x", "y"]}) == [{"n": 0, "reply": "x"}, {"n": 1, "reply": "y"}]


REFUSED = {
    "text": ("abc", "is a str, which is no table"),
    "a dict": ({"a": [1]}, "is a dict, which is no table"),
    "a number": (5, "is an? int, which is no table"),
    "a class": (pd.DataFrame, "no table"),
    "a list of texts": (["a"], 'Item 0 of df is a str.*{"text": item} for item in df'),
    "a Series": (pd.Series([1], name="text"), r"single column.*df\.to_frame"),
    "a Polars Series": (pl.Series([1]), r"single column.*df\.to_frame"),
    "a lazy frame": (pl.LazyFrame({"a": [1]}), r"lazy.*df\.collect\(\)"),
    "an array": (np.zeros((2, 2)), "Item 0 of df is a ndarray"),
}


@pytest.mark.parametrize(("table", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused(table: Any, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        open_rows(table, "df")


def test_of_rows_that_come_one_after_another_the_first_alone_is_read_before_they_are_wanted() -> None:
    read: list[int] = []

    def come() -> Iterator[dict[str, int]]:
        for number in range(3):
            read.append(number)
            yield {"n": number}

    open_rows(come(), "rows")
    assert read == [0]
