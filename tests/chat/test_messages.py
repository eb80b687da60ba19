"""The values that travel, and the JSON they become."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from metask_magic.chat.messages import JSON, Message, Request, Usage

MESSAGES = (Message("system", "Be brief."), Message("user", "Hi"))
AS_JSON: list[JSON] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (
            Request("m", MESSAGES),
            {"model": "m", "messages": AS_JSON, "stream": True, "stream_options": {"include_usage": True}},
        ),
        (
            Request("m", MESSAGES, {"temperature": 0, "stop": ["a"]}, stream=False),
            {"model": "m", "messages": AS_JSON, "temperature": 0, "stop": ["a"]},
        ),
        (
            Request("m", (), {"stream_options": None, "seed": 1}),
            {"model": "m", "messages": [], "stream": True, "stream_options": None, "seed": 1},
        ),
    ],
    ids=["streamed", "at once", "a parameter wins"],
)
def test_request_to_json(request_: Request, body: dict[str, JSON]) -> None:
    assert request_.to_json() == body
    assert list(request_.to_json()) == list(body)


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
        ({"prompt_tokens": None, "total_tokens": "7", "completion_tokens": 1.5}, Usage()),
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


@pytest.mark.parametrize("value", [MESSAGES[0], Request("m", MESSAGES), Usage(1)])
def test_frozen(value: Any) -> None:
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, "other")
