"""The text of a PDF, page by page, through pypdf."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from ..errors import AttachmentError
from ..language import _, ngettext

INSTALL = 'pip install "metask-magic[pdf]"'  # English: it is a command


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
        raise AttachmentError(
            _("To read {name}, pypdf is needed.", name=name), _("Install it: {command}", command=INSTALL)
        ) from None
    try:
        pages = _pages(name, pypdf.PdfReader(BytesIO(data)))
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise AttachmentError(
            _("{name} cannot be read as PDF: {error}", name=name, error=error),
            _("Open it in a viewer, and print or save it anew."),
        ) from error
    if not any(pages):
        raise AttachmentError(
            ngettext(
                "{name} has {count} page and no text: it is scanned.",
                "{name} has {count} pages and no text: it is scanned.",
                len(pages),
                name=name,
            ),
            _("Attach its pages as images (PNG or JPEG)."),
        )
    return "\n\n".join(
        f"[page {number} of {len(pages)}]\n{text or '(no text on this page)'}"  # English: a model reads it
        for number, text in enumerate(pages, 1)
    )


def _pages(name: str, reader: Any) -> list[str]:
    # Many PDFs are encrypted with an empty password, to restrict printing.
    if reader.is_encrypted and not reader.decrypt(""):
        raise AttachmentError(
            _("{name} is encrypted.", name=name), _("Save a copy without the password, and attach that.")
        )
    return [page.extract_text().strip() for page in reader.pages]
