"""The examples in a Markdown text: its code blocks, cut into the cells a person would type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt


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
    for token in MarkdownIt().parse(markdown):
        if token.type in ("fence", "code_block"):
            yield Block(token.info.strip(), token.content)


def iter_spans(markdown: str) -> Iterator[str]:
    """Yield the code spans of the prose and the tables."""
    for token in MarkdownIt().enable("table").parse(markdown):
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content


def prose_of(notebook: Path) -> str:
    """Return the Markdown cells of a notebook, one after the other."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
