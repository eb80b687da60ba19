"""What a gateway refused is asked otherwise, once and from then on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from metask_magic.gateway.quirks import Quirks
from metask_magic.gateway.refusal import Refusal
from metask_magic.language import choose
from metask_magic.messages.kinds import JSON
from metask_magic.messages.request import Message, Request

NAMES_IT = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."


def request(model: str = "o1", stream: bool = True, **params: JSON) -> Request:
    return Request(model, (Message("user", "Hi"),), params, stream=stream)


def refusal(message: str, status: int = 400) -> Refusal:
    return Refusal(status, json.dumps({"error": {"message": message}}).encode(), {})


@pytest.mark.parametrize(
    ("said", "asked", "learnt"),
    [
        (refusal(NAMES_IT), request(max_tokens=5), "o1 takes no max_tokens"),
        (refusal(NAMES_IT, 422), request(max_tokens=5), "o1 takes no max_tokens"),
        (refusal(NAMES_IT, 500), request(max_tokens=5), None),
        (refusal(NAMES_IT), request(), None),
        (refusal(NAMES_IT), request(max_completion_tokens=5), None),
        (refusal("max_tokens is too large"), request(max_tokens=5), None),
        (refusal("stream_options: extra"), request(), ""),
        (refusal("stream_options: extra"), request(stream=False), None),
        (refusal("include_usage is unknown", 422), request(), ""),
    ],
)
def test_learnt(said: Refusal, asked: Request, learnt: str | None) -> None:
    quirks = Quirks()
    found = quirks.learn(said, quirks.to_body(asked))
    assert (found or "").startswith(learnt or "")
    assert (found is None) == (learnt is None)
    if learnt is not None:  # and never asked for the same reason again
        assert quirks.learn(said, quirks.to_body(asked)) is None


def test_what_is_sent_then() -> None:
    quirks = Quirks()
    quirks.learn(refusal(NAMES_IT), quirks.to_body(request(max_tokens=5)))
    body: Any = quirks.to_body(request(max_tokens=5, seed=1))
    assert {name: body[name] for name in body if name != "messages"} == {
        "model": "o1",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 5,
        "seed": 1,
    }
    assert quirks.to_body(request("gpt-4o", max_tokens=5))["max_tokens"] == 5
    assert quirks.adapt(request(max_tokens=5)).params == {"max_completion_tokens": 5}


def test_what_is_said_of_it_in_chinese() -> None:
    choose("zh")
    asked = request(max_tokens=5)
    assert Quirks().learn(refusal(NAMES_IT), asked.to_json()) == (
        "o1 不接受 max_tokens：上限已改用 max_completion_tokens 发送。"
    )
