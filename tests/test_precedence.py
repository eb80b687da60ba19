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
    passes = [first.take(), first.take()]
    thread = waiting(first)
    passes[0]()
    passes[0]()  # twice is once
    thread.join(0.1)
    assert thread.is_alive()
    passes[1]()
    thread.join(10)
    assert not thread.is_alive()


def test_the_impatient_do_not() -> None:
    first = Precedence()
    first.take()
    first.give(lambda: True)


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "LONGEST_WAIT", 0.01)
    first = Precedence()
    first.take()
    first.give()
