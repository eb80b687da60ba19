"""Several replies in one document, none of which reaches into the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from metask_magic.display.comparison import as_text, closed, to_comparison
from metask_magic.messages.events import Usage
from metask_magic.messages.record import Record

WHOLE = Record("gpt_4o", "*Hi*", "stop", usage=Usage(1, 1_200, 2), elapsed=3.14159, first_token_after=0.5)
FAILED = Record("other", "", "error", failure="The gateway failed\n(500).")
CUT = Record("third", "so far", "incomplete", note="It may be incomplete.")


def test_the_document() -> None:
    records = [WHOLE, FAILED, CUT]
    assert to_comparison([(record, record.text) for record in records]) == (
        "### gpt\\_4o\n\n*Hi*\n\n"
        "### other\n\n> The gateway failed (500).\n\n"
        "### third\n\nso far\n\n> It may be incomplete.\n\n"
        "| model | first token | total | tokens | finish reason |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| gpt\\_4o | 0.50 s | 3.14 s | 1,200 | stop |\n"
        "| other | ? | ? | ? | error |\n"
        "| third | ? | ? | ? | incomplete |"
    )


def test_a_reply_without_text_says_so() -> None:
    assert "### m\n\n*(nothing came)*\n\n|" in to_comparison([(Record("m", "", "stop"), "")])


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("plain", ""),
        ("```python\nx = 1\n```", ""),
        ("```python\nx = 1", "\n```"),
        ("````md\n```\ninner\n```", "\n````"),
        ("~~~\nx", "\n~~~"),
        ("```a\n```\n\n```b\nx", "\n```"),
        ("- item\n\n  ```\n  x", ""),  # the end of the list is the end of its fence
        ("> ```\n> x", ""),
        ("", ""),
        ("```\nx\n```\n\n<!-- never closed", ""),
    ],
)
def test_an_open_fence_is_closed(text: str, end: str) -> None:
    assert closed(text) == text + end


@given(st.text(alphabet="`~ >-\n1.ab#<!|$"))
def test_every_section_begins_where_it_should(text: str) -> None:
    document = to_comparison([(Record("first", text, "stop"), text), (Record("second", "x", "stop"), "x")])
    tokens = MarkdownIt("commonmark", {"html": False}).enable("table").parse(document)
    titles = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert titles.count("second") == 1
    assert [token for token in tokens if token.level == 0][-1].type == "table_close"


@given(st.text())
def test_words_mean_nothing(words: str) -> None:
    (inline,) = [t for t in MarkdownIt().parse(f"x {as_text(words)}") if t.type == "inline"]
    assert {child.type for child in inline.children or []} <= {"text", "text_special", "entity"}
