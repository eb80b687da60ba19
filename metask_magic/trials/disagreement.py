"""The rows on which the models of a trial differ most, their answers side by side."""

from __future__ import annotations

import html
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

from ..display.comparison import as_text
from ..display.record import UNTYPESET
from ..display.table import Table
from ..language import _, pgettext
from ..table.rows import Row
from ..words import plain, shorten
from .answer import Answer
from .comparing import canonical

LONGEST = 300
_STYLE = (
    "text-align:left;vertical-align:top;white-space:pre-wrap;overflow-wrap:break-word;"
    "min-width:3em;max-width:24em"
)


@dataclass(frozen=True, slots=True)
class Disagreements:
    """Rows of a table with each model's answer, those on which they differ most first; it shows itself.

    Attributes
    ----------
    rows
        Their positions in the table.
    table
        They as a table of its kind, with a column of answers for each model.

    """

    rows: tuple[int, ...]
    table: Any
    _headers: tuple[str, ...]
    _lines: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        lines = (tuple(" · ".join(cell.splitlines()) for cell in line) for line in self._lines)
        return str(Table(self._title, self._headers if self.rows else (), tuple(lines)))

    __repr__ = __str__

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/html": self.to_html(), "text/plain": str(self)}

    def to_html(self) -> str:
        """Return the table as a fragment of HTML."""
        head = "".join(f'<th style="{_STYLE}">{html.escape(cell)}</th>' for cell in self._headers)
        body = "".join(
            "<tr>" + "".join(f'<td style="{_STYLE}">{html.escape(cell)}</td>' for cell in line) + "</tr>"
            for line in self._lines
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if self.rows else ""
        return f'<div class="{UNTYPESET}"><p><strong>{html.escape(self._title)}</strong></p>{table}</div>'

    def to_markdown(self) -> str:
        """Return the table as GitHub's Markdown."""
        if not self.rows:
            return self._title
        ruler = ("---",) * len(self._headers)
        told = [tuple(map(_quoted, line)) for line in (self._headers, *self._lines)]
        return "\n".join(f"| {' | '.join(line)} |" for line in (told[0], ruler, *told[1:]))

    @property
    def _title(self) -> str:
        if not self.rows:
            return _("The models differ in no row.")
        if len(self.rows) == 1:
            return _("One row")
        return _("{number} rows on which the models differ most", number=len(self.rows))


def find_disagreements(
    answers: Sequence[Answer], rows: Sequence[Row], models: Sequence[str], most: int, join: Any
) -> Disagreements:
    """Return at most so many rows; `join` makes a table of positions and columns."""
    by_row: defaultdict[int, defaultdict[str, list[Answer]]] = defaultdict(lambda: defaultdict(list))
    for answer in answers:
        if answer.outcome in ("answered", "unusable"):
            by_row[answer.row][answer.model].append(answer)
    spread = {row: _spread(own) for row, own in by_row.items()}
    found = sorted(
        (row for row in spread if spread[row] > (0.0, 0.0)), key=lambda row: spread[row], reverse=True
    )
    chosen = tuple(found[:most])
    shown = {model: [_shown(by_row[row][model]) for row in chosen] for model in models}
    return Disagreements(
        chosen,
        join(chosen, shown),
        (pgettext("column of a table", "row"), "", *models),
        tuple(
            (f"{row:,}", _row_in_words(rows[row]), *(shown[model][at] for model in models))
            for at, row in enumerate(chosen)
        ),
    )


def _spread(own: Mapping[str, Sequence[Answer]]) -> tuple[float, float]:
    """Return how far the scores of two models lie apart on average, and how often two differ in words."""
    scores = [
        fmean(graded)
        for answers in own.values()
        if (graded := [answer.grade.score for answer in answers if answer.grade.score is not None])
    ]
    said = [{canonical(answer.said) for answer in answers} for answers in own.values()]
    apart = [abs(one - other) for one, other in combinations(scores, 2)]
    different = [one != other for one, other in combinations(said, 2)]
    return (fmean(apart) if apart else 0.0), (fmean(different) if different else 0.0)


def _quoted(words: str) -> str:
    """Return words as Markdown, and nobody is called to a pull request by a model's."""
    return as_text(words).replace("@", "@\N{WORD JOINER}")


def _shown(answers: Sequence[Answer]) -> str:
    """Return what a model said of a row, each answer once, with its score."""
    said = Counter(_answer_in_words(answer) for answer in answers)
    return "\n".join(words if count == 1 else f"{words} (×{count})" for words, count in said.items())


def _answer_in_words(answer: Answer) -> str:
    if answer.outcome == "unusable":
        words = f"[{answer.error}]"
    elif set(answer.said) == {"reply"}:
        words = "\n".join(map(plain, answer.text.splitlines()))  # a terminal obeys what is not printable
    else:
        words = json.dumps(dict(answer.said), ensure_ascii=False, default=str)
    score = answer.grade.score
    mark = "" if score is None else "✓ " if score == 1 else "✗ " if score == 0 else f"{score:.2f} "
    return mark + shorten(words.strip(), LONGEST)


def _row_in_words(row: Row) -> str:
    return "\n".join(f"{name}: {shorten(plain(value), LONGEST)}" for name, value in row.items())
