"""Values of which a model would get an address: told by name, once, before anything is sent."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from metask_magic.language import using
from metask_magic.prompt.addresses import tell_of_address
from metask_magic.prompt.attachments import attach
from metask_magic.prompt.template import PromptTemplate
from metask_magic.prompt.values import to_parts


class Bare:
    pass


class Spoken:
    def __str__(self) -> str:
        return "spoken"


FRAME = pd.DataFrame({"a": [1, 2]})

NAMELESS: dict[str, Callable[[], Any]] = {
    "generator": lambda: (x for x in "ab"),
    "DataFrameGroupBy": lambda: FRAME.groupby("a"),
    "Styler": lambda: FRAME.style,
    "module": lambda: os,
    "Bare": Bare,
    "map": lambda: map(str, [1]),
    "StringIO": io.StringIO,
}
HOLDING: dict[str, Callable[[], Any]] = {
    "list": lambda: ["a", Bare()],
    "dict": lambda: {"k": [Bare()]},
    "tuple": lambda: (1, Bare()),
}
FINE = [
    "text <object at 0x7f00>",
    ["<x at 0x1>"],
    FRAME,
    np.arange(3),
    5,
    None,
    Spoken(),
    {"a": 1},
    Bare,
    len,
]


@pytest.mark.parametrize("kind", NAMELESS)
def test_it_is_told_by_name(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    to_parts(NAMELESS[kind](), "thing")
    said = capsys.readouterr().err
    assert re.match(rf"thing is a {kind}, of which a model gets .* alone: that tells it nothing", said)
    assert said.count("\n") == 1
    assert "list(thing)" in said


@pytest.mark.parametrize("kind", HOLDING)
def test_what_is_within_is_told(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    to_parts(HOLDING[kind](), "things")
    assert "things holds a Bare, of which" in capsys.readouterr().err


def test_in_chinese() -> None:
    said: list[str] = []
    with using("zh"):
        for value in (Bare(), [Bare()]):
            tell_of_address(value, str(value), "thing", said.append)
        tell_of_address(Bare(), str(Bare()), "", said.append)
    assert [re.sub("<.*?>", "<>", text) for text in said] == [
        f"{text}，模型只能看到 <>，从中得不到任何信息，而且每次运行都会成为新的录制。"
        f"应放入其中重要的内容，例如某个属性或 `list({name})`。"
        for text, name in (
            ("thing：类型为 Bare", "thing"),
            ("thing：其中含有 Bare", "thing"),
            ("某个值：类型为 Bare", "value"),
        )
    ]


@pytest.mark.parametrize("value", FINE, ids=lambda value: type(value).__name__)
def test_what_has_text_is_not_told(value: Any, capsys: pytest.CaptureFixture[str]) -> None:
    to_parts(value, "thing")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("{{ rows }}", "rows is a generator"),
        ("{{ frame.groupby('a') }}", "A value is a DataFrameGroupBy"),
        ("{% for x in [1, 2, 3] %}{{ rows }}{% endfor %}", "rows is a generator"),
        ("{{ rows | list }}", ""),
    ],
)
def test_in_a_template(text: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    template = PromptTemplate(text)
    known = {"rows": (x for x in "ab"), "frame": FRAME}
    for _ in range(2):
        template.fill(known)
    said = capsys.readouterr().err
    assert said.startswith(begins)
    assert said.count("\n") == bool(begins)  # once, however often it is filled in


def test_an_attachment(capsys: pytest.CaptureFixture[str]) -> None:
    attach("rows", {"rows": (x for x in "ab")})
    assert capsys.readouterr().err.startswith("rows is a generator, of which a model gets <generator object")


@pytest.mark.parametrize(("before", "told"), [(999, True), (1000, False)])
def test_so_many_items_are_looked_at(before: int, told: bool) -> None:
    said: list[str] = []
    value = [1] * before + [(x for x in "ab")]
    tell_of_address(value, str(value), "rows", said.append)
    assert bool(said) is told
