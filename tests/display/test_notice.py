"""The notice below a record: one line that no text can swallow or change, and that changes no text."""

from __future__ import annotations

import mistune
import pytest
from markdown_it import MarkdownIt

from metask_magic.chat.messages import Format, Record, Step
from metask_magic.display.record import NOTHING_CAME, to_bundle, to_output

NOTICE = "Cut off at the limit of 5 tokens (MAX_TOKENS): raise --max-tokens, or ask it to go on."
QUOTED = "> Cut off at the limit of 5 tokens (MAX\\_TOKENS): raise --max-tokens, or ask it to go on."

_MARKDOWN_IT = MarkdownIt("commonmark").enable("table")
_MISTUNE = mistune.create_markdown(plugins=["table"])

TEXTS = {
    "a paragraph": "So far",
    "an open fence": "```python\nx = 1",
    "an open fence of tildes": "~~~~\n```\nx",
    "a fence in a list": "- a\n  ```\n  x",
    "a list": "1. a\n2. b",
    "a table": "| a | b |\n| --- | --- |\n| 1 | 2 |",
    "a quotation": "> he said",
    "a heading": "# Title",
    "indented code": "    x = 1",
    "mathematics": "$$\nx^2\n$$",
    "open mathematics": "$$\nx^2",
    "open emphasis": "**bold and `code",
    "a definition": "[a]: https://a.example",
    "raw HTML": "<div><b>x",
    "an open comment": "<!-- x",
    "an image": "![x](https://a.example/x.png)",
    "Chinese": "你好",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_it_is_a_quotation_of_its_own(text: str) -> None:
    bundle = to_bundle(text, notice=NOTICE)
    assert bundle["text/plain"] == text
    if "text/markdown" in bundle:
        markdown = bundle["text/markdown"]
        assert markdown.startswith(text)
        assert markdown.endswith(f"\n\n{QUOTED}")
        pages = [_MARKDOWN_IT.render(markdown), str(_MISTUNE(markdown))]
    else:
        pages = [bundle["text/html"]]
    for page in pages:
        told = page.rpartition("<blockquote>")[2]
        assert "".join(told.split()).startswith("<p>" + "".join(NOTICE.split()))
        assert "<code" not in told


FORMATS: dict[Format, tuple[str, str, str]] = {
    "markdown": ("a", "text/markdown", f"a\n\n{QUOTED}"),
    "json": ('{"a"', "text/markdown", f'```json\n{{"a"\n```\n\n{QUOTED}'),
    "math": ("x^2", "text/markdown", f"$$\nx^2\n$$\n\n{QUOTED}"),
    "code": ("```py\nx\n```", "text/markdown", f"```py\nx\n```\n\n{QUOTED}"),
    "text": ("a", "text/plain", f"a\n\n{NOTICE}"),
}


@pytest.mark.parametrize("format", FORMATS)
def test_any_format(format: Format) -> None:
    text, kind, shown = FORMATS[format]
    assert to_bundle(text, format, notice=NOTICE)[kind] == shown


def test_a_page_has_it_below_and_not_within() -> None:
    page = to_bundle("<p>a</p>", "html", notice=NOTICE)["text/html"]
    frame, _, below = page.partition("</iframe>")
    assert "Cut off" not in frame
    assert "<blockquote>" in below
    assert "iframe" not in to_bundle("", "html", notice=NOTICE)["text/html"]


@pytest.mark.parametrize("format", FORMATS)
def test_without_text_it_stands_alone(format: Format) -> None:
    bundle = to_bundle(" \n", format, notice=NOTICE)
    assert NOTICE in bundle["text/plain"]
    assert bundle.get("text/markdown", QUOTED) == QUOTED


def test_below_the_steps() -> None:
    bundle = to_bundle("a", steps=[Step("f()", "7")], notice=NOTICE)
    assert bundle["text/markdown"] == f"> - `f()` → `7`\n\na\n\n{QUOTED}"
    assert bundle["text/plain"] == "f() → 7\n\na"


@pytest.mark.parametrize(
    "word",
    [
        "<script>alert(1)</script>",
        "![x](http://a.example)",
        "$\\href{x}{y}$",
        "[x](javascript:y)",
        "`a`\n# b",
    ],
)
def test_a_stranger_s_word_in_it_is_text(word: str) -> None:
    bundle = to_bundle("a", notice=f"It ended ({word}).")
    page = bundle.get("text/html") or _MARKDOWN_IT.render(bundle["text/markdown"])
    assert not any(tag in page for tag in ("<script", "<img", "<h1", 'href="javascript'))
    assert "It ended (" in page


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (Record("m", "", "error", failure="It broke."), f"> {NOTHING_CAME}"),
        (Record("m", " \n", "error", failure="It broke."), f"> {NOTHING_CAME}"),
        (Record("m", "so far", "error", failure="It broke."), "so far"),
        (Record("m", "", "error", failure="It broke.", steps=(Step("f()", "7"),)), "> - `f()` → `7`"),
        (
            Record("m", "", "interrupted", notice="Stopped before any text came."),
            "> Stopped before any text came.",
        ),
    ],
)
def test_no_empty_record_is_left(record: Record, shown: str) -> None:
    assert to_output([record])[0]["text/markdown"] == shown


def test_several_have_theirs_each() -> None:
    records = [
        Record("a", "x", "length", notice=NOTICE, ending="length (MAX_TOKENS)"),
        Record("b", "y", "stop"),
    ]
    markdown = to_output(records)[0]["text/markdown"]
    assert markdown.startswith(f"### a\n\nx\n\n{QUOTED}\n\n### b\n\ny\n\n| model |")
    assert "| length (MAX\\_TOKENS) |" in markdown
    assert markdown.endswith("| stop |")
