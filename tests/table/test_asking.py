"""Who asks a table's rows: what is told to the shelf of recordings."""

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


@pytest.mark.parametrize(("model", "embedded"), [("local", True), ("o1", False), ("gpt-4o", False)])
def test_the_embedded_model_alone_is_kept_apart(model: str, embedded: bool) -> None:
    shelf = NotedShelf()
    asked: Any = SimpleNamespace(model=model)
    nobody: Any = None
    told: Any = shelf
    RowAsking(nobody, nobody, nobody, told)._conduct(asked, Manner())
    assert shelf.told == [embedded]
