"""A value in a few characters, for telling a model what a variable holds."""

from __future__ import annotations

import pandas as pd
import pytest

from metask_magic.notebook.glimpse import LONGEST, LONGEST_TABLE, Glimpser


def glimpse(value: object) -> str:
    return Glimpser(lambda text: text)(value)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (1, "1"),
        ([1, [2, [3, [4, [5]]]]], "[1, [2, [3, [4, [...]]]]]"),
        (list(range(12)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...]"),
    ],
)
def test_values(value: object, seen: str) -> None:
    assert glimpse(value) == seen


class Long:
    def __repr__(self) -> str:
        return "x" * 5000


def test_how_long_it_may_be() -> None:
    assert len(glimpse(Long())) == LONGEST
    table = pd.DataFrame({f"{'column ' * 12}{at}": ["text"] * 100 for at in range(30)})
    assert len(glimpse(table)) == LONGEST_TABLE == 5 * LONGEST
