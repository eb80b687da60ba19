"""A trial as Markdown, for a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..display.comparison import as_text
from ..language import _

if TYPE_CHECKING:
    from .trial import Trial


def to_markdown(trial: Trial, disagreements: int) -> str:
    """Return the leaderboard, the rows on which the models differ most, and what was asked."""
    parts = [f"## {as_text(trial.title)}", trial.leaderboard.to_markdown()]
    if disagreements > 0 and len(trial.models) > 1:
        differ = _("Where they differ most")
        parts += [f"### {differ}", trial.disagreements(disagreements).to_markdown()]
    parts += [_folded(_("The prompt"), _asked(trial))]
    return "\n\n".join(parts) + "\n"


def _asked(trial: Trial) -> str:
    facts = trial.facts
    system = _("(system) {text}", text=facts.system) if facts.system else ""
    return "\n\n".join(filter(None, [system, facts.prompt]))


def _folded(title: str, text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"<details><summary>{title}</summary>\n\n{fence}text\n{text}\n{fence}\n\n</details>"
