"""Words for people: counts, sizes, names to offer, text made fit to show."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from .language import _, current, ngettext, pgettext

LONGEST_QUOTE = 400
NEAREST = 3

# Classes of characters, as they stand between the brackets of an expression.
CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"  # all of ASCII's but the tab and the ends of lines
MORE_CONTROLS = r"\r\x80-\x9f"  # what a terminal obeys beside those
TURNING = r"\u202a-\u202e\u2066-\u2069"  # the direction of writing
UNSEEN = r"\u061c\u200b-\u200f\u2060-\u206f\ufeff\ud800-\udfff"

_UNPRINTABLE = re.compile(rf"\x1b\[[0-9;?]*[ -/]*[@-~]|[{CONTROLS}{MORE_CONTROLS}{TURNING}{UNSEEN}]")

# The end of a quoted sentence, and then that of ours; not of `...`, `..` or a path.
_STOPS = re.compile(
    r"""((?:(?<=[^\s./\\])\.|[!?\u2026\u3002\uff01\uff1f])["'\u201d\u2019)\uff09`]?)(?:\.(?=\s|$)|\u3002)"""
)
_ENDED = re.compile(r"""[.!?:;\u2026\u3002\uff01\uff1f\uff1a\uff1b]["'\u201d\u2019)\uff09`]*$""")
_WIDE_END = re.compile(r"[\u3000-\u303f\uff00-\uffef\u2026\u201d]$")


def shorten(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters, its end replaced by … where it has more."""
    return text if len(text) <= longest else f"{text[: _edge(text, longest - 1)]}…"


def _edge(text: str, at: int) -> int:
    """Return where to cut, at `at` or a little before: no accent is taken off its letter, no emoji apart."""
    if text[: at + 1].isascii():
        return at
    from wcwidth import iter_graphemes

    end = 0
    for character in iter_graphemes(text):
        if end + len(character) > at:
            break
        end += len(character)
    return end or at


def width(text: str) -> int:
    """Return the columns that a line takes in a terminal: Chinese characters and emoji take two."""
    if text.isascii():
        return len(text)
    from wcwidth import width as columns_of

    return columns_of(text, control_codes="ignore")


def ljust(text: str, columns: int) -> str:
    """Return a line with blanks behind it up to so many columns of a terminal."""
    return text + " " * (columns - width(text))


def rjust(text: str, columns: int) -> str:
    """Return a line with blanks before it up to so many columns of a terminal."""
    return " " * (columns - width(text)) + text


def fit(text: str, columns: int) -> str:
    """Return a line of at most so many columns of a terminal, its end replaced by … where it has more."""
    if width(text) <= columns:
        return text
    from wcwidth import iter_graphemes

    kept, left = "", columns - 1
    for character in iter_graphemes(text):
        left -= width(character)
        if left < 0:
            break
        kept += character
    return f"{kept}…"


def narrow(text: str) -> str:
    """Return a text with plain letters, digits and signs in place of full-width ones."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def plain(text: object) -> str:
    """Text of a stranger, made fit to show: one line, printable, of a readable length."""
    return shorten(" ".join(_UNPRINTABLE.sub("", str(text)).split()), LONGEST_QUOTE)


def one_stop(text: str) -> str:
    """Return a text in which no full stop follows another end of a sentence, as behind a quotation."""
    return _STOPS.sub(r"\1", text)


def sentences(*said: str) -> str:
    """Return sentences one after the other; a Chinese one ends in a mark that brings its own space."""
    text = ""
    for each in filter(None, said):
        if text and _WIDE_END.search(each) and not _ENDED.search(text):
            text += "。"  # a server's word, which had no stop
        text += each if not text or _WIDE_END.search(text) else f" {each}"
    return one_stop(text)


def all_of(names: Iterable[str]) -> str:
    """Return `a and b` in the current language."""
    return pgettext("between two names", " and ").join(names)


def any_of(names: Iterable[str]) -> str:
    """Return `a or b` in the current language."""
    return pgettext("between two names", " or ").join(names)


def listed(names: Iterable[str]) -> str:
    """Return `a, b, c` in the current language."""
    return ("、" if current() == "zh" else ", ").join(names)


def clauses(parts: Iterable[str]) -> str:
    """Return `a; b; c` in the current language, for parts that have commas of their own."""
    return ("；" if current() == "zh" else "; ").join(parts)


def counted(number: int, noun: str) -> str:
    """A number of things in English, as a model reads it: `1 turn`, `2 turns`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """A number of bytes for people."""
    if number < 1000:
        return ngettext("{count} byte", "{count} bytes", number)
    return f"{number / 1e3:,.0f} kB" if number < 999_500 else f"{number / 1e6:,.1f} MB"


def nearest(name: str, candidates: Iterable[str]) -> list[str]:
    """Return up to three names like `name`: those it is a part of first, then those spelt alike.

    Letters in full width, as Chinese input methods write them, are those of the alphabet.
    """
    wanted = narrow(name).lower()
    names = list(candidates)
    within = sorted((n for n in names if wanted and wanted in n.lower()), key=len)
    lower = {n.lower(): n for n in reversed(names)}
    alike = [lower[n] for n in difflib.get_close_matches(wanted, lower, NEAREST, 0.5)]
    return list(dict.fromkeys(within + alike))[:NEAREST]


def did_you_mean(names: Sequence[str]) -> str:
    """Return a question that offers names, or nothing where there are none."""
    return _("Did you mean {names}?", names=any_of(map(plain, names))) if names else ""
