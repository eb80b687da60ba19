"""Calls that the network's thread wants made, made in the cell's."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from metask_magic.asking.ask import Outcome, ask
from metask_magic.asking.errands import Errands, run
from metask_magic.asking.interrupt import InterruptRequest
from metask_magic.asking.loop import LoopThread
from metask_magic.language import current, using
from metask_magic.messages.events import Event, Finished, Notice, TextDelta
from metask_magic.messages.record import Record
from metask_magic.messages.request import Message, Request

from ..fakes import PATIENCE


class Desk:
    """Errands with the network's side at hand: `send` submits a call and waits until it is queued."""

    def __init__(self, loop: LoopThread) -> None:
        self.errands = Errands()
        self._loop = loop
        self._queued = threading.Semaphore(0)
        self.errands.attach(self._queued.release)

    def send(self, function: Callable[[], Any]) -> Future[Any]:
        future = self._loop.submit(self.errands.call(function))
        assert self._queued.acquire(timeout=PATIENCE)
        return future

    def run(self) -> InterruptRequest:
        with InterruptRequest() as interrupt:
            run(self.errands.take(), interrupt)
        return interrupt


def interrupt_now() -> None:
    signal.raise_signal(signal.SIGINT)
    time.sleep(PATIENCE)


def test_made_here_and_in_order(loop: LoopThread) -> None:
    desk = Desk(loop)
    made: list[tuple[int, threading.Thread]] = []

    def make(number: int) -> int:
        made.append((number, threading.current_thread()))
        return number

    sent = [desk.send(partial(make, number)) for number in range(3)]
    assert not any(future.done() for future in sent)
    assert not desk.run().requested
    assert [future.result(PATIENCE) for future in sent] == [0, 1, 2]
    assert made == [(n, threading.current_thread()) for n in range(3)]


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ZeroDivisionError("oops"), ZeroDivisionError),
        (SystemExit(2), RuntimeError),
        (GeneratorExit(), RuntimeError),
        (asyncio.CancelledError(), RuntimeError),
    ],
    ids=repr,
)
def test_what_it_raises(loop: LoopThread, error: BaseException, raised: type[Exception]) -> None:
    def fail() -> None:
        raise error

    desk = Desk(loop)
    sent = desk.send(fail)
    assert not desk.run().requested
    with pytest.raises(raised, match=r"oops|SystemExit\(2\)|GeneratorExit|CancelledError"):
        sent.result(PATIENCE)


def test_an_interrupt_ends_the_one_that_runs_and_answers_none(loop: LoopThread) -> None:
    desk = Desk(loop)
    made: list[int] = []
    sent = [desk.send(interrupt_now), desk.send(lambda: made.append(1))]
    assert desk.run().requested
    loop.run(asyncio.sleep(0))
    assert made == []
    assert not any(future.done() for future in sent), "nobody may go on as if there were a result"


def test_a_call_that_is_not_wanted_any_more_is_not_made(loop: LoopThread) -> None:
    desk = Desk(loop)
    made: list[int] = []
    sent = desk.send(lambda: made.append(1))
    sent.cancel()
    loop.run(asyncio.sleep(0))
    desk.run()
    assert made == []


def test_a_call_that_lost_its_caller_while_it_ran(loop: LoopThread) -> None:
    desk = Desk(loop)

    def lose() -> int:
        sent.cancel()
        loop.run(asyncio.sleep(0))
        return 1

    sent = desk.send(lose)
    desk.run()
    assert sent.cancelled()


class Caller:
    """A backend that announces a call, has it made, and tells what came of it."""

    def __init__(self, errands: Errands, function: Callable[[], Any]) -> None:
        self._errands, self._function = errands, function

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        yield Notice("Calling")
        yield TextDelta(str(await self._errands.call(self._function)))
        yield Finished("stop")


class Screen:
    """A sink that keeps what is shown."""

    def __init__(self) -> None:
        self.shown: list[Event] = []

    def open(self, stop: Callable[[int | None], None]) -> None:
        self.stop = stop

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        self.shown.extend(event for events in news.values() for event in events)

    def close(self, records: Sequence[Record]) -> None:
        pass


def ask_with(loop: LoopThread, screen: Screen, *functions: Callable[[], Any]) -> Outcome:
    errands = Errands()
    request = Request("m", (Message("user", "Hi"),))
    return ask([(request, Caller(errands, function)) for function in functions], screen, errands, loop)


def test_an_announcement_is_shown_before_its_call(loop: LoopThread) -> None:
    """Even where both come while something else is being shown."""
    showing, queued = threading.Event(), threading.Event()
    errands = Errands()

    class Late:
        async def stream(self, request: Request) -> AsyncIterator[Event]:
            yield TextDelta("first")
            await asyncio.to_thread(showing.wait, PATIENCE)
            yield Notice("Calling")
            call = asyncio.ensure_future(errands.call(lambda: list(screen.shown)))
            await asyncio.sleep(0)
            queued.set()
            yield TextDelta(str((await call)[-1]))

    class Busy(Screen):
        def show(self, news: Mapping[int, Sequence[Event]]) -> None:
            super().show(news)
            showing.set()
            assert queued.wait(PATIENCE)

    screen = Busy()
    asked = [(Request("m", (Message("user", "Hi"),)), Late())]
    assert ask(asked, screen, errands, loop).replies[0].text == "firstNotice(text='Calling')"


def test_one_fails_and_the_other_has_its_call(loop: LoopThread) -> None:
    def fail() -> None:
        raise ZeroDivisionError("oops")

    failed, whole = ask_with(loop, Screen(), fail, lambda: 7).replies
    assert "ZeroDivisionError: oops" in str(failed.error)
    assert (whole.text, whole.finish_reason) == ("7", "stop")


def test_an_interrupt_within_a_call_ends_the_cell(loop: LoopThread) -> None:
    handler = signal.getsignal(signal.SIGINT)
    outcome = ask_with(loop, Screen(), interrupt_now)
    assert outcome.interrupted
    assert (outcome.replies[0].text, outcome.replies[0].finish_reason) == ("", "interrupted")
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_call_may_ask_itself(loop: LoopThread) -> None:
    def ask_again() -> str:
        return ask_with(loop, Screen(), lambda: "inner").replies[0].text

    assert ask_with(loop, Screen(), ask_again).replies[0].text == "inner"


def test_a_reply_stopped_during_its_call(loop: LoopThread) -> None:
    screen = Screen()
    outcome = ask_with(loop, screen, lambda: screen.stop(0))
    assert (outcome.replies[0].finish_reason, outcome.interrupted) == ("interrupted", False)


def test_a_call_speaks_the_language_of_whoever_wants_it(loop: LoopThread) -> None:
    desk = Desk(loop)
    with using("zh"):
        sent = desk.send(current)
    desk.run()
    assert (sent.result(PATIENCE), current()) == ("zh", "en")
