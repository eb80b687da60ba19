"""The examples of our own: in Markdown, in the prose of notebooks, in the strings of the package."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

from .kernel import ROOT

PACKAGE = ROOT / "metask_magic"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MANUAL = ROOT / "docs"

_MARKDOWN = MarkdownIt().enable("table")
_OPTIONAL = re.compile(r"\[([^\[\]\"']*)\]")


@dataclass(frozen=True, slots=True)
class Block:
    """A code block; `language` is what its fence names, and empty for an indented one.

    `follows_block` says that nothing stands between it and the block before.
    """

    language: str
    code: str
    follows_block: bool = False

    @property
    def cells(self) -> list[str]:
        """Its paragraphs: a cell each."""
        return [cell for cell in re.split(r"\n\s*\n", self.code.strip("\n")) if cell.strip()]


def iter_blocks(markdown: str) -> Iterator[Block]:
    """Yield the code blocks; what a manual's builder is told in a fence is none."""
    before = ""
    for token in _MARKDOWN.parse(markdown):
        if token.type in ("fence", "code_block") and not token.info.startswith("{"):
            yield Block(token.info.strip(), token.content, before in ("fence", "code_block"))
        before = token.type


def iter_headings(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield the headings: level and text."""
    tokens = _MARKDOWN.parse(markdown)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            yield int(opening.tag[1:]), inline.content


def anchor(heading: str) -> str:
    """Return what GitHub and the manual call a heading in an address."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def iter_tables(markdown: str) -> Iterator[list[list[str]]]:
    """Yield the tables: rows of cells as they are written, the head first."""
    rows: list[list[str]] = []
    for token in _MARKDOWN.parse(markdown):
        match token.type:
            case "table_open":
                rows = []
            case "tr_open":
                rows.append([])
            case "th_open" | "td_open":
                rows[-1].append("")
            case "inline" if rows:
                rows[-1][-1] = token.content
            case "table_close":
                yield rows
                rows = []


def iter_spans(markdown: str) -> Iterator[str]:
    """Yield the code spans of the prose and the tables."""
    for token in _MARKDOWN.parse(markdown):
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content


def documents() -> Mapping[str, str]:
    """Return the Markdown of the READMEs, of the manual and of the notebooks, by path."""
    paths = [
        *sorted(ROOT.glob("README*.md")),
        ROOT / "notebooks" / "README.md",
        *sorted(MANUAL.rglob("*.md")),
    ]
    pages = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return pages | {f"notebooks/{notebook.name}": prose_of(notebook) for notebook in NOTEBOOKS}


def languages() -> list[str]:
    """Return the languages that the manual is there in."""
    return sorted(index.parent.name for index in MANUAL.glob("*/index.md"))


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
