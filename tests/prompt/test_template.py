"""The prompt's template: one pass, strict, and everything else untouched."""

from __future__ import annotations

import string

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.errors import PromptError
from metask_magic.language import using
from metask_magic.messages.request import ImagePart, Part, TextPart
from metask_magic.prompt.template import render, render_parts
from metask_magic.prompt.values import TEXT_LIMIT, to_parts

from ..chinese import left_in_english

PNG = b"\x89PNG\r\n\x1a\n and more"

FRAME = pd.DataFrame({"a": range(100)})


def double(x: int) -> int:
    return 2 * x


NAMES = {
    "name": "Ada",
    "items": [1, 2],
    "tricky": "{{ name }} {% if %} {x}",
    "none": None,
    "raw": b"abc",
    "fig": PNG,
    "frame": FRAME,
    "double": double,
    "long": "x" * (TEXT_LIMIT + 1),
    "_": "last",
    "_3": "third",
    "Out": {3: "third"},
    "In": ["", "1 + 1"],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi {{ name }}!", "Hi Ada!"),
        ("{{ name | upper }} {{ items[0] + 1 }}", "ADA 2"),
        ("{{ tricky }}", "{{ name }} {% if %} {x}"),
        ("{% for i in items %}{{ i }};{% endfor %}", "1;2;"),
        ("{{ other | default('x') }}{{ 'y' if other is defined }}", "x"),
        ("{{ none }}", "None"),
        ('{"a": {"b": {{ items }}}}', '{"a": {"b": [1, 2]}}'),
        (r"\newcommand{\x}[1]{#1} {{ name }} {% comment", r"\newcommand{\x}[1]{#1} Ada {% comment"),
        ("{{ name }}\n", "Ada\n"),
        (r"\textbf{ {{ name }}}{{ '{' }}{{ name }}}", r"\textbf{ Ada}{Ada}"),
        ("<b>{{ '<i>' }}</b>", "<b><i></b>"),
        ("{{ _ }} {{ _3 }} {{ Out[3] }} {{ In[1] }}", "last third third 1 + 1"),
        ("{{ len(items) }} {{ sum(items) }} {{ sorted(items, reverse=True) }}", "2 3 [2, 1]"),
        ("{{ frame | length }} {{ frame.a.max() }} {{ items | join(', ') }}", "100 99 1, 2"),
        ("{{ 3 }} {{ 1.50 }} {{ items }} {{ {'a': 1} }}", "3 1.5 [1, 2] {'a': 1}"),
        ("{{ {'a': '<é>', 'b': none} | json }}", '{"a": "<é>", "b": null}'),
        ("{{ {'a': 1} | json(indent=1) }}", '{\n "a": 1\n}'),
        ("{{ frame | head(2) | json }}", '[{"a": 0}, {"a": 1}]'),
        ("{{ frame.a.max() | json }}", "99"),
        ("{{ items | head(1) }} {{ 'a\\nb\\nc' | head(2) }}", "[1] a\nb\n"),
        ("{{ double }}", "def double(x: int) -> int:\n    return 2 * x\n"),
        ("{{ double | source | length }}", "44"),
        ("{{ name | repr }}", "'Ada'"),
        ("{{ name | cut(1) }}", "A\n[… 2 of 3 characters left out …]\n"),
    ],
)
def test_rendered(text: str, expected: str) -> None:
    """In any language: a model reads it."""
    assert render(text, NAMES) == expected
    with using("zh"):
        assert render(text, NAMES) == expected


WRONG = [
    ("{{ a }} {{ b.c }} {{ name }} {{ d() }}", r"a, b and d are not defined"),
    ("{{ zzz }}", r"^zzz is not defined\. Define it"),
    ("{{ nmae }} {{ itmes }}", "itmes and nmae are not defined. Did you mean items or name"),
    ("one\n{{ 1 + }}", "line 2"),
    ("{{ name", "mistake in line 1"),
    (r"\textbf{{{ name }}}", r"mistake in line 1: .* before the \{\{ that follows a brace"),
    ("{{ name.nope }}", "nope"),
    ("{{ 1 / 0 }}", "ZeroDivisionError"),
    ("{{ name.__class__.__mro__ }}", "unsafe"),
    ("{{ sum }} and {{ list }}", "list and sum are not defined"),
    ("{{ b'abc' }} {{ raw }}", "template has a mistake"),
    ("{{ raw }}", "3 bytes are no PNG"),
    ("{{ 3 | source }}", "int has no source"),
    ("{{ 3 | table(5) }}", "int is no table"),
    ("{{ raw | json }}", "bytes is no JSON"),
]


@pytest.mark.parametrize(("text", "says"), WRONG)
def test_what_cannot_be_filled_in_is_explained(text: str, says: str) -> None:
    with pytest.raises(PromptError, match=says) as caught:
        render(text, NAMES)
    assert caught.value.remedy


