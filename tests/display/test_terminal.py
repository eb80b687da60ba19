"""What a terminal is sent: the text as it comes, and nothing that steers the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from metask_magic.display.printer import ANEW, DIM, LINE_LENGTH, PLAIN
from metask_magic.display.terminal import TerminalSink
from metask_magic.messages.events import (
    Continued,
    Ended,
    Event,
    Finished,
    Notice,
    ReasoningDelta,
    Step,
    Stepped,
    TextDelta,
    Usage,
)
from metask_magic.messages.record import Record

CALL = Stepped(Step('f(city="Paris")', "21 °C"))
CALLED = f'{DIM}→ f(city="Paris")\n← 21 °C{PLAIN}\n'
A, B, X, Y = TextDelta("a"), TextDelta("b"), ReasoningDelta("x"), ReasoningDelta("y")
NOTHING = Record("m", "", "stop")


def shown(events: Sequence[Event], record: Record = NOTHING, *, show_reasoning: bool = True) -> None:
    sink = TerminalSink(["m"], show_reasoning=show_reasoning)
    sink.open(lambda _column: None)
    for event in events:
        sink.show({0: [event]})
    sink.close([record])


@pytest.mark.parametrize(
    ("events", "out"),
    [
        ([], ""),
        ([A, B], "ab\n"),
        ([A, Finished("stop")], "a\n"),
        ([X, Y, A, B], f"{DIM}xy{PLAIN}\n\nab\n"),
        ([A, X, B], f"a{DIM}x{PLAIN}\n\nb\n"),
        ([X], f"{DIM}x{PLAIN}\n"),
        ([Notice("n")], ""),
        ([CALL, A], f"{CALLED}a\n"),
        ([A, CALL, CALL, B], f"a\n{CALLED}{CALLED}b\n"),
        ([X, CALL, A], f"{DIM}x{PLAIN}\n{CALLED}a\n"),
        ([A, CALL], f"a\n{CALLED}"),
        ([A, Continued(()), B], "ab\n"),
        ([A, Continued((), keep_text=False), B], f"a\n{DIM}{ANEW}{PLAIN}\nb\n"),
        ([Continued((), keep_text=False), B], "b\n"),
    ],
)
def test_text_and_dimmed_reasoning(events: list[Event], out: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown(events)
    assert capsys.readouterr().out == out


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        (Step("f()", ""), "→ f()"),
        (Step("f(\n1)", "no\n", failed=True), "→ f( 1)\n✗ no"),
        (Step("f()", "1\n\n2\n3\n4"), "→ f()\n← 1\n  2\n  3\n  …"),
        (Step("f()", "x" * 1000), f"→ f()\n← {'x' * (LINE_LENGTH - 1)}…"),
        (Step("\x1b[2Jf()", "\x1b]0;t\x07\r\n\u202ex"), "→ [2Jf()\n← ]0;t\n  x"),
    ],
)
def test_a_step_is_a_few_lines(step: Step, lines: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown([Stepped(step)])
    assert capsys.readouterr().out == f"{DIM}{lines}{PLAIN}\n"


def test_reasoning_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    shown([X, A, Y, B], show_reasoning=False)
    assert capsys.readouterr().out == "ab\n"


def test_printed_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    sink = TerminalSink(["m"])
    for event, out in ((A, "a"), (B, "b")):
        sink.show({0: [event]})
        assert capsys.readouterr().out == out


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("\x1b[2Ja", "[2Ja"),
        ("\x1b]52;c;ZXZpbA==\x07a", "]52;c;ZXZpbA==a"),
        ("\x9b2J\x90q\x9ca", "2Jqa"),
        ("safe\rEVIL\x08\x7f", "safeEVIL"),
        ("\x00\x0b\x0ca", "a"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b\N{LEFT-TO-RIGHT ISOLATE}", "ab"),
        ("tab\tline\n中文 🎉", "tab\tline\n中文 🎉"),
    ],
)
def test_control_characters_are_removed(text: str, out: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown([TextDelta(text)])
    assert capsys.readouterr().out == f"{out}\n"
    shown([ReasoningDelta(text)])
    assert capsys.readouterr().out == f"{DIM}{out}{PLAIN}\n"


def test_an_escape_in_two_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    shown([TextDelta("\x1b"), TextDelta("[2J")])
    assert capsys.readouterr().out == "[2J\n"


def test_an_interrupt_ends_the_showing_before_the_reply(capsys: pytest.CaptureFixture[str]) -> None:
    shown([A], Record("m", "ab", "interrupted"))
    assert capsys.readouterr().out == "ab\n"


def test_notices_and_notes_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    shown([Notice("Trying again."), A], Record("m", "a", "incomplete", note="Not whole."))
    assert capsys.readouterr() == ("a\n", "Trying again.\nNot whole.\n")


# -- several --------------------------------------------------------------------------------------------

END = Ended("stop", "")


def several(
    turns: Sequence[tuple[int, Event]], capsys: pytest.CaptureFixture[str], models: Sequence[str] = "mno"
) -> tuple[list[str], TerminalSink]:
    """Show one event after the other, and return what each had printed."""
    sink = TerminalSink(models)
    printed = []
    for column, event in turns:
        sink.show({column: [event]})
        printed.append(capsys.readouterr().out)
    return printed, sink


@pytest.mark.parametrize(
    "turns",
    {
        "one is live, the others wait": [(1, B, "── n\nb"), (0, A, ""), (1, A, "a"), (2, A, "")],
        "who ended meanwhile comes whole, in the order of ending": [
            (0, A, "── m\na"),
            (2, A, ""),
            (1, B, ""),
            (2, END, ""),
            (1, END, ""),
            (0, END, "\n\n── o\na\n\n── n\nb\n"),
        ],
        "then the next goes on live": [
            (0, A, "── m\na"),
            (2, B, ""),
            (0, END, "\n\n── o\nb"),
            (2, A, "a"),
            (1, A, ""),
            (2, END, "\n\n── n\na"),
        ],
        "the first to begin later on": [(0, A, "── m\na"), (0, END, ""), (2, B, "\n\n── o\nb"), (1, A, "")],
        "reasoning and steps": [
            (0, X, f"── m\n{DIM}x"),
            (1, Y, ""),
            (1, CALL, ""),
            (1, A, ""),
            (0, A, f"{PLAIN}\n\na"),
            (0, END, f"\n\n── n\n{DIM}y{PLAIN}\n{CALLED}a"),
        ],
        "a failure": [
            (1, A, "── n\na"),
            (0, Ended("error", "No such\nmodel.\x1b[2J"), ""),
            (1, Ended("error", "Cut."), f"\n{DIM}✗ Cut.{PLAIN}\n\n── m\n{DIM}✗ No such model.[2J{PLAIN}\n"),
        ],
        "stopped": [(1, A, "── n\na"), (1, Ended("interrupted", "Stopped."), f"\n{DIM}✗ Stopped.{PLAIN}\n")],
    }.items(),
    ids=lambda turns: turns[0],
)
def test_one_at_a_time_is_live(
    turns: tuple[str, list[tuple[int, Event, str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    printed, _ = several([(column, event) for column, event, _ in turns[1]], capsys)
    # Where a reply ends is seen when the next begins.
    assert "".join(printed) == "".join(out for _, _, out in turns[1])[: len("".join(printed))]
    assert [bool(out.strip()) for out in printed] == [bool(out.strip()) for _, _, out in turns[1]]


def test_what_had_not_ended_is_printed_whole_and_then_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    _, sink = several([(1, B), (0, A), (2, X)], capsys)
    sink.close(
        [
            Record("m", "aa", "interrupted", notice="Stopped."),
            Record("n", "bb", "stop", usage=Usage(1, 2_000, 3), elapsed=2.5, first_token_after=0.25),
            Record("o\x1b", "", "incomplete", note="Not whole."),
        ]
    )
    assert capsys.readouterr() == (
        f"b\n\n── m\naa\n{DIM}✗ Stopped.{PLAIN}\n"
        f"\n── o\n{DIM}x{PLAIN}\n{DIM}✗ Not whole.{PLAIN}\n"
        "\nmodel  first token  total   tokens  finish reason\n"
        "m      ?            ?       ?       interrupted\n"
        "n      0.25 s       2.50 s  2,000   stop\n"
        "o      ?            ?       ?       incomplete\n",
        "",
    )


def test_a_notice_says_whose_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    TerminalSink(["m", "n\x1b\nx"]).show({1: [Notice("Trying again.")]})
    assert capsys.readouterr() == ("", "n x: Trying again.\n")


def test_a_notebook_keeps_no_notices(capsys: pytest.CaptureFixture[str]) -> None:
    TerminalSink(["m"], show_notices=False).show({0: [Notice("Trying again."), TextDelta("a")]})
    assert capsys.readouterr() == ("a", "")
