"""Taking a fence or delimiters off: only where they are around all of a reply."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.display.unwrap import unwrap
from metask_magic.messages.kinds import Format

UNWRAPPED: dict[Format, list[tuple[str, str]]] = {
    "html": [
        ("```html\n<b>hi</b>\n```", "<b>hi</b>"),
        ("\n```HTML\n<b>hi</b>\n\n<i>you</i>\n```\n", "<b>hi</b>\n\n<i>you</i>"),
        ("~~~\n<b>hi</b>\n~~~", "<b>hi</b>"),
        ("```html\na\u2028b\n```", "a\u2028b"),
        ("````html\n<pre>\n```\n</pre>\n````", "<pre>\n```\n</pre>"),
        ("```html\n<b>cut", "<b>cut"),
        ("```html\r\n<b>hi</b>\r\n```", "<b>hi</b>"),
        ("<b>hi</b>", "<b>hi</b>"),
        ("Here:\n```html\n<b>hi</b>\n```", "Here:\n```html\n<b>hi</b>\n```"),
        ("```html\n<b>hi</b>\n```\nThere.", "```html\n<b>hi</b>\n```\nThere."),
        ("```html\na\n```\n```html\nb\n```", "```html\na\n```\n```html\nb\n```"),
        ("```python\nx\n```", "```python\nx\n```"),
        ("", ""),
    ],
    "json": [('```json\n{"a": 1}\n```', '{"a": 1}'), ('{"a": 1}', '{"a": 1}'), ("```\n[]\n```", "[]")],
    "text": [
        ("```text\nhi\n```", "hi"),
        ("  hi  ", "  hi  "),
        ("```json\n1\n```", "```json\n1\n```"),
        ("```inline```", "```inline```"),
    ],
    "math": [
        ("$$x^2$$", "x^2"),
        ("$x^2$", "x^2"),
        (r"\[ x^2 \]", "x^2"),
        (r"\(x^2\)", "x^2"),
        ("```latex\n$$\nx^2\n$$\n```", "x^2"),
        (r"\begin{equation*}x^2\end{equation*}", "x^2"),
        (r"$$\begin{aligned}a&=b\end{aligned}$$", r"\begin{aligned}a&=b\end{aligned}"),
        (r"\begin{align}a\end{align}", r"\begin{align}a\end{align}"),
        (r"\$5", r"\$5"),
        (r"\[a \\(b) \\[2pt] c\]", r"a \\(b) \\[2pt] c"),
        (r"$x = \$5$", r"x = \$5"),
        ("$a$ and $b$", "$a$ and $b$"),
        ("$$a$$ and $$b$$", "$$a$$ and $$b$$"),
        (r"\[a\] or \[b\]", r"\[a\] or \[b\]"),
        ("The area is $x^2$", "The area is $x^2$"),
        ("x^2", "x^2"),
        ("$", "$"),
        ("$$", ""),
    ],
    "markdown": [("```html\nx\n```", "```html\nx\n```"), ("$$x$$", "$$x$$")],
    "code": [("```python\nx\n```", "```python\nx\n```")],
}
ROWS = [(format, text, expected) for format, rows in UNWRAPPED.items() for text, expected in rows]


@pytest.mark.parametrize(("format", "text", "expected"), ROWS)
def test_unwrap(format: Format, text: str, expected: str) -> None:
    assert unwrap(text, format) == expected


def test_every_format_has_its_rows() -> None:
    assert UNWRAPPED.keys() == set(get_args(Format))


@given(
    st.text(st.characters(exclude_characters="`~", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), min_size=1)
)
def test_a_fence_and_nothing_else_is_taken_off(line: str) -> None:
    text = f"{line}\n{line}"
    assert unwrap(f"```html\n{text}\n```", "html") == text
