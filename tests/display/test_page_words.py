"""The words of the live view: the page asks for those that the kernel translates, and for no others."""

from __future__ import annotations

import re
from pathlib import Path

import metask_magic
from metask_magic.display import page_words
from metask_magic.display.page_words import words_of_the_page
from metask_magic.display.view import ReplyView
from metask_magic.language import choose

SOURCES = Path(metask_magic.__file__).parent / "display" / "frontend" / "src"
SAID = re.compile(r'\bsay\(\s*"((?:[^"\\]|\\.)*)"')


def asked_for() -> set[str]:
    return {
        found
        for path in SOURCES.rglob("*.js")
        for found in SAID.findall(path.read_text(encoding="utf-8").replace(SAYS_HOW, ""))
    }


SAYS_HOW = 'They are asked for by their English: `say("Stop")`'
"""Of a comment."""


def test_the_page_asks_for_each_and_no_other() -> None:
    choose("zh")
    assert asked_for() == {*words_of_the_page()}


def test_each_has_its_chinese() -> None:
    choose("zh")
    words = words_of_the_page()
    assert [
        english for english, said in words.items() if not re.search(r"[\u3000-\u9fff\uff00-\uffef]", said)
    ] == []
    assert words["Stop"] == "停止"
    assert (words["Reasoning"], words["state|Reasoning"]) == ("思考过程", "思考中")


def test_no_word_of_the_page_is_said_otherwise() -> None:
    """What a page shows or announces stands in `say(…)`: no text is a literal of its own."""
    shown = re.compile(r'(?:textContent = |ariaLabel[:=] ?|"aria-label", |createButton\("[\w-]+", )["`]')
    wrong = [
        f"{path.name}: {line.strip()}"
        for path in SOURCES.rglob("*.js")
        for line in path.read_text(encoding="utf-8").splitlines()
        if shown.search(line)
    ]
    assert wrong == []


def test_english_costs_no_traffic() -> None:
    assert words_of_the_page() == {}
    assert ReplyView(["m"]).words == {}


def test_a_view_has_the_words_of_its_kernel() -> None:
    choose("zh")
    assert ReplyView(["m"]).words["Copy"] == "复制"
    assert len(page_words._SENTENCES) + 1 == len(words_of_the_page())
