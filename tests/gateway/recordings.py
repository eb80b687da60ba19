"""Recordings for the tests: made in a line, written in a line."""

from __future__ import annotations

from typing import Any

from metask_magic.gateway.recording import RecordedReply, Recording
from metask_magic.gateway.recording_key import describe
from metask_magic.messages.request import Message, Request


def request(prompt: str = "Hi", model: str = "m", **fields: Any) -> Request:
    return Request(model, (Message("user", prompt),), **fields)


def recording(
    prompt: str = "Hi", text: str = "Hello", *, model: str = "m", sample: int = 1, **reply: Any
) -> Recording:
    described = describe(request(prompt, model), sample)
    return Recording.of(described, RecordedReply(text, "stop", **reply))
