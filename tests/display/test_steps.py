"""Steps in the record: lines that nothing in them breaks out of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from metask_magic.display.record import to_bundle
from metask_magic.display.steps import LONGEST, steps_to_markdown, steps_to_plain
from metask_magic.messages.events import Step

from .test_record import PIECES, harm

CALL = Step('get_weather(city="Paris")', "21 °C")


@pytest.mark.parametrize(
    ("step", "markdown", "plain"),
    [
        (CALL, '> - `get_weather(city="Paris")` → `21 °C`', 'get_weather(city="Paris") → 21 °C'),
        (Step("f()", "no", failed=True), "> - ✗ `f()` → `no`", "✗ f() → no"),
        (Step("f()", " \n"), "> - `f()`", "f()"),
        (Step("a`b", "``c`"), "> - ``a`b`` → ``` ``c` ```", "a`b → ``c`"),
        (Step("a\n\n# b", "x\r\n\ty"), "> - `a # b` → `x y`", "a # b → x y"),
        (Step("f", "x" * 500), f"> - `f` → `{'x' * (LONGEST - 1)}…`", f"f → {'x' * (LONGEST - 1)}…"),
    ],
)
def test_a_line_for_each(step: Step, markdown: str, plain: str) -> None:
    assert steps_to_markdown([step]) == markdown
    assert steps_to_plain([step]) == plain


@pytest.mark.parametrize("text", ["Text", "- item", "    code", "> quoted", "===", "1. a", "| - |"])
def test_what_follows_stands_alone(text: str) -> None:
    bundle = to_bundle(text, steps=[CALL, CALL])
    assert bundle["text/plain"] == f"{steps_to_plain([CALL, CALL])}\n\n{text}"
    parse = MarkdownIt("commonmark").parse
    alone = [token.type for token in parse(text)]
    assert [token.type for token in parse(bundle["text/markdown"])][-len(alone) :] == alone


TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join)


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=300)
def test_nothing_breaks_out(title: str, body: str, text: str) -> None:
    title = title.strip() or "f"
    bundle = to_bundle(text, steps=[Step(title, body), Step(body, title, failed=True)])
    assert harm(bundle) == []
    quote, *rest = MarkdownIt("commonmark").parse(steps_to_markdown([Step(title, body)]))
    assert (quote.type, rest[-1].type) == ("blockquote_open", "blockquote_close")
    [line] = [token for token in rest if token.type == "inline"]
    assert {child.type for child in line.children or ()} <= {"text", "code_inline"}
