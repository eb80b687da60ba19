"""The bar of a table's rows: what it says, and to whom."""

from __future__ import annotations

import pytest

from metask_magic.batch.batch import Progress
from metask_magic.display.front_end import FrontEnd
from metask_magic.language import choose
from metask_magic.table.progress import choose_bar


def at(
    done: int, failed: int = 0, journalled: int = 0, tokens: int | None = None, hindrance: str = ""
) -> Progress:
    return Progress(done, failed, journalled, tokens, in_flight=0, limit=1, total=None, hindrance=hindrance)


@pytest.mark.parametrize(
    ("total", "progress", "says"),
    [
        (4, at(3, 1), ["4/4", "1 failed", "row/s"]),
        (4, at(4, journalled=2, tokens=1234), ["4/4", "2 known, 1,234 tokens"]),
        (None, at(3), ["3row", "row/s"]),
        (4, at(0, hindrance="no workers yet"), ["0/4", "no workers yet"]),
    ],
)
def test_a_terminal(
    capsys: pytest.CaptureFixture[str], total: int | None, progress: Progress, says: list[str]
) -> None:
    bar = choose_bar(FrontEnd.TERMINAL, "auto", total, quiet=False)
    bar.show(at(0))
    bar.show(progress)
    bar.close("The end.")
    out, err = capsys.readouterr()
    assert out == ""
    last = err.rstrip("\n").rpartition("\r")[2]
    assert [said for said in says if said not in last] == []


def test_a_terminal_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    choose("zh")
    bar = choose_bar(FrontEnd.TERMINAL, "auto", 4, quiet=False)
    bar.show(at(0))
    bar.show(at(3, 1, journalled=2, tokens=1234))
    bar.close("完。")
    last = capsys.readouterr().err.rstrip("\n").rpartition("\r")[2]
    assert "行/s, 失败 1 行、已有回答 2 行、1,234 个 token]" in last


@pytest.mark.parametrize(
    ("front_end", "display", "quiet"),
    [(FrontEnd.TERMINAL, "auto", True), (FrontEnd.NOTEBOOK, "widget", True), (FrontEnd.NOBODY, "auto", True)],
)
def test_quiet(capsys: pytest.CaptureFixture[str], front_end: FrontEnd, display: str, quiet: bool) -> None:
    bar = choose_bar(front_end, display, 1, quiet=quiet)
    bar.show(at(1))
    bar.close("The end.")
    assert capsys.readouterr() == ("", "")
