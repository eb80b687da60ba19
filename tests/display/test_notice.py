"""The notice below a record: one line that no text can swallow or change, and that changes no text."""

from __future__ import annotations

import html
import re

import mistune
import pytest
from markdown_it import MarkdownIt
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from metask_magic.display.record import NOTHING_CAME, UNTYPESET, to_bundle, to_output
from metask_magic.messages.events import Step
from metask_magic.messages.kinds import Format
from metask_magic.messages.record import Record

NOTICE = "Cut off at the limit of 5 tokens (MAX_TOKENS): raise --max-tokens, or ask it to go on."
QUOTED = "> Cut off at the limit of 5 tokens (MAX\\_TOKENS): raise --max-tokens, or ask it to go on."

_MARKDOWN_IT = MarkdownIt("commonmark").enable("table")
_MISTUNE = mistune.create_markdown(plugins=["table"])

READERS = (_MARKDOWN_IT.render, _MISTUNE, markdown2html_mistune)

TEXTS = {
    "a paragraph": "So far",
    "an open fence": "```python\nx = 1",
    "an open fence of tildes": "~~~~\n```\nx",
    "a fence in a list": "- a\n  ```\n  x",
    "a fence in a list in a quotation": "> - a\n>   ```\n>   x",
    "a list": "1. a\n2. b",
    "a list in a list": "- a\n  - b\n\n    c",
    "a table": "| a | b |\n| --- | --- |\n| 1 | 2 |",
    "a row of a table": "| a | b |\n| --- | --- |\n| 1 |",
    "a quotation": "> he said",
    "a quotation that goes on": "> he said\nand so on",
    "a heading": "# Title",
    "indented code": "    x = 1",
    "mathematics": "$$\nx^2\n$$",
    "open mathematics": "$$\nx^2",
    "an open environment": "\\begin{align}\nx",
    "a price": "It costs $5",
    "open emphasis": "**bold and `code",
    "a definition": "[a]: https://a.example",
    "raw HTML": "<div><b>x",
    "what looks like HTML": "a < b, and x<y",
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
        pages = [str(read(markdown)) for read in READERS]
    else:
        pages = [bundle["text/html"].rstrip().removesuffix("</div>")]
    for page in pages:
        assert page.rstrip().endswith("</blockquote>"), "nothing is around it"
        told = page.rpartition("<blockquote>")[2]
        assert "".join(told.split()).startswith("<p>" + "".join(NOTICE.split()))
        assert "<code" not in told


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_of_several_each_has_its_own(text: str) -> None:
    bundle, _ = to_output([Record(model, text, "length", notice=NOTICE) for model in "ab"])
    if "text/markdown" in bundle:
        pages = [str(read(bundle["text/markdown"])) for read in READERS]
    else:
        pages = [bundle["text/html"]]
    for page in pages:
        assert page.count("<h3") == 2
        assert "<td>length</td>" in page.rpartition("<table>")[2]
        told = "".join(page.split()).count("<blockquote><p>" + "".join(NOTICE.split()) + "</p></blockquote>")
        assert told == 2


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


STRANGE = [
    "<script>alert(1)</script>",
    "![x](http://a.example)",
    "$\\href{x}{y}$",
    "[x](javascript:y)",
    "`a`\n# b",
    "**a** | _b_",
    "&lt;b&gt; &#60; AT&T",
    "y" * 10_000,
]


@pytest.mark.parametrize("word", STRANGE)
def test_a_stranger_s_word_in_it_is_text(word: str) -> None:
    alone = to_bundle("a", notice=f"It ended ({word}).")
    noted = Record("m", "a", "stop", notice=f"It ended ({word}).", ending=f"stop ({word})")
    several, _ = to_output([noted, noted])
    for bundle in (alone, several):
        page = bundle.get("text/html") or _MARKDOWN_IT.render(bundle["text/markdown"])
        assert not re.search(r"<(script|img|h1|code|em|strong|a )", page)
        assert html.escape(f"It ended ({' '.join(word.split())}).", quote=False) in page
    assert f"<td>stop ({html.escape(' '.join(word.split()), quote=False)})</td>" in page


MISREAD = [
    *("a $x^2$ b", "$$x$$", "\\(x\\)", "\\[x\\]", "\\begin{a}x\\end{a}", "$5 of $6"),
    *("\\\\a\\b", "https://a.example/b_c", "HTTP://a/*", "www.a.b/c_d"),
]


@pytest.mark.parametrize("word", MISREAD)
def test_what_an_escape_does_not_save_is_shown_as_it_is(word: str) -> None:
    """Jupyter typesets what the page shows, where no escape is left, and links addresses with theirs."""
    alone = to_bundle("$y$", notice=f"It ended ({word}).")["text/html"]
    failed = Record("m", "$y$", "error", failure=f"It ended ({word}).")
    several = to_output([failed, Record(word, "$z$", "stop")])[0]["text/html"]
    for page in (alone, several):
        assert f'{UNTYPESET}"><blockquote>\n<p>It ended ({word}).' in page
        assert '<div class="metask-record"><p>$y$</p>' in page
    assert f'{UNTYPESET}"><h3>{word}</h3>' in several


@pytest.mark.parametrize("word", ["It costs $5.", "C:\\Users", "https://a.example/b?c=d", "snake_case"])
def test_other_words_are_markdown(word: str) -> None:
    assert "text/markdown" in to_bundle("$y$", notice=word)


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
