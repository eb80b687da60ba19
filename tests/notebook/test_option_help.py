"""The help of the options: whole in either language, and written when it is asked for."""

from __future__ import annotations

import pytest

from metask_magic.language import using
from metask_magic.notebook.option_help import help_text, wrap
from metask_magic.notebook.option_parser import declared_options
from metask_magic.notebook.options import MODELS, OPTIONS
from metask_magic.words import width

from ..english import english_sentences

MEANINGS = [option.kwds["help"] for option in (MODELS, *OPTIONS)]


def test_each_option_is_there_with_its_meaning() -> None:
    with using("en"):
        said = " ".join(help_text().split())
    assert [flag for flag in declared_options() if f"{flag}" not in said] == []
    assert [meaning for meaning in MEANINGS if meaning not in said] == []


def test_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with using("zh"):
        said = help_text()
    _usage, _blank, meanings = said.partition("向语言模型提问")
    assert english_sentences(meanings) == []
    assert [flag for flag in declared_options() if flag not in said] == []
    assert "位置参数：\n  MODEL                 要提问的模型；" in said
    assert max(map(width, said.partition("位置参数：")[2].splitlines())) <= 78


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("一二三四五", 4, ["一二", "三四", "五"]),
        ("一二，三四。", 4, ["一", "二，", "三", "四。"]),
        ("一（二三）四", 5, ["一", "（二", "三）", "四"]),
        ("用 `local` 回答", 8, ["用", "`local`", "回答"]),
        ("x " * 3, 3, ["x x", "x"]),
        ("", 5, [""]),
    ],
)
def test_chinese_breaks_between_characters_and_before_no_mark(
    text: str, columns: int, lines: list[str]
) -> None:
    assert wrap(text, columns) == lines
