"""Calls as a line of text, and as they go back to the model."""

from __future__ import annotations

import pytest

from metask_magic.messages.calls import as_sendable, describe
from metask_magic.messages.request import ToolCall


def call(arguments: str, name: str = "f") -> ToolCall:
    return ToolCall("c1", name, arguments)


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ('{"city": "Paris"}', 'f(city="Paris")'),
        (
            '{"a": 1, "b": 2.5, "c": true, "d": null, "e": [1, "x"]}',
            "f(a=1, b=2.5, c=True, d=None, e=[1, 'x'])",
        ),
        ('{"a": "it\'s \\"so\\""}', 'f(a="it\'s \\"so\\"")'),
        ('{"a": "两 行\\nx\\u001b[31m"}', 'f(a="两 行\\nx\\u001b[31m")'),
        ('{"a\\nb": "\\u202etxt\\u2028"}', 'f(a\ufffdb="\ufffdtxt\ufffd")'),
        ("", "f()"),
        (" {} ", "f()"),
        ('["Paris"]', 'f(["Paris"])'),
        (r'"{\"city\": \"Paris\"}"', 'f(city="Paris")'),
        ('"Paris"', 'f("Paris")'),
        ('"{"', 'f("{")'),
        ('"[1]"', 'f("[1]")'),
        ('{"city": "Par', 'f({"city": "Par)'),
        ("broken\x1b\n", "f(broken\ufffd\ufffd)"),
        ("[" * 100_000, f"f({'[' * 59}…)"),
        ('{"a": "' + "x" * 500 + '"}', f'f(a="{"x" * 56}…)'),
    ],
)
def test_described(arguments: str, title: str) -> None:
    assert describe(call(arguments)) == title


def test_many_arguments_are_cut_and_the_whole_is_there() -> None:
    many = call("{" + ", ".join(f'"a{n}": "{"x" * 50}"' for n in range(20)) + "}")
    assert len(describe(many)) <= 210
    assert describe(many, whole=True).count("x" * 50) == 20
    assert describe(call("{}", "na\nme")) == "na\ufffdme()"


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ('{"x": 1}', '{"x": 1}'),
        ("", "{}"),
        ("\n", "{}"),
        ('{"x"', "{}"),
        ("[1]", "{}"),
        ("null", "{}"),
        (r'" {\"x\": 1}"', ' {"x": 1}'),
    ],
)
def test_sent_back(arguments: str, sent: str) -> None:
    assert as_sendable(call(arguments)) == ToolCall("c1", "f", sent)
