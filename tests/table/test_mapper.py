"""How a table went, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from metask_magic.batch.batch import RowResult
from metask_magic.chat.reply import Reply
from metask_magic.errors import Interrupted, MetaskError
from metask_magic.language import choose
from metask_magic.messages.ending import Outcome
from metask_magic.table.mapper import _SAID, _Run

from ..english import english_sentences

FINE = Reply("hi", "m", "stop")
EMPTY = Reply("", "m", "stop")
CUT = Reply("h", "m", "length")
NOTED = Reply("hi", "m", "stop", notes=("Not recorded.",))
BROKEN = MetaskError("It broke.", "Mend it.")


class NotedBar:
    summary = ""

    def close(self, summary: str) -> None:
        self.summary = summary


def run(
    results: Sequence[tuple[Reply | None, MetaskError | None]],
    length: int,
    *,
    kept: int = 0,
    tokens: int | None = None,
    stopped: MetaskError | None = None,
) -> tuple[_Run, NotedBar]:
    """Return the run of a table of so many rows, with these results, and its bar."""
    rows: Any = SimpleNamespace(length=length, join=lambda columns, unread: "the table")
    requests = SimpleNamespace(kept=dict.fromkeys(range(100, 100 + kept)), broken=None, read=length)
    numbered = [RowResult(at, reply, error) for at, (reply, error) in enumerate(results)]
    series: Any = SimpleNamespace(requests=requests, results=numbered, tokens=tokens, stopped=stopped)
    answers: Any = SimpleNamespace(to_columns=lambda *_: {}, not_asked={})
    bar = NotedBar()
    return _Run(rows, series, answers, bar), bar  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("results", "more", "english", "chinese"),
    [
        ([(FINE, None)], {}, "1 row: 1 answered.", "1 行：已回答 1 行。"),
        (
            [(FINE, None)] * 1200,
            {"tokens": 3400},
            "1,200 rows: 1,200 answered. 3,400 tokens.",
            "1,200 行：已回答 1,200 行。共 3,400 个 token。",
        ),
        (
            [(EMPTY, None), (CUT, None), (None, BROKEN), (None, None)],
            {"kept": 1, "length": 5},
            "5 rows: 0 answered, 1 kept, 1 cut off, 1 empty, 1 failed, 1 not asked.",
            "5 行：已回答 0 行、保留 1 行、截断 1 行、为空 1 行、失败 1 行、未提问 1 行。",
        ),
        ([(NOTED, None)], {}, "1 row: 1 answered. Not recorded.", "1 行：已回答 1 行。Not recorded."),
    ],
)
def test_the_summary(
    results: list[tuple[Reply | None, MetaskError | None]],
    more: dict[str, Any],
    english: str,
    chinese: str,
) -> None:
    options = {"length": len(results)} | more
    for language, said in (("en", english), ("zh", chinese)):
        choose(language)  # type: ignore[arg-type]
        table, bar = run(results, **options)
        assert table.conclude(interrupted=False, kept="in _").failure is None
        assert bar.summary == said


def test_each_outcome_has_its_word() -> None:
    assert {*get_args(Outcome)} - {""} <= _SAID.keys()


def test_what_ended_it_says_how_far_it_came() -> None:
    choose("zh")
    failure = (
        run([(FINE, None)], 2, stopped=MetaskError("坏了。", "修好它。"))[0]
        .conclude(False, "在 _ 中")
        .failure
    )
    assert isinstance(failure, MetaskError)
    assert failure.remedy == "修好它。2 行：已回答 1 行、未提问 1 行。表格保存在 _ 中。"
    stopped = run([(FINE, None)], 2)[0].conclude(True, "在 _ 中").failure
    assert isinstance(stopped, Interrupted)
    assert stopped.args[0] == "已停止。2 行：已回答 1 行、未提问 1 行。表格保存在 _ 中。"
    assert english_sentences(stopped.args[0]) == []
