"""The manual in other languages keeps step with the English one: pages, headings, code, tables."""

from __future__ import annotations

import pytest

from ..examples import anchor, documents, iter_blocks, iter_headings, iter_tables, languages
from .promise import without_remarks

DOCUMENTS = documents()
ENGLISH = [path.removeprefix("docs/en/") for path in DOCUMENTS if path.startswith("docs/en/")]
OTHERS = [language for language in languages() if language != "en"]
PAIRS = [
    pytest.param(f"docs/en/{name}", f"docs/{language}/{name}", id=f"{language}/{name}")
    for language in OTHERS
    for name in ENGLISH
]


@pytest.mark.parametrize("language", OTHERS)
def test_there_are_the_same_pages(language: str) -> None:
    there = [path for path in DOCUMENTS if path.startswith(f"docs/{language}/")]
    assert there == [f"docs/{language}/{name}" for name in ENGLISH]


@pytest.mark.parametrize(("english", "other"), PAIRS)
def test_a_page_has_the_same_shape(english: str, other: str) -> None:
    """The same headings, code and tables in the same order; remarks and what cells show are translated."""
    assert shape_of(DOCUMENTS[other]) == shape_of(DOCUMENTS[english])


def shape_of(page: str) -> list[object]:
    levels = [level for level, _ in iter_headings(page)]
    blocks = [
        (
            block.language,
            len(block.code.splitlines()) if block.language == "text" else without_remarks(block.code),
        )
        for block in iter_blocks(page)
    ]
    tables = [[len(row) for row in table] for table in iter_tables(page)]
    return [levels, blocks, tables]


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.startswith("docs/")])
def test_headings_of_a_page_have_addresses_of_their_own(path: str) -> None:
    anchors = [anchor(text) for _, text in iter_headings(DOCUMENTS[path])]
    assert sorted({*anchors}) == sorted(anchors)
