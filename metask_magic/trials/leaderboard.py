"""The leaderboard: where each model of a trial stands, as a table with charts, as text and as Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..display import score_chart as chart
from ..display.comparison import as_text
from ..display.record import UNTYPESET
from ..display.table import Table
from ..language import N_, _, pgettext
from ..usage.ledger import Figure
from ..words import fit, sentences
from .standing import Standing, Verdict

_SMALLEST_SHOWN = Decimal("0.0001")
_LONGEST_NAME = 40
AGAINST = N_("against the best")
_LEVEL = "95 %"  # apart: catalogues would take the "% i" of "95 % interval" for a place to fill

_STYLE = (
    "<style>"
    ".metask-trial table{border-collapse:collapse;margin:0}"
    ".metask-trial th,.metask-trial td{text-align:right;vertical-align:top;padding:.35em .7em;max-width:none;"
    "white-space:normal;word-break:keep-all;font-variant-numeric:tabular-nums}"
    ".metask-trial th:nth-child(2),.metask-trial td:nth-child(2){text-align:left;overflow-wrap:anywhere;"
    f"min-width:{chart.WHISKER[0]}px}}"
    ".metask-trial td svg{display:block;margin-top:.25em}"
    ".metask-trial p{margin:.5em 0}"
    f"{chart.STYLE}"
    "</style>"
)


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Models in the order of their scores; it shows itself.

    Attributes
    ----------
    title
        What was tried, in a line.
    measure
        What a score is: the share of right answers, a mean, agreement.
    standings
        The best first.
    notes
        What a reader has to know besides.

    """

    title: str
    measure: str
    standings: tuple[Standing, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        headers, *rows = self._lines()
        points = self._points()
        span = chart.span_of(points)
        names = (fit(point.name, _LONGEST_NAME) for point in points)
        named = list(zip(names, chart.to_lines(points, span), strict=True))
        parts = (
            Table(self.title, headers, tuple(rows)),
            Table("", ("", chart.scale_line(span)), tuple(named)) if named else "",
            "\n".join(self.notes),
        )
        return "\n\n".join(str(part) for part in parts if str(part))

    __repr__ = __str__

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/html": self.to_html(), "text/plain": str(self)}

    def to_markdown(self) -> str:
        """Return the table and the notes as GitHub's Markdown."""
        headers, *rows = self._lines()
        ruler = tuple("---" if at == 1 else "--:" for at in range(len(headers)))
        lines = [f"| {' | '.join(row)} |" for row in (headers, ruler, *(map(as_text, row) for row in rows))]
        notes = [f"- {as_text(note)}" for note in self.notes]
        return "\n\n".join(["\n".join(lines), *(["\n".join(notes)] if notes else [])])

    def to_html(self) -> str:
        """Return a fragment that stands by itself, with the charts as SVG."""
        headers, *rows = self._lines()
        points = {point.number: point for point in self._points()}
        span = chart.span_of([*points.values()])
        drawn = [chart.whisker(points[at], span) if at in points else "" for at in range(1, len(rows) + 1)]
        body = "".join(_row(row, "td", svg) for row, svg in zip(rows, drawn, strict=True))
        notes = "".join(map(_small, self.notes))
        plot = chart.scatter([*points.values()], self.measure)
        scale = _("The lines below the names go from {low:.3g} to {high:.3g}.", low=span.low, high=span.high)
        axes = self._axes(compared=any(point.good for point in points.values()))
        return (
            f'{_STYLE}<div class="metask-trial {UNTYPESET}"><p><strong>{html.escape(self.title)}</strong></p>'
            f"<table><thead>{_row(headers, 'th')}</thead><tbody>{body}</tbody></table>"
            f"{_small(scale) if points else ''}{plot}{_small(axes) if plot else ''}{notes}</div>"
        )

    def _axes(self, *, compared: bool) -> str:
        return sentences(
            _("Upwards: {measure}; to the right: the estimated cost of 1,000 rows.", measure=self.measure),
            _("Filled: the best, and what is not really different from it.") if compared else "",
        )

    def _points(self) -> list[chart.Point]:
        return [
            chart.Point(
                number,
                standing.model,
                standing.score,
                None
                if standing.interval is None
                else chart.Span(standing.interval.low, standing.interval.high),
                None if standing.cost.usd_per_1000 is None else float(standing.cost.usd_per_1000),
                standing.verdict in ("best", "no real difference"),
            )
            for number, standing in enumerate(self.standings, 1)
            if standing.score is not None
        ]

    def _lines(self) -> list[tuple[str, ...]]:
        """Return the head of the table and its rows, as plain text: only columns that say something."""
        shown = [
            column
            for column in _COLUMNS
            if any(column.cell(each) for each in self.standings)
            and (column.head != AGAINST or len(self.standings) > 1)
        ]
        head = (
            "",
            pgettext("column of a table", "model"),
            *(_(column.head, level=_LEVEL) for column in shown),
        )
        rows = (
            (f"{number}", standing.model, *(column.cell(standing) or "–" for column in shown))
            for number, standing in enumerate(self.standings, 1)
        )
        return [head, *rows]


def _small(note: str) -> str:
    return f"<p><small>{html.escape(note)}</small></p>"


def _row(cells: Sequence[str], tag: str, drawn: str = "") -> str:
    number, name, *figures = map(html.escape, cells)
    unbroken = (re.sub(r" (?=(?:to|=|s\b|\d))", "&nbsp;", figure) for figure in figures)
    inner = "".join(f"<{tag}>{figure}</{tag}>" for figure in unbroken)
    return f"<tr><{tag}>{number}</{tag}><{tag}>{name}{drawn}</{tag}>{inner}</tr>"


# -- columns -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    cell: Callable[[Standing], str]


def score_in_words(score: float | None) -> str:
    """Return a score as it is shown."""
    if score is None:
        return ""
    return f"{score:.2f}" if 0 <= score <= 1 else f"{score:,.4g}"


def interval_in_words(standing: Standing) -> str:
    """Return the interval of a score as it is shown."""
    if standing.interval is None:
        return ""
    low, high = standing.interval.low, standing.interval.high
    return _("{low} to {high}", low=score_in_words(low), high=score_in_words(high))


def dollars(cost: Decimal | None, *, is_least: bool = False) -> str:
    """Return US dollars as they are shown; "" where they are not known."""
    if cost is None:
        return ""
    shown = f"< ${_SMALLEST_SHOWN}" if 0 < cost < _SMALLEST_SHOWN else f"${cost:,.4f}"
    return f"{shown} + ?" if is_least else shown


_VERDICTS: Mapping[Verdict, str] = {
    "best": N_("best"),
    "worse": N_("worse"),
    "no real difference": N_("no real difference"),
    "": "",
}


def _verdict(standing: Standing) -> str:
    verdict = _(_VERDICTS[standing.verdict])
    if standing.p_value is None:
        return verdict
    chance = "p < 0.001" if standing.p_value < 0.001 else f"p = {standing.p_value:.3f}"
    return _("{verdict} ({chance})", verdict=verdict, chance=chance)


def _outcome(name: Any) -> Callable[[Standing], str]:
    return lambda standing: f"{standing.outcomes[name]:,}" if standing.outcomes.get(name) else ""


def _answered(standing: Standing) -> str:
    asked = sum(standing.outcomes.values())
    return _("{part:,} of {all:,}", part=standing.outcomes.get("answered", 0), all=asked)


def _failed(standing: Standing) -> str:
    failed = standing.outcomes.get("failed", 0)
    if standing.given_up:
        return _("{failed:,} (given up)", failed=failed)
    return f"{failed:,}" if failed else ""


def _tokens(figure: Figure) -> str:
    return str(figure)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f} s"


