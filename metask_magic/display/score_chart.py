"""The charts of scores: a whisker for each score, and scores against costs, as SVG and as characters.

Where styles and SVG are taken away (a notebook that is not trusted, GitHub) nothing of a chart may be left
among the words: whatever is written in one comes from an attribute, by the style sheet.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..language import _
from ..words import clauses, fit, sentences, width

WHISKER = 160, 14
_WIDTH, _HEIGHT = 620, 300
_LEFT, _TOP, _BOTTOM = 48, 14, 30
_LEAST_RIGHT, _MOST_RIGHT = 30, 260
_RADIUS = 9
_LABEL_HEIGHT = 15
_LETTER = 6.8  # and twice that of a Chinese character, which is as wide as it is high
_GAP = 5
_LONGEST_NAME = 36  # columns of a terminal
_COLUMNS = 41
_MOST_NAMES = 12  # beside their points; of more the numbers alone
_LOG_FROM = 20.0  # times the smallest cost

_GOOD = "var(--jp-brand-color1,#1976d2)"
_OTHER = "var(--jp-ui-font-color2,#757575)"
_LINE = "var(--jp-border-color1,#8888)"

STYLE = (
    ".metask-trial .plot{position:relative;"
    f"width:{_WIDTH}px;height:{_HEIGHT}px;max-width:none;margin:.6em 0;font-size:12px}}"
    ".metask-trial .plot svg{position:absolute;left:0;top:0}"
    ".metask-trial .plot i{position:absolute;font-style:normal;line-height:1;white-space:nowrap;"
    "transform:translate(0,-50%);text-shadow:0 0 3px var(--jp-layout-color0,#fff),0 0 3px "
    "var(--jp-layout-color0,#fff)}"
    ".metask-trial .plot i::after{content:attr(data-t)}"
    ".metask-trial .plot .n{transform:translate(-50%,-50%);font-size:11px;font-weight:600;"
    "text-shadow:none}"
    ".metask-trial .plot .good{color:var(--jp-layout-color0,#fff)}"
    ".metask-trial .plot .x{transform:translate(-50%,-50%)}"
    ".metask-trial .plot .y{transform:translate(-100%,-50%)}"
    f".metask-trial .plot .x,.metask-trial .plot .y{{color:{_OTHER}}}"
)


class Span(NamedTuple):
    """From `low` to `high`."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Point:
    """A model in a chart.

    `number` is its place in the leaderboard; `interval` and `cost` are None where they are not known, `good`
    tells whether it is the best or no worse as far as can be told.
    """

    number: int
    name: str
    score: float
    interval: Span | None
    cost: float | None
    good: bool


def span_of(points: Sequence[Point]) -> Span:
    """Return the scale of scores: as much of 0 to 1 as is needed, or what the scores span."""
    lows = [point.score if point.interval is None else point.interval.low for point in points] or [0.0]
    highs = [point.score if point.interval is None else point.interval.high for point in points] or [1.0]
    low, high = min(lows), max(highs)
    if low >= 0 and high <= 1:
        return Span(math.floor(low * 10 - 1e-9) / 10 if low > 0 else 0.0, 1.0)
    step = _step(high - low or abs(high) or 1.0)
    return Span(math.floor(low / step) * step, math.ceil(high / step) * step)


# -- a whisker -----------------------------------------------------------------------------------------


def whisker(point: Point, span: Span) -> str:
    """Return a score as a dot, with a line for its interval."""
    right, height = WHISKER
    middle, reach = height / 2, right - 12

    def at(score: float) -> float:
        return 6 + reach * (score - span.low) / ((span.high - span.low) or 1)

    colour = _GOOD if point.good else _OTHER
    lines = f'<line x1="6" y1="{middle}" x2="{right - 6}" y2="{middle}" style="stroke:{_LINE}"/>'
    if point.interval is not None:
        ends = at(point.interval.low), at(point.interval.high)
        lines += (
            f'<line x1="{ends[0]:.1f}" y1="{middle}" x2="{ends[1]:.1f}" y2="{middle}" '
            f'style="stroke:{colour};stroke-width:4;stroke-opacity:.45"/>'
        )
    dot = f'<circle cx="{at(point.score):.1f}" cy="{middle}" r="4.5" style="fill:{colour}"/>'
    said = _(
        "{score:.2f} on a scale from {low:.3g} to {high:.3g}",
        score=point.score,
        low=span.low,
        high=span.high,
    )
    return (
        f'<svg role="img" aria-label="{html.escape(said)}" width="{right}" height="{height}" '
        f'viewBox="0 0 {right} {height}">{lines}{dot}</svg>'
    )


