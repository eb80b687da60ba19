"""What a terminal is sent: the text as it comes, and nothing that steers the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from metask_magic.chat.messages import (
    Continued,
    Event,
    Finished,
    Notice,
    ReasoningDelta,
    Record,
    Step,
    Stepped,
    TextDelta,
)
from metask_magic.display.terminal import ANEW, DIM, LINE_LENGTH, PLAIN, TerminalSink

CALL = Stepped(Step('f(city="Paris")', "21 °C"))
CALLED = f'{DIM}→ f(city="Paris")\n← 21 °C{PLAIN}\n'
A, B, X, Y = TextDelta("a"), TextDelta("b"), ReasoningDelta("x"), ReasoningDelta("y")
ONE = (Record("m", "a", "stop"),)


def shown(events: Sequence[Event], records: Sequence[Record] = ONE, *, show_reasoning: bool = True) -> None:
    sink = TerminalSink(show_reasoning=show_reasoning)
    sink.open(lambda _column: None)
    for event in events:
        sink.show({0: [event]})
    sink.close(records)


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
    shown([Stepped(step)], [*ONE, Record("n", "b", "stop", steps=(step,))])
    assert capsys.readouterr().out == f"{DIM}{lines}{PLAIN}\n\n── n\n{DIM}{lines}{PLAIN}\nb\n"


def test_reasoning_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    shown([X, A, Y, B], show_reasoning=False)
    assert capsys.readouterr().out == "ab\n"


def test_printed_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    sink = TerminalSink()
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
    shown([], [*ONE, Record(text.replace("\n", ""), text, "stop")])
    assert capsys.readouterr().out == f"\n── {out.replace(chr(10), '')}\n{out}\n"


def test_an_escape_in_two_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    shown([TextDelta("\x1b"), TextDelta("[2J")])
    assert capsys.readouterr().out == "[2J\n"


def test_second_column_after_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    sink = TerminalSink()
    for column, event in ((1, B), (1, Y), (0, A), (1, B)):
        sink.show({column: [event]})
    assert capsys.readouterr().out == "a"
    sink.close([*ONE, Record("n", "bb", "stop"), Record("o", "c", "stop")])
    assert capsys.readouterr().out == "\n\n── n\nbb\n\n── o\nc\n"


def test_notices_and_notes_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    shown([Notice("Trying again."), A], [Record("m", "a", "incomplete", note="Not whole.")])
    assert capsys.readouterr() == ("a\n", "Trying again.\nNot whole.\n")
