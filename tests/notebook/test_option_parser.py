"""What argparse complains of, in its versions, and options that are typed in full width."""

from __future__ import annotations

import pytest

from metask_magic import language
from metask_magic.errors import OptionError
from metask_magic.notebook.option_parser import as_flag, in_our_words, parse_words

# What it said, from Python 3.11 to 3.14.
COMPLAINTS = {
    "argument --seed: expected one argument": "选项 --seed 需要一个值。",
    "argument -s/--system: expected one argument": "选项 -s/--system 需要一个值。",
    "argument --raw: ignored explicit argument 'x: y'": "选项 --raw 不带值，多写了 'x: y'。",
    "argument --top-p: invalid float value: 'a b'": "选项 --top-p 需要一个数字，而不是 'a b'。",
    "argument --seed: invalid int value: '1.5'": "选项 --seed 需要一个整数，而不是 '1.5'。",
    "argument -f/--format: invalid choice: 'yaml' (choose from 'text', 'code')": (
        "选项 -f/--format 不能是 'yaml'（可选值：'text', 'code'）。"
    ),
    "argument -f/--format: invalid choice: 'yaml' (choose from text, code)": (
        "选项 -f/--format 不能是 'yaml'（可选值：text, code）。"
    ),
}


@pytest.mark.parametrize(("complaint", "chinese"), COMPLAINTS.items(), ids=[*COMPLAINTS])
def test_a_complaint(complaint: str, chinese: str) -> None:
    assert in_our_words(complaint) == f"A{complaint[1:]}."
    with language.using("zh"):
        assert in_our_words(complaint) == chinese


def test_one_that_is_not_known_comes_as_it_is() -> None:
    with language.using("zh"):
        assert in_our_words("something new: 1") == "Something new: 1."


@pytest.mark.parametrize(
    ("words", "chinese"),
    [
        (["--seed"], "选项 --seed 需要一个值。"),
        (["--raw=x"], "选项 --raw 不带值，多写了 'x'。"),
        (["--top-p", "much"], "选项 --top-p 需要一个数字，而不是 'much'。"),
        (["--limit", "1.5"], "选项 --limit 需要一个整数，而不是 '1.5'。"),
        (["-f", "yaml"], "选项 -f/--format 不能是 'yaml'（可选值："),
        (["-o", "a", "--out", "b"], "--out 写了两次。"),
        (["--nope"], "没有选项 --nope。"),
    ],
)
def test_this_pythons_own(words: list[str], chinese: str) -> None:
    with language.using("zh"), pytest.raises(OptionError) as caught:
        parse_words(words)
    assert caught.value.message.startswith(chinese)
    assert caught.value.remedy.endswith("`%%metask?` 列出选项。")


@pytest.mark.parametrize(
    ("word", "flag"),
    [
        ("－－map", "--map"),
        ("－－ｍａｐ＝ｄｆ＝１", "--map=ｄｆ＝１"),
        ("--system＝“x”", "--system=“x”"),
        ("－s", "-s"),
        ("--map=ａ＝ｂ", "--map=ａ＝ｂ"),
        ("－－mop", "－－mop"),
        ("——map", "——map"),
        ("－", "－"),
        ("模型", "模型"),
    ],
)
def test_a_flag_in_full_width(word: str, flag: str) -> None:
    assert as_flag(word) == flag
