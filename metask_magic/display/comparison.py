"""Several replies as one Markdown document: a section for each model, and a table of how they went."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..chat.messages import Record

_HEADER = ("model", "first token", "total", "tokens", "finish reason")


def to_comparison(sections: Sequence[tuple[Record, str]]) -> str:
    """Return the document; each record comes with its text as Markdown."""
    told = [f"### {as_text(record.model)}\n\n{_section(record, text)}" for record, text in sections]
    return "\n\n".join([*told, _table([record for record, _ in sections])])


def as_text(words: str) -> str:
    """Return words as one line of Markdown in which no character means anything."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$])", r"\\\1", " ".join(words.split()))


def closed(text: str) -> str:
    """Close a code fence that a reply left open: it would swallow what comes after it."""
    from markdown_it import MarkdownIt

    heading = f"{text}\n\n# end"
    tokens = MarkdownIt().parse(heading)
    if tokens and tokens[-1].type == "heading_close":
        return text
    fence = next((token for token in reversed(tokens) if token.type == "fence"), None)
    return text if fence is None else f"{text}\n{fence.markup}"


def _section(record: Record, text: str) -> str:
    ended = [f"> {as_text(said)}" for said in (record.failure, record.note) if said]
    return "\n\n".join([*([closed(text)] if text else []), *ended]) or "*(nothing came)*"


def _table(records: Sequence[Record]) -> str:
    rows = [_HEADER, ("---",) * len(_HEADER), *map(_row, records)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(record: Record) -> tuple[str, ...]:
    tokens = record.usage.completion_tokens if record.usage else None
    return (
        as_text(record.model),
        _seconds(record.first_token_after),
        _seconds(record.elapsed),
        "?" if tokens is None else f"{tokens:,}",
        as_text(record.finish_reason),
    )


def _seconds(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds:.2f} s"
