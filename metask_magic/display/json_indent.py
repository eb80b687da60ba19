"""JSON that is still being written, indented as it grows.

Models that are held to a schema write all of it on one line, which nobody can read while it comes.
"""

from __future__ import annotations

import re

INDENT = "  "

_BLANK = " \t\r\n"
# What stands between quotes, up to one that is not escaped; the escape may be cut off at the end.
_IN_STRING = re.compile(r'[^"\\]+')
_OUTSIDE = re.compile(r"[^\s\"\[\]{},:]+")


class JsonIndenter:
    """Lays JSON out two spaces a level, piece by piece; what it gave is never taken back.

    Only blanks between values are changed: strings and numbers stay as they were written, and so does text
    before and behind the value. What is no JSON comes through with its blanks run together.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._just_opened = False
        self._blank_before = False
        self._last = ""

    def feed(self, text: str) -> str:
        """Return the next piece, indented; an opening bracket's line ends when its first value comes."""
        out: list[str] = []
        at = 0
        while at < len(text):
            if self._in_string:
                piece = self._read_string(text, at)
                out.append(piece)
            else:
                piece = self._read_outside(text, at, out)
            at += len(piece)
        return "".join(out)

    def _read_string(self, text: str, at: int) -> str:
        if self._escaped:
            self._escaped = False
            return text[at]
        if run := _IN_STRING.match(text, at):
            return run[0]
        if text[at] == "\\":
            self._escaped = True
        else:
            self._in_string = False
        return text[at]

    def _read_outside(self, text: str, at: int, out: list[str]) -> str:
        run = _OUTSIDE.match(text, at)
        mark = run[0] if run else text[at]
        if mark in _BLANK and self._depth:
            self._blank_before = True
            return mark
        out.append(self._before(mark) + mark)
        if mark in _BLANK:
            return mark
        self._in_string = mark == '"'
        if mark in "[{":
            self._depth += 1
            self._just_opened = True
        self._last = mark
        self._blank_before = False
        return mark

    def _before(self, mark: str) -> str:
        """What to put before a mark: a line's end, a blank, or nothing."""
        opened, self._just_opened = self._just_opened, False
        if mark in "]}":
            self._depth = max(0, self._depth - 1)
            return "" if opened else self._new_line()
        if opened or (self._last == "," and self._depth):
            return self._new_line()
        if self._last == ":" and self._depth:
            return " "
        # `1 2` is no JSON, but must not become 12.
        return " " if self._blank_before and mark not in ",:" else ""

    def _new_line(self) -> str:
        return "\n" + INDENT * self._depth


def indented(text: str) -> str:
    """Return JSON laid out two spaces a level."""
    return JsonIndenter().feed(text)
