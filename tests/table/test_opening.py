"""Which kinds of tables there are, and what is said of what is none."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pytest

from metask_magic.errors import OptionError
from metask_magic.language import choose
from metask_magic.table.opening import open_rows

from ..english import english_sentences

NO_TABLES: dict[str, tuple[Any, str, str]] = {
    "a text": ("a", "df is a str, which is no table.", "df 的类型是 str，不是表格。"),
    "a dict": ({"a": 1}, "df is a dict, which is no table.", "df 的类型是 dict，不是表格。"),
    "a number": (3, "df is a int, which is no table.", "df 的类型是 int，不是表格。"),
    "a column": (pd.Series([1]), "df is a single column.", "df 只是一列。"),
    "a plan": (pl.LazyFrame({"a": [1]}), "df is lazy: it has no rows yet.", "df 是惰性的：还没有行。"),
    "texts": (["a"], "Item 0 of df is a str, and not a dict.", "df 的第 0 项类型是 str，不是 dict。"),
}


@pytest.mark.parametrize(("value", "english", "chinese"), NO_TABLES.values(), ids=NO_TABLES)
def test_what_is_no_table(value: Any, english: str, chinese: str) -> None:
    with pytest.raises(OptionError) as caught:
        open_rows(value, "df")
    assert caught.value.message == english
    choose("zh")
    with pytest.raises(OptionError) as caught:
        open_rows(value, "df")
    assert caught.value.message == chinese
    assert english_sentences(caught.value.remedy) == []
