"""A reply's text as what its format says it is, without the fence or the delimiters around it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..messages.kinds import Format

_OPENING = re.compile(r"[ ]{0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+-]*)[^`]*")
_FENCED_AS: Mapping[Format, frozenset[str]] = {
    "text": frozenset({"", "text", "txt", "plain", "plaintext"}),
    "json": frozenset({"", "json", "jsonc", "json5"}),
    "html": frozenset({"", "html", "htm", "xhtml", "svg"}),
    "math": frozenset({"", "latex", "tex", "math", "katex"}),
}
_DELIMITERS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))
_ENVIRONMENT = re.compile(r"\\begin\{(equation\*?|displaymath|math)\}(.*)\\end\{\1\}", re.S)


def unwrap(text: str, format: Format) -> str:
    """Return the text without the fence a model put around all of it, and a formula without delimiters.

    Text that stands beside a fence leaves everything as it is: then the fence is part of an answer in
    Markdown. `markdown` and `code` are never changed.
    """
    languages = _FENCED_AS.get(format)
    if languages is None:
        return text
    inner = _without_fence(text, languages)
    return _without_delimiters(inner) if format == "math" else inner


def _without_fence(text: str, languages: frozenset[str]) -> str:
    lines = text.strip().replace("\r\n", "\n").split("\n")
    opening = _OPENING.fullmatch(lines[0]) if lines else None
    if opening is None or opening["language"].lower() not in languages:
        return text
    fence = opening["fence"]
    closing = re.compile(rf"[ ]{{0,3}}{fence[0]}{{{len(fence)},}}[ \t]*")
    ends = [at for at, line in enumerate(lines[1:], 1) if closing.fullmatch(line)]
    if not ends:
        return "\n".join(lines[1:])
    return "\n".join(lines[1:-1]) if ends[0] == len(lines) - 1 else text


def _without_delimiters(text: str) -> str:
    formula = text.strip()
    if environment := _ENVIRONMENT.fullmatch(formula):
        return environment[2].strip()
    for opening, closing in _DELIMITERS:
        inner = formula.removeprefix(opening).removesuffix(closing)
        if len(inner) == len(formula) - len(opening) - len(closing) and not _has(inner, opening, closing):
            return _without_delimiters(inner)
    return formula


def _has(inner: str, *delimiters: str) -> bool:
    r"""Whether a delimiter is in a formula, and so several. `\$` and `\\[` (a matrix's row) are none."""
    bare = inner.replace("\\\\", "").replace("\\$", "")
    return any(delimiter in bare for delimiter in delimiters)
