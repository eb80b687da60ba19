"""A table of usage with a bar below each name, for a notebook and for a terminal."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ..language import _, pgettext
from ..words import fit, rjust, width
from .record import UNTYPESET
from .table import Table

_WIDTH, _HEIGHT, _OPEN_END = 200, 8, 14
_COLUMNS = 40
_LONGEST_NAME = 32

# Colours of the theme; cached input is the colour of input, paler.
_INPUT = "fill:var(--jp-brand-color1,#1976d2)"
_CACHED = _INPUT + ";fill-opacity:.4"
_OUTPUT = "fill:var(--jp-warn-color1,#f57c00)"
_UNKNOWN = "fill:none;stroke:currentColor;stroke-opacity:.55;stroke-dasharray:2 2"

_STYLE = (
    "<style>"
    ".metask-usage table{border-collapse:collapse;margin:0}"
    ".metask-usage th,.metask-usage td{text-align:right;vertical-align:top;padding:.35em .7em;max-width:none;"
    "white-space:normal;word-break:keep-all;font-variant-numeric:tabular-nums}"
    ".metask-usage th:first-child,.metask-usage td:first-child{text-align:left;"
    f"overflow-wrap:anywhere;min-width:{_WIDTH}px}}"
    ".metask-usage tfoot td{font-weight:600;border-top:1px solid var(--jp-border-color1,#8888)}"
    ".metask-usage p{margin:.5em 0}"
    ".metask-usage td svg{display:block;margin-top:.25em}"
    ".metask-usage .key svg{margin-right:.35em;vertical-align:-1px}"
    ".metask-usage .key span{margin-right:1.2em}"
    "</style>"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """Tokens of one row: `cached` is a part of `input`. `open_end`: more was used than is known."""

    input: int
    cached: int
    output: int
    open_end: bool = False

    @property
    def tokens(self) -> int:
        return self.input + self.output

    @property
    def parts(self) -> tuple[int, int, int]:
        """Fresh input, cached input, output. A server may claim more cached than there was: it is cut."""
        cached = min(self.cached, self.input)
        return self.input - cached, cached, self.output


@dataclass(frozen=True, slots=True)
class UsageChart:
    """Rows of a name and figures, with a bar each; `total` is a last row without one.

    Names may be anybody's text: they are escaped.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    bars: tuple[Bar, ...]
    total: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [self.headers, *self.rows, *([self.total] if self.total else [])]
        widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
        headers, *rows = (
            (fit(name, _LONGEST_NAME), *map(rjust, cells, widths[1:])) for name, *cells in lines
        )
        bars = zip((row[0] for row in rows), _to_lines(self.bars), strict=False)
        parts = (
            Table(self.title, headers, tuple(rows)),
            Table("", (), tuple(bars), _key_line(self.bars)),
            "\n".join(self.notes),
        )
        return "\n\n".join(str(part) for part in parts if str(part))

    __repr__ = __str__

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/html": self.to_html(), "text/plain": str(self)}

    def to_html(self) -> str:
        """Return a fragment that stands by itself, with the bars as SVG."""
        longest = max((bar.tokens for bar in self.bars), default=0)
        head = _row(self.headers, "th")
        body = "".join(
            _row(row, "td", _to_svg(bar, longest)) for row, bar in zip(self.rows, self.bars, strict=True)
        )
        foot = f"<tfoot>{_row(self.total, 'td')}</tfoot>" if self.total else ""
        notes = "".join(f"<p><small>{html.escape(note)}</small></p>" for note in self.notes)
        return (
            f'{_STYLE}<div class="metask-usage {UNTYPESET}"><p><strong>{html.escape(self.title)}</strong></p>'
            f"<table><thead>{head}</thead><tbody>{body}</tbody>{foot}</table>{_key(self.bars)}{notes}</div>"
        )


def _row(cells: Sequence[str], tag: str, bar: str = "") -> str:
    name, *figures = map(html.escape, cells)
    unbroken = (figure.replace(" ", "&nbsp;").replace(",&nbsp;", ", ") for figure in figures)
    inner = "".join(f"<{tag}>{figure}</{tag}>" for figure in unbroken)
    return f"<tr><{tag}>{name}{bar}</{tag}>{inner}</tr>"


def _to_svg(bar: Bar, longest: int) -> str:
    """Draw a bar on the scale where `longest` tokens fill the width."""
    scale = (_WIDTH - _OPEN_END) / max(longest, 1)
    parts, x = [], 0.0
    for tokens, style in zip(bar.parts, (_INPUT, _CACHED, _OUTPUT), strict=True):
        parts.append(_rect(x, tokens * scale, style))
        x += tokens * scale
    if bar.open_end:
        parts.append(_rect(x + 1.5, _OPEN_END - 3, _UNKNOWN, inset=1))
    said = _(
        "{input:,} tokens of input, {cached:,} of them cached; {output:,} of output",
        input=bar.input,
        cached=bar.cached,
        output=bar.output,
    )
    return (
        f'<svg role="img" aria-label="{html.escape(said)}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(parts)}</svg>'
    )


def _rect(x: float, length: float, style: str, inset: int = 0) -> str:
    if length <= 0:
        return ""
    y, height = inset, _HEIGHT - 2 * inset
    return f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{height}" style="{style}"/>'


def _key(bars: Sequence[Bar]) -> str:
    inner = "".join(
        f'<span><svg width="12" height="12" aria-hidden="true">'
        f'<rect x="1" y="1" width="10" height="10" style="{style}"/></svg>{html.escape(name)}</span> '
        for name, style in zip(_names(bars), (_INPUT, _CACHED, _OUTPUT, _UNKNOWN), strict=False)
    )
    return f'<p class="key"><small>{inner}</small></p>'


def _to_lines(bars: Sequence[Bar]) -> list[str]:
    scale = _COLUMNS / max([1, *(bar.tokens for bar in bars)])
    return [_to_line(bar, scale) for bar in bars]


def _to_line(bar: Bar, scale: float) -> str:
    """Draw a bar of characters; each edge is rounded by itself, so that errors do not add up."""
    edges = [0, *(round(tokens * scale) for tokens in accumulate(bar.parts))]
    drawn = "".join(sign * (end - start) for sign, start, end in zip("█▒░", edges, edges[1:], strict=False))
    return drawn + ("?" if bar.open_end else "")


def _key_line(bars: Sequence[Bar]) -> str:
    return "   ".join(f"{sign} {name}" for sign, name in zip("█▒░?", _names(bars), strict=False))


def _names(bars: Sequence[Bar]) -> list[str]:
    """Return what the parts of the bars are called, and what is left open where there is such."""
    named = [pgettext("tokens", "input"), pgettext("tokens", "cached input"), pgettext("tokens", "output")]
    return [*named, pgettext("tokens", "not reported")] if any(bar.open_end for bar in bars) else named
