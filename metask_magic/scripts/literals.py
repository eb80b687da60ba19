r"""JSON values as source text: literals of Python, JavaScript and JSON itself, exact and laid out to be read.

What a reader could not see (control characters, marks that turn the direction of text, odd spaces) or an
editor would take away (blanks at the end of a line) is escaped; so is every half of a surrogate pair, and
any text can be written in UTF-8.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 88  # columns of a line
LONGEST_INLINE = 60  # characters of a string within a line of code

_UNUSUAL = re.compile(r"[^ -~]")
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a constant, where a long string would stand."""

    text: str


@dataclass(frozen=True, slots=True)
class Notation:
    """How one language writes values.

    `text` writes a string on one line, or on several where the language has no constants to set it apart;
    `key` a name before its value; `padding` stands inside the braces of an object on one line, `last` after
    the last item of one on several lines.
    """

    indent: int
    words: tuple[str, str, str]  # null, false, true
    text: Callable[[str], str]
    key: Callable[[str], str]
    padding: str = ""
    last: str = ","

    def lay_out(self, value: Any, indent: int, used: int) -> str:
        """Write a value: on one line where it fits behind the `used` columns, else an item a line."""
        flat = self._flat(value)
        if not isinstance(value, list | dict) or not value:
            return flat
        if "\n" not in flat and used + _columns(flat) + 1 <= WIDTH:
            return flat
        return self.explode(value, indent)

    def explode(self, value: list[Any] | dict[str, Any], indent: int) -> str:
        """Write a list or an object with an item a line; `indent` is that of the line it begins in."""
        inner = indent + self.indent
        items = [f"{' ' * inner}{item}" for item in self._iter_items(value, inner)]
        begin, end = "[]" if isinstance(value, list) else "{}"
        return "\n".join([begin, ",\n".join(items) + self.last, " " * indent + end])

    def _iter_items(self, value: list[Any] | dict[str, Any], indent: int) -> Iterator[str]:
        if isinstance(value, list):
            yield from (self.lay_out(item, indent, indent) for item in value)
            return
        for name, item in value.items():
            key = f"{self.key(name)}: "
            yield key + self.lay_out(item, indent, indent + _columns(key))

    def _flat(self, value: Any) -> str:
        match value:
            case list():
                return f"[{', '.join(map(self._flat, value))}]"
            case dict() if value:
                items = ", ".join(f"{self.key(name)}: {self._flat(item)}" for name, item in value.items())
                return f"{{{self.padding}{items}{self.padding}}}"
            case dict():
                return "{}"
            case None | False | True:
                return self.words[0 if value is None else 1 + value]
            case str():
                return self.text(value)
            case Name(text):
                return text
            case _:
                return repr(value)


def _columns(text: str) -> int:
    """Count the columns a text takes: a wide character takes two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def is_long(text: str) -> bool:
    """Tell whether a string is to be set apart from the line it would stand in."""
    return len(text) > LONGEST_INLINE or "\n" in text.strip()


# -- strings ----------------------------------------------------------------------------------------------


def python_text(text: str) -> str:
    """Write a string of Python, on one line."""
    return _quoted(text, _python_escape)


def javascript_text(text: str) -> str:
    """Write a string of JavaScript, on one line."""
    return _quoted(text, _javascript_escape)


def python_block(text: str) -> str:
    r"""Write a string of Python over several lines; where a line of it is too long, a `\` carries it on."""
    body, end = (text[:-1], r"\"") if text.endswith('"') else (text, "")
    block = _block(body, _python_escape).replace('"""', r"\"\"\"")
    return f'"""\\\n{block}{end}"""'


def javascript_block(text: str) -> str:
    r"""Write a template literal of JavaScript; where a line of it is too long, a `\` carries it on."""
    block = _block(text, _javascript_escape).replace("`", r"\`").replace("${", r"\${")
    return f"`\\\n{block}`"


def json_text(text: str) -> str:
    """Write a string of JSON. A long one goes on from line to line: whoever reads it joins the lines."""
    if not is_long(text):
        return f'"{_json_escaped(text)}"'
    lines = [piece for line in _iter_lines(text) for piece in _wrapped(line, after_blank=False)]
    return '"' + "\n".join(_without_end_blank(_json_escaped(line), r"\u0020") for line in lines) + '"'


def _quoted(text: str, escape: Callable[[int], str]) -> str:
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + _escaped(text, escape).replace(quote, f"\\{quote}") + quote


def _block(text: str, escape: Callable[[int], str]) -> str:
    lines = []
    for line in text.split("\n"):
        pieces = [_escaped(piece, escape) for piece in _wrapped(line, after_blank=True)]
        lines.append("\\\n".join(pieces))
    return "\n".join([*(_without_end_blank(line, r"\x20") for line in lines[:-1]), lines[-1]])


def _iter_lines(text: str) -> Iterator[str]:
    """Yield the lines with their ends."""
    *whole, last = text.split("\n")
    yield from (f"{line}\n" for line in whole)
    if last:
        yield last


def _wrapped(line: str, *, after_blank: bool) -> Sequence[str]:
    """Cut a line into pieces that fit, after or before a blank where there is one."""
    pieces = []
    at, room = 0, WIDTH - 1
    while len(line) - at > room:
        blank = line.rfind(" ", at + 1, at + room)
        end = at + room if blank < 0 else blank + after_blank
        pieces.append(line[at:end])
        at = end
    return [*pieces, line[at:]]


def _escaped(text: str, escape: Callable[[int], str]) -> str:
    def visible(found: re.Match[str]) -> str:
        character = found[0]
        return character if character.isprintable() else _SHORT.get(character) or escape(ord(character))

    return _UNUSUAL.sub(visible, text.replace("\\", r"\\"))


def _json_escaped(text: str) -> str:
    return _escaped(text, _json_escape).replace('"', r"\"")


def _without_end_blank(line: str, blank: str) -> str:
    return line[:-1] + blank if line.endswith(" ") else line


def _python_escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _javascript_escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\u{{{code:x}}}"


def _json_escape(code: int) -> str:
    return json.dumps(chr(code))[1:-1] if code > 0x7F else f"\\u{code:04x}"


def _javascript_key(name: str) -> str:
    if name == "__proto__":
        return '["__proto__"]'  # without the brackets it would set the object's prototype
    return name if _IDENTIFIER.fullmatch(name) else javascript_text(name)


PYTHON = Notation(4, ("None", "False", "True"), python_text, python_text)
JAVASCRIPT = Notation(2, ("null", "false", "true"), javascript_text, _javascript_key, padding=" ")
JSON_TEXT = Notation(2, ("null", "false", "true"), json_text, json_text, last="")
