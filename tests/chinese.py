"""What is left in English of an error in Chinese."""

from __future__ import annotations

from metask_magic.errors import MetaskError

from .english import english_sentences


def left_in_english(error: MetaskError) -> list[str]:
    """Return the English sentences of ours in it; the words of the error that it tells of are not ours."""
    text, told = str(error), error.__context__
    while told is not None:
        words = {str(told), *str(told).splitlines()[:1], str(getattr(told, "strerror", "") or "")}
        for each in sorted(filter(None, words), key=len, reverse=True):
            text = text.replace(each, "¦")
        told = told.__context__
    return english_sentences(text)
