"""`-a WHAT`: a variable or a file, before the prompt, whole or with a clear refusal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from metask_magic.errors import AttachmentError, PromptError
from metask_magic.language import Language, using
from metask_magic.messages.request import ImagePart, Part, TextPart
from metask_magic.prompt.attachments import attach, compose

from ..chinese import left_in_english

PNG = b"\x89PNG\r\n\x1a\n and more"

FRAME = pd.DataFrame({"a": [1]})

TABLE = "1 row × 1 column: a (int64)\n\n| a |\n| --- |\n| 1 |"


def double(x: int) -> int:
    return 2 * x


class Fails:
    @property
    def now(self) -> str:
        raise ValueError("not now")

    def _repr_markdown_(self) -> str:
        raise ValueError("never")


NAMES: dict[str, Any] = {
    "df": FRAME,
    "fig": PNG,
    "figs": [PNG, FRAME],
    "frames": {"north": FRAME, 3: "three", "two words": 2},
    "result": SimpleNamespace(figure=PNG, table=FRAME),
    "notes": "a ``` b",
    "config": {"a": ["é"]},
    "odd": {1: {2}},
    "double": double,
    "fails": Fails(),
    "_3": 7,
    "Out": {3: 7},
}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def text_of(what: str, names: Mapping[str, Any] = NAMES) -> str:
    parts = attach(what, names)
    assert not any(isinstance(part, ImagePart) for part in parts)
    return "".join(part.text for part in parts if isinstance(part, TextPart))


def refusal(what: str, names: Mapping[str, Any] = NAMES) -> str:
    with pytest.raises(AttachmentError) as caught:
        attach(what, names)
    assert caught.value.remedy
    return str(caught.value)


# Variables


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("df", f"Variable df (DataFrame):\n\n{TABLE}\n"),
        ("figs[1]", f"Variable figs[1] (DataFrame):\n\n{TABLE}\n"),
        ("figs[-1]", f"Variable figs[-1] (DataFrame):\n\n{TABLE}\n"),
        ("frames['north']", f"Variable frames['north'] (DataFrame):\n\n{TABLE}\n"),
        ("frames[north].a", f"Variable frames[north].a (Series):\n\n{TABLE}\n"),
        ("result.table", f"Variable result.table (DataFrame):\n\n{TABLE}\n"),
        ("frames[3]", "Variable frames[3] (str):\n\n```\nthree\n```\n\n"),
        ("frames['two words']", "Variable frames['two words'] (int):\n\n2\n"),
        ("notes", "Variable notes (str):\n\n````\na ``` b\n````\n\n"),
        ("config", 'Variable config (dict):\n\n```json\n{\n  "a": [\n    "é"\n  ]\n}\n```\n\n'),
        ("odd", "Variable odd (dict):\n\n{1: {2}}\n"),
        (
            "double",
            "Variable double (function):\n\n```python\ndef double(x: int) -> int:\n    return 2 * x\n```\n\n",
        ),
        ("_3", "Variable _3 (int):\n\n7\n"),
        ("Out[3]", "Variable Out[3] (int):\n\n7\n"),
    ],
)
def test_a_variable(what: str, expected: str) -> None:
    """In any language: a model reads it."""
    languages: tuple[Language, ...] = ("en", "zh")
    for language in languages:
        with using(language):
            assert text_of(what) == expected


@pytest.mark.parametrize("what", ["fig", "figs[0]", "result.figure"])
def test_a_figure(what: str) -> None:
    name = f"Variable {what} (bytes):\n\n"
    assert attach(what, NAMES) == [TextPart(name), ImagePart("image/png", PNG, what), TextPart("\n")]


NO_VARIABLES = [
    ("nots", r"nots is neither a variable nor a file. Did you mean notes"),
    ("frames[5]", "There is no frames[5]: KeyError: 5. Look at frames in a cell of its own."),
    ("figs[9]", "There is no figs[9]: IndexError"),
    ("result.tabel", "There is no result.tabel: AttributeError"),
    ("fails.now", "fails.now cannot be attached: it raised ValueError: not now"),
    ("fails", "fails cannot be attached: it raised ValueError: never"),
    ("df.head()", "df.head() is neither a variable nor a file."),
    ("result.__dict__", "result.__dict__ is neither"),
    ("xyzzy", "xyzzy is neither a variable nor a file. Paths are relative to"),
    ("*.txt", "*.txt is a pattern. Attach files one by one"),
    ("a\0b", "neither a variable nor a file"),
    ("x" * 5000, "neither a variable nor a file"),
]


@pytest.mark.parametrize(("what", "says"), NO_VARIABLES)
def test_what_is_no_variable(what: str, says: str) -> None:
    assert says in refusal(what)


@pytest.mark.parametrize("what", [what for what, _ in NO_VARIABLES])
def test_what_is_no_variable_in_chinese(what: str) -> None:
    with using("zh"), pytest.raises(AttachmentError) as caught:
        attach(what, NAMES)
    assert left_in_english(caught.value) == []


def test_nothing_is_called() -> None:
    called: list[str] = []
    refusal("f('x')", {"f": called.append})
    refusal("x[f('x')]", {"f": called.append, "x": []})
    assert called == []


def test_a_variable_wins_and_a_path_can_be_forced(directory: Path) -> None:
    (directory / "notes").write_text("the file")
    assert text_of("notes") == "Variable notes (str):\n\n````\na ``` b\n````\n\n"
    assert text_of("./notes") == "File notes:\n\n```\nthe file\n```\n"


def test_a_file_whose_name_begins_like_a_variable(directory: Path) -> None:
    (directory / "notes.txt").write_text("the file")
    assert text_of("notes.txt") == "File notes.txt:\n\n```\nthe file\n```\n"


def test_home_is_expanded(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(directory))
    (directory / "a b.txt").write_text("x")
    assert text_of("~/a b.txt") == "File a b.txt:\n\n```\nx\n```\n"


def test_an_image_has_its_name_above(directory: Path) -> None:
    (directory / "shot.png").write_bytes(PNG)
    image = ImagePart("image/png", PNG, "shot.png")
    assert attach("shot.png", {}) == [TextPart("File shot.png:\n\n"), image, TextPart("\n")]


def test_the_nearest_file_is_offered(directory: Path) -> None:
    (directory / "report.txt").write_text("x")
    assert refusal("reprot.txt").endswith("Did you mean report.txt?")
    assert refusal("nowhere/at/all.txt").endswith(f"Paths are relative to {directory}.")


# Together


@pytest.mark.parametrize(
    ("prompt", "attachments", "content"),
    [
        ([TextPart("Hi")], [], "Hi"),
        ([TextPart("Hi")], [TextPart("File a:\n")], "File a:\n\nHi"),
        (
            [TextPart("Hi")],
            [TextPart("File a:\n"), ImagePart("image/png", PNG), TextPart("\n")],
            (TextPart("File a:\n"), ImagePart("image/png", PNG), TextPart("\n\nHi")),
        ),
    ],
)
def test_attachments_come_before_the_prompt(
    prompt: list[Part], attachments: list[Part], content: object
) -> None:
    assert compose(prompt, attachments) == content


def test_a_picture_that_cannot_be_drawn_keeps_its_own_remedy() -> None:
    with pytest.raises(PromptError, match=r"no PNG, JPEG, WebP or GIF"):
        attach("x", {"x": b"abc"})
