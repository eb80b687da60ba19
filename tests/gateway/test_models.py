"""The list of models: what its entries say, what is like a name, and when it is asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from metask_magic.errors import ServerError
from metask_magic.gateway.models import FRESH_SECONDS, Catalog, Model, matching

from ..gateway_server import MODELS

NOVEMBER = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entry", "model"),
    [
        ({"id": "a"}, Model("a", None, None)),
        ({"id": 7, "owned_by": "", "created": None}, Model("7", None, None)),
        ({"id": "a", "owned_by": "us"}, Model("a", "us", None)),
        ({"id": "a", "created": 1_700_000_000}, Model("a", None, NOVEMBER)),
        ({"id": "a", "created": 1_700_000_000.0}, Model("a", None, NOVEMBER)),
    ],
)
def test_an_entry(entry: dict[str, Any], model: Model) -> None:
    assert Model.from_json(entry) == model


@pytest.mark.parametrize(
    "created",
    [
        0,
        -1,
        True,
        "1700000000",
        [],
        1_700_000_000_000_000,
        10**400,
        float("inf"),
        float("nan"),
        float("-inf"),
    ],
)
def test_a_date_that_is_none(created: object) -> None:
    assert Model.from_json({"id": "a", "created": created}).created is None


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", list(MODELS)),
        ("*", list(MODELS)),
        ("GPT", ["gpt-4o", "gpt-4o-mini"]),
        ("mini", ["gpt-4o-mini", "o3-mini", "gemini-1.5-pro", "gemini-2.0-flash"]),
        ("*mini", ["gpt-4o-mini", "o3-mini"]),
        ("o?", ["o1"]),
        ("[go]*mini", ["gpt-4o-mini", "o3-mini"]),
        ("1.5", ["gemini-1.5-pro"]),
        ("nothing", []),
        ("[", []),
    ],
)
def test_matching(pattern: str, found: list[str]) -> None:
    assert [model.id for model in matching([Model(id, None, None) for id in MODELS], pattern)] == found


class Lister:
    """Gives its lists in turn; a failure is raised."""

    def __init__(self, *lists: list[str] | Exception) -> None:
        self.lists = list(lists)

    async def get_models(self) -> list[dict[str, Any]]:
        following = self.lists.pop(0)
        if isinstance(following, Exception):
            raise following
        return [{"id": id} for id in following]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def names(models: Iterable[Model]) -> list[str]:
    return [model.id for model in models]


def listed(catalog: Catalog) -> list[str]:
    return names(asyncio.run(catalog.list()))


def test_the_list_is_sorted_and_names_each_once() -> None:
    assert listed(Catalog(Lister(["b", "A", "c", "b", "a"]))) == ["A", "a", "b", "c"]


def test_the_list_is_fetched_when_it_is_old() -> None:
    clock = Clock()
    catalog = Catalog(Lister(["a"], ["b"]), clock)
    assert catalog.known == ()
    assert listed(catalog) == ["a"]
    clock.now += FRESH_SECONDS
    assert listed(catalog) == ["a"], "still fresh"
    clock.now += 1
    assert names(catalog.known) == ["a"], "never asks"
    assert listed(catalog) == ["b"]


def test_a_failure_is_not_remembered_and_forgets_nothing() -> None:
    clock = Clock()
    catalog = Catalog(Lister(["a"], ServerError("Oh."), ["b"]), clock)
    listed(catalog)
    clock.now += FRESH_SECONDS + 1
    with pytest.raises(ServerError):
        listed(catalog)
    assert names(catalog.known) == ["a"]
    assert listed(catalog) == ["b"]


def test_an_empty_list_is_a_list() -> None:
    catalog = Catalog(Lister([]), Clock())
    assert [listed(catalog), listed(catalog)] == [[], []]
