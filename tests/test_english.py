"""What finds English in a text that should have none."""

from __future__ import annotations

import pytest

from .english import english_sentences

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("没有密钥。", []),
        ("The key was refused.", ["The key was refused"]),
        ("已停止。Stopped before any text came.", ["Stopped before any text came"]),
        ("It doesn't know that name.", ["It doesn't know that name"]),
        ("First, look here: then there.", ["First, look here: then there"]),
        ("two words", []),
        ("模型 gpt-4o-mini 没有回复", []),
        ("服务器说：“the model is overloaded now”", []),
        ("运行 `pip install that and more`。", []),
        ("运行 %metask models refresh now", []),
        ("去掉 --map 或 --json", []),
        ("见 https://example.com/a page", []),
        ("在 /home/you/notes and.txt 中", []),
        ("设置 Metask.model 或 METASK_API_KEY", []),
        ("AuthenticationError: 密钥被拒绝。", []),
        ("<span title='of three words'>空</span>", []),
        ("\x1b[31mIt is red\x1b[0m", ["It is red"]),
        ("```\nfor each in these\n```", []),
    ],
)
def test_it_finds_sentences_and_no_values(text: str, found: list[str]) -> None:
    assert english_sentences(text) == found
