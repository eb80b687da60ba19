"""What a record says beside the reply where the user wants it: who answered, and the reasoning, folded."""

from __future__ import annotations

from dataclasses import dataclass

from ..language import _
from ..messages.record import Record
from .comparison import as_text, closed


@dataclass(frozen=True, slots=True)
class Extras:
    """What records have besides: the settings `Metask.byline` and `Metask.keep_reasoning`."""

    byline: bool = False
    reasoning: bool = False

    def to_byline(self, record: Record) -> str:
        """Return the line below a reply, as Markdown: the model, and the seconds the reply took."""
        if not self.byline:
            return ""
        took = "" if record.elapsed is None else f" · {record.elapsed:.1f} s"
        return f"*{as_text(record.model)}{took}*"

    def reasoning_of(self, record: Record) -> str:
        """Return the reasoning that is kept above a reply."""
        return record.reasoning if self.reasoning and record.reasoning.strip() else ""


NONE = Extras()


def fold(body: str) -> str:
    """Return HTML folded away below its heading."""
    heading = _("Reasoning")
    return f"<details><summary>{heading}</summary>{body}</details>"


def fold_markdown(reasoning: str) -> str:
    """Return harmless Markdown folded away; readers that know no `details` show it as it is."""
    return fold(f"\n\n{closed(reasoning.strip())}\n\n")
