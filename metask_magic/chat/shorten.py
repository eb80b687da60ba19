"""Text that has only so much room."""

from __future__ import annotations


def shorten(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters, its end replaced by … where it has more."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
