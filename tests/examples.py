"""The examples of our own: in Markdown, in the prose of notebooks, in the strings of the package."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

from .kernel import ROOT

PACKAGE = ROOT / "metask_magic"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

_MARKDOWN = MarkdownIt().enable("table")
_OPTIONAL = re.compile(r"\[([^\[\]\"']*)\]")


@dataclass(frozen=True, slots=True)
class Block:
    """A code block; `language` is what its fence names, and empty for an indented one."""

    language: str
    code: str

    @property
    def cells(self) -> list[str]:
        """Its paragraphs: a cell each."""
        return [cell for cell in re.split(r"\n\s*\n", self.code.strip("\n")) if cell.strip()]


def iter_blocks(markdown: str) -> Iterator[Block]:
    """Yield the code blocks."""
    for token in _MARKDOWN.parse(markdown):
        if token.type in ("fence", "code_block"):
            yield Block(token.info.strip(), token.content)


def iter_spans(markdown: str) -> Iterator[str]:
    """Yield the code spans of the prose and the tables."""
    for token in _MARKDOWN.parse(markdown):
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content


def spans_after(words: str, markdown: str) -> list[str]:
    """Return the code spans from these words to the end of their sentence. The words must stand there."""
    _, found, after = markdown.partition(words)
    assert found, f"nowhere: {words}"
    return list(iter_spans(re.split(r"[.;](?=\s)|\n\n", after)[0]))


def documents() -> Mapping[str, str]:
    """Return the Markdown of README and of the notebooks, by path."""
    pages = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "notebooks/README.md")}
    return pages | {f"notebooks/{notebook.name}": prose_of(notebook) for notebook in NOTEBOOKS}


def prose_of(notebook: Path) -> str:
    """Return the Markdown cells of a notebook, one after the other."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@cache
def strings_of(module: Path) -> Sequence[str]:
    """Return the strings of a module, docstrings too; of an f-string, each value as `{its expression}`."""
    return [*_iter_strings(module)]


def _iter_strings(module: Path) -> Iterator[str]:
    within: set[int] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            within |= set(map(id, node.values))
            yield "".join(map(_piece, node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within:
            yield node.value


def _piece(node: ast.expr) -> str:
    if isinstance(node, ast.FormattedValue):
        return f"{{{ast.unparse(node.value)}}}"
    return str(ast.literal_eval(node))


def expand(form: str) -> list[str]:
    """Return what a form stands for: with and without what is in brackets, and each of `[a|b]`."""
    optional = _OPTIONAL.search(form)
    if optional is None:
        return [" ".join(form.split())]
    before, after = form[: optional.start()], form[optional.end() :]
    said = [one for inner in ("", *optional[1].split("|")) for one in expand(f"{before}{inner}{after}")]
    return list(dict.fromkeys(said))
