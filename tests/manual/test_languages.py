"""The manual in other languages keeps step with the English one: pages, headings, code, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ..examples import Block, anchor, documents, iter_blocks, iter_headings, iter_tables, languages
from .promise import without_remarks

DOCUMENTS = documents()
ENGLISH = [path.removeprefix("docs/en/") for path in DOCUMENTS if path.startswith("docs/en/")]
OTHERS = [language for language in languages() if language != "en"]
PAIRS = [
    pytest.param("README.md", "README.zh-CN.md", id="README"),
    *(
        pytest.param(f"docs/en/{name}", f"docs/{language}/{name}", id=f"{language}/{name}")
        for language in OTHERS
        for name in ENGLISH
    ),
]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("language", OTHERS)
def test_there_are_the_same_pages(language: str) -> None:
    there = [path for path in DOCUMENTS if path.startswith(f"docs/{language}/")]
    assert there == [f"docs/{language}/{name}" for name in ENGLISH]


@pytest.mark.parametrize(("english", "other"), PAIRS)
def test_a_page_has_the_same_shape(english: str, other: str) -> None:
    """The same headings, code and tables in the same order; prompts, remarks and outputs are translated."""
    assert shape_of(DOCUMENTS[other]) == shape_of(DOCUMENTS[english])
    blocks = zip(iter_blocks(DOCUMENTS[english]), iter_blocks(DOCUMENTS[other]), strict=True)
    assert [line for block, own in blocks for line in lost(block, own)] == []


def shape_of(page: str) -> list[object]:
    levels = [level for level, _ in iter_headings(page)]
    blocks = [(block.language, len(block.code.splitlines())) for block in iter_blocks(page)]
    tables = [[len(row) for row in table] for table in iter_tables(page)]
    return [levels, blocks, tables]


def lost(english: Block, other: Block) -> Iterator[str]:
    """Yield the lines of code that are not the English ones and not translated either."""
    if english.language == "text":
        return
    lines = zip(english.code.splitlines(), other.code.splitlines(), strict=True)
    for line, own in ((without_remarks(line), without_remarks(own)) for line, own in lines):
        if own != line and not CHINESE.search(own):
            yield own


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.startswith("docs/")])
def test_headings_of_a_page_have_addresses_of_their_own(path: str) -> None:
    anchors = [anchor(text) for _, text in iter_headings(DOCUMENTS[path])]
    assert sorted({*anchors}) == sorted(anchors)