def to_lines(points: Sequence[Point], span: Span) -> list[str]:
    """Return the scores on one scale as lines of characters."""

    def at(score: float) -> int:
        return round((_COLUMNS - 1) * (score - span.low) / ((span.high - span.low) or 1))

    lines = []
    for point in points:
        line = [" "] * _COLUMNS
        if point.interval is not None:
            low, high = at(point.interval.low), at(point.interval.high)
            line[low : high + 1] = "─" * (high + 1 - low)
            line[low], line[high] = "├", "┤"
        line[at(point.score)] = "●"
        lines.append("".join(line).rstrip())
    return lines


def scale_line(span: Span) -> str:
    """Return what stands above such lines: where the scale begins and ends."""
    low, high = f"{span.low:.3g}", f"{span.high:.3g}"
    return low + high.rjust(_COLUMNS - len(low))


# -- scores against costs ------------------------------------------------------------------------------


def scatter(points: Sequence[Point], what: str) -> str:
    """Return a chart of scores (`what`) against costs, of the points that have one; "" of fewer than two."""
    priced = [point for point in points if point.cost is not None]
    if len(priced) < 2:
        return ""
    return _Scatter(priced, what).draw()


class _Scatter:
    """Places points in the chart: pixels from its left and top."""

    def __init__(self, points: Sequence[Point], what: str) -> None:
        self._points = points
        self._what = what
        self._span = span_of(points)
        self._right = self._room_for_names()
        costs = [point.cost or 0.0 for point in points]
        self._log = min(costs) > 0 and max(costs) > _LOG_FROM * min(costs)
        if self._log:
            self._from, self._to = math.log10(min(costs)) - 0.15, math.log10(max(costs)) + 0.15
        else:
            self._from, self._to = 0.0, (max(costs) or 1.0) * 1.08

    def x(self, cost: float) -> float:
        place = math.log10(cost) if self._log else cost
        return _LEFT + (_WIDTH - _LEFT - self._right) * (place - self._from) / (self._to - self._from)

    def y(self, score: float) -> float:
        height = _HEIGHT - _TOP - _BOTTOM
        return _TOP + height * (1 - (score - self._span.low) / ((self._span.high - self._span.low) or 1))

    def _room_for_names(self) -> float:
        """Return how far from the right the axes end, so that the longest name has room behind its point."""
        if len(self._points) > _MOST_NAMES:
            return _LEAST_RIGHT
        longest = max(width(fit(point.name, _LONGEST_NAME)) for point in self._points)
        return min(_MOST_RIGHT, _LEAST_RIGHT + _LETTER * longest)

    def _place(self, point: Point) -> tuple[float, float]:
        return self.x(point.cost or 0.0), self.y(point.score)

    def draw(self) -> str:
        shapes = "".join([*self._iter_grid(), *map(self._shape, reversed(self._points))])
        words = "".join([*self._iter_ticks(), *map(self._digit, self._points), *self._iter_names()])
        return (
            f'<div class="plot" role="img" aria-label="{html.escape(self._said())}">'
            f'<svg aria-hidden="true" width="{_WIDTH}" height="{_HEIGHT}" '
            f'viewBox="0 0 {_WIDTH} {_HEIGHT}">{shapes}</svg>{words}</div>'
        )

    def _said(self) -> str:
        return sentences(
            _("{measure} against the estimated cost of 1,000 rows.", measure=self._what),
            clauses(
                _(
                    "{model}: {score:.2f} for ${cost:,.4f}",
                    model=point.name,
                    score=point.score,
                    cost=point.cost,
                )
                for point in self._points
            ),
        )

    def _iter_grid(self) -> Iterator[str]:
        right, bottom = _WIDTH - self._right, _HEIGHT - _BOTTOM
        for score in self._score_ticks():
            y = self.y(score)
            style = f"stroke:{_LINE};stroke-opacity:.5"
            yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" style="{style}"/>'
        yield f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" style="fill:none;stroke:{_LINE}"/>'

    def _shape(self, point: Point) -> str:
        x, colour = self.x(point.cost or 0.0), _GOOD if point.good else _OTHER
        ends = point.interval or Span(point.score, point.score)
        low, high = self.y(ends.low), self.y(ends.high)
        caps = "".join(f"M{x - 4:.1f} {y:.1f}h8" for y in (low, high))
        fill = colour if point.good else "var(--jp-layout-color0,#fff)"
        return (
            f'<path d="M{x:.1f} {low:.1f}V{high:.1f}{caps}" '
            f'style="fill:none;stroke:{colour};stroke-opacity:.6"/>'
            f'<circle cx="{x:.1f}" cy="{self.y(point.score):.1f}" r="{_RADIUS}" '
            f'style="fill:{fill};stroke:{colour};stroke-width:1.5"/>'
        )

    def _iter_ticks(self) -> Iterator[str]:
        for score in self._score_ticks():
            yield _word(_LEFT - 6, self.y(score), f"{score:.3g}", "y")
        for cost in self._cost_ticks():
            yield _word(self.x(cost), _HEIGHT - _BOTTOM + 12, _dollars(cost), "x")

    def _digit(self, point: Point) -> str:
        kind = "n good" if point.good else "n"
        return _word(self.x(point.cost or 0.0), self.y(point.score), f"{point.number}", kind)

    def _iter_names(self) -> Iterator[str]:
        """Yield the names beside their points, moved where two would stand in one place."""
        if len(self._points) > _MOST_NAMES:
            return
        taken = [(x - _RADIUS, x + _RADIUS, y) for x, y in map(self._place, self._points)]
        for point in self._points:
            name = fit(point.name, _LONGEST_NAME)
            x, y, reach = self._beside(point, name)
            while any(
                x < right and x + reach > left and abs(y - other) < _LABEL_HEIGHT
                for left, right, other in taken
            ):
                y += _LABEL_HEIGHT
            taken.append((x, x + reach, y))
            yield _word(x, min(y, _HEIGHT - _LABEL_HEIGHT / 2), name, "")

    def _beside(self, point: Point, name: str) -> tuple[float, float, float]:
        """Return where a name begins, and its width: behind its point, before it where there is no room."""
        (x, y), reach = self._place(point), _LETTER * width(name)
        behind = x + _RADIUS + _GAP
        return (behind if behind + reach <= _WIDTH else max(0.0, x - _RADIUS - _GAP - reach)), y, reach

    def _score_ticks(self) -> list[float]:
        return _ticks(self._span.low, self._span.high)

    def _cost_ticks(self) -> list[float]:
        if not self._log:
            return _ticks(0.0, self._to)
        exponents = range(math.floor(self._from), math.ceil(self._to) + 1)
        found = [factor * 10.0**exponent for exponent in exponents for factor in (1, 2, 5)]
        within = [cost for cost in found if self._from <= math.log10(cost) <= self._to]
        return within if len(within) <= 7 else [cost for cost in within if f"{cost:e}".startswith("1")]


def _word(x: float, y: float, said: str, kind: str) -> str:
    named = f' class="{kind}"' if kind else ""
    return (
        f'<i{named} aria-hidden="true" data-t="{html.escape(said)}" style="left:{x:.1f}px;top:{y:.1f}px"></i>'
    )


def _ticks(low: float, high: float) -> list[float]:
    step = _step(high - low or 1.0)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _step(span: float) -> float:
    """Return a round number that fits some five times."""
    rough = span / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _dollars(cost: float) -> str:
    return f"${cost:,.2f}" if cost >= 0.095 or not cost else f"${cost:.2g}"
