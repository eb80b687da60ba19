"""Several replies as one Markdown document: a section for each model, and a table of how they went."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..language import _, pgettext
from ..messages.record import Record


def to_comparison(sections: Sequence[tuple[Record, str]]) -> str:
    """Return the document; each record comes with its text as Markdown, which reaches into no other."""
    told = [
        part
        for record, text in sections
        for part in (to_heading(record), closed(text), to_ending(record, bool(text)))
    ]
    return "\n\n".join(filter(None, [*told, to_table([record for record, _text in sections])]))


def to_heading(record: Record) -> str:
    """Return the line that stands above a reply."""
    return f"### {as_text(record.model)}"


def to_ending(record: Record, has_text: bool) -> str:
    """Return what is said below a reply: what failed, why it is not whole, that nothing came; or nothing."""
    said = [to_notice(words) for words in (record.failure or record.notice, record.note) if words]
    nothing = _("(nothing came)")
    return "\n\n".join(said) or ("" if has_text else f"*{nothing}*")


def to_notice(words: str) -> str:
    """Return what is said of a reply as Markdown that cannot be taken for a part of it."""
    return f"> {as_text(words)}"


def to_table(records: Sequence[Record]) -> str:
    """Return the table of times, tokens, and how each ended."""
    head = header()
    rows = [head, ("---",) * len(head), *(tuple(map(as_text, facts(record))) for record in records)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def header() -> tuple[str, ...]:
    """Return what stands above the columns of `facts`."""
    return (
        pgettext("column of a table", "model"),
        pgettext("column of a table", "first token"),
        pgettext("column of a table", "total"),
        pgettext("column of a table", "tokens"),
        pgettext("column of a table", "finish reason"),
    )


def facts(record: Record) -> tuple[str, ...]:
    """Return a record's row of the table, as plain text; what is not known is `?`."""
    tokens = record.usage.completion_tokens if record.usage else None
    return (
        record.model,
        _seconds(record.first_token_after),
        _seconds(record.elapsed),
        "?" if tokens is None else f"{tokens:,}",
        record.ending or record.finish_reason,
    )


def as_text(words: str) -> str:
    """Return words as one line of Markdown in which no character means anything."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$]|&(?=#?\w+;))", r"\\\1", " ".join(words.split()))


def closed(text: str) -> str:
    """Close a code fence that a reply left open: it would swallow what comes after it."""
    if "```" not in text and "~~~" not in text:
        return text
    from markdown_it import MarkdownIt

    # What may be raw HTML is rendered with HTML off, so that it swallows nothing. Blocks alone matter here.
    blocks = MarkdownIt("commonmark", {"html": False}).disable("inline")
    tokens = blocks.parse(f"{text}\n\n# end")
    last = tokens[-1]
    return f"{text}\n{last.markup}" if last.type == "fence" else text


def _seconds(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds:.2f} s"
