"""The text of a PDF, page by page, through pypdf."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from ..errors import AttachmentError

INSTALL = 'pip install "metask-magic[pdf]"'


def pdf_text(name: str, data: bytes) -> str:
    """Return the pages' text, each under its number.

    Raises
    ------
    AttachmentError
        pypdf is not installed, or the file is encrypted, damaged, or scanned without text.

    """
    try:
        import pypdf
        from pypdf.errors import PyPdfError
    except ImportError:
        raise AttachmentError(f"To read {name}, pypdf is needed.", f"Install it: {INSTALL}") from None
    try:
        pages = _pages(name, pypdf.PdfReader(BytesIO(data)))
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise AttachmentError(
            f"{name} cannot be read as PDF: {error}", "Open it in a viewer, and print or save it anew."
        ) from error
    if not any(pages):
        raise AttachmentError(
            f"{name} has {len(pages)} page{'' if len(pages) == 1 else 's'} and no text: it is scanned.",
            "Attach its pages as images (PNG or JPEG).",
        )
    return "\n\n".join(
        f"[page {number} of {len(pages)}]\n{text or '(no text on this page)'}"
        for number, text in enumerate(pages, 1)
    )


def _pages(name: str, reader: Any) -> list[str]:
    # Many PDFs are encrypted with an empty password, to restrict printing.
    if reader.is_encrypted and not reader.decrypt(""):
        raise AttachmentError(f"{name} is encrypted.", "Save a copy without the password, and attach that.")
    return [page.extract_text().strip() for page in reader.pages]
