"""Scores as whiskers, and against costs: where the marks stand, and that no two names stand in one place."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metask_magic.display.score_chart import Point, Span, scale_line, scatter, span_of, to_lines, whisker
from metask_magic.language import choose


def point(score: float, low: float, high: float, cost: float | None = None, name: str = "m") -> Point:
    return Point(1, name, score, Span(low, high), cost, good=True)


@pytest.mark.parametrize(
    ("points", "span"),
    [
        ([], (0, 1)),
        ([point(0.9, 0.84, 0.97)], (0.8, 1)),
        ([point(0.9, 0.8, 0.97)], (0.7, 1)),
        ([point(0.1, 0.0, 0.3)], (0, 1)),
        ([point(3.0, 2.5, 3.4)], (2.4, 3.4)),
        ([point(-2.0, -5.0, 1.0)], (-6, 2)),
        ([Point(1, "m", 7.0, None, None, good=False)], (6, 8)),
    ],
)
def test_the_scale(points: list[Point], span: tuple[float, float]) -> None:
    assert span_of(points) == pytest.approx(span)


def test_lines_of_characters() -> None:
    span = Span(0.0, 1.0)
    assert to_lines([point(0.5, 0.25, 0.75), Point(2, "n", 1.0, None, None, good=False)], span) == [
        " " * 10 + "├" + "─" * 9 + "●" + "─" * 9 + "┤",
        " " * 40 + "●",
    ]
    assert scale_line(span) == "0" + " " * 39 + "1"


def test_a_whisker_says_what_it_shows() -> None:
    drawn = whisker(point(0.5, 0.25, 0.75), Span(0.0, 1.0))
    assert 'aria-label="0.50 on a scale from 0 to 1"' in drawn
    assert 'cx="80.0"' in drawn


@pytest.mark.parametrize("costs", [[], [1.0], [None, 1.0]])
def test_fewer_than_two_costs_make_no_chart(costs: list[float | None]) -> None:
    assert scatter([point(0.5, 0.4, 0.6, cost) for cost in costs], "share") == ""


def words(drawn: str, kind: str) -> list[str]:
    return re.findall(rf'<i{kind} aria-hidden="true" data-t="([^"]*)"', drawn)


@pytest.mark.parametrize(
    ("costs", "ticks"),
    [
        ([0.1, 0.9], ["$0.00", "$0.20", "$0.40", "$0.60", "$0.80"]),
        ([0.0, 0.0], ["$0.00", "$0.50", "$1.00"]),
        ([0.02, 2.0], ["$0.02", "$0.05", "$0.10", "$0.20", "$0.50", "$1.00", "$2.00"]),
        ([0.0001, 50.0], ["$0.0001", "$0.001", "$0.01", "$0.10", "$1.00", "$10.00"]),
    ],
)
def test_the_axis_of_costs(costs: list[float], ticks: list[str]) -> None:
    drawn = scatter([point(0.5, 0.4, 0.6, cost) for cost in costs], "share")
    assert words(drawn, ' class="x"') == ticks


def test_many_models_have_their_numbers_alone() -> None:
    points = [Point(at, f"model-{at}", 0.5, None, float(at), good=False) for at in range(1, 21)]
    drawn = scatter(points, "share")
    assert words(drawn, "") == []
    assert words(drawn, ' class="n"') == [f"{at}" for at in range(1, 21)]
    assert len(words(scatter(points[:12], "share"), "")) == 12


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0.001, 10), st.integers(1, 60)), min_size=2, max_size=12)
)
@settings(max_examples=60)
def test_no_two_names_stand_in_one_place(models: list[tuple[float, float, int]]) -> None:
    points = [
        Point(at, "m" * length, score, None, cost, good=True)
        for at, (score, cost, length) in enumerate(models, 1)
    ]
    drawn = scatter(points, "share")
    found = re.findall(r'<i aria-hidden="true" data-t="(m+…?)" style="left:([\d.]+)px;top:([\d.]+)px"', drawn)
    assert len(found) == len(models)
    places = [(float(x), float(y)) for _, x, y in found]
    assert len(set(places)) == len(places) or max(y for _, y in places) > 280, "but where there is no room"
    assert all(x >= 0 and y <= 300 for x, y in places)


def test_chinese_names_have_room() -> None:
    """A Chinese character is about as wide as two letters, and a long name is cut by its width."""
    points = [
        Point(at, name, 0.5, None, 1.0, good=True) for at, name in enumerate(["模型" * 30, "通义千问"], 1)
    ]
    found = re.findall(
        r'<i aria-hidden="true" data-t="(.+?)" style="left:([\d.]+)px', scatter(points, "share")
    )
    assert [name for name, _ in found] == ["模型" * 8 + "模…", "通义千问"]
    assert float(found[0][1]) + 12 * 18 <= 620, "within the chart, at 12 px a character"


def test_it_is_described_in_the_current_language() -> None:
    choose("zh")
    drawn = scatter([point(0.5, 0.4, 0.6, 1.0, "甲"), point(0.25, 0.2, 0.6, 2.0, "乙")], "回答正确的比例")
    assert (
        'aria-label="回答正确的比例与每 1,000 行估算费用的对比。'
        '甲：得分 0.50，费用 $1.0000；乙：得分 0.25，费用 $2.0000"'
    ) in drawn
    assert 'aria-label="0.50，刻度从 0 到 1"' in whisker(point(0.5, 0.2, 0.8), Span(0.0, 1.0))


def test_a_name_is_no_markup() -> None:
    drawn = scatter([point(0.5, 0.4, 0.6, 1.0, '"><b>'), point(0.5, 0.4, 0.6, 2.0)], "share")
    assert "<b>" not in drawn
