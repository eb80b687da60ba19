"""An option line in words: as a shell would split it, but for JSON, which arrives as it is written."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from io import StringIO

from ..errors import OptionError
from ..language import N_, _
from ..words import narrow
from .full_width import BLANKS

_PARAM_OPTIONS = {"-p", "--param"}
_CLOSE = N_("Close it, or escape it with \\.")

# `KEY=` of a parameter where JSON with quotes or brackets follows; and the same joined to its option.
_KEY = r"""[A-Za-z_][\w.-]*[=＝](?=[\[{"])"""
_BEHIND = re.compile(_KEY)
_JOINED = re.compile(rf"(?:-p|--param[=＝]){_KEY}")

# `“text”`, `--system=“text”`, `topic=“text”`: Chinese quotation marks may stand the wrong way round.
_NAME = r"(?P<name>(?:[-－]{1,2}[^\W\d_][\w－-]*[=＝])?(?:[A-Za-z_][\w.-]*[=＝])?)"
_QUOTED = re.compile(rf"{_NAME}(?:[“”＂](?P<text>.*?)[“”＂]|[‘’＇](?P<said>.*?)[‘’＇])(?=\s|$)")
_NEVER_CLOSED = re.compile(rf"{_NAME}(?:[“”＂][^“”＂]*|[‘’＇][^‘’＇]*)$")
_PARAM = re.compile(r"-p\w|--param=")


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
    found = (_BEHIND if narrow(before) in _PARAM_OPTIONS else _JOINED).match(line, at)
    end = _end_of_json(line, found.end()) if found else None
    if end is not None:
        return line[at:end], end
    if quoted := _QUOTED.match(line, at):
        return _unquoted(quoted, before), quoted.end()
    if _NEVER_CLOSED.match(line, at):
        raise _never_closed()
    return _shell_word(line, at)


def _unquoted(found: re.Match[str], before: str) -> str:
    name, text = found["name"], found["said"] if found["text"] is None else found["text"]
    is_json = narrow(before) in _PARAM_OPTIONS or _PARAM.match(narrow(name))
    return name + (json.dumps(text, ensure_ascii=False) if is_json else text)


def skip_blanks(line: str, at: int) -> int:
    """Return where the next word begins."""
    while at < len(line) and line[at].isspace():
        at += 1
    return at


def _end_of_json(line: str, at: int) -> int | None:
    """Return where the JSON at a place ends; None where there is none that a blank or the end follows."""
    try:
        _value, end = json.JSONDecoder().raw_decode(line, at)
    except (ValueError, RecursionError):
        return None
    return end if end == len(line) or line[end].isspace() else None


def _shell_word(line: str, at: int) -> tuple[str, int]:
    rest = StringIO(line[at:])
    lexer = _lexer(rest)
    try:
        word = lexer.get_token()
    except ValueError as error:
        raise (_never_closed() if "quotation" in str(error) else _escapes_nothing()) from None
    return word or "", at + rest.tell()


def _lexer(text: StringIO) -> shlex.shlex:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = BLANKS, True, ""
    return lexer


def _never_closed() -> OptionError:
    return OptionError(_("The option line has a quotation mark that is never closed."), _(_CLOSE))


def _escapes_nothing() -> OptionError:
    return OptionError(_("The option line has a \\ at its end."), _(_CLOSE))


def words_of_command(line: str) -> list[str]:
    """Return the words of a command of `%metask`, as a shell would split them. Raises `ValueError`."""
    try:
        return list(_lexer(StringIO(line)))
    except ValueError as error:
        said = _("No closing quotation") if "quotation" in str(error) else _("No escaped character")
        raise ValueError(said) from None
