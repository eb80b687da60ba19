"""`-a WHAT`: a variable or a file, before the prompt, whole or with a clear refusal."""

from __future__ import annotations

import builtins
import json
import os
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from metask_magic.chat.messages import ImagePart, Part, TextPart
from metask_magic.errors import AttachmentError, PromptError
from metask_magic.notebook import files, table_files
from metask_magic.notebook.attachments import attach, compose
from metask_magic.notebook.files import fenced


def image_bytes(kind: str = "PNG") -> bytes:
    file = BytesIO()
    Image.new("RGB", (4, 3)).save(file, kind)
    return file.getvalue()


PNG = image_bytes()

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
    assert text_of(what) == expected


@pytest.mark.parametrize("what", ["fig", "figs[0]", "result.figure"])
def test_a_figure(what: str) -> None:
    name = f"Variable {what} (bytes):\n\n"
    assert attach(what, NAMES) == [TextPart(name), ImagePart("image/png", PNG, what), TextPart("\n")]


@pytest.mark.parametrize(
    ("what", "says"),
    [
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
    ],
)
def test_what_is_no_variable(what: str, says: str) -> None:
    assert says in refusal(what)


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


def test_the_nearest_file_is_offered(directory: Path) -> None:
    (directory / "report.txt").write_text("x")
    assert refusal("reprot.txt").endswith("Did you mean report.txt?")
    assert refusal("nowhere/at/all.txt").endswith(f"Paths are relative to {directory}.")


# Files


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.py", b"x = 1\n", "```python\nx = 1\n```"),
        ("a.TXT", "\ufeffé 中".encode(), "```\né 中\n```"),
        ("a.md", b"```\nx\n```", "````markdown\n```\nx\n```\n````"),
        ("Makefile", b"all:\r\n\ttrue\r\n", "```\nall:\r\n\ttrue\r\n```"),
        ("a.json", b"{}", "```json\n{}\n```"),
        ("a.svg", b"<svg/>", "```xml\n<svg/>\n```"),
        ("empty.txt", b"", "```\n```"),
        ("ansi.log", b"\x1b[31mred\x1b[0m", "```\n\x1b[31mred\x1b[0m\n```"),
        ("ragged.csv", b'a,b\n1,"2\n', '```csv\na,b\n1,"2\n```'),
        ("broken.jsonl", b"{\n", "```json\n{\n```"),
    ],
)
def test_text_goes_out_whole(directory: Path, name: str, content: bytes, expected: str) -> None:
    (directory / name).write_bytes(content)
    assert text_of(f"./{name}") == f"File {name}:\n\n{expected}\n"


@given(st.text("`a\n"))
def test_a_fence_is_longer_than_any_inside(text: str) -> None:
    lines = fenced(text).split("\n")
    fence = lines[0]
    assert lines[-2:] == [fence, ""]
    assert "\n".join(lines[1:-2]).rstrip("\n") == text.rstrip("\n")
    assert not any(line.startswith(fence) for line in lines[1:-2])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WebP", "GIF"])
@pytest.mark.parametrize("name", ["shot.png", "shot.txt", "shot.csv", "shot"])
def test_an_image_is_known_by_its_content(directory: Path, kind: str, name: str) -> None:
    data = image_bytes(kind)
    (directory / name).write_bytes(data)
    image = ImagePart(f"image/{kind.lower()}", data, name)
    assert attach(f"./{name}", {}) == [TextPart(f"File {name}:\n\n"), image, TextPart("\n")]


def test_text_with_the_name_of_an_image_is_text(directory: Path) -> None:
    (directory / "shot.png").write_text("not yet drawn")
    assert text_of("./shot.png") == "File shot.png:\n\n```\nnot yet drawn\n```\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("汉字和文字".encode("gb18030"), "not UTF-8 (from byte 0 on); it looks like gb18030."),
        ("ab élève à".encode("cp1252"), "not UTF-8 (from byte 3 on); it looks like cp1252."),
        ("text".encode("utf-16"), "it looks like utf-16."),
        (b"PK\x03\x04 a workbook", "neither text nor an image or document of a known kind."),
        (b"\x7fELF\x00", "neither text nor"),
    ],
)
def test_what_is_no_utf8_text(directory: Path, content: bytes, says: str) -> None:
    (directory / "a.txt").write_bytes(content)
    assert says in refusal("./a.txt")


def test_a_directory_and_what_is_no_file(directory: Path) -> None:
    (directory / "data").mkdir()
    os.mkfifo(directory / "pipe")
    assert "data is a directory. Attach its files one by one" in refusal("data")
    assert "pipe is no regular file." in refusal("pipe")


def test_a_file_that_may_not_be_read(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "secret.txt").write_text("x")

    def forbidden(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)  # root may read anything
    assert "secret.txt may not be read by you. Check its permissions." in refusal("secret.txt")


@pytest.mark.parametrize(
    ("name", "content", "limit", "says"),
    [
        ("a.txt", b"x" * 2_000_000, "TEXT_LIMIT", "a.txt has 1.9 MB; the limit for a text file is 1.0 MB."),
        (
            "a.png",
            PNG + bytes(2_000_000),
            "IMAGE_LIMIT",
            "a.png has 1.9 MB; the limit for an image is 1.0 MB.",
        ),
        ("a.csv", b"1\n" * 1_000_000, "FILE_LIMIT", "the limit for a document or table is 1.0 MB."),
    ],
)
def test_too_large(
    directory: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, limit: str, says: str
) -> None:
    monkeypatch.setattr(files, limit, 2**20)
    (directory / name).write_bytes(content)
    assert says in refusal(f"./{name}")


