"""Names, aliases and patterns become models."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from metask_magic.answering.choice import choose_models
from metask_magic.errors import OptionError
from metask_magic.gateway.models import Model
from metask_magic.language import choose

LISTED = ["claude-3-haiku", "claude-3-opus", "gpt-4o", "gpt-4o-mini", *(f"many-{n:02}" for n in range(20))]
ALIASES = {"fast": "gpt-4o-mini", "all": "gpt-4o claude-*", "gpt-4o": "gpt-4o-mini"}


def listed() -> Sequence[Model]:
    return [Model(name, None, None) for name in LISTED]


def never() -> Sequence[Model]:
    raise AssertionError("the list is asked for")


@pytest.mark.parametrize(
    ("names", "models"),
    [
        (["gpt-5"], ["gpt-5"]),
        (["a", "b", "a"], ["a", "b", "a"]),
        (["fast", "x"], ["gpt-4o-mini", "x"]),
        (["gpt-4o"], ["gpt-4o-mini"]),
    ],
)
def test_without_the_list(names: list[str], models: list[str]) -> None:
    assert list(choose_models(names, ALIASES, never)) == models


@pytest.mark.parametrize(
    ("names", "models"),
    [
        (["claude-*"], ["claude-3-haiku", "claude-3-opus"]),
        (["gpt-4o*", "x"], ["gpt-4o", "gpt-4o-mini", "x"]),
        (["*-3-[ho]*"], ["claude-3-haiku", "claude-3-opus"]),
        (["all"], ["gpt-4o", "claude-3-haiku", "claude-3-opus"]),
        (["many-?1"], ["many-01", "many-11"]),
    ],
)
def test_patterns(names: list[str], models: list[str]) -> None:
    assert list(choose_models(names, ALIASES, listed)) == models


@pytest.mark.parametrize(
    ("names", "says", "remedy"),
    [
        (["claud-*"], "None of the 24 models matches claud-*.", "Did you mean claude-3-opus"),
        (["zzz*"], "None of the 24 models matches zzz*.", "lists the models"),
        (["many-*"], "many-* stands for 20 models: many-00, many-01, many-02, many-03, many-04, …", "12"),
    ],
)
def test_what_cannot_be_chosen(names: list[str], says: str, remedy: str) -> None:
    with pytest.raises(OptionError) as caught:
        choose_models(names, {}, listed)
    assert caught.value.message == says
    assert remedy in caught.value.remedy


def test_what_cannot_be_chosen_in_chinese() -> None:
    choose("zh")
    with pytest.raises(OptionError) as caught:
        choose_models(["claud-*"], {}, listed)
    assert str(caught.value).startswith("24 个模型中没有一个匹配 claud-*。是不是想用 claude-3-opus")
    with pytest.raises(OptionError) as caught:
        choose_models(["many-*"], {}, listed)
    assert str(caught.value) == (
        "many-* 代表 20 个模型：many-00、many-01、many-02、many-03、many-04 等。"
        "一次最多问 12 个。`%metask models PATTERN` 会显示匹配的模型。"
    )
