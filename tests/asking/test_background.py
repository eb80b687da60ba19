"""Replies that come while other cells run."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from metask_magic.asking.ask import Asking, Outcome
from metask_magic.asking.background import BackgroundReply, end_all
from metask_magic.asking.loop import LoopThread
from metask_magic.chat.replies import Replies
from metask_magic.chat.reply import Reply
from metask_magic.errors import MetaskError, ServerError
from metask_magic.language import choose
from metask_magic.messages.events import Finished, TextDelta
from metask_magic.messages.request import Message, Request

from ..fakes import PATIENCE, Recorder, Script

WHOLE = (TextDelta("a"), TextDelta("b"), Finished("stop"))
CELL: ContextVar[str] = ContextVar("CELL")


def first(outcome: Outcome) -> Any:
    reply = outcome.replies[0]
    if reply.error:
        raise reply.error
    return reply


def start(
    loop: LoopThread, sink: Recorder, *backends: Script, conclude: Callable[[Outcome], Any] = first
) -> BackgroundReply:
    asked = [(Request(f"m{at}", (Message("user", "Hi"),)), backend) for at, backend in enumerate(backends)]
    return BackgroundReply(Asking(asked, sink, loop=loop), conclude)


def test_the_reply_comes(loop: LoopThread) -> None:
    sink = Recorder()
    pending = start(loop, sink, Script(*WHOLE))
    assert pending.wait(PATIENCE).text == "ab"
    assert (pending.done, str(pending), sink.text(0)) == (True, "ab", "ab")
    assert repr(pending) == "<BackgroundReply from m0: ended, 2 characters>"


def test_its_place_is_taken_in_the_cell_and_the_rest_is_shown_elsewhere(loop: LoopThread) -> None:
    where: dict[str, str] = {}

    def note(name: str) -> Callable[[], None]:
        return lambda: where.update({name: threading.current_thread().name})

    script = Script(TextDelta("a"), None)
    pending = start(loop, Recorder(open=note("open"), show0=note("show"), close=note("close")), script)
    assert where["open"] == threading.current_thread().name
    assert not pending.done
    pending.cancel()
    pending.wait(PATIENCE)
    assert where["show"] == where["close"] == "metask-background"


def test_the_text_so_far_and_a_cancelled_rest(loop: LoopThread) -> None:
    script = Script(TextDelta("so far"), None)
    pending = start(loop, Recorder(), script)
    assert script.stalled.wait(PATIENCE)
    assert (str(pending), pending.done) == ("so far", False)
    assert repr(pending) == "<BackgroundReply from m0: coming, 6 characters>"
    pending.cancel()
    reply = pending.wait(PATIENCE)
    assert isinstance(reply, Reply)
    assert (reply.text, reply.finish_reason) == ("so far", "interrupted")
    assert script.closed.is_set()


def test_waiting_gives_up_and_the_reply_comes_all_the_same(loop: LoopThread) -> None:
    pending = start(loop, Recorder(), Script(TextDelta("a"), None))
    with pytest.raises(MetaskError, match=r"not ended within 0\.01 s"):
        pending.wait(0.01)
    assert not pending.done
    pending.cancel()
    assert pending.wait(PATIENCE).text == "a"


def test_a_failure_is_raised_to_whoever_waits(loop: LoopThread) -> None:
    pending = start(loop, Recorder(), Script(TextDelta("a"), ServerError("It broke.")))
    for _ in range(2):
        with pytest.raises(ServerError, match="It broke"):
            pending.wait(PATIENCE)


def test_it_can_be_awaited(loop: LoopThread) -> None:
    async def both() -> list[str]:
        replies = [start(loop, Recorder(), Script(*WHOLE)) for _ in range(2)]
        return [(await reply).text for reply in replies]

    assert asyncio.run(both()) == ["ab", "ab"]


def test_the_output_belongs_to_the_cell_that_asked(loop: LoopThread) -> None:
    cells: list[str] = []
    script = Script(TextDelta("a"), None)
    CELL.set("asking")
    pending = start(loop, Recorder(close=lambda: cells.append(CELL.get())), script)
    CELL.set("another")
    pending.cancel()
    pending.wait(PATIENCE)
    assert cells == ["asking"]


def test_who_stops_awaiting_cancels_nothing(loop: LoopThread) -> None:
    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pending, 0.01)

    pending = start(loop, Recorder(), Script(TextDelta("a"), None))
    asyncio.run(give_up())
    assert not pending.done
    pending.cancel()
    assert pending.wait(PATIENCE).text == "a"
    assert repr(pending) == "<BackgroundReply from m0: cancelled, 1 characters>"


def test_a_failure_is_told_shortly_to_everyone(loop: LoopThread) -> None:
    pending = start(loop, Recorder(), Script(ServerError("It broke.", "Try again.", request_id="r1")))
    for _ in range(2):
        with pytest.raises(ServerError) as raised:
            pending.wait(PATIENCE)
        lines = raised.value._render_traceback_()
        assert lines == ["ServerError: It broke.", "  → Try again.", "  Request id: r1"]
    assert repr(pending) == "<BackgroundReply from m0: failed, 0 characters>"


def test_after_a_failure_its_reply_is_what_came(loop: LoopThread) -> None:
    def conclude(outcome: Outcome) -> Any:
        error = MetaskError("It broke.")
        error.reply = outcome.replies[0]
        raise error

    pending = start(loop, Recorder(), Script(TextDelta("a"), ServerError("")), conclude=conclude)
    assert pending.reply is None or pending.done
    with pytest.raises(MetaskError):
        pending.wait(PATIENCE)
    assert isinstance(pending.reply, Reply)
    assert (pending.reply.text, pending.text) == ("a", "a")


def test_a_defect_is_raised_as_it_is(loop: LoopThread) -> None:
    def conclude(outcome: Outcome) -> Any:
        raise ZeroDivisionError

    pending = start(loop, Recorder(), Script(*WHOLE), conclude=conclude)
    with pytest.raises(ZeroDivisionError):
        pending.wait(PATIENCE)


def test_several_models_each_below_its_name(loop: LoopThread) -> None:
    pending = start(loop, Recorder(), Script(*WHOLE), Script(*WHOLE), conclude=lambda o: Replies(o.replies))
    assert pending.wait(PATIENCE).text == str(pending) == "m0:\nab\n\nm1:\nab"
    assert repr(pending) == "<BackgroundReply from m0, m1: ended, 4 characters>"


def test_an_interrupt_while_its_place_is_taken_cancels_it(loop: LoopThread) -> None:
    script = Script(TextDelta("a"), None)
    pending = start(loop, Recorder(open=lambda: signal.raise_signal(signal.SIGINT)), script)
    reply = pending.wait(PATIENCE)
    assert isinstance(reply, Reply)
    assert reply.finish_reason == "interrupted"
    assert script.closed.is_set()


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_the_waiting_only(loop: LoopThread) -> None:
    script = Script(TextDelta("a"), None)
    pending = start(loop, Recorder(), script)
    assert script.stalled.wait(PATIENCE)
    timer = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        pending.wait(PATIENCE)
    timer.join()
    assert not pending.done
    pending.cancel()
    pending.wait(PATIENCE)


def test_ending_all_puts_every_record_in_place(loop: LoopThread) -> None:
    sinks = [Recorder(), Recorder()]
    pending = [start(loop, sink, Script(TextDelta("a"), None)) for sink in sinks]
    pending.append(start(loop, Recorder(), Script(*WHOLE)))
    pending[2].wait(PATIENCE)
    end_all(pending)
    assert all(reply.done for reply in pending)
    assert [sink.records[0].finish_reason for sink in sinks] == ["interrupted", "interrupted"]


def test_the_end_of_the_loop_ends_it(loop: LoopThread) -> None:
    script = Script(TextDelta("a"), None)
    pending = start(loop, Recorder(), script)
    assert script.stalled.wait(PATIENCE)
    loop.stop()
    assert pending.wait(PATIENCE).text == "a"


def test_several_at_once(loop: LoopThread) -> None:
    stalled = Script(TextDelta("x"), None)
    waiting = start(loop, Recorder(), stalled)
    assert start(loop, Recorder(), Script(*WHOLE)).wait(PATIENCE).text == "ab"
    assert not waiting.done
    waiting.cancel()
    waiting.wait(PATIENCE)


def test_in_chinese(loop: LoopThread) -> None:
    choose("zh")
    whole = start(loop, Recorder(), Script(TextDelta("ab"), Finished("length")))
    whole.wait(PATIENCE)
    assert repr(whole) == "<BackgroundReply，来自 m0：已结束、2 个字符、截断>"
    pending = start(loop, Recorder(), Script(TextDelta("a"), None))
    with pytest.raises(MetaskError) as caught:
        pending.wait(0.01)
    assert str(caught.value) == "回复在 0.01 s 内没有结束。它还在继续接收：再等一会儿，或取消它。"
    pending.cancel()
    pending.wait(PATIENCE)
    assert repr(pending).startswith("<BackgroundReply，来自 m0：已取消、")
