"""The JSON value in a model's text: alone, in a fence, or with words around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from ..language import _
from ..words import shorten

LONGEST_BEGINNING = 80

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.M | re.S)


def find_json(text: str) -> Any:
    """Return the one JSON value that a text is or holds.

    Where words stand around it, it is the only value in a fence, or else the only object or list.

    Raises
    ------
    ValueError
        There is none, or more than one; the message says so, and what is wrong with a text that is all JSON.

    """
    stripped = text.strip().removeprefix("\ufeff")
    try:
        return _parse(stripped)
    except (ValueError, RecursionError) as error:
        reason = _where(error)
    for values in (list(_iter_fenced(text)), list(_iter_embedded(stripped))):
        if len(values) == 1:
            return values[0]
        if values:
            raise ValueError(_("it holds {count} JSON values", count=len(values)))
    raise ValueError(
        reason if stripped[:1] in {"{", "["} else _("it is not JSON: {why}", why=_begin(stripped))
    )


def _iter_fenced(text: str) -> Iterator[Any]:
    for fence in _FENCE.finditer(text.replace("\r\n", "\n")):
        try:
            yield _parse(fence[2])
        except (ValueError, RecursionError):
            continue


def _iter_embedded(text: str) -> Iterator[Any]:
    """Yield the objects and lists that stand in a text, outermost first."""
    decoder = json.JSONDecoder(parse_constant=_refuse)
    at = 0
    while (found := re.compile(r"[{\[]").search(text, at)) is not None:
        at = found.start() + 1
        try:
            value, at = decoder.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            continue
        yield value


def _parse(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(_("{constant} is no value of JSON", constant=constant))


def _where(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return _(
            "it is not JSON: {why} (line {line}, column {column})",
            why=error.msg,
            line=error.lineno,
            column=error.colno,
        )
    return _("it is not JSON: {why}", why=error)


def _begin(text: str) -> str:
    """Return how a text begins, quoted: a refusal says why in its first words."""
    line = " ".join(text.split())
    return json.dumps(shorten(line, LONGEST_BEGINNING), ensure_ascii=False)
