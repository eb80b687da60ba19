"""Who goes first, and how long others wait for them."""

from __future__ import annotations

import threading

import pytest

from metask_magic import precedence
from metask_magic.precedence import Precedence


def waiting(first: Precedence) -> threading.Thread:
    thread = threading.Thread(target=first.give, daemon=True)
    thread.start()
    return thread


def test_nobody_is_waited_for_in_vain() -> None:
    Precedence().give()


def test_others_wait_until_all_have_passed() -> None:
    first = Precedence()
    turns = [first.take(), first.take()]
    thread = waiting(first)
    turns[0].passed()
    turns[0].passed()  # twice is once
    thread.join(0.1)
    assert thread.is_alive()
    turns[1].passed()
    thread.join(10)
    assert not thread.is_alive()


def test_the_impatient_do_not() -> None:
    first = Precedence()
    first.take()
    first.give(lambda: True)


@pytest.mark.parametrize("bound", ["LONGEST_WAIT", "LONGEST_TURN"])
def test_nobody_waits_for_ever(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, bound, 0.01)
    first = Precedence()
    first.take()
    first.give()


def test_a_turn_may_end_by_itself() -> None:
    first = Precedence()
    turn = first.take()
    turn.end_in(0.05)
    turn.end_in(60)  # the first end counts
    thread = waiting(first)
    thread.join(10)
    assert not thread.is_alive()
