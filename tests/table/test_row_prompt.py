"""The template over a row: columns by name, `row`, missing values, and mistakes found at once."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from metask_magic.errors import PromptError
from metask_magic.messages.request import ImagePart, TextPart
from metask_magic.table.row_prompt import RowPrompt
from metask_magic.table.rows import Row

ROW = Row({"text": "good", "stars": 5, "gone": None, "a b": 1.5, "items": "i", 0: "zero", "_id": 7, "max": 9})
NAMES = {"hero": "Ada", "text": "the notebook's", "row": "the notebook's", "upper": str.upper, "none": None}


def rendered(text: str, row: Row = ROW, names: dict[str, Any] = NAMES) -> str:
    return RowPrompt(text, (*row,), names).render_text(row)


RENDERED = {
    "{{ text }} {{ row.text }} {{ row['text'] }}": "good good good",
    "{{ hero }}: {{ stars + 1 }}": "Ada: 6",
    "{{ row['a b'] }} {{ row[0] }} {{ row._id }}": "1.5 zero 7",
    "{{ row.items }}{{ items }}": "ii",
    "{{ row.max }} {{ max([1, 2]) }} {{ upper(text) }}": "9 2 GOOD",
    "[{{ gone }}{{ row.gone }}{{ row['gone'] }}{{ none }}]": "[]",
    "{{ gone is none }} {{ row.gone is none }} {{ text is none }}": "True True False",
    "{{ gone | upper }}|{{ gone[:3] }}|{{ gone | trim | length }}": "||0",
    "{{ gone or 'n/a' }} {{ gone | default('n/a', true) }} {{ 'y' if row.gone else 'n' }}": "n/a n/a n",
    "{{ row.nope is defined }} {{ row.nope | default('x') }}": "False x",
    "{{ {'a': gone, 'b': row.text} }}": "{'a': '', 'b': 'good'}",
    "{% if gone is not none %}x{% endif %}{x}": "{x}",
    "no braces": "no braces",
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), RENDERED.items())
def test_rendering(text: str, expected: str) -> None:
    assert rendered(text) == expected


def test_a_row_as_a_whole() -> None:
    row = Row({"a": None, "b": "é"})
    assert rendered("{{ row | json }} {{ row | length }}", row) == '{"a": null, "b": "é"} 2'
    assert rendered("{% for k, v in row.items() %}{{ k }}={{ v }};{% endfor %}", row) == "a=;b=é;"


def test_one_template_for_all_rows() -> None:
    prompt = RowPrompt("{{ n }}{{ row.n }}{% if n > 1 %}!{% endif %}", ["n"], {})
    assert [prompt.render(Row(n=n)) for n in (1, 2)] == [(TextPart("11"),), (TextPart("22!"),)]


def png(colour: str) -> bytes:
    data = BytesIO()
    Image.new("RGB", (2, 2), colour).save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize("kind", ["bytes", "PIL"])
def test_images_of_a_column(kind: str) -> None:
    prompt = RowPrompt("What is {{ row.image }}? {{ n }}", ["image", "n"], {})
    for n, colour in enumerate(("red", "blue")):
        image = png(colour) if kind == "bytes" else Image.new("RGB", (2, 2), colour)
        before, part, after = prompt.render(Row(image=image, n=n))
        assert (before, after) == (TextPart("What is "), TextPart(f"? {n}"))
        assert isinstance(part, ImagePart)
        assert Image.open(BytesIO(part.data)).convert("RGB").getpixel((0, 0)) == Image.new(
            "RGB", (1, 1), colour
        ).getpixel((0, 0))


def test_a_system_message_holds_no_image() -> None:
    with pytest.raises(PromptError, match="cannot hold an image"):
        rendered("{{ image }}", Row(image=png("red")))


def test_whether_a_prompt_is_about_the_row() -> None:
    uses = {
        text: RowPrompt(text, ["text"], {"hero": "Ada"}).uses_row
        for text in ("{{ text }}", "{{ row }}", "{{ hero }}", "text", "{text}")
    }
    assert [text for text, used in uses.items() if used] == ["{{ text }}", "{{ row }}"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ txet }} {{ heros }}", "heros and txet are not defined.*hero or text"),
        ("{{ text", "mistake in line 1"),
    ],
)
def test_a_mistake_is_found_before_any_row(text: str, says: str) -> None:
    with pytest.raises(PromptError, match=says):
        RowPrompt(text, (*ROW,), NAMES)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ row.txet }}", r"the table has no column txet \(did you mean text\?\)"),
        ("{{ row['zzz'] }}", "the table has no column zzz"),
        ("{{ gone + 1 }}", "raised TypeError"),
    ],
)
def test_a_mistake_within_a_row(text: str, says: str) -> None:
    with pytest.raises(PromptError, match=says):
        rendered(text)
