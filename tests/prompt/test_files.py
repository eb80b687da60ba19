"""A file in a message: its content decides what it is, and it goes out whole or is refused."""

from __future__ import annotations

import builtins
import json
import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from metask_magic.errors import AttachmentError
from metask_magic.language import using
from metask_magic.messages.request import ImagePart, TextPart
from metask_magic.prompt import files, table_files
from metask_magic.prompt.files import fenced, read_file

from ..chinese import left_in_english


def image_bytes(kind: str = "PNG") -> bytes:
    file = BytesIO()
    Image.new("RGB", (4, 3)).save(file, kind)
    return file.getvalue()


PNG = image_bytes()


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def text_of(name: str) -> str:
    part = read_file(Path(name))
    assert isinstance(part, TextPart)
    return part.text


def refusal(name: str) -> str:
    """Return why a file is refused; in Chinese no English is left of it."""
    with pytest.raises(AttachmentError) as caught:
        read_file(Path(name))
    assert caught.value.remedy
    with using("zh"), pytest.raises(AttachmentError) as chinese:
        read_file(Path(name))
    assert left_in_english(chinese.value) == []
    return str(caught.value)


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
    assert text_of(f"{name}") == f"File {name}:\n\n{expected}\n"


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
    assert read_file(Path(name)) == image


def test_text_with_the_name_of_an_image_is_text(directory: Path) -> None:
    (directory / "shot.png").write_text("not yet drawn")
    assert text_of("shot.png") == "File shot.png:\n\n```\nnot yet drawn\n```\n"


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
    assert says in refusal("a.txt")


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
        ("a.txt", b"x" * 2_000_000, "TEXT_LIMIT", "a.txt has 2.0 MB; the limit for a text file is 1.0 MB."),
        (
            "a.png",
            PNG + bytes(2_000_000),
            "IMAGE_LIMIT",
            "a.png has 2.0 MB; the limit for an image is 1.0 MB.",
        ),
        ("a.csv", b"1\n" * 1_000_000, "FILE_LIMIT", "the limit for a document or table is 1.0 MB."),
    ],
)
def test_too_large(
    directory: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, limit: str, says: str
) -> None:
    monkeypatch.setattr(files, limit, 2**20)
    (directory / name).write_bytes(content)
    assert says in refusal(f"{name}")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.png", "a.png 的大小为 2.0 MB；图片的上限是 1.0 MB。缩小图片：边长超过 1,500 像素后，"),
        ("a.txt", "a.txt 的大小为 2.0 MB；文本文件的上限是 1.0 MB。改为附加只含所需部分的变量，"),
    ],
)
def test_too_large_in_chinese(directory: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str) -> None:
    for limit in ("IMAGE_LIMIT", "TEXT_LIMIT"):
        monkeypatch.setattr(files, limit, 2**20)
    (directory / name).write_bytes((PNG if name == "a.png" else b"") + b"x" * 2_000_000)
    with using("zh"), pytest.raises(AttachmentError, match=f"^{says}"):
        read_file(Path(name))


def test_the_text_of_a_document_is_limited_too(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "TEXT_LIMIT", 5)
    (directory / "a.pdf").write_bytes(pdf("Hello"))
    assert "The text of a.pdf has 0.1 MB; the limit is 0.1 MB. Split the file" in refusal("a.pdf")


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
    """In any language: a model reads it."""
    (directory / "a.ipynb").write_text(notebook())
    with using("zh"):
        assert text_of("a.ipynb").startswith("File a.ipynb:\n\n(a notebook of 3 cells, without outputs)")
    assert text_of("a.ipynb") == (
        "File a.ipynb:\n\n(a notebook of 3 cells, without outputs)\n\n"
        "# Title\ntext\n\n````R\nx = '```'\n````\n\n```\nraw\n```\n"
    )


@pytest.mark.parametrize("text", ["{", "[]", '{"worksheets": []}', notebook(cells=[{}])])
def test_what_is_no_notebook(directory: Path, text: str) -> None:
    (directory / "a.ipynb").write_text(text)
    assert "a.ipynb is no notebook of format 4." in refusal("a.ipynb")


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
    assert text_of("a.bin") == (
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
    assert says in refusal("a.pdf")


def test_without_pypdf_the_command_to_install_it(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "pypdf")
    (directory / "a.pdf").write_bytes(pdf("x"))
    assert 'pypdf is needed. Install it: pip install "metask-magic[pdf]"' in refusal("a.pdf")


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
    assert text_of(f"{name}") == f"File {name}:\n\n{expected_table(library)}\n"


def test_json_lines_are_a_table_where_a_library_reads_them(directory: Path, library: str | None) -> None:
    lines = '{"n": 1, "city": "x"}\n{"n": 2, "city": "é"}\n'
    (directory / "a.jsonl").write_text(lines, encoding="utf-8")
    table = expected_table(library) if library else f"```json\n{lines}```"
    assert text_of("a.jsonl") == f"File a.jsonl:\n\n{table}\n"


def test_parquet_is_a_table(directory: Path, library: str | None) -> None:
    pd.DataFrame({"n": [1, 2], "city": ["x", "é"]}).to_parquet(directory / "a.parquet")
    if library is None:
        assert "a table library is needed. Install one: pip install" in refusal("a.parquet")
    else:
        assert text_of("a.parquet") == f"File a.parquet:\n\n{expected_table(library)}\n"


def test_a_broken_parquet_file(directory: Path) -> None:
    (directory / "a.parquet").write_bytes(b"PAR1 nothing")
    assert "a.parquet cannot be read as Parquet:" in refusal("a.parquet")


def test_a_long_file_without_a_library_is_an_excerpt(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "_library", lambda: None)
    (directory / "a.csv").write_text(",".join("abc") + "\n" + "1,2,3\n" * 1204)
    text = text_of("a.csv")
    assert "1,204 rows × 3 columns: a (text), b (text), c (text)" in text
    assert "1,144 rows between the first 40 and the last 20 left out" in text