@pytest.mark.parametrize("text", [text for text, _ in WRONG])
def test_it_is_explained_in_chinese(text: str) -> None:
    with using("zh"), pytest.raises(PromptError) as caught:
        render(text, NAMES)
    assert left_in_english(caught.value) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ zzz }}", "zzz 未定义。在此单元格之前定义，或用 --raw 原样发送文本。"),
        (
            "{{ nmae }} {{ itmes }} {{ q }}",
            "itmes、nmae 和 q 未定义。是不是想用 items 或 name？"
            "在此单元格之前定义，或用 --raw 原样发送文本。",
        ),
        (r"\textbf{{{ name }}}", "在紧跟花括号的 {{ 前加一个空格或 {{ '{' }}。"),
    ],
)
def test_said_in_chinese(text: str, says: str) -> None:
    with using("zh"), pytest.raises(PromptError) as caught:
        render(text, NAMES)
    assert str(caught.value).endswith(says)


PLAIN = st.text(st.sampled_from(string.printable + "{}%#é中🎉")).filter(
    lambda text: "{{" not in text and "{%" not in text
)


@given(PLAIN)
def test_text_without_templates_is_untouched(text: str) -> None:
    assert render(text, {}) == text


@given(st.text())
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    assert render("[{{ value }}]", {"value": value}) == f"[{value}]"


@pytest.mark.parametrize(
    "text",
    ["{{ frame.head(2) }}", "{{ frame | head(2) }}", "{{ frame[:2] }}", "{% set f = frame.head(2) %}{{ f }}"],
)
def test_a_table_is_markdown(text: str) -> None:
    assert render(text, NAMES) == "2 rows × 1 column: a (int64)\n\n| a |\n| --- |\n| 0 |\n| 1 |"


def test_limits_are_the_templates_to_set() -> None:
    assert "1 of 100,001 characters left out" in render("{{ long }}", NAMES)
    assert render("{{ long | cut(1000000) }}", NAMES) == NAMES["long"]
    assert "40 rows between" in render("{{ frame }}", NAMES)
    assert render("{{ frame | table(100) }}", NAMES).count("\n| ") == 102


IMAGE = ImagePart("image/png", PNG)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{{ fig }}", (IMAGE,)),
        ("See {{ fig }}, {{ name }}.", (TextPart("See "), IMAGE, TextPart(", Ada."))),
        ("{{ 1 }}{{ fig }}{{ 2 }}", (TextPart("1"), IMAGE, TextPart("2"))),
        ("{% for i in items %}{{ i }}{{ fig }}{% endfor %}", (TextPart("1"), IMAGE, TextPart("2"), IMAGE)),
        (
            "{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(fig) }}{{ m(name) }}",
            (TextPart("["), IMAGE, TextPart("][Ada]")),
        ),
        (
            "{% set b %}a{{ fig }}{% endset %}{{ b }}{{ b | upper }}",
            (TextPart("a"), IMAGE, TextPart("A"), IMAGE),
        ),
        ("{% set b %}{{ long }}{{ fig }}{% endset %}{{ b }}", (*to_parts(NAMES["long"]), IMAGE)),
        ("{% set b %}{{ fig }}{% endset %}none", (TextPart("none"),)),
        ("{% filter indent %}{{ fig }}\nx{% endfilter %}", (IMAGE, TextPart("\n    x"))),
        ("no statement", (TextPart("no statement"),)),
    ],
)
def test_an_image_stands_at_its_place(text: str, parts: tuple[Part, ...]) -> None:
    assert render_parts(text, NAMES) == parts


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{% set b %}{{ fig }}{% endset %}{{ b | truncate(30, True) }}", "cut an image in two"),
    ],
)
def test_an_image_that_a_template_spoils(text: str, says: str) -> None:
    with pytest.raises(PromptError, match=says):
        render_parts(text, NAMES)


def test_a_system_message_holds_no_image() -> None:
    with pytest.raises(PromptError, match=r"cannot hold an image\. Put it into the prompt"):
        render("{{ fig }}", NAMES)


DIGITS = st.text("0123456789", min_size=1, max_size=60)


@given(st.one_of(st.text(), st.text("{}%#[]m:0123456789"), DIGITS), st.one_of(st.text(), DIGITS))
def test_values_beside_an_image_are_untouched(before: str, after: str) -> None:
    parts = render_parts("{{ a }}{{ fig }}{{ b }}", {"a": before, "b": after, "fig": PNG})
    assert parts == tuple(part for part in (TextPart(before), IMAGE, TextPart(after)) if part != TextPart(""))


WITHOUT_RETURNS = PLAIN.filter(lambda text: "\r" not in text and not text.endswith("{"))


@given(WITHOUT_RETURNS, st.text(), WITHOUT_RETURNS)
def test_text_around_a_value_is_untouched(before: str, value: str, after: str) -> None:
    assert render(f"{before}{{{{ value }}}}{after}", {"value": value}) == f"{before}{value}{after}"
