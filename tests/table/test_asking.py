"""Who asks a table's rows: what stays from one table to the next, and what is told to the shelf."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from metask_magic.table.asking import Manner, RowAsking


class NotedShelf:
    def __init__(self) -> None:
        self.told: list[bool] = []

    def conduct_of_rows(self, *, fresh: bool, embedded: bool) -> Any:
        self.told.append(embedded)


def asking(shelf: Any = None, base_url: str = "http://127.0.0.1/v1") -> RowAsking:
    settings: Any = SimpleNamespace(base_url=base_url)
    nobody: Any = None
    return RowAsking(settings, nobody, nobody, shelf)


def test_what_a_gate_has_learnt_stays_for_the_next_table() -> None:
    asks = asking()
    gate = asks._gate_for("o1", 8, None)
    assert asks._gate_for("o1", 8, None) is gate


@pytest.mark.parametrize("other", [("gpt-4o", 8, None), ("o1", 4, None), ("o1", 8, 60.0)])
def test_other_settings_have_another_gate(other: tuple[str, int, float | None]) -> None:
    asks = asking()
    assert asks._gate_for("o1", 8, None) is not asks._gate_for(*other)


@pytest.mark.parametrize(("model", "embedded"), [("local", True), ("o1", False), ("gpt-4o", False)])
def test_the_embedded_model_alone_is_kept_apart(model: str, embedded: bool) -> None:
    shelf = NotedShelf()
    asked: Any = SimpleNamespace(model=model)
    asking(shelf)._conduct(asked, Manner())
    assert shelf.told == [embedded]
