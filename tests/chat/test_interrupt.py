"""Interrupts that are asked for instead of thrown."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress

import pytest

from metask_magic.chat.interrupt import InterruptRequest


@pytest.mark.parametrize("times", [0, 1, 2])
def test_noted_and_not_thrown(times: int) -> None:
    with InterruptRequest() as interrupt:
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
    assert interrupt.requested is (times > 0)


@pytest.mark.parametrize("previous", [signal.default_int_handler, signal.SIG_IGN], ids=["default", "ignored"])
def test_handler_restored(previous: signal._HANDLER, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, previous)
    try:
        with suppress(ZeroDivisionError), InterruptRequest():
            assert signal.getsignal(signal.SIGINT) is not previous
            raise ZeroDivisionError
        assert signal.getsignal(signal.SIGINT) is previous
    finally:
        signal.signal(signal.SIGINT, before)


def test_nested() -> None:
    with InterruptRequest() as outer:
        with InterruptRequest() as inner:
            signal.raise_signal(signal.SIGINT)
        assert (outer.requested, inner.requested) == (False, True)
        signal.raise_signal(signal.SIGINT)
    assert outer.requested


def test_another_thread_changes_nothing() -> None:
    seen: list[object] = []

    def enter() -> None:
        with InterruptRequest() as interrupt:
            seen.extend((signal.getsignal(signal.SIGINT), interrupt.requested))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT), False]
