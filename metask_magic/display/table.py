"""A small table that shows itself well in a notebook and in a terminal."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..words import ljust, width
from .record import UNTYPESET

_CODE = re.compile("`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a title; `headers` may be empty. Cells may hold text of a server: it is escaped."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __str__(self) -> str:
        cells = [row for row in (self.headers, *self.rows) if row]
        widths = [max(map(width, column)) for column in zip(*cells, strict=True)] if cells else []
        lines = ["  ".join(map(ljust, row, widths)).rstrip() for row in cells]
        return "\n".join(line for line in (self.title, *lines, self.note) if line)

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self._to_html(), "text/plain": str(self)}

    def _to_html(self) -> str:
        head = f"<thead>{_row(self.headers, 'th')}</thead>" if self.headers else ""
        body = "".join(_row(row, "td") for row in self.rows)
        said = _CODE.sub(r"<code>\1</code>", html.escape(self.note))
        note = f"<p>{said}</p>" if said else ""
        title = f"<p><strong>{html.escape(self.title)}</strong></p>" if self.title else ""
        # A server's text is no mathematics: MathJax would typeset it, links included.
        return f'<div class="{UNTYPESET}">{title}<table>{head}<tbody>{body}</tbody></table>{note}</div>'


def _row(cells: Sequence[str], tag: str) -> str:
    inner = "".join(f'<{tag} style="{_style(cell)}">{html.escape(cell)}</{tag}>' for cell in cells)
    return f"<tr>{inner}</tr>"


def _style(cell: str) -> str:
    style = "text-align:left;white-space:pre-wrap"
    # Lines of its own, indented: a request as JSON.
    return f"{style};font-family:var(--jp-code-font-family,monospace)" if "\n" in cell else style
