r"""`\(…\)` and `\[…\]` become what Jupyter typesets; everything else stays."""

from __future__ import annotations

import pytest

from metask_magic.display.mathematics import is_left_open, with_dollars
from metask_magic.display.record import to_bundle


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"so \( x^2 \) and \(y\).", "so $x^2$ and $y$."),
        ("\\[\nx = 1\n\\]", "$$\nx = 1\n$$"),
        ("Thus:\n  \\[ x = 1 \\]\nend", "Thus:\n  $$x = 1 $$\nend"),
        ("`\\(x\\)` and ```\\(y\\)```", "`\\(x\\)` and ```\\(y\\)```"),
        ("```tex\n\\(x\\)\n```\n\\(y\\)", "```tex\n\\(x\\)\n```\n$y$"),
        ("~~~\n\\[x\\]\n", "~~~\n\\[x\\]\n"),
        (r"a \[link\](text) stays", r"a \[link\](text) stays"),
        (r"two \\(x\\) backslashes", r"two \\(x\\) backslashes"),
        ("\\(never\nclosed", "\\(never\nclosed"),
        (r"costs \($5\)", r"costs \($5\)"),
        ("\\[\na\n\nb\n\\]", "\\[\na\n\nb\n\\]"),
        ("$x$ and $$y$$", "$x$ and $$y$$"),
    ],
)
def test_with_dollars(text: str, expected: str) -> None:
    assert with_dollars(text) == expected


def test_the_record_shows_it_and_keeps_the_source() -> None:
    assert to_bundle(r"\(x\)") == {"text/markdown": "$x$", "text/plain": r"\(x\)"}


def test_what_it_makes_is_examined_as_well() -> None:
    assert "text/markdown" not in to_bundle(r"\(\href{javascript:alert(1)}{x}\)")


@pytest.mark.parametrize("text", ["\\(" * 20_000, "\\[\n" * 20_000, "`" * 20_000 + "\\(", "```\n\\(" * 5_000])
def test_floods_end(text: str) -> None:
    assert len(with_dollars(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("", False),
        ("$$\nx\n$$ and $y", False),
        ("$$\nx", True),
        ("$$x$$ $$y", True),
        (r"\begin{a}x\end{a}", False),
        (r"\begin{a}x\end{a}\begin{b}", True),
        (r"\end{a}", False),
    ],
)
def test_what_is_left_open(text: str, is_open: bool) -> None:
    assert is_left_open(text) is is_open
