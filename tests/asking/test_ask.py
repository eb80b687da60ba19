"""Asking: events to the sink, replies back, and nothing lost on the way."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable

import pytest

from metask_magic.asking.ask import Outcome, ask
from metask_magic.asking.exchange import join_deltas
from metask_magic.asking.loop import LoopThread
from metask_magic.errors import MetaskError, ServerError
from metask_magic.language import Language, current
from metask_magic.messages.ending import Ending
from metask_magic.messages.events import (
    Ended,
    Event,
    Finished,
    Notice,
    ReasoningDelta,
    Served,
    Spoken,
    TextDelta,
)
from metask_magic.messages.request import Message, Request

from ..fakes import PATIENCE, Recorder, Script

WHOLE = (TextDelta("a"), TextDelta("b"), Finished("stop"))


def run(sink: Recorder, loop: LoopThread, *backends: Script) -> Outcome:
    asked = [(Request(f"m{at}", (Message("user", "Hi"),)), backend) for at, backend in enumerate(backends)]
    outcome = ask(asked, sink, loop=loop)
    assert (sink.calls[0], sink.calls[-1]) == ("open", "close")
    assert sink.calls.count("open") == sink.calls.count("close") == 1
    assert [record.text for record in sink.records] == [reply.text for reply in outcome.replies]
    return outcome


def endings(outcome: Outcome) -> list[tuple[str, str]]:
    return [(reply.text, reply.finish_reason) for reply in outcome.replies]


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def interrupt_twice() -> None:
    interrupt()
    interrupt()


def divide() -> None:
    raise ZeroDivisionError("sink")


A, B, X, Y = TextDelta("a"), TextDelta("b"), ReasoningDelta("x"), ReasoningDelta("y")


@pytest.mark.parametrize(
    ("events", "joined"),
    [
        ([], []),
        ([A], [A]),
        ([A, B, A], [TextDelta("aba")]),
        ([X, Y, A, B, X], [ReasoningDelta("xy"), TextDelta("ab"), X]),
        ([A, Notice("n"), B], [A, Notice("n"), B]),
        ([Notice("n"), Notice("n")], [Notice("n"), Notice("n")]),
        ([Served("m", None), A, B, Finished("stop")], [Served("m", None), TextDelta("ab"), Finished("stop")]),
    ],
)
def test_join_deltas(events: list[Event], joined: list[Event]) -> None:
    assert join_deltas(events) == joined


def test_everything_is_shown_in_order(loop: LoopThread) -> None:
    events: list[Event] = [
        Served("m", "r"),
        X,
        Y,
        Notice("n"),
        *(TextDelta(f"{i},") for i in range(2000)),
        Finished("stop"),
    ]
    sink = Recorder()
    outcome = run(sink, loop, Script(*events))
    assert join_deltas(sink.shown[0])[:-1] == join_deltas(events)
    assert outcome.replies[0].text == sink.text(0)
    assert endings(outcome)[0][1] == "stop"
    assert not outcome.interrupted


def test_what_waits_is_joined(loop: LoopThread) -> None:
    """All has come before the sink is open, so it is told once."""
    backend = Script(*[A] * 1000, Finished("stop"))
    sink = Recorder(open=lambda: _settle(loop, backend))
    run(sink, loop, backend)
    assert sink.shown[0][:-1] == [TextDelta("a" * 1000), Finished("stop")]


def _await(event: threading.Event) -> None:
    assert event.wait(PATIENCE)


def _settle(loop: LoopThread, backend: Script) -> None:
    """Wait until a reply has ended, its builder's last step included."""
    _await(backend.closed)
    loop.run(asyncio.sleep(0))


@pytest.mark.parametrize(
    ("steps", "text", "reason", "error"),
    [
        (WHOLE, "ab", "stop", None),
        ((), "", "incomplete", None),
        ((A,), "a", "incomplete", None),
        ((A, ServerError("Down.")), "a", "error", ServerError),
        ((ServerError("Down."),), "", "error", ServerError),
        ((A, ZeroDivisionError("oops")), "a", "error", MetaskError),
        ((*WHOLE, ZeroDivisionError("oops")), "ab", "error", MetaskError),
    ],
)
def test_one_fails_and_the_other_is_whole(
    loop: LoopThread, steps: tuple[Event | Exception, ...], text: str, reason: str, error: type | None
) -> None:
    for order in (0, 1):
        backends = [Script(*steps), Script(*WHOLE)]
        expected = [(text, reason), ("ab", "stop")]
        if order:
            backends.reverse()
            expected.reverse()
        outcome = run(Recorder(), loop, *backends)
        assert endings(outcome) == expected
        assert [reply.requested_model for reply in outcome.replies] == ["m0", "m1"]
        failed, whole = outcome.replies[order], outcome.replies[1 - order]
        assert type(failed.error) is (error or type(None))
        assert whole.error is None


def test_unexpected_exception_is_named(loop: LoopThread) -> None:
    error = run(Recorder(), loop, Script(ZeroDivisionError("oops"))).replies[0].error
    assert "ZeroDivisionError: oops" in str(error)


