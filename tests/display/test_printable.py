"""What of a text reaches a terminal."""

from __future__ import annotations

import pytest

from metask_magic.display.printable import printable


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a\tb\n 模型 🎉 é", "a\tb\n 模型 🎉 é"),
        ("\x1b[31mred\x1b]0;title\x07", "[31mred]0;title"),
        ("one\rtwo\x7f\x9b31m", "onetwo31m"),
        ("\u202eturned\u2066round", "turnedround"),
    ],
)
def test_printable(text: str, printed: str) -> None:
    assert printable(text) == printed
