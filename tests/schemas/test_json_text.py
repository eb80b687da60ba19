"""Finding the JSON in what a model wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.schemas.json_text import find_json

FOUND = [
    ('{"a": 1}', {"a": 1}),
    (" [1, 2]\n", [1, 2]),
    ("42", 42),
    ('"text"', "text"),
    ("null", None),
    ("\ufeff{}", {}),
    ('```json\n{"a": 1}\n```', {"a": 1}),
    ('Here it is:\n\n```\n{"a": 1}\n```\nAnything else?', {"a": 1}),
    ('```json\r\n{"a": 1}\r\n```', {"a": 1}),
    ('~~~JSON\n{"a": 1}\n~~~', {"a": 1}),
    ('```json\n{"a": 1}', {"a": 1}),
    ("```json\n7\n```", 7),
    ('{"a": "```"}', {"a": "```"}),
    ('1. So:\n   ```json\n   {"a": 1}\n   ```', {"a": 1}),
    ('Sure! {"a": {"b": [1]}} is it.', {"a": {"b": [1]}}),
    ("The numbers (see [note) are [1, 2].", [1, 2]),
    ("```text\nnothing\n```\n[1]", [1]),
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_the_value(text: str, value: Any) -> None:
    assert find_json(text) == value


MISSING = [
    ("", 'it is not JSON: ""'),
    ("I can't help with that.", 'it is not JSON: "I can\'t help with that."'),
    ('{"a": 1', "it is not JSON: Expecting ',' delimiter (line 1, column 8)"),
    ('{"a": NaN}', "NaN is no value of JSON"),
    ("{'a': 1}", "it is not JSON: Expecting property name"),
    ('{"a": 1} or {"a": 2}', "it holds 2 JSON values"),
    ("```json\n1\n```\n```json\n2\n```", "it holds 2 JSON values"),
    ("[" * 5000, "it is not JSON"),
    ("x" * 500, "…"),
]


@pytest.mark.parametrize(("text", "reason"), MISSING)
def test_no_value(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the message is compared as it stands
        find_json(text)
    assert reason in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(json_values, st.sampled_from(["{}", "\n{}\n", "```json\n{}\n```", "So:\n```\n{}\n```\nDone."]))
def test_any_value_is_found(value: Any, around: str) -> None:
    assert find_json(around.replace("{}", json.dumps(value))) == value
