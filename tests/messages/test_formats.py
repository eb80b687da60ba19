"""What a model is told about the form of its answer, and where."""

from __future__ import annotations

from typing import get_args

import pytest

from metask_magic.messages.formats import INSTRUCTIONS, add_to_system, instruct
from metask_magic.messages.kinds import Format
from metask_magic.messages.request import ImagePart, Message, TextPart

USER = Message("user", "Hi")
IMAGE = ImagePart("image/png", b"")


def test_every_format_has_its_instruction() -> None:
    assert INSTRUCTIONS.keys() == set(get_args(Format))
    assert [format for format, text in INSTRUCTIONS.items() if not text] == ["markdown"]


@pytest.mark.parametrize(
    ("messages", "text", "expected"),
    [
        ([USER], "T", [Message("system", "T"), USER]),
        ([], "T", [Message("system", "T")]),
        ([Message("system", "S"), USER], "T", [Message("system", "S\n\nT"), USER]),
        ([Message("system", ""), USER], "T", [Message("system", "T"), USER]),
        (
            [USER, Message("system", (TextPart("S"), IMAGE))],
            "T",
            [USER, Message("system", (TextPart("S"), IMAGE, TextPart("\n\nT")))],
        ),
        ([USER], "", [USER]),
    ],
)
def test_a_paragraph_in_the_system_message(
    messages: list[Message], text: str, expected: list[Message]
) -> None:
    assert add_to_system(messages, text) == tuple(expected)


@pytest.mark.parametrize(
    ("format", "prompt", "told"),
    [
        ("markdown", "Hi", False),
        ("code", "Write JSON", True),
        ("html", "Hi", True),
        ("math", "Hi", True),
        ("text", "Hi", True),
        ("json", "Hi", True),
        ("json", "Give me some Json", False),
    ],
)
def test_the_instruction_of_a_format(format: Format, prompt: str, told: bool) -> None:
    asked = Message("user", prompt)
    system = (Message("system", INSTRUCTIONS[format]),) if told else ()
    assert instruct([asked], format) == (*system, asked)
