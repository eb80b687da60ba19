"""The chart of usage: bars that fit, names that do no harm, unknown shown as unknown."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.display.usage_chart import Bar, UsageChart
from metask_magic.language import choose

HEADERS = ("model", "input")


def chart(*bars: Bar, name: str = "m") -> UsageChart:
    return UsageChart("T", HEADERS, tuple((name, f"{bar.input}") for bar in bars), bars)


def drawn(bar: Bar, *others: Bar) -> list[tuple[float, float]]:
    """Where each rectangle of the first bar begins and ends."""
    svg = re.findall(r"<svg role.*?</svg>", chart(bar, *others).to_html())[0]
    rects = [rect.attrib for rect in ElementTree.fromstring(svg)]  # noqa: S314 -- our own drawing
    return [(float(r["x"]), float(r["x"]) + float(r["width"])) for r in rects]


@pytest.mark.parametrize(
    ("bar", "others", "rects"),
    [
        (Bar(0, 0, 0), [], []),
        (Bar(50, 0, 50), [], [(0, 93), (93, 186)]),
        (Bar(50, 25, 50), [], [(0, 46.5), (46.5, 93), (93, 186)]),
        (Bar(0, 0, 100), [Bar(0, 0, 200)], [(0, 93)]),
        (Bar(50, 0, 50, open_end=True), [], [(0, 93), (93, 186), (187.5, 198.5)]),
        (Bar(0, 0, 0, open_end=True), [], [(1.5, 12.5)]),
        (Bar(10, 20, 0), [], [(0, 186)]),
    ],
    ids=["nothing", "two parts", "cached", "to scale", "open end", "unknown", "more cached than there was"],
)
def test_bars(bar: Bar, others: list[Bar], rects: list[tuple[float, float]]) -> None:
    assert drawn(bar, *others) == rects


tokens = st.integers(0, 10**9)
some_bars = st.lists(
    st.builds(lambda i, c, o, e: Bar(i, min(i, c), o, e), tokens, tokens, tokens, st.booleans()),
    min_size=1,
    max_size=5,
)


@given(some_bars)
def test_bars_stay_within_their_width(bars: list[Bar]) -> None:
    edges = [edge for bar in bars for rect in drawn(bar, *bars) for edge in rect]
    assert all(0 <= edge <= 200 for edge in edges)
    lines = str(chart(*bars)).split("\n\n")[1].splitlines()[:-1]
    assert all(len(line) <= len("m  ") + 40 + 1 for line in lines)


@pytest.mark.parametrize("hostile", ["<img src=x>", "&lt;", "\"'>", "</style><script>"])
def test_everything_is_escaped(hostile: str) -> None:
    bars = (Bar(1, 0, 1),)
    page = UsageChart(
        hostile, (hostile, "n"), ((hostile, hostile),), bars, (hostile, "1"), (hostile,)
    ).to_html()
    escaped = hostile.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = escaped.replace('"', "&quot;").replace("'", "&#x27;")
    assert page.replace("&nbsp;", " ").count(escaped) == 6
    assert hostile not in page.replace(escaped, "")


def test_no_name_is_mathematics() -> None:
    assert 'class="metask-usage mathjax_ignore tex2jax_ignore"' in chart(Bar(1, 0, 1), name="$x$").to_html()


def test_text() -> None:
    shown = UsageChart(
        "3 requests",
        ("model", "input", "output"),
        (("gpt-4o", "1,000", "1,000"), ("模型", "?", "0"), ("a" * 40, "1", "2")),
        (Bar(1000, 500, 1000), Bar(0, 0, 0, open_end=True), Bar(1, 0, 2)),
        ("total", "1,001 + ?", "1,002"),
        ("A note.", "Another."),
    )
    assert str(shown) == repr(shown) == shown._repr_mimebundle_(include=None)["text/plain"]
    assert str(shown) == "\n".join(
        [
            "3 requests",
            "model                                 input  output",
            "gpt-4o                                1,000   1,000",
            "模型                                      ?       0",
            f"{'a' * 31}…          1       2",
            "total                             1,001 + ?   1,002",
            "",
            "gpt-4o                            ██████████▒▒▒▒▒▒▒▒▒▒░░░░░░░░░░░░░░░░░░░░",
            "模型                              ?",
            f"{'a' * 31}…",
            "█ input   ▒ cached input   ░ output   ? not reported",
            "",
            "A note.",
            "Another.",
        ]
    )


def test_columns_and_bars_align_below_chinese_heads() -> None:
    choose("zh")
    shown = UsageChart(
        "3 个请求",
        ("模型", "输入", "输出"),
        (("gpt-4o", "1,000", "20"), ("模型" * 20, "?", "0")),
        (Bar(1000, 500, 1000), Bar(0, 0, 0, open_end=True)),
    )
    assert str(shown).splitlines() == [
        "3 个请求",
        "模型                              输入  输出",
        "gpt-4o                           1,000    20",
        f"{'模型' * 7}模…      ?     0",
        "",
        "gpt-4o                           " + "█" * 10 + "▒" * 10 + "░" * 20,
        f"{'模型' * 7}模…  ?",
        "█ 输入   ▒ 缓存输入   ░ 输出   ? 未报告",
    ]
    assert 'aria-label="输入 1,000 个 token，其中缓存 500 个；输出 1,000 个"' in shown.to_html()
    assert "</svg>缓存输入</span>" in shown.to_html()


@pytest.mark.parametrize(("open_end", "named"), [(False, False), (True, True)])
def test_the_key_names_what_is_there(open_end: bool, named: bool) -> None:
    shown = chart(Bar(1, 0, 1, open_end))
    assert ("not reported" in str(shown)) is ("not reported" in shown.to_html()) is named
