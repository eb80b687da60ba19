"""What is shown in Chinese: no English sentence of ours, and columns that stand below each other."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from wcwidth import wcswidth

from metask_magic.display.comparison import to_comparison
from metask_magic.display.extras import fold_markdown
from metask_magic.display.page import to_sandboxed_page
from metask_magic.display.place import Place
from metask_magic.display.printer import Printer
from metask_magic.display.record import to_output, to_safe_html
from metask_magic.display.score_chart import Point, Span, scatter, whisker
from metask_magic.display.table import Table
from metask_magic.display.terminal import TerminalSink
from metask_magic.display.usage_chart import Bar, UsageChart
from metask_magic.display.widget import _Progress
from metask_magic.language import choose
from metask_magic.messages.events import Continued, Ended, TextDelta, Usage
from metask_magic.messages.record import Record

from ..english import english_sentences

WHOLE = Record("gpt-4o", "你好", "stop", usage=Usage(1, 1_200, 2), elapsed=3.14, first_token_after=0.5)
EMPTY = Record("元任务", "", "stop")
FAILED = Record("m", "", "error", failure="坏了。")
POINTS = [Point(1, "a", 0.9, Span(0.8, 1.0), 0.5, True), Point(2, "b", 0.5, None, 1.5, False)]
CHART = UsageChart("用量", ("模型", "输入"), (("m", "1"),), (Bar(9, 3, 4, open_end=True),))


@pytest.fixture(autouse=True)
def _chinese() -> None:
    choose("zh")


SHOWN: dict[str, Callable[[], str]] = {
    "comparison": lambda: to_comparison([(WHOLE, "你好"), (EMPTY, ""), (FAILED, "")]),
    "record": lambda: str(to_output([FAILED])[0]),
    "reasoning": lambda: fold_markdown("嗯。"),
    "page": lambda: to_sandboxed_page("<p>好"),
    "image": lambda: to_safe_html("![](https://example.com/x.png)<b>"),
    "whisker": lambda: whisker(POINTS[0], Span(0, 1)),
    "scatter": lambda: scatter(POINTS, "得分"),
    "usage": lambda: CHART.to_html() + str(CHART),
    "detail": lambda: _Progress(None, characters=1, tokens=2).detail(1.0),
}


@pytest.mark.parametrize("what", SHOWN)
def test_no_english_is_left(what: str) -> None:
    shown = SHOWN[what]()
    assert english_sentences(re.sub(r"<style>.*?</style>", "", shown)) == []
    assert re.search(r"[\u4e00-\u9fff]", shown)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (SHOWN["detail"], "1.0 s · 1 个字符 · 2 个 token"),
        (SHOWN["comparison"], "| 模型 | 首个 token | 总时长 | token 数 | 结束原因 |"),
        (SHOWN["comparison"], "*（没有收到内容）*"),
        (SHOWN["record"], "> 还没有收到文字就失败了。"),
        (SHOWN["reasoning"], "<details><summary>思考过程</summary>"),
        (SHOWN["image"], "🖼 图片"),
        (SHOWN["whisker"], 'aria-label="0.90，刻度从 0 到 1"'),
        (
            SHOWN["scatter"],
            "得分与每 1,000 行估算费用的对比。a：得分 0.90，费用 $0.5000；b：得分 0.50，费用 $1.5000",
        ),
        (SHOWN["usage"], "输入 9 个 token，其中缓存 3 个；输出 4 个"),
        (SHOWN["usage"], "█ 输入   ▒ 缓存输入   ░ 输出   ? 未报告"),
    ],
)
def test_what_is_said(said: Callable[[], str], shown: str) -> None:
    assert shown in said()


def test_an_answer_that_gives_way(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(Place(), show_reasoning=True)
    for event in (TextDelta("甲"), Continued((), keep_text=False), TextDelta("乙"), Ended("stop", "")):
        printer.print(event, say_end=False)
    assert "── 以上内容作废，下面是新的回答。" in capsys.readouterr().out


# -- columns -----------------------------------------------------------------------------------------------


def edges(lines: list[str], mark: str) -> set[int]:
    """Return the columns of a terminal in which a mark stands."""
    return {wcswidth(line[: line.index(mark)]) for line in lines if mark in line}


def test_the_table_of_several_replies_stands_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    records = [Record(name, "", "stop", elapsed=1.0) for name in ("gpt-4o", "元任务", "👩\u200d👧 é")]
    sink = TerminalSink([record.model for record in records])
    sink.open(lambda column: None)
    sink.close(records)
    rows = capsys.readouterr().out.rpartition("\n\n")[2].splitlines()
    assert len(rows) == 4
    assert edges(rows[1:], "1.00 s") == edges(rows[:1], "总时长")
    assert edges(rows[1:], "stop") == edges(rows[:1], "结束原因")


NAMES = ["m", "元任务", "ｗｉｄｅ", "🎉", "e\u0301e\u0301", "👨‍👩‍👧", "很长的名字" * 9, "e\u0301" * 40]


def test_figures_stand_below_each_other() -> None:
    bars = tuple(Bar(100, 0, 0) for _ in NAMES)
    chart = UsageChart("用量", ("模型", "输入"), tuple((name, "x1") for name in NAMES), bars, ("总计", "共"))
    table, drawn, _notes = [*str(chart).split("\n\n"), ""]
    assert len({wcswidth(line) for line in table.splitlines()[1:]}) == 1
    assert len(edges(drawn.splitlines()[:-1], "█")) == 1
    assert all(wcswidth(line.partition("█")[0]) <= 32 + 2 for line in drawn.splitlines()[:-1])


def test_names_that_are_wide_have_room_in_a_chart() -> None:
    def right_end(name: str) -> float:
        points = [Point(1, name, 0.9, None, 0.5, True), Point(2, "b", 0.5, None, 1.5, False)]
        found = re.search(r'<path d="M48 14V\d+H([\d.]+)"', scatter(points, "得分"))
        assert found is not None
        return float(found[1])

    assert right_end("元任务") == right_end("abcdef") < right_end("abc")


def test_a_table_of_lines_keeps_its_columns() -> None:
    table = Table("", ("名称", "值"), (("温度", "1"), ("e\u0301", "2"), ("👍🏽", "3")))
    assert (
        len(
            {
                wcswidth(line[: -len(value)])
                for line, value in zip(str(table).splitlines(), "值123", strict=True)
            }
        )
        == 1
    )
