"""Trials in Chinese: no English sentence is left in what a user sees, and composed ones read well."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metask_magic.asking.interrupt import InterruptRequest
from metask_magic.errors import MetaskError
from metask_magic.language import choose
from metask_magic.messages.events import Usage
from metask_magic.table.asking import Manner
from metask_magic.table.preview import Tally
from metask_magic.table.requests import TablePrompt
from metask_magic.table.rows import RecordRows
from metask_magic.trials.checks import FunctionCheck
from metask_magic.trials.columns import TrialColumns
from metask_magic.trials.cost import Cost
from metask_magic.trials.facts import Facts
from metask_magic.trials.judge import Judge, JudgeUse
from metask_magic.trials.places import places
from metask_magic.trials.preview import preview
from metask_magic.trials.run import TrialRun
from metask_magic.trials.trial import Trial
from metask_magic.trials.wish import CheckWish
from metask_magic.usage.ledger import Figure

from ..english import english_sentences
from .test_checks import REFUSED, rows
from .test_trial import GOOD, POOR, PRICED, SAME
from .trials import answer, trial

FAILED = "The gateway failed."  # what a server said, as `trial` has it
TASK = TablePrompt("a", "x", "", {})


@pytest.fixture(autouse=True)
def _chinese() -> None:
    choose("zh")


def english_in(text: object) -> list[str]:
    return english_sentences(str(text).replace(FAILED, "¦"))


# -- errors ----------------------------------------------------------------------------------------------


def _wish(**said: Any) -> CheckWish:
    known = {"check": None, "columns": ["stars"], "table": "df", "functions": {"stars": len, "n": 5}.get}
    return CheckWish.of(**{**known, **said})


def _run(models: list[str], **wish: Any) -> TrialRun:
    nobody: Any = None  # who would ask is not needed to refuse
    table = RecordRows([], "df")
    return TrialRun(nobody, table, TASK, models, CheckWish(**wish), "df", Manner())


def _judge(rubric: Any, **called: str) -> Judge:
    return Judge("j", rubric, TASK, RecordRows([], "df"), lambda *_asked: [], **called)


def _load(text: str) -> Callable[[Path], object]:
    def load(folder: Path) -> object:
        path = folder / "t.jsonl"
        path.write_text(text, encoding="utf-8")
        return Trial.load(path)

    return load


def _ignoring(make: Callable[[], object]) -> Callable[[Path], object]:
    return lambda _folder: make()


WRONG: Mapping[str, Callable[[Path], object]] = {
    **{name: _ignoring(make) for name, (make, _says) in REFUSED.items()},
    "a wish: no rubric": lambda _: _wish(check="judge", judge="j"),
    "a wish: a judge alone": lambda _: _wish(judge="j"),
    "a wish: no judge": lambda _: _wish(check="judge"),
    "a wish: two meanings": lambda _: _wish(check="stars"),
    "a wish: a negative tolerance": lambda _: _wish(check="stars", functions={}.get, tolerance=-1.0),
    "a wish: a tolerance alone": lambda _: _wish(tolerance=1.0),
    "a wish: nothing of that name": lambda _: _wish(check="zebra"),
    "a wish: a name like it": lambda _: _wish(check="star"),
    "a wish: no function": lambda _: _wish(check="n"),
    "a rubric that is none": lambda _: _judge(5),
    "an empty rubric": lambda _: _judge(" ", called="评分标准 r"),
    "models: twice": lambda _: _run(["a", "a"]),
    "models: one": lambda _: _run(["a"]),
    "models: its own judge": lambda _: _run(["a"], judge="a", rubric="x"),
    "a table without rows": lambda _: _run(["a", "b"]),
    "columns": lambda _: TrialColumns(["model", "score"], (), "df", samples=1),
    "best: no score": lambda _: trial({"a": [None]}).best(),
    "best: too high": lambda _: trial(PRICED).best(score=0.95),
    "best: too slow": lambda _: trial(PRICED).best(latency=0.1),
    "best: no such wish": lambda _: trial(PRICED).best(cost="highest"),  # type: ignore[arg-type]
    "best: two wishes": lambda _: trial(PRICED).best(cost="lowest", latency="lowest"),
    "best: no price": lambda _: trial({"nobody/knows": GOOD}).best(cost="lowest"),
    "pass@k": lambda _: trial({"a": GOOD}).pass_at(3, "a"),
    "a file: none": lambda path: Trial.load(path / "none.jsonl"),
    "a file: empty": _load(""),
    "a file: another": _load("{}"),
    "a file: newer": _load('{"kind": "metask-trial", "version": 9}'),
    "a file: not whole": _load('{"kind": "metask-trial", "version": 1}'),
    "a file: no place": lambda path: trial({"a": GOOD}).save(path / "nowhere" / "t.jsonl"),
    "no such model": lambda _: trial(PRICED).assert_score(0.5, "gpt-4"),
    "a bound": lambda _: trial({"a": GOOD, "b": POOR, "c": [None] * 20}).assert_score(0.5),
    "worse": lambda _: trial({"a": POOR}).assert_no_worse_than(trial({"b": GOOD})),
    "a score that is lost": lambda _: trial({"a": [*GOOD[:3], None]}).assert_no_worse_than(
        trial({"a": GOOD[:4]})
    ),
    "no score before": lambda _: trial({"a": GOOD}).assert_no_worse_than(trial({"a": [None] * 20})),
    "other checks": lambda _: trial({"a": GOOD}).assert_no_worse_than(trial({"a": GOOD}, check="b")),
    "other rows": lambda _: trial({"a": GOOD}).assert_no_worse_than(trial({"a": GOOD}, [{"x": 1}] * 20)),
    "other models": lambda _: trial({"a": GOOD}).assert_no_worse_than(trial({"b": GOOD, "c": GOOD})),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_in_chinese(make: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises((MetaskError, AssertionError)) as wrong:
        make(tmp_path)
    said = str(wrong.value).replace(str(tmp_path), "").replace("No such file or directory", "")
    assert english_in(said) == []
    assert said.endswith(("。", "？"))


SAID: Mapping[str, tuple[Callable[[], object], str]] = {
    "a gap": (REFUSED["many gaps"][0], "df 的 expected 列在第 0、1、2 行及另外 2 行没有期望值。"),
    "kinds": (REFUSED["kinds"][0], "df 的 expected 列既有文本，又有数字（在第 1 行）。"),
    "a rubric": (lambda: _judge(5), "评分标准：不是文本，类型是 int。"),
    "a name like it": (lambda: _wish(check="star"), "是不是想用 stars？"),
    "a bound": (
        lambda: trial({"a": [0.0], "b": [None]}).assert_score(0.5),
        "a 得分 0.00；b 没有得分：在 1 行上低于 0.50。",
    ),
    "worse": (
        lambda: trial({"a": POOR}).assert_no_worse_than(trial({"a": GOOD})),
        "在同样的 20 行上，a 之前得分 0.90，现在得分 0.30：下降幅度超出了偶然（p = 0.00024）。"
        "得分下降的是第 6、7、8 行及另外 9 行。",
    ),
    "no such model": (
        lambda: trial({"a": GOOD}).assert_score(0.5, "c"),
        "c 没有评测过。评测过的有 a。",
    ),
    "pass@k": (
        lambda: trial({"a": GOOD}).pass_at(3, "a"),
        "pass@3 要求每行有 3 个回答，而且能判对错；这里只有 1 个。",
    ),
}


@pytest.mark.parametrize(("make", "said"), SAID.values(), ids=SAID)
def test_sentences_that_are_composed(make: Callable[[], object], said: str) -> None:
    with pytest.raises((MetaskError, AssertionError)) as wrong:
        make()
    assert said in str(wrong.value)


@pytest.mark.parametrize(
    ("positions", "said"),
    [([3], "第 3 行"), ([3, 1000], "第 3、1,000 行"), ([*range(9)], "第 0、1、2 行及另外 6 行")],
)
def test_rows_in_words(positions: list[int], said: str) -> None:
    assert places(positions) == said


# -- what a trial shows ----------------------------------------------------------------------------------


def _repeated() -> Trial:
    answers = [
        answer(row, "a", f"{sample}", float(sample == 1), sample=sample)
        for row in range(3)
        for sample in (1, 2)
    ]
    return Trial(RecordRows([{"n": n} for n in range(3)], "t"), answers, Facts("t", ("a",), "check", 2))


def _raises(_row: object, _reply: object) -> bool:
    raise ValueError("五")


def _troubled() -> Trial:
    """Answers with a note, and that cannot be used or checked, and a model that was given up."""
    whole = answer(0, "a", score=1.0)
    assert whole.reply is not None
    noted = replace(whole, row=1, reply=replace(whole.reply, notes=("附注。",), usage=Usage(1, None, None)))
    raising = FunctionCheck(_raises, "f", InterruptRequest())
    answers = [
        whole,
        noted,
        replace(answer(2, "a"), grade=raising.grade([answer(0, "a")], rows(1))[0]),
        answer(0, "b", outcome="unusable", error="已过滤。", score=0.0),
        answer(1, "b", outcome="failed", error=FAILED),
        answer(2, "b", outcome="not asked", error="not asked"),
    ]
    judged = JudgeUse("j", 2, Cost(2, 2, Figure(120), None, None))
    facts = Facts("t", ("a", "b"), "judge", endings={"b": "没有密钥。"}, given_up=("b",), judge=judged)
    return Trial(RecordRows([{"n": n} for n in range(3)], "t"), answers, facts)


SHOWN: Mapping[str, Callable[[], Trial]] = {
    "right and wrong": lambda: trial({"gpt-4o": GOOD, "gpt-4o-mini": SAME, "x": POOR}),
    "scores": lambda: trial({"a": [0.25, 0.5, 1.0], "b": [1.0] * 3}, system="简短回答"),
    "agreement": lambda: trial({"a": [0.25, 0.5], "b": [1.0, None]}, check="agreement"),
    "several answers": _repeated,
    "trouble": _troubled,
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_no_english_is_shown(make: Callable[[], Trial]) -> None:
    found = make()
    shown = found._repr_mimebundle_()
    style, _, html = shown["text/html"].partition("</style>")
    labels = html.replace('aria-label="', ">").replace('data-t="', ">")
    texts = [shown["text/plain"], html, labels, found.to_markdown(), *map(str, found.disagreements().table)]
    assert [sentence for text in texts for sentence in english_in(text.replace(style, ""))] == []


@pytest.mark.parametrize(
    ("make", "lines"),
    [
        (
            SHOWN["right and wrong"],
            [
                "3 个模型，rows 的 20 行，按 expected 检查",
                "得分：回答正确的比例；其 95 % 置信区间是 Wilson 区间。",
            ],
        ),
        (SHOWN["several answers"], ["1 个模型，t 的 3 行，每行 2 个回答，按 check 检查"]),
        (SHOWN["agreement"], ["2 个模型，rows 的 2 行，相互比较"]),
        (
            _troubled,
            [
                "b 的其余行不再提问：没有密钥。",
                "失败的请求没有得分。第一个是 b 的第 1 行：The gateway failed.",
                "1 个回答无法检查。第一个是 a 的第 2 行：f 抛出了 ValueError: 五",
                "由 j 评判，它看不到模型名：2 次评判，120 个 token；这些不计入任何模型的费用。",
            ],
        ),
    ],
)
def test_what_a_reader_has_to_know(make: Callable[[], Trial], lines: list[str]) -> None:
    shown = str(make()).splitlines()
    assert [line for line in lines if line not in shown] == []


def test_columns_stand_below_their_heads() -> None:
    head, first, second = str(trial({"gpt-4o": GOOD, "通义千问": POOR})).splitlines()[1:4]
    assert head.startswith("   模型      得分  95 % 置信区间  与最佳模型相比")
    assert first.startswith("1  gpt-4o    0.90  0.70～0.97     最佳")
    assert second.startswith("2  通义千问  0.30  0.15～0.52     较差（p < 0.001）")


def test_data_stay_english() -> None:
    """Columns, statuses and what a file is read by: programs compare them."""
    found = _troubled()
    assert list(found.to_dicts()[0]) == [
        *("n", "model", "reply", "score", "reason", "check_error", "reply_error", "reply_meta"),
    ]
    assert [each.verdict for each in trial({"a": GOOD, "b": POOR}).standings] == ["best", "worse"]
    assert [each.outcome for each in found.answers if each.model == "b"] == [
        "unusable",
        "failed",
        "not asked",
    ]


def test_a_trial_is_shown_in_the_language_of_the_moment() -> None:
    found = trial({"a": GOOD, "b": POOR})
    chinese = str(found)
    choose("en")
    english = str(found)
    assert english.startswith("2 models on 20 rows of rows, checked by expected\n   model  score")
    choose("zh")
    assert str(found) == chinese


def test_the_report_for_a_pull_request() -> None:
    report = trial({"a": GOOD, "b": POOR}, prompt="算 {{ n }}", system="简短").to_markdown(1)
    assert report.startswith("## 2 个模型，rows 的 20 行，按 expected 检查\n\n|  | 模型 | 得分 |")
    assert "### 分歧最大的行" in report
    assert "<summary>提示词</summary>\n\n```text\n（系统提示词）简短\n\n算 {{ n }}\n```" in report


def test_a_dry_run() -> None:
    tally = Tally([], asked=1200, alike=2, known=3, failing=4, characters=4000, images=5)
    assert str(preview("未发送", [(replace(TASK, model="nobody/knows"), tally)], "j")) == (
        "未发送\n"
        "nobody/knows  1,200 个请求，3 个此前已回答，2 个与另一行相同，4 个的提示词出错，约 1,000 个 token，"
        "不含 5 张图片\n"
        "待发送 1,200 个请求；token 数按文本的字符数估计；随后 j 评判每个尚未评判过的回答，未计算在内"
    )


@pytest.mark.parametrize(
    ("params", "said"),
    [({}, r"，仅提示词 \$[\d.]+$"), ({"max_tokens": 10}, r"，提示词 \$[\d.]+，回答最长时共 \$[\d.]+$")],
)
def test_the_cost_of_a_dry_run(params: dict[str, Any], said: str) -> None:
    asked = replace(TASK, model="gpt-4o-mini", params=params)
    shown = str(preview("未发送", [(asked, Tally([], asked=1200, characters=4000))], None))
    assert re.search(said, shown, re.MULTILINE)
