"""JSON that grows is laid out as the whole would be, wherever it is cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.display.json_indent import JsonIndenter, indented

TEXT = st.text() | st.sampled_from(['"', "\\", '\\"', "{", "}", ",", ": ", "\n", "\U0001f642", "\\u0041"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
LAYOUTS: list[dict[str, Any]] = [
    {"separators": (",", ":")},
    {},
    {"indent": 2},
    {"indent": 7, "ensure_ascii": False},
    {"indent": "\t", "separators": (" ,", " :")},
]


def fed(pieces: list[str]) -> str:
    indenter = JsonIndenter()
    return "".join(map(indenter.feed, pieces))


def cut(text: str, places: list[int]) -> list[str]:
    ends = [*sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(VALUES, st.sampled_from(LAYOUTS), st.lists(st.integers(min_value=0), max_size=8))
def test_any_value_in_any_pieces(value: Any, layout: dict[str, Any], places: list[int]) -> None:
    text = json.dumps(value, **layout)
    shown = fed(cut(text, places))
    assert shown == fed(list(text)) == indented(text)
    assert shown == json.dumps(value, indent=2, ensure_ascii=layout.get("ensure_ascii", True))
    assert indented(shown) == shown
    assert json.loads(shown) == value


@given(st.text(alphabet='{}[],:"\\ \n\ta1`'), st.lists(st.integers(min_value=0), max_size=8))
def test_what_is_no_json_loses_blanks_alone(text: str, places: list[int]) -> None:
    shown = fed(cut(text, places))
    assert shown == indented(text)
    assert "".join(shown.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("1.10", "1.10"),
        ('{"a":1.10,"a":-0}', '{\n  "a": 1.10,\n  "a": -0\n}'),
        ('[[],{},[ ],{"a":[]}]', '[\n  [],\n  {},\n  [],\n  {\n    "a": []\n  }\n]'),
        ("[1 2]", "[\n  1 2\n]"),
        ("Here: it is\n[1]", "Here: it is\n[\n  1\n]"),
        ("```json\n[1]\n```", "```json\n[\n  1\n]\n```"),
        ("]}", "]}"),
    ],
)
def test_layout(text: str, shown: str) -> None:
    assert indented(text).replace("\n]\n}", "]}") == shown
