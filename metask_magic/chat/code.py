"""The code a reply is about, for the cell below it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from .reply import CodeBlock

PYTHON = frozenset(
    {"python", "py", "python3", "py3", "ipython", "ipython3", "pycon", "python-repl", "doctest"}
)
_MARKDOWN = frozenset({"", "markdown", "md"})
_SPEAKING = (ast.Call, ast.Await, ast.Yield, ast.NamedExpr)


def find_code(text: str, language: str = "python") -> CodeBlock | None:
    """Return the code of a reply in one piece, or None where there is none in the language.

    The blocks whose fence names the language are parts of a whole and joined in their order, unless one of
    them repeats the lines of all the others. Fences that name no language count where none names it, and a
    reply without any fence where all of it is Python. `>>>` prompts are taken off, with the output between.
    """
    blocks = _fences(text)
    named = [block.code for block in blocks if _is_language(block.language, language)]
    if named:
        return _whole(named, language)
    if inner := _only_wrapping(blocks):
        return find_code(inner, language)
    unnamed = [block.code for block in blocks if not block.language]
    if len(blocks) == 1 and unnamed:
        return _whole(unnamed, language)
    if language == "python":
        candidates = unnamed if blocks else [text.replace("\r\n", "\n")]
        if found := [code for code in candidates if _is_python(_without_prompts(code))]:
            return _whole(found, language)
    return None


def _fences(text: str) -> list[CodeBlock]:
    from markdown_it import MarkdownIt

    fences = (token for token in MarkdownIt().parse(text) if token.type == "fence")
    return [CodeBlock(_language(fence.info), fence.content) for fence in fences if fence.content.strip()]


def _language(info: str) -> str:
    """Return the language a fence names, as Markdown, Pandoc and R Markdown write it (`{.python .x}`)."""
    words = info.strip().strip("{}").lstrip(".").replace(",", " ").lower().split()
    return words[0] if words else ""


def _is_language(named: str, language: str) -> bool:
    return named in PYTHON if language == "python" else named == language


def _only_wrapping(blocks: Sequence[CodeBlock]) -> str:
    """Return what is in a fence around Markdown that has fences itself."""
    if len(blocks) != 1 or blocks[0].language not in _MARKDOWN or not _fences(blocks[0].code):
        return ""
    return blocks[0].code


def _whole(parts: Sequence[str], language: str) -> CodeBlock:
    codes = [_without_prompts(code).strip("\n") for code in parts]
    for code in reversed(codes):
        if all(_lines(other) <= _lines(code) for other in codes):
            return CodeBlock(language, code)
    # A cell magic holds for a whole cell: `%%bash` cannot stand among Python.
    joined = [code for code in codes if not code.lstrip().startswith("%%")]
    return CodeBlock(language, "\n\n".join(joined or codes[:1]))


def _lines(code: str) -> set[str]:
    return {line.strip() for line in code.split("\n")} - {""}


def _without_prompts(code: str) -> str:
    """Take the prompts of an interactive session off, and what it printed."""
    lines = code.replace("\r\n", "\n").split("\n")
    if not any(re.match(r">>>( |$)", line) for line in lines):
        return code
    return "\n".join(line[4:] for line in lines if re.match(r"(>>>|\.\.\.)( |$)", line))


def _is_python(text: str) -> bool:
    """Whether a text is a program: it parses, and does something. `Sure` and `well-known` parse too."""
    code = "\n".join(line for line in text.split("\n") if line.lstrip()[:1] not in {"%", "!"})
    try:
        tree = ast.parse(code.strip("\n"))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False
    return any(
        not isinstance(statement, ast.Expr)
        or any(isinstance(node, _SPEAKING) for node in ast.walk(statement))
        for statement in tree.body
    )
