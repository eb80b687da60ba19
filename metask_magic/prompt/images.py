"""Image files: known by their first bytes, never by a name, and measured from their headers."""

from __future__ import annotations

from io import BytesIO
from math import ceil

from ..errors import AttachmentError
from ..language import N_, _
from ..messages.request import ImagePart

MEBIBYTE = 2**20

IMAGE_LIMIT = 20 * MEBIBYTE
"""Bytes an image may have. Providers take less, some 5 MB; more than this none does."""

SCALE_IT_DOWN = N_("Scale it down: models see little beyond 1,500 pixels a side.")

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def media_type(data: bytes) -> str | None:
    """Return `image/png` and the like by the first bytes; None for what no model takes as an image."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), None)


def image_part(data: bytes, name: str = "") -> ImagePart:
    """Return the bytes of an image file as a part of a message.

    Raises
    ------
    AttachmentError
        They are no image of a kind that models take, or more than `IMAGE_LIMIT`.

    """
    kind = media_type(data)
    if kind is None:
        raise _no_image(len(data), name)
    if len(data) > IMAGE_LIMIT:
        raise _too_large(in_mebibytes(len(data)), in_mebibytes(IMAGE_LIMIT), name)
    return ImagePart(kind, data, name)


def _no_image(length: int, name: str) -> AttachmentError:
    if name:
        told = _(
            "The {length:,} bytes of {name} are no PNG, JPEG, WebP or GIF image.", length=length, name=name
        )
    else:
        told = _("The {length:,} bytes are no PNG, JPEG, WebP or GIF image.", length=length)
    return AttachmentError(told, _("Bytes of text need .decode(); convert another kind of image to PNG."))


def _too_large(size: str, limit: str, name: str) -> AttachmentError:
    if name:
        told = _("The image of {name} has {size}; the limit is {limit}.", name=name, size=size, limit=limit)
    else:
        told = _("The image has {size}; the limit is {limit}.", size=size, limit=limit)
    return AttachmentError(told, _(SCALE_IT_DOWN))


def pixels(data: bytes) -> tuple[int, int] | None:
    """Return width and height as the image is shown, or None where its header does not say."""
    import imagesize

    width, height = imagesize.get(BytesIO(data))
    return (width, height) if width > 0 and height > 0 else None


def in_mebibytes(size: int) -> str:
    """Return a size for people, rounded up: what is over a limit must not read as the limit."""
    return f"{ceil(size * 10 / MEBIBYTE) / 10:.1f} MB"
