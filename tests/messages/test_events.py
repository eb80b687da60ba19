"""The values of the events: tokens as servers report them, and frozen."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from metask_magic.messages.events import Step, Usage


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [
        (Usage(1, 2, 3), Usage(10, 20, 30), Usage(11, 22, 33)),
        (Usage(1, 2, 3, 4), Usage(10, None, 30), Usage(11, None, 33)),
        (Usage(), Usage(1, 1, 1, 1, 1), Usage()),
    ],
)
def test_usage_is_summed_where_both_are_known(first: Usage, second: Usage, total: Usage) -> None:
    assert first + second == total


FULL = {
    "prompt_tokens": 1,
    "completion_tokens": 2,
    "total_tokens": 3,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 9},
    "completion_tokens_details": {"reasoning_tokens": 5},
}


@pytest.mark.parametrize(
    ("data", "usage"),
    [
        (FULL, Usage(1, 2, 3, 4, 5)),
        ({}, Usage()),
        ({"prompt_tokens": 0}, Usage(0)),
        ({"prompt_tokens": None, "total_tokens": "many", "completion_tokens": 1.5}, Usage()),
        ({"prompt_tokens": "1", "completion_tokens": 2.0, "total_tokens": "9" * 5000}, Usage(1, 2)),
        ({"prompt_tokens": "-1", "completion_tokens": "1.5", "total_tokens": ""}, Usage()),
        ({"prompt_tokens": True, "completion_tokens": [1]}, Usage()),
        ({"prompt_tokens_details": None, "completion_tokens_details": 3}, Usage()),
        ({"prompt_tokens_details": {"cached_tokens": None}, "total_tokens": 3}, Usage(total_tokens=3)),
    ],
)
def test_usage_from_json(data: dict[str, Any], usage: Usage) -> None:
    assert Usage.from_json(data) == usage


@pytest.mark.parametrize(
    ("usage", "data"),
    [
        (Usage(), {}),
        (Usage(0, total_tokens=3), {"prompt_tokens": 0, "total_tokens": 3}),
        (Usage(cached_tokens=4, reasoning_tokens=5), {"cached_tokens": 4, "reasoning_tokens": 5}),
    ],
)
def test_usage_to_json(usage: Usage, data: dict[str, int]) -> None:
    assert usage.to_json() == data


@pytest.mark.parametrize("value", [Usage(1), Step("a", "b")])
def test_frozen(value: Any) -> None:
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, "other")
