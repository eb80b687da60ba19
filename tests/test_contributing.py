"""CONTRIBUTING and SECURITY: the rooms, files and layers they name are there."""

from __future__ import annotations

import re

import pytest

from .conftest import LAYERS
from .examples import iter_spans
from .kernel import ROOT
from .test_floors import HOUSE, MAY_IMPORT

PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "SECURITY.md")}
BUILT = "metask_magic/display/static"


def test_the_picture_has_each_room_in_the_order_of_the_floors() -> None:
    drawn = re.findall(r"\s(\w+)/ {2,}\w", PAGES["CONTRIBUTING.md"])
    assert set(drawn) == {path.name for path in HOUSE.iterdir() if (path / "__init__.py").exists()}
    assert set(drawn) <= set(MAY_IMPORT)
    for number, room in enumerate(drawn):
        assert MAY_IMPORT[room].isdisjoint(drawn[:number]), room


@pytest.mark.parametrize("page", PAGES)
def test_a_path_that_is_named_is_there(page: str) -> None:
    written = re.compile(r"[\w./]+(/[\w.]+)+|\w+\.(md|toml)")
    named = [span for span in iter_spans(PAGES[page]) if written.fullmatch(span)]
    assert len(named) > 2
    assert [path for path in named if not (ROOT / path).exists() and path != BUILT] == []


def test_each_layer_of_the_tests_is_named() -> None:
    assert tuple(re.findall(r"pytest -m (\w+)`", PAGES["CONTRIBUTING.md"])) == (*LAYERS, "nightly")
