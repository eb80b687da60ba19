"""The prompt's template: one pass, strict, and everything else untouched."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.errors import PromptError
from metask_magic.notebook.prompt import render

NAMES = {"name": "Ada", "items": [1, 2], "tricky": "{{ name }} {% if %} {x}", "none": None}


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
        ("<b>{{ '<i>' }}</b>", "<b><i></b>"),
    ],
)
def test_rendered(text: str, expected: str) -> None:
    assert render(text, NAMES) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ a }} {{ b.c }} {{ name }} {{ d() }}", r"a, b and d are not defined"),
        ("{{ nope }}", "nope is not defined"),
        ("one\n{{ 1 + }}", "line 2"),
        ("{{ name", "mistake in line 1"),
        ("{{ name.nope }}", "nope"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ name.__class__.__mro__ }}", "unsafe"),
    ],
)
def test_what_cannot_be_filled_in_is_explained(text: str, says: str) -> None:
    with pytest.raises(PromptError, match=says) as caught:
        render(text, NAMES)
    assert caught.value.remedy


PLAIN = st.text(st.sampled_from(string.printable + "{}%#é中🎉")).filter(
    lambda text: "{{" not in text and "{%" not in text
)


@given(PLAIN)
def test_text_without_templates_is_untouched(text: str) -> None:
    assert render(text, {}) == text


@given(st.text())
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    assert render("[{{ value }}]", {"value": value}) == f"[{value}]"
