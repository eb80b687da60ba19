"""Words for people: counts, sizes, names to offer, text made fit to show."""

from __future__ import annotations

import pytest

from metask_magic.language import choose
from metask_magic.words import (
    LONGEST_QUOTE,
    clauses,
    fit,
    ljust,
    nearest,
    one_stop,
    plain,
    rjust,
    shorten,
    size,
    width,
)

from .gateway_server import MODELS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        (None, "None"),
        (" two\n\n words\t\r\n", "two words"),
        ("\x1b[1;31mred\x1b[0m \x1b[2Jgone", "red gone"),
        ("\x1b]0;title\x07", "]0;title"),
        ("\x9b31mred", "31mred"),
        ("a\x00b\x07c\x7fd\x85e", "abcde"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("\u2066a\u2069\u200fb\u061cc", "abc"),
        ("a\u200bb\u2060c\ufeff", "abc"),
        ("half \ud83d a pair", "half a pair"),
        ("a\u2028b\u2029c", "a b c"),
        ("元任务 é 😀", "元任务 é 😀"),
        ("x" * LONGEST_QUOTE, "x" * LONGEST_QUOTE),
        ("x" * 1_000_000, "x" * (LONGEST_QUOTE - 1) + "…"),
    ],
)
def test_plain(text: object, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("gpt-4o-mni", ["gpt-4o-mini", "gpt-4o", "o3-mini"]),
        ("GPT-4O", ["gpt-4o", "gpt-4o-mini"]),
        ("claude-3-5-sonnet", ["claude-3-5-sonnet-20241022", "claude-3-haiku-20240307"]),
        ("haiku", ["claude-3-haiku-20240307"]),
        ("mini", ["o3-mini", "gpt-4o-mini", "gemini-1.5-pro"]),
        ("qqqqqq", []),
        ("", []),
    ],
)
def test_nearest(name: str, near: list[str]) -> None:
    assert nearest(name, MODELS) == near


@pytest.mark.parametrize(
    ("name", "candidates", "near"),
    [
        ("ab", [], []),
        ("ab", ["AB", "ab"], ["AB", "ab"]),
        ("ab", ["ab", "ab"], ["ab"]),
        ("ab", ["xab"] * 9, ["xab"]),
        ("abx", ["AB", "ab"], ["AB"]),
    ],
)
def test_nearest_of_odd_lists(name: str, candidates: list[str], near: list[str]) -> None:
    assert nearest(name, candidates) == near


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
    ],
)
def test_size(number: int, shown: str) -> None:
    assert size(number) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It said: No.. Ask.", "It said: No. Ask."),
        ("It said: No..", "It said: No."),
        ("Really?. And now!.", "Really? And now!"),
        ("余额不足。.", "余额不足。"),
        ("It said “No.”. Ask.", "It said “No.” Ask."),
        ("(no name 'x'.). Ask.", "(no name 'x'.) Ask."),
        ("cut short…. Ask.", "cut short… Ask."),
        ("wait... and go on ...", "wait... and go on ..."),
        ("cd .. and ../x and a..b", "cd .. and ../x and a..b"),
        ("1.5. 2.", "1.5. 2."),
    ],
)
def test_two_full_stops_never_meet(text: str, shown: str) -> None:
    assert one_stop(text) == shown


FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("模型", 4),
        ("ｗ", 2),
        ("ﾊﾝ", 2),
        ("한", 2),
        ("é", 1),
        ("e\u0301", 1),
        ("🎉", 2),
        ("👍🏽", 2),
        ("❤\ufe0f", 2),
        ("🇨🇳", 2),
        (FAMILY, 2),
        ("…", 1),
        ("a\u200bb", 2),
    ],
)
def test_columns_of_a_terminal(text: str, columns: int) -> None:
    assert width(text) == columns
    assert ljust(text, 6) == text + " " * (6 - columns)
    assert rjust(text, 6) == " " * (6 - columns) + text
    assert ljust(text, 0) == rjust(text, 0) == text


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("模型", 4, "模型"),
        ("模型表", 5, "模型…"),
        ("模型表", 4, "模…"),  # half a character is none
        ("e\u0301" * 3, 3, "e\u0301" * 3),
        ("e\u0301" * 4, 3, "e\u0301" * 2 + "…"),
        (FAMILY * 2, 3, FAMILY + "…"),
        ("模", 1, "…"),
    ],
)
def test_cut_to_columns(text: str, columns: int, shown: str) -> None:
    assert fit(text, columns) == shown


@pytest.mark.parametrize(
    ("text", "longest", "shown"),
    [
        ("abcd", 4, "abcd"),
        ("abcde", 4, "abc…"),
        ("模型表", 3, "模型表"),
        ("模型表格", 3, "模型…"),
        ("ae\u0301xyz", 3, "a…"),  # the accent would be left behind
        ("ae\u0301xyz", 4, "ae\u0301…"),
        (f"a{FAMILY}b", 4, "a…"),
        (f"{FAMILY}b", 3, "\N{MAN}\u200d…"),  # a single character longer than all that is allowed
        ("a" * 9 + "é", 4, "aaa…"),
    ],
)
def test_cut_between_characters(text: str, longest: int, shown: str) -> None:
    assert shorten(text, longest) == shown
    assert len(shorten(text, longest)) <= longest


def test_parts_of_a_list() -> None:
    assert clauses(["a, b", "c"]) == "a, b; c"
    choose("zh")
    assert clauses(["a，b", "c"]) == "a，b；c"
