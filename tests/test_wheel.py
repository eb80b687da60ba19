"""What is installed: the wheel, built as pip builds it."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

from .kernel import ROOT

PACKAGE = "metask_magic"
CATALOGUES = {path.relative_to(ROOT).with_suffix(".mo").as_posix() for path in (ROOT / PACKAGE).rglob("*.po")}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Set[str]:
    (wheel,) = WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"]
    )
    return {*ZipFile(wheel).namelist()}


def test_the_catalogues_are_compiled_into_it(names: Set[str]) -> None:
    assert CATALOGUES
    assert CATALOGUES - names == set()


@pytest.mark.parametrize("there", ["py.typed", "display/static/widget.js", "display/static/widget.css"])
def test_it_has(names: Set[str], there: str) -> None:
    assert f"{PACKAGE}/{there}" in names


def test_it_has_nothing_that_only_its_makers_need(names: Set[str]) -> None:
    made = [name for name in names if Path(name).suffix in (".po", ".pot") or "hatch_build" in name]
    others = [name for name in names if not name.startswith((f"{PACKAGE}/", f"{PACKAGE}-"))]
    sources = [name for name in names if name.startswith(f"{PACKAGE}/display/frontend/")]
    assert (made, others, sources) == ([], [], [])