def _times(standing: Standing) -> str:
    if standing.median is None or standing.late is None:
        return ""
    return f"{standing.median:.2f}, {standing.late:.2f} s"


def _pass_at(standing: Standing) -> str:
    return ", ".join(f"@{k} {chance:.2f}" for k, chance in standing.pass_at_k.items() if k > 1)


_COLUMNS = (
    _Column(N_("score"), lambda standing: score_in_words(standing.score)),
    _Column(N_("{level} interval"), interval_in_words),
    _Column(AGAINST, _verdict),
    _Column(N_("pass"), _pass_at),
    _Column(N_("stable"), lambda standing: score_in_words(standing.stability)),
    _Column(N_("answered"), _answered),
    _Column(N_("unusable"), _outcome("unusable")),
    _Column(N_("failed"), _failed),
    _Column(N_("not asked"), _outcome("not asked")),
    _Column(N_("not checked"), lambda standing: f"{standing.unchecked:,}" if standing.unchecked else ""),
    _Column(N_("tokens"), lambda standing: _tokens(standing.cost.tokens) if standing.cost.replies else ""),
    _Column(N_("per 1,000 rows"), lambda standing: dollars(standing.cost.usd_per_1000)),
    _Column(N_("median, 95th percentile"), _times),
    _Column(N_("first token"), lambda standing: _seconds(standing.first_token)),
)
