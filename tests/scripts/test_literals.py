"""Values written as literals of three languages, and read again."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
from itertools import cycle
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.scripts.literals import (
    JAVASCRIPT,
    JSON_TEXT,
    PYTHON,
    WIDTH,
    Name,
    javascript_block,
    json_text,
    python_block,
    python_text,
)

from .export_cases import HOSTILE

pytestmark = pytest.mark.kernel

NODE = shutil.which("node")

NUMBERS = (0, -1, 2**53, 0.5, -0.0, 1e-7, 1.5e300, 2.741760219677389e16, 5e-324, True, None)
TEXTS = st.text() | st.text(alphabet="\\\"'`${} \n\r\ta\x00😀\u2028!EOF\ud800", max_size=200)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def read_json(source: str) -> Any:
    """Read as the script does: curl takes the line breaks out."""
    return json.loads(source.replace("\n", ""))


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_strings(text: str) -> None:
    assert ast.literal_eval(python_text(text)) == text
    assert ast.literal_eval(python_block(text)) == text
    assert read_json(json_text(text)) == text


@given(TEXTS)
def test_any_string(text: str) -> None:
    test_strings(text)


@given(VALUES)
def test_any_value(value: Any) -> None:
    assert ast.literal_eval(PYTHON.lay_out(value, 4, 9)) == value
    assert read_json(JSON_TEXT.lay_out(value, 0, 0)) == value


@pytest.mark.skipif(NODE is None, reason="node is not installed: the JavaScript is not read again")
def test_javascript() -> None:
    pieces = [*"\\\"'`${} \n\r\ta\x001", "\ud800", "\u2028", "😀", "word ", '"""', "${", "x" * 90]
    random = Random(0)  # noqa: S311
    texts = [*HOSTILE, *("".join(random.choices(pieces, k=random.randrange(40))) for _ in range(2000))]
    assert read_by_node(",\n".join(map(javascript_block, texts))) == texts
    values: list[Any] = [
        {text: [text, {text: number}]} for text, number in zip(texts, cycle(NUMBERS), strict=False)
    ]
    assert read_by_node(",\n".join(JAVASCRIPT.lay_out(value, 2, 9) for value in values)) == values


def read_by_node(items: str) -> Any:
    source = f"const items = [{items}];\nprocess.stdout.write(JSON.stringify(items));\n"
    command = [NODE or "node", "--input-type=module", "-"]
    done = subprocess.run(command, input=source.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout, parse_int=float)  # it writes a large float without a point


@pytest.mark.parametrize("text", ["a\n\u202eb", "a\x00\nb", "a\r\nb", "a \nb", "\ufeff", "a\xa0b", "a\ud800"])
@pytest.mark.parametrize("write", [python_text, python_block, javascript_block, json_text])
def test_nothing_is_invisible(write: Any, text: str) -> None:
    source = write(text)
    assert all(character == "\n" or character.isprintable() for character in source)
    assert not any(line.endswith(" ") for line in source.split("\n"))


@pytest.mark.parametrize("text", ["word " * 100, "x" * 1000, "a\n" + "b c " * 100])
@pytest.mark.parametrize("write", [python_block, javascript_block, json_text])
def test_no_line_is_too_long(write: Any, text: str) -> None:
    assert max(map(len, write(text).split("\n"))) <= WIDTH


@pytest.mark.parametrize(
    ("value", "python", "javascript"),
    [
        ([], "[]", "[]"),
        ({}, "{}", "{}"),
        ([None, True, False, 1, 0.5], "[None, True, False, 1, 0.5]", "[null, true, false, 1, 0.5]"),
        ({"a": Name("PROMPT"), "b c": "'"}, '{"a": PROMPT, "b c": "\'"}', '{ a: PROMPT, "b c": "\'" }'),
        ('say "so"', "'say \"so\"'", "'say \"so\"'"),
        ({"__proto__": 1}, '{"__proto__": 1}', '{ ["__proto__"]: 1 }'),
        (
            ["x" * 50, {"a": "y" * 40}],
            f'[\n    "{"x" * 50}",\n    {{"a": "{"y" * 40}"}},\n]',
            f'[\n  "{"x" * 50}",\n  {{ a: "{"y" * 40}" }},\n]',
        ),
    ],
)
def test_layout(value: Any, python: str, javascript: str) -> None:
    assert PYTHON.lay_out(value, 0, 0) == python
    assert JAVASCRIPT.lay_out(value, 0, 0) == javascript


def test_a_long_line_that_begins_with_a_blank_ends_before_the_next() -> None:
    for text in (" " + "x" * 1000, "  " + "x" * 1000, "x" * 1000 + " "):
        assert max(map(len, python_block(text).split("\n"))) <= WIDTH
        assert eval(python_block(text)) == text  # noqa: S307 -- ours
