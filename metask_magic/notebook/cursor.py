"""Where the cursor stands in a cell: what of `%metask` it could complete.

Cells are read up to the cursor, unfinished as they are; what no parser could take is read all the same.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

Kind = Literal["start", "model", "flag", "value", "argument", "name", "attribute", "filter", "text"]

_CELL_MAGIC = re.compile(r"\s*[%％]{2}metask(?=\s)")
_LINE_MAGIC = re.compile(r"(?:[^%=]*[^%=!<>]=)?\s*[%％]metask\s")
# Chinese quotation marks where a word begins or ends.
_DOUBLE = re.compile(r"(?<![^\s=＝])[“”＂]|[“”＂](?!\S)")
_SINGLE = re.compile(r"(?<![^\s=＝])[‘’＇]|[‘’＇](?!\S)")
_BEFORE_VALUE = re.compile(r"""(?:--[A-Za-z][\w-]*=)?(["'])?""")

_OPENING = re.compile(r"\{\{|\{%[-+]?\s*(?:for|if|elif|set|with|call|filter)\b")
_LITERAL = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_TAIL = re.compile(r"(?P<pipe>\|\s*)?(?P<path>(?:[^\W\d]\w*\s*\.\s*)*)(?P<typed>(?:[^\W\d]\w*)?)$")
_LONGEST_EXPRESSION = 1_000  # characters; a longer one was hardly opened on purpose

ASKING_COMMANDS = ("explain",)  # after these an option line goes on as without them


@dataclass(frozen=True, slots=True)
class Place:
    """What can be completed.

    `start` is a command or a model; `value` that of the option whose name in `CellOptions` stands in
    `context`; `argument` that of the command in `context`, which has its earlier arguments too; `attribute`
    one of the dotted name in `context`; `text` is the prompt's own, where nothing can.

    `typed` is what stands before the cursor and would be replaced, `fragment` what it means without quotes.
    `table` is what the cell's line names with `--map`.
    """

    kind: Kind
    typed: str = ""
    context: tuple[str, ...] = ()
    quote: str = ""
    table: str = ""

    @property
    def fragment(self) -> str:
        return self.typed if self.quote else re.sub(r"\\(.)", r"\1", self.typed)


def find_place(
    text: str, cursor: int, options: Mapping[str, argparse.Action], commands: Collection[str]
) -> Place | None:
    """Return where the cursor stands, or None where `%metask` has no say.

    Parameters
    ----------
    text
        The whole cell.
    cursor
        The cursor, in code points from its start.
    options
        The options by their flags.
    commands
        The one-word commands.

    """
    before = text[:cursor]
    if magic := _CELL_MAGIC.match(text):
        rest = before[magic.end() :]
        line, newline, body = rest.partition("\n")
        after = "" if newline else text[cursor:].partition("\n")[0]
        table = _table_in(line, options) or _table_in(after, options)
        if newline:
            place = (None if _is_raw(line) else _in_expression(body)) or Place("text")
            return replace(place, table=table)
        return replace(_in_line(line, options, (), one_line=False), table=table) if rest else None
    line = before.rpartition("\n")[2]
    if magic := _LINE_MAGIC.match(line):
        return _in_line(line[magic.end() :], options, commands, one_line=True)
    return None


def _in_line(
    line: str, options: Mapping[str, argparse.Action], commands: Collection[str], *, one_line: bool
) -> Place:
    if not _is_raw(line) and (place := _in_expression(line)):
        return place
    words, last, quote = _read(_plainly_quoted(line))
    typed = last[_end_of(_BEFORE_VALUE, last) :]
    if words and words[0] in commands:
        if words[0] in ASKING_COMMANDS:
            return _in_line(line.lstrip().removeprefix(words[0]), options, (), one_line=True)
        return Place("argument", typed, tuple(words), quote)
    pending, models = _walk(words, options)
    if one_line and models > 1:
        return Place("text")
    if pending is not None:
        return Place("value", typed, (pending.dest,), quote)
    if last.startswith("-"):
        return _in_flag(last, typed, quote, options)
    if models and one_line:
        return Place("text")
    return Place("start" if commands and not words else "model", typed, (), quote)


def _walk(words: list[str], options: Mapping[str, argparse.Action]) -> tuple[argparse.Action | None, int]:
    """Return the option whose value comes next, if one does, and how many words belong to none."""
    pending: argparse.Action | None = None
    positional = 0
    for word in words:
        if pending is not None:
            pending = None
        elif _is_flag(word):
            action = options.get(word)
            pending = action if action is not None and action.nargs != 0 else None
        else:
            positional += 1
    return pending, positional


def _table_in(line: str, options: Mapping[str, argparse.Action]) -> str:
    """Return what a line, or a part of it, names with `--map`."""
    words, _last, _quote = _read(f"{_plainly_quoted(line)} ")
    for word, following in pairwise([*words, ""]):
        flag, equals, value = word.partition("=")
        if flag in options and options[flag].dest == "map":
            return value if equals else following
    return ""


def _in_flag(last: str, typed: str, quote: str, options: Mapping[str, argparse.Action]) -> Place:
    flag, equals, _ = last.partition("=")
    if not equals:
        return Place("flag", last)
    action = options.get(flag)
    return Place("value", typed, (action.dest,), quote) if action and action.nargs != 0 else Place("text")


def _in_expression(text: str) -> Place | None:
    """Return the place in a template's `{{ … }}`, or None outside."""
    text = text[-_LONGEST_EXPRESSION:]
    openings = [found.end() for found in _OPENING.finditer(text)]
    if not openings:
        return None
    inside = text[openings[-1] :]
    if "}}" in inside or "%}" in inside:
        return None
    inside = _LITERAL.sub("''", inside)
    tail = _TAIL.search(inside)
    strings_open = inside.replace("''", "")
    before = inside[: tail.start()] if tail else ""
    if tail is None or "'" in strings_open or '"' in strings_open:
        return Place("text")
    path = tuple(re.findall(r"\w+", tail["path"]))
    if tail["pipe"]:
        return Place("text") if path else Place("filter", tail["typed"])
    if re.search(r"[\w.)\]']$", before):  # of a call, an item, a number: its value is not known
        return Place("text")
    return Place("attribute", tail["typed"], path) if path else Place("name", tail["typed"])


def _plainly_quoted(line: str) -> str:
    return _SINGLE.sub("'", _DOUBLE.sub('"', line))


def _read(line: str) -> tuple[list[str], str, str]:
    """Return the words that are finished, the last one as it stands, and the quote open in it."""
    words: list[str] = []
    word, began, quote, escaped = "", -1, "", False
    for at, letter in enumerate(line):
        if began < 0 and not letter.isspace():
            began = at
        if escaped:
            word, escaped = word + letter, False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif quote or letter in "'\"":
            word += "" if letter == (quote or letter) else letter
            quote = "" if letter == quote else quote or letter
        elif not letter.isspace():
            word += letter
        elif began >= 0:
            words.append(word)
            word, began = "", -1
    return words, line[began:] if began >= 0 else "", quote


def _is_flag(word: str) -> bool:
    return re.match(r"--?[A-Za-z]", word) is not None


def _is_raw(line: str) -> bool:
    return re.search(r"(?<!\S)--raw(?!\S)", line) is not None


def _end_of(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0
