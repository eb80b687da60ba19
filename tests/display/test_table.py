"""Tables in a terminal and in a notebook."""

from __future__ import annotations

import pytest

from metask_magic.display.table import Table

STYLE = 'style="text-align:left;white-space:pre-wrap"'
CODE_STYLE = STYLE[:-1] + ';font-family:var(--jp-code-font-family,monospace)"'


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        (Table("", (), ()), []),
        (Table("T", (), (), "n"), ["T", "n"]),
        (Table("T", ("a", "b"), ()), ["T", "a  b"]),
        (Table("", ("id", "name"), (("1", "x"), ("200", "yy"))), ["id   name", "1    x", "200  yy"]),
        (Table("", (), (("a", ""), ("bb", "c"))), ["a", "bb  c"]),
        (Table("", (), (("模型", "1"), ("abc", "2"))), ["模型  1", "abc   2"]),
        (Table("", (), (("ｗｉｄｅ", "1"), ("ﾊﾝｶｸ", "2"))), ["ｗｉｄｅ  1", "ﾊﾝｶｸ      2"]),
        (Table("", (), (("🎉", "1"), ("한", "2"), ("é", "3"))), ["🎉  1", "한  2", "é   3"]),
    ],
    ids=["empty", "no rows", "headers", "columns", "no trailing space", "Chinese", "half width", "others"],
)
def test_text(table: Table, lines: list[str]) -> None:
    assert str(table) == repr(table) == "\n".join(lines)


@pytest.mark.parametrize(
    ("table", "page"),
    [
        (Table("", (), ()), "<table><tbody></tbody></table>"),
        (
            Table("T", ("h",), (("c",),), "n"),
            f"<p><strong>T</strong></p><table><thead><tr><th {STYLE}>h</th></tr></thead>"
            f"<tbody><tr><td {STYLE}>c</td></tr></tbody></table><p>n</p>",
        ),
        (
            Table("", (), (("{\n  a",),), "`<x>` and `y"),
            f"<table><tbody><tr><td {CODE_STYLE}>{{\n  a</td></tr></tbody></table>"
            "<p><code>&lt;x&gt;</code> and `y</p>",
        ),
    ],
)
def test_html(table: Table, page: str) -> None:
    untypeset = f'<div class="mathjax_ignore tex2jax_ignore">{page}</div>'
    assert table._repr_mimebundle_() == {"text/html": untypeset, "text/plain": str(table)}


@pytest.mark.parametrize("hostile", ["<img src=x>", "&lt;", "\"'>"])
def test_everything_is_escaped(hostile: str) -> None:
    bundle = Table(hostile, (hostile,), ((hostile,),), hostile)._repr_mimebundle_(include=None, exclude=None)
    escaped = hostile.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = escaped.replace('"', "&quot;").replace("'", "&#x27;")
    assert bundle["text/html"].count(escaped) == 4
    assert hostile not in bundle["text/html"].replace(escaped, "")
    assert bundle["text/plain"].count(hostile) == 4
