"""Looking through an output area for what text of a model must never become.

What is allowed is listed, not what is forbidden: an element nobody thought of counts as harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .notebook import NotebookPage

_ALLOWED = (
    "p br hr div blockquote a em strong b i s del h1 h2 h3 h4 h5 h6 ul ol li code pre span table thead tbody "
    "tr th td section header footer bdi details summary button input style img figure"
)

_HERE = Path(__file__).parent
_AUDIT = (_HERE / "audit.js").read_text(encoding="utf-8")
_CLICK_ALL = (_HERE / "click_all.js").read_text(encoding="utf-8")


def audit(notebook: NotebookPage, places: Sequence[Sequence[str]] = ()) -> str:
    """Return what is wrong with any output, a line each; `places` names the outputs of each cell."""
    found: list[str] = notebook.page.evaluate(_AUDIT, [_ALLOWED, [list(names) for names in places]])
    return "\n".join(found)


def click_all(notebook: NotebookPage) -> int:
    """Click everything in the outputs that may react, without leaving the page; returns how many."""
    count: int = notebook.page.evaluate(_CLICK_ALL)
    return count
