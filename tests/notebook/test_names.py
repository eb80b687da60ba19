"""Looking up names that an option mentions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from metask_magic.errors import OptionError
from metask_magic.notebook.names import look_up

NAMESPACE = {
    "get_weather": 1,
    "_hidden": 2,
    "none": None,
    "shop": SimpleNamespace(open=SimpleNamespace(at=9)),
}


@pytest.mark.parametrize(
    ("name", "value"), [("get_weather", 1), ("_hidden", 2), ("none", None), ("shop.open.at", 9)]
)
def test_found(name: str, value: object) -> None:
    assert look_up(name, NAMESPACE, "tool") == value


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("get_wether", "Did you mean get_weather?"),
        ("hidden", "Run the cell that defines it first."),
        ("zzz", "Run the cell that defines it first."),
        ("shop.opne", "Did you mean open?"),
        ("shop.open.zzz", ""),
        ("shp.open", "Did you mean shop?"),
        ("", "Run the cell that defines it first."),
    ],
)
def test_not_defined(name: str, remedy: str) -> None:
    with pytest.raises(OptionError, match=f"The tool `{name}` is not defined") as raised:
        look_up(name, NAMESPACE, "tool")
    assert raised.value.remedy == remedy