def test_the_text_of_a_document_is_limited_too(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "TEXT_LIMIT", 5)
    (directory / "a.pdf").write_bytes(pdf("Hello"))
    assert "The text of a.pdf has 0.0 MB; the limit is 0.0 MB. Split the file" in refusal("./a.pdf")


def notebook(**changed: Any) -> str:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "text"]},
        {"cell_type": "code", "source": "x = '```'", "outputs": [{"text": "secret output"}]},
        {"cell_type": "raw", "source": "raw"},
    ]
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": {"language": "R"}}, "nbformat": 4} | changed
    )


def test_a_notebook_is_its_cells(directory: Path) -> None:
    (directory / "a.ipynb").write_text(notebook())
    assert text_of("./a.ipynb") == (
        "File a.ipynb:\n\n(a notebook of 3 cells, without outputs)\n\n"
        "# Title\ntext\n\n````R\nx = '```'\n````\n\n```\nraw\n```\n"
    )


@pytest.mark.parametrize("text", ["{", "[]", '{"worksheets": []}', notebook(cells=[{}])])
def test_what_is_no_notebook(directory: Path, text: str) -> None:
    (directory / "a.ipynb").write_text(text)
    assert "a.ipynb is no notebook of format 4." in refusal("./a.ipynb")


# PDF


def pdf(*pages: str, password: str | None = None) -> bytes:
    writer = PdfWriter()
    for text in pages:
        page = writer.add_blank_page(200, 200)
        font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
        fonts = DictionaryObject(
            {NameObject("/F"): DictionaryObject({NameObject(k): NameObject(v) for k, v in font.items()})}
        )
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F 12 Tf 20 100 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
    if password is not None:
        writer.encrypt(password, "owner", algorithm="RC4-128")
    file = BytesIO()
    writer.write(file)
    return file.getvalue()


@pytest.mark.parametrize("password", [None, ""])
def test_a_pdf_is_its_text_by_page(directory: Path, password: str | None) -> None:
    (directory / "a.bin").write_bytes(pdf("Hello", "", "World", password=password))
    assert text_of("./a.bin") == (
        "File a.bin:\n\n[page 1 of 3]\nHello\n\n"
        "[page 2 of 3]\n(no text on this page)\n\n[page 3 of 3]\nWorld\n"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (pdf("", ""), "a.pdf has 2 pages and no text: it is scanned. Attach its pages as images"),
        (pdf("x", password="pw"), "a.pdf is encrypted. Save a copy without the password"),
        (b"%PDF-1.7\nnothing", "a.pdf cannot be read as PDF:"),
    ],
)
def test_a_pdf_without_text(directory: Path, content: bytes, says: str) -> None:
    (directory / "a.pdf").write_bytes(content)
    assert says in refusal("./a.pdf")


def test_without_pypdf_the_command_to_install_it(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "pypdf")
    (directory / "a.pdf").write_bytes(pdf("x"))
    assert 'pypdf is needed. Install it: pip install "metask-magic[pdf]"' in refusal("./a.pdf")


def hide(monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == hidden:
            raise ImportError(f"No module named {name!r}")
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)


# Tables

LIBRARIES: Sequence[str | None] = ["pandas", "polars", "pyarrow", None]


@pytest.fixture(params=LIBRARIES, ids=str)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The one library of tables there is."""
    monkeypatch.setattr(table_files, "_library", lambda: request.param)
    return str(request.param) if request.param else None


DTYPES = {
    "pandas": ("int64", "str"),
    "polars": ("Int64", "String"),
    "pyarrow": ("Int64", "String"),
    None: ("text", "text"),
}


def expected_table(library: str | None) -> str:
    whole, text = DTYPES[library]
    return (
        f"2 rows × 2 columns: n ({whole}), city ({text})\n\n| n | city |\n| --- | --- |\n| 1 | x |\n| 2 | é |"
    )


@pytest.mark.parametrize(("name", "separator"), [("a.csv", ","), ("a.tsv", "\t")])
def test_a_csv_file_is_a_table(directory: Path, library: str | None, name: str, separator: str) -> None:
    (directory / name).write_text("n,city\n1,x\n2,é\n".replace(",", separator), encoding="utf-8-sig")
    assert text_of(f"./{name}") == f"File {name}:\n\n{expected_table(library)}\n"


def test_json_lines_are_a_table_where_a_library_reads_them(directory: Path, library: str | None) -> None:
    lines = '{"n": 1, "city": "x"}\n{"n": 2, "city": "é"}\n'
    (directory / "a.jsonl").write_text(lines, encoding="utf-8")
    table = expected_table(library) if library else f"```json\n{lines}```"
    assert text_of("./a.jsonl") == f"File a.jsonl:\n\n{table}\n"


def test_parquet_is_a_table(directory: Path, library: str | None) -> None:
    pd.DataFrame({"n": [1, 2], "city": ["x", "é"]}).to_parquet(directory / "a.parquet")
    if library is None:
        assert "a table library is needed. Install one: pip install" in refusal("./a.parquet")
    else:
        assert text_of("./a.parquet") == f"File a.parquet:\n\n{expected_table(library)}\n"


def test_a_broken_parquet_file(directory: Path) -> None:
    (directory / "a.parquet").write_bytes(b"PAR1 nothing")
    assert "a.parquet cannot be read as Parquet:" in refusal("./a.parquet")


def test_a_long_file_without_a_library_is_an_excerpt(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "_library", lambda: None)
    (directory / "a.csv").write_text(",".join("abc") + "\n" + "1,2,3\n" * 1204)
    text = text_of("./a.csv")
    assert "1,204 rows × 3 columns: a (text), b (text), c (text)" in text
    assert "1,144 rows between the first 40 and the last 20 left out" in text


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
