"""Structured output of the embedded model: its answers are bound to the schema, so even a small one fits.

The real model runs; at temperature 0 it says the same every time.
"""

from __future__ import annotations

import pytest

from ..kernel import Kernel
from .conftest import value

DEFINITIONS = """
%load_ext metask_magic
from enum import Enum
from typing import Literal
from pydantic import BaseModel, Field

class Color(Enum):
    RED = "red"
    BLUE = "blue"

class Person(BaseModel):
    name: str = Field(pattern="^[A-Z][a-z]{1,9}$")
    age: int = Field(ge=0, le=120)
    eyes: Color
    nickname: Literal["Bo", "Al"] | None = None

people = list[Person]
verdict = {"type": "object", "properties": {"good": {"type": "boolean"}, "why": {"enum": ["price", "taste"]}},
           "required": ["good"]}
pair = tuple[Literal["up", "down"], bool]  # strict mode has no words for it: sent as it is
"""


@pytest.fixture(scope="module")
def local(kernel: Kernel) -> Kernel:
    assert kernel.run(DEFINITIONS).error is None
    return kernel


@pytest.mark.parametrize(
    ("options", "prompt", "expression"),
    [
        ("--schema Person", "Invent a person.", "type(r.data) is Person and type(r.data.eyes) is Color"),
        ("--schema Person --no-stream", "Invent a person.", "type(r.data) is Person"),
        ("--schema verdict", "Is this soup good?", "set(r.data) <= {'good', 'why'} and type(r.data['good'])"),
        ("--schema Color", "What colour is the sky?", "type(r.data) is Color"),
        (
            "--schema pair",
            "Which way, and are you sure?",
            "type(r.data) is tuple and type(r.data[1]) is bool",
        ),
        (
            "-f json",
            "Write a JSON object with the name and the age of Ada, who is 36.",
            "type(r.data) is dict",
        ),
    ],
)
def test_the_embedded_model_fits(local: Kernel, options: str, prompt: str, expression: str) -> None:
    cell = local.run(
        f"%%metask local {options} --temperature 0 --max-tokens 100 -o r\n{prompt}",
        metadata={"cellId": "a-cell"},
        timeout=180.0,
    )
    assert cell.error is None, cell.error
    told = [message.text for message in cell.messages if message.kind == "comm_msg"]
    assert not any("in words" in text for text in told), "the schema itself was taken"
    assert value(local, f"bool({expression}), len(r.steps)") == "(True, 0)"


def test_a_list_that_does_not_end_is_cut_and_says_so(local: Kernel) -> None:
    cell = local.run("%%metask local --schema people --max-tokens 12\nInvent people.", timeout=180.0)
    assert cell.error is not None
    assert "cut at its greatest length" in cell.error["evalue"]
