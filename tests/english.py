"""English sentences in a text that should have none."""

from __future__ import annotations

import re

_VALUES = re.compile(
    r"```.*?```"  # a block of code
    r"|`[^`\n]*`"
    r"|“[^”]*”"
    r'|"[^"\n]*"'
    r"|(?<!\w)'[^'\n]*'(?!\w)"
    r"|\w+://\S+"
    r"|(?<!\w)[~.]{0,2}/[\w./~-]*"  # a path
    r"|(?<!\w)--?[a-z][\w-]*"  # an option
    r"|%{1,2}\w+(?: [a-z-]+)*"  # a command
    r"|\b\w+(?:[._]\w+)+(?:\(\))?"  # a setting, a file, a name of Python
    r"|\b\w+\(\)"
    r"|\b(?:[A-Z]+[a-z0-9]+){2,}\b"  # a class
    r"|\b[A-Z][A-Z0-9_]+\b",  # an environment variable
    re.DOTALL,
)
_SENTENCE = re.compile(r"\b[A-Za-z]{2,}(?:(?:['’][a-z]+)?[,;:]? [A-Za-z]{2,}){2,}")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TAGS = re.compile(r"</?[a-z][^<>]*>")


def english_sentences(text: str) -> list[str]:
    """Return each three words or more in a row that are English.

    What is quoted or is code, an address, a path, an option, a command, a class or a setting counts for
    nothing: it stays as it is in any language.
    """
    bare = _VALUES.sub(" ¦ ", _TAGS.sub(" ¦ ", _ESCAPES.sub("", text)))
    return [found.group() for found in _SENTENCE.finditer(bare)]
