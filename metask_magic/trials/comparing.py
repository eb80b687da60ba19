"""Whether an answer is the one that was expected: text, numbers, truth values and sets, after normalising."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from numbers import Real
from typing import Any, Literal

from ..schemas.json_text import find_json

Kind = Literal["text", "number", "truth value", "set"]
"""What an expected value can be."""

_AROUND = " \t\n\r.,;:!?\"'`*_~()[]{}<>«»“”‘’„‚。，；：！？、"
_NUMBER = re.compile(
    r"(?<![\w.,])[-+\N{MINUS SIGN}]?(?:\d{1,3}(?:[, \u00a0\u202f]\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?"
)
_MARKS = re.compile(r"[,;\n、，；]")
_MARKS_AND_WORDS = re.compile(r"[,;\n、，；]|(?<=\s)(?:and|or|&|und|oder|et|y)(?=\s)")
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+", re.MULTILINE)
_BEGINS = re.compile(r"(\w+)\s*(?:[,.;:!\n\u2014-]|$)")
_TRUTH = {"yes": True, "true": True, "correct": True, "no": False, "false": False, "incorrect": False}
_ALMOST = 1e-9  # 0.1 + 0.2 is 0.3


def kind_of(value: Any) -> Kind | None:
    """Return what an expected value is; None where answers cannot be compared with it."""
    value = plain_value(value)
    if isinstance(value, bool):
        return "truth value"
    if isinstance(value, Real | Decimal):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, set | frozenset | list | tuple):
        inner = {kind_of(item) for item in value}
        return "set" if inner <= {"text", "number", "truth value"} else None
    return None


def plain_value(value: Any) -> Any:
    """Return a value of a table's own kind as Python's: numpy's numbers and arrays, dates as ISO text."""
    if isinstance(value, Enum):
        return plain_value(value.value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if type(value).__module__ == "numpy":
        return value.tolist()
    if type(value).__module__.startswith(("polars", "pyarrow")):
        return value.to_list() if hasattr(value, "to_list") else value
    return value


def normalized(text: str) -> str:
    """Return a text as it is compared: without case, marks around it, and blanks that say nothing."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.strip(_AROUND) or folded  # `:)` is all marks


def matches(expected: Any, answer: Any, tolerance: float = 0.0) -> bool:
    """Whether an answer is as expected.

    `answer` is a reply's text, or a value of its JSON. In a text, a number is looked for where a number is
    expected (where there are several, none counts), and a set is its items, a line or a comma apart. An
    answer that is one value by its schema is right if it is in an expected set.
    """
    expected = plain_value(expected)
    match kind_of(expected):
        case "truth value":
            return _truth(answer) is expected
        case "number":
            return _is_close(_number(answer), float(expected), tolerance)
        case "set":
            return _matches_set(expected, answer, tolerance)
    return answer is not None and normalized(_text(answer)) == normalized(str(expected))


def canonical(answer: Any) -> str:
    """Return what is the same for answers that say the same: normalized text, or JSON of it."""
    return json.dumps(_canonical(answer), sort_keys=True, ensure_ascii=False, default=str)


def _canonical(value: Any) -> Any:
    match value:
        case str():
            number = _NUMBER.fullmatch(value.strip())
            return _to_float(number[0]) if number else normalized(value)
        case bool() | None:
            return value
        case int() | float():
            return float(value)
        case Mapping():
            return {str(name): _canonical(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_canonical(inner) for inner in value]
    return value


def _text(answer: Any) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, default=str)


def _truth(answer: Any) -> bool | None:
    if isinstance(answer, bool):
        return answer
    begun = _BEGINS.match(answer.strip(_AROUND)) if isinstance(answer, str) else None
    return None if begun is None else _TRUTH.get(begun[1].casefold())


def _number(answer: Any) -> float | None:
    if isinstance(answer, bool) or answer is None:
        return None
    if isinstance(answer, int | float):
        return float(answer)
    found = {_to_float(number) for number in _NUMBER.findall(str(answer))}
    return found.pop() if len(found) == 1 else None


def _to_float(written: str) -> float:
    return float(re.sub(r"[, \u00a0\u202f]", "", written).replace("\N{MINUS SIGN}", "-"))


def _is_close(answer: float | None, expected: float, tolerance: float) -> bool:
    if answer is None:
        return False
    return math.isclose(answer, expected, rel_tol=_ALMOST, abs_tol=max(tolerance * (1 + _ALMOST), _ALMOST))


def _matches_set(expected: Collection[Any], answer: Any, tolerance: float) -> bool:
    if isinstance(answer, str):
        return any(_is_same_set(expected, items, tolerance) for items in _readings(answer))
    if isinstance(answer, list | tuple | set | frozenset):
        return _is_same_set(expected, answer, tolerance)
    return any(matches(one, answer, tolerance) for one in expected)


def _is_same_set(expected: Collection[Any], items: Collection[Any], tolerance: float) -> bool:
    return all(any(matches(one, item, tolerance) for item in items) for one in expected) and all(
        any(matches(one, item, tolerance) for one in expected) for item in items
    )


def _readings(text: str) -> list[list[Any]]:
    """Return the lists that a text may be: of JSON, of lines with bullets, of words with commas between."""
    if "[" in text:
        try:
            found = find_json(text)
        except ValueError:
            found = None
        if isinstance(found, list):
            return [found]
    lines = _BULLET.sub("\n", text)
    splits = (marks.split(lines) for marks in (_MARKS, _MARKS_AND_WORDS))  # "rock and roll" is one
    return [[part for part in map(normalized, split) if part] for split in splits]
