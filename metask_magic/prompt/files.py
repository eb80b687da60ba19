"""Files as parts of a message: images, text and code, notebooks, PDF, tables. Their content decides.

A file goes out whole or not at all; of a table, the excerpt that a table of the notebook gives.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ..errors import AttachmentError
from ..language import N_, _
from ..messages.request import ImagePart, TextPart
from ..words import counted
from .images import IMAGE_LIMIT, MEBIBYTE, SCALE_IT_DOWN, image_part, in_mebibytes, media_type
from .pdf import pdf_text
from .table_files import TABLES, table_text

TEXT_LIMIT = 2 * MEBIBYTE
"""Bytes a file of text may have, and the text taken from a notebook or PDF."""

FILE_LIMIT = 200 * MEBIBYTE
"""Bytes of a file that is read to take something from it: a table, a notebook, a PDF."""

AN_IMAGE, A_TEXT_FILE, A_DOCUMENT = N_("an image"), N_("a text file"), N_("a document or table")

_HEAD = 8192  # bytes that tell the kind of a file

_LANGUAGES = {
    "bash": "bash", "c": "c", "cc": "cpp", "cpp": "cpp", "cs": "csharp", "css": "css", "csv": "csv",
    "diff": "diff", "go": "go", "h": "c", "hpp": "cpp", "html": "html", "ini": "ini", "java": "java",
    "jl": "julia", "js": "javascript", "json": "json", "jsonl": "json", "jsx": "jsx", "kt": "kotlin",
    "lua": "lua", "m": "matlab", "md": "markdown", "php": "php", "pl": "perl", "py": "python",
    "r": "r", "rb": "ruby", "rs": "rust", "rst": "rst", "scala": "scala", "sh": "bash", "sql": "sql",
    "svg": "xml", "swift": "swift", "tex": "latex", "toml": "toml", "ts": "typescript", "tsv": "tsv",
    "tsx": "tsx", "xml": "xml", "yaml": "yaml", "yml": "yaml",
}  # fmt: skip


def read_file(path: Path) -> ImagePart | TextPart:
    """Return the file as an image, or as text under a line with its name.

    Raises
    ------
    AttachmentError
        It cannot be read, is too large, or is of no kind that a model can be given.

    """
    head = _read(path, _HEAD)
    suffix = path.suffix.lower().removeprefix(".")
    if media_type(head):
        return image_part(_read_up_to(path, IMAGE_LIMIT, AN_IMAGE), path.name)
    if b"%PDF-" in head[:1024]:
        return TextPart(f"File {path.name}:\n\n{_bounded(path, pdf_text(path.name, _read_document(path)))}\n")
    if suffix in TABLES:
        table = table_text(path.name, suffix, _read_document(path))
        if table is not None:
            return TextPart(f"File {path.name}:\n\n{table}\n")
    text = _decoded(path, head)
    if suffix == "ipynb":
        return TextPart(f"File {path.name}:\n\n{_bounded(path, _notebook_text(path, text))}\n")
    return TextPart(f"File {path.name}:\n\n{fenced(text, _LANGUAGES.get(suffix, ''))}")


def fenced(text: str, language: str = "") -> str:
    """Return `text` between fences longer than any row of backticks in it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    end = "" if text.endswith("\n") or not text else "\n"
    return f"{fence}{language}\n{text}{end}{fence}\n"


def _read(path: Path, limit: int) -> bytes:
    """Read up to `limit` bytes of a regular file."""
    if path.is_dir():
        raise AttachmentError(
            _("{path} is a directory.", path=path), _("Attach its files one by one, each with its own -a.")
        )
    if path.exists() and not path.is_file():
        raise AttachmentError(
            _("{path} is no regular file.", path=path), _("Attach a file, or read it into a variable.")
        )
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except PermissionError:
        raise AttachmentError(
            _("{path} may not be read by you.", path=path), _("Check its permissions.")
        ) from None
    except OSError as error:
        raise AttachmentError(
            _("{path} cannot be read: {why}.", path=path, why=error.strerror), _("Check the path.")
        ) from None


def _read_up_to(path: Path, limit: int, kind: str) -> bytes:
    data = _read(path, limit + 1)
    if len(data) > limit:
        raise AttachmentError(
            _(
                "{name} has {size}; the limit for {kind} is {limit}.",
                name=path.name,
                size=in_mebibytes(path.stat().st_size),
                kind=_(kind),
                limit=in_mebibytes(limit),
            ),
            _(SCALE_IT_DOWN)
            if kind == AN_IMAGE
            else _("Attach a variable with the part that matters, such as text[:10000] or df.head()."),
        )
    return data


def _read_document(path: Path) -> bytes:
    return _read_up_to(path, FILE_LIMIT, A_DOCUMENT)


def _bounded(path: Path, text: str) -> str:
    size = len(text.encode("utf-8", "replace"))
    if size > TEXT_LIMIT:
        raise AttachmentError(
            _(
                "The text of {name} has {size}; the limit is {limit}.",
                name=path.name,
                size=in_mebibytes(size),
                limit=in_mebibytes(TEXT_LIMIT),
            ),
            _("Split the file, or attach a variable with the part that matters."),
        )
    return text


def _decoded(path: Path, head: bytes) -> str:
    """Read a file of text in UTF-8."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _wrong_encoding(path, "utf-16")
    if re.search(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f]", head):
        raise AttachmentError(
            _("{name} is neither text nor an image or document of a known kind.", name=path.name),
            _(
                "Known are UTF-8 text and code, PNG, JPEG, WebP, GIF, PDF, notebooks, CSV, TSV, JSON Lines "
                "and Parquet. Load any other file in Python, and attach the variable."
            ),
        )
    limit = FILE_LIMIT if path.suffix.lower() == ".ipynb" else TEXT_LIMIT
    data = _read_up_to(path, limit, A_TEXT_FILE)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, _likely_encoding(data), error.start) from None


def _wrong_encoding(path: Path, encoding: str, position: int = 0) -> AttachmentError:
    code = f"open({str(path)!r}, encoding={encoding!r}).read()"
    return AttachmentError(
        _(
            "{name} is not UTF-8 (from byte {position:,} on); it looks like {encoding}.",
            name=path.name,
            position=position,
            encoding=encoding,
        ),
        _("Read it into a variable, and attach that: {code}", code=code),
    )


def _likely_encoding(data: bytes) -> str:
    """The likelier of two: Chinese characters are pairs of high bytes, accented letters stand alone."""
    runs = re.findall(rb"[\x80-\xff]+", data)
    paired = sum(len(run) % 2 == 0 for run in runs)
    return "gb18030" if paired * 2 > len(runs) else "cp1252"


def _notebook_text(path: Path, text: str) -> str:
    """The cells of a notebook, without their outputs."""
    try:
        notebook = json.loads(text)
        cells = [_cell_text(cell, _language(notebook)) for cell in notebook["cells"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AttachmentError(
            _("{name} is no notebook of format 4.", name=path.name),
            _("Open and save it in Jupyter, or attach a copy as .txt."),
        ) from None
    heading = f"(a notebook of {counted(len(cells), 'cell')}, without outputs)"  # English: a model reads it
    return "\n\n".join([heading, *cells])


def _cell_text(cell: dict[str, Any], language: str) -> str:
    source = "".join(cell["source"])
    match cell["cell_type"]:
        case "markdown":
            return source
        case "code":
            return fenced(source, language).rstrip("\n")
        case _:
            return fenced(source).rstrip("\n")


def _language(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata", {})
    spec = metadata.get("language_info", {}).get("name") or metadata.get("kernelspec", {}).get("language")
    return str(spec or "python")
