"""The question before a call: what is asked, and what each answer means."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from metask_magic.errors import ToolError
from metask_magic.messages.request import ToolCall
from metask_magic.notebook.confirm import Confirmation

CALL = ToolCall("c1", "f", '{"x": "' + "y" * 300 + '"}')
OTHER = ToolCall("c2", "g", "{}")


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Puts answers in store, and returns the list that questions go to."""

    def put(*answers: str) -> list[str]:
        asked: list[str] = []
        stored = list(answers)

        def answer(question: str) -> str:
            asked.append(question)
            return stored.pop(0)

        monkeypatch.setattr("builtins.input", answer)
        return asked

    return put


@pytest.mark.parametrize(
    ("answers", "allowed"),
    [
        (["y"], True),
        (["Yes "], True),
        (["n"], False),
        (["NO"], False),
        (["a"], True),
        (["", "what?", "y"], True),
    ],
)
def test_answers(answering: Callable[..., list[str]], answers: list[str], allowed: bool) -> None:
    asked = answering(*answers)
    assert Confirmation()(CALL) is allowed
    assert len(asked) == len(answers)
    assert asked[0].startswith('Call f(x="' + "y" * 300 + '")? ')


def test_the_call_is_shown_to_the_letter(answering: Callable[..., list[str]]) -> None:
    asked = answering("n")
    Confirmation()(ToolCall("c1", "f", '{"x": "rm a.. b?. {call}"}'))
    assert asked == ['Call f(x="rm a.. b?. {call}")? [y]es, [n]o, [a]ll of f in this cell: ']


@pytest.mark.parametrize("answer", ["是", "ｙ", "全部", "Ａ"])
def test_answers_of_a_chinese_keyboard(answering: Callable[..., list[str]], answer: str) -> None:
    answering(answer)
    assert Confirmation()(CALL) is True


def test_all_holds_for_one_tool_and_one_cell(answering: Callable[..., list[str]]) -> None:
    asked = answering("a", "n", "n")
    confirm = Confirmation()
    assert [confirm(call) for call in (CALL, CALL, OTHER, CALL)] == [True, True, False, True]
    assert Confirmation()(CALL) is False
    assert len(asked) == 3


@pytest.mark.parametrize("error", [EOFError, OSError, NotImplementedError])
def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def answer(_question: str) -> str:
        raise error

    monkeypatch.setattr("builtins.input", answer)
    with pytest.raises(ToolError, match="nobody can answer"):
        Confirmation()(CALL)
