"""What is asked, and the JSON it becomes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from metask_magic.messages.kinds import JSON
from metask_magic.messages.request import (
    Content,
    ImagePart,
    Message,
    Part,
    Request,
    TextPart,
    ToolCall,
    join_parts,
)

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
        (
            Request("m", (), {"seed": 1}, False, ({"type": "function"},), {"type": "json_object"}, "json"),
            {
                "model": "m",
                "messages": [],
                "tools": [{"type": "function"}],
                "response_format": {"type": "json_object"},
                "seed": 1,
            },
        ),
    ],
    ids=["streamed", "at once", "a parameter wins", "tools and a format"],
)
def test_request_to_json(request_: Request, body: dict[str, JSON]) -> None:
    assert request_.to_json() == body
    assert list(request_.to_json()) == list(body)


CALL = ToolCall("c1", "f", '{"x": 1}')
CALL_JSON: JSON = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
IMAGE = ImagePart("image/png", b"\x89PNG", "plot.png")
IMAGE_JSON: JSON = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}


@pytest.mark.parametrize(
    ("message", "body", "text"),
    [
        (Message("user", "Hi"), {"role": "user", "content": "Hi"}, "Hi"),
        (
            Message("user", (TextPart("See "), IMAGE, TextPart("this"))),
            {
                "role": "user",
                "content": [{"type": "text", "text": "See "}, IMAGE_JSON, {"type": "text", "text": "this"}],
            },
            "See this",
        ),
        (
            Message("assistant", "", tool_calls=(CALL,)),
            {"role": "assistant", "content": None, "tool_calls": [CALL_JSON]},
            "",
        ),
        (
            Message("assistant", "Let me see.", tool_calls=(CALL,)),
            {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL_JSON]},
            "Let me see.",
        ),
        (
            Message("tool", "21", tool_call_id="c1"),
            {"role": "tool", "content": "21", "tool_call_id": "c1"},
            "21",
        ),
    ],
)
def test_message_to_json(message: Message, body: dict[str, JSON], text: str) -> None:
    assert message.to_json() == body
    assert message.text == text
    assert message.images == tuple(part for part in message.content if isinstance(part, ImagePart))


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        ([], ""),
        ([TextPart("a")], "a"),
        ([TextPart("a"), TextPart(""), TextPart("b")], "ab"),
        ([IMAGE], (IMAGE,)),
        ([TextPart("a"), TextPart("b"), IMAGE, TextPart("")], (TextPart("ab"), IMAGE)),
        ([IMAGE, TextPart("a"), IMAGE, TextPart("b")], (IMAGE, TextPart("a"), IMAGE, TextPart("b"))),
    ],
)
def test_parts_are_joined(parts: list[Part], content: Content) -> None:
    assert join_parts(parts) == content


def test_an_image_does_not_spell_its_bytes() -> None:
    assert repr(IMAGE) == "ImagePart(media_type='image/png', name='plot.png')"


@pytest.mark.parametrize("value", [MESSAGES[0], Request("m", MESSAGES)])
def test_frozen(value: Any) -> None:
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, "other")
