"""An option line in words: as a shell would split it, but for JSON, which arrives as it is written."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from io import StringIO

from ..errors import OptionError

_PARAM_OPTIONS = {"-p", "--param"}

# `KEY=` of a parameter where JSON with quotes or brackets follows; and the same joined to its option.
_KEY = r"""[A-Za-z_][\w.-]*=(?=[\[{"])"""
_BEHIND = re.compile(_KEY)
_JOINED = re.compile(rf"(?:-p|--param=){_KEY}")


def iter_words(line: str) -> Iterator[str]:
    """Yield the words of a cell magic's line. A `#` that begins a word begins a comment.

    Raises
    ------
    OptionError
        A quotation mark is never closed.

    """
    at, before = skip_blanks(line, 0), ""
    while at < len(line) and line[at] != "#":
        before, at = read_word(line, at, before)
        yield before
        at = skip_blanks(line, at)


def read_word(line: str, at: int, before: str = "") -> tuple[str, int]:
    """Return the word at a place and where it ends, given the word before it. Raises `OptionError`."""
    found = (_BEHIND if before in _PARAM_OPTIONS else _JOINED).match(line, at)
    end = _end_of_json(line, found.end()) if found else None
    return _shell_word(line, at) if end is None else (line[at:end], end)


def skip_blanks(line: str, at: int) -> int:
    """Return where the next word begins."""
    while at < len(line) and line[at].isspace():
        at += 1
    return at


def _end_of_json(line: str, at: int) -> int | None:
    """Return where the JSON at a place ends; None where there is none that a blank or the end follows."""
    try:
        _, end = json.JSONDecoder().raw_decode(line, at)
    except (ValueError, RecursionError):
        return None
    return end if end == len(line) or line[end].isspace() else None


def _shell_word(line: str, at: int) -> tuple[str, int]:
    rest = StringIO(line[at:])
    lexer = shlex.shlex(rest, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        word = lexer.get_token()
    except ValueError as error:
        quoted = "quotation" in str(error)
        what = "a quotation mark that is never closed" if quoted else "a \\ at its end"
        raise OptionError(f"The option line has {what}.", "Close it, or escape it with \\.") from None
    return word or "", at + rest.tell()
