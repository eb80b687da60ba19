"""Interrupts that are asked for instead of thrown."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

import pytest

from metask_magic.asking import interrupt
from metask_magic.asking.interrupt import InterruptRequest


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


def sleep_through() -> None:
    """Code of a user who catches everything."""
    with suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        time.sleep(30)


def cancelling(_signal: int, _frame: object) -> None:
    """Like the handler of a cell with `await` in it: it raises nothing."""


@pytest.mark.parametrize(
    "previous", [signal.default_int_handler, signal.SIG_IGN, cancelling], ids=["default", "ignored", "other"]
)
def test_thrown_into_the_users_code(previous: signal._HANDLER) -> None:
    before = signal.signal(signal.SIGINT, previous)
    reached = []
    try:
        with InterruptRequest() as interrupt:
            with interrupt.thrown():
                signal.raise_signal(signal.SIGINT)
                reached.append("after it")
            assert (interrupt.requested, reached) == (True, [])
            signal.raise_signal(signal.SIGINT)  # noted again, and not thrown
        assert signal.getsignal(signal.SIGINT) is previous
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("work", "requested"), [(lambda: None, False), (sleep_through, True)], ids=["done", "caught"]
)
def test_thrown_and_what_is_requested(work: Callable[[], None], requested: bool) -> None:
    with InterruptRequest() as interrupt:
        with interrupt.thrown():
            work()
        assert interrupt.requested is requested


def test_another_exception_passes() -> None:
    with InterruptRequest() as interrupt:
        with pytest.raises(ZeroDivisionError), interrupt.thrown():
            raise ZeroDivisionError
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested


def test_thrown_into_a_request_within_a_request() -> None:
    """A tool that asks a model itself, and is interrupted there."""
    with InterruptRequest() as outer:
        with outer.thrown():
            with InterruptRequest() as inner:
                signal.raise_signal(signal.SIGINT)
            assert (inner.requested, outer.requested) == (True, False)
            raise KeyboardInterrupt  # what the inner cell ends in
        assert outer.requested


def test_thrown_in_another_thread_changes_nothing() -> None:
    seen: list[object] = []

    def enter() -> None:
        with InterruptRequest() as interrupt, interrupt.thrown():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


# -- waiting --------------------------------------------------------------------------------------------


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long is waited at a time; nothing ever happens meanwhile."""
    seconds: list[float] = []

    def wait(_futures: object, timeout: float) -> None:
        assert timeout <= interrupt.HEARTBEAT_SECONDS
        seconds.append(timeout)
        if len(seconds) == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(interrupt, "wait_for", wait)
    return seconds


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_that_came_before_the_wait_is_seen_at_the_next_beat(waits: list[float]) -> None:
    """Python looks for one between two waits only: the one at hand may have begun just after it came."""
    with pytest.raises(KeyboardInterrupt):
        interrupt.result_of(Future())
    assert len(waits) == 3


@pytest.mark.parametrize("timeout", [None, 0, 5.0])
def test_what_is_there_is_not_waited_for(waits: list[float], timeout: float | None) -> None:
    future: Future[int] = Future()
    future.set_result(42)
    assert interrupt.result_of(future, timeout) == 42
    assert waits == []


def test_it_is_waited_no_longer_than_wanted() -> None:
    with pytest.raises(TimeoutError):
        interrupt.result_of(Future(), 0.01)


def test_what_failed_is_raised() -> None:
    future: Future[int] = Future()
    future.set_exception(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        interrupt.result_of(future)