@pytest.mark.parametrize("hit", [interrupt, interrupt_twice])
def test_interrupt_ends_a_stalled_stream(loop: LoopThread, hit: Callable[[], None]) -> None:
    handler = signal.getsignal(signal.SIGINT)
    stalled, silent = Script(A, None), Script(None)
    outcome = run(Recorder(show0=hit), loop, stalled, silent)
    assert outcome.interrupted
    assert endings(outcome) == [("a", "interrupted"), ("", "interrupted")]
    assert signal.getsignal(signal.SIGINT) is handler
    _await(stalled.closed)


def test_second_interrupt_while_the_record_is_put_away(loop: LoopThread) -> None:
    sink = Recorder(show0=interrupt, close=interrupt)
    assert endings(run(sink, loop, Script(A, None))) == [("a", "interrupted")]


def test_interrupt_before_anything_came(loop: LoopThread) -> None:
    outcome = run(Recorder(open=interrupt), loop, Script(None))
    assert (endings(outcome), outcome.interrupted) == ([("", "interrupted")], True)


def test_interrupt_leaves_a_finished_reply_whole(loop: LoopThread) -> None:
    whole = Script(*WHOLE)
    sink = Recorder(open=lambda: _settle(loop, whole), show1=interrupt)
    outcome = run(sink, loop, whole, Script(A, None))
    assert endings(outcome) == [("ab", "stop"), ("a", "interrupted")]


def test_sink_that_cannot_show_fails_what_has_not_ended(loop: LoopThread) -> None:
    handler = signal.getsignal(signal.SIGINT)
    stalled, whole = Script(A, None), Script(*WHOLE)
    outcome = run(Recorder(open=lambda: _settle(loop, whole), show0=divide), loop, stalled, whole)
    assert endings(outcome) == [("a", "error"), ("ab", "stop")]
    assert "ZeroDivisionError: sink" in str(outcome.replies[0].error)
    assert not outcome.interrupted
    assert signal.getsignal(signal.SIGINT) is handler
    _await(stalled.closed)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (0, [("a", "interrupted"), ("ab", "stop")]),
        (None, [("a", "interrupted"), ("ab", "stop")]),
    ],
)
def test_a_sink_stops_one_reply_or_all_that_run(
    loop: LoopThread, column: int | None, expected: list[tuple[str, str]]
) -> None:
    stalled, whole = Script(A, None), Script(*WHOLE)
    sink = Recorder(open=lambda: _settle(loop, whole), show0=lambda: sink.stop(column))
    outcome = run(sink, loop, stalled, whole)
    assert endings(outcome) == expected
    assert not outcome.interrupted
    _await(stalled.closed)


@pytest.mark.parametrize(
    ("steps", "ended"),
    [
        (WHOLE, Ended("stop", "")),
        ((A,), Ended("incomplete", Ending("incomplete").notice, "perhaps cut off")),
        ((A, ServerError("Down.", "Wait.")), Ended("error", "Down. Wait.", "failed")),
    ],
)
def test_the_last_event_says_how_it_ended(
    loop: LoopThread, steps: tuple[Event | Exception, ...], ended: Ended
) -> None:
    sink = Recorder()
    [reply] = run(sink, loop, Script(*steps)).replies
    assert sink.shown[0][-1] == ended._replace(elapsed=reply.elapsed)


def test_sink_that_cannot_open_fails_all(loop: LoopThread) -> None:
    first = Script(A, None)

    def open_late() -> None:
        _await(first.stalled)
        divide()

    outcome = run(Recorder(open=open_late), loop, first, Script(None))
    assert endings(outcome) == [("a", "error"), ("", "error")]
    assert all("ZeroDivisionError: sink" in str(reply.error) for reply in outcome.replies)


def test_sink_that_cannot_close_fails_all_and_hides_no_error(loop: LoopThread) -> None:
    outcome = run(Recorder(close=divide), loop, Script(*WHOLE), Script(A, ServerError("Down.")))
    assert endings(outcome) == [("ab", "error"), ("a", "error")]
    assert "ZeroDivisionError: sink" in str(outcome.replies[0].error)
    assert isinstance(outcome.replies[1].error, ServerError)


def test_a_reply_is_shown_in_the_language_it_was_recorded_in(loop: LoopThread) -> None:
    spoken: list[Language] = []
    sink = Recorder(show0=lambda: spoken.append(current()), close=lambda: spoken.append(current()))
    outcome = run(sink, loop, Script(Spoken("zh"), TextDelta("Hel"), Finished("length")))
    assert {*spoken} == {"zh"}
    assert "截断" in outcome.replies[0].notice
    assert sink.records[0].notice == outcome.replies[0].notice
    assert current() == "en"


def test_nothing_asked(loop: LoopThread) -> None:
    assert run(Recorder(), loop) == Outcome(())


def test_a_model_asked_twice_has_two_names(loop: LoopThread) -> None:
    sink = Recorder()
    asked = [(Request("m", (Message("user", "Hi"),)), Script(Served("m-1", None), *WHOLE)) for _ in range(2)]
    ask(asked, sink, loop=loop)
    assert [record.model for record in sink.records] == ["m", "m (2)"]
    ask(asked[:1], sink, loop=loop)
    assert [record.model for record in sink.records] == ["m-1"], "alone, as the server names it"
