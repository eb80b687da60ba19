"""What a server gave back, as what a model is handed: text, and images where it sends any."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..errors import AttachmentError
from ..language import using
from ..messages.request import ImagePart, Part, TextPart
from ..prompt.files import fenced
from ..prompt.images import image_part, media_type
from ..tools.offered import ToolResult
from ..tools.tool import cut
from ..words import size

MOST_IMAGES = 8


def to_result(result: Any, hide: Callable[[str], str]) -> ToolResult:
    """Return the result of a call: its texts, its structure where no text says the same, its images.

    What cannot be handed on is told in the place where it would stand. `hide` takes secrets out of texts.
    """
    parts = [part for block in result.content for part in block_parts(block)]
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    structure = result.structured_content
    if structure is not None and not _say(texts, structure):
        texts.append(json.dumps(structure, ensure_ascii=False))
    images = [part for part in parts if isinstance(part, ImagePart)]
    if len(images) > MOST_IMAGES:
        left_out = len(images) - MOST_IMAGES
        texts.append(f"[{left_out} more images were left out]")  # English: a model reads it
    written = "\n".join(texts)
    if result.is_error and not written.startswith("Error"):
        written = f"Error: {written}"
    return ToolResult(cut(hide(written)), result.is_error, tuple(images[:MOST_IMAGES]))


def block_parts(block: Any) -> list[Part]:
    """Return a block of content as parts of a message."""
    match block.type:
        case "text":
            return [TextPart(block.text)]
        case "image":
            return [_image(block.data, block.mime_type, "image")]
        case "resource":
            return contents_parts([block.resource])
        case "resource_link":
            about = f": {block.description}" if block.description else ""
            return [TextPart(f"[resource {block.name} at {block.uri}{about}]")]
        case "audio":
            audio = f"[audio of the type {block.mime_type}, which is not handed on]"  # English: as above
            return [TextPart(audio)]
    other = f"[content of the kind {block.type}, which is not handed on]"  # English: as above
    return [TextPart(other)]


def contents_parts(contents: Sequence[Any]) -> list[Part]:
    """Return what was read of a resource as parts of a message, each under a line with its address."""
    return [part for content in contents for part in _iter_content(content)]


def _iter_content(content: Any) -> Iterator[Part]:
    text = getattr(content, "text", None)
    if text is not None:
        yield TextPart(f"Resource {content.uri}:\n\n{fenced(text, _language(content.mime_type))}")
        return
    yield TextPart(f"Resource {content.uri}:\n\n")
    yield _image(content.blob, content.mime_type or "application/octet-stream", content.uri)
    yield TextPart("\n")


def _language(kind: str | None) -> str:
    return {"application/json": "json", "text/markdown": "markdown", "text/x-python": "python"}.get(
        kind or "", ""
    )


def _image(encoded: str, kind: str, name: str) -> Part:
    """Return an image as a model takes it; what is none is told in English words, for the model."""
    try:
        data = b64decode(encoded, validate=True)
    except (Base64Error, ValueError):
        return TextPart(f"[{kind} that is not base64, and is not handed on]")  # English: a model reads it
    with using("en"):
        if media_type(data) is None:
            told = f"[{size(len(data))} of the type {kind}, which are not handed on]"  # English: as above
            return TextPart(told)
        try:
            return image_part(data, name)
        except AttachmentError as error:
            return TextPart(f"[{error.message}]")


def _say(texts: Sequence[str], structure: Any) -> bool:
    """Whether the texts say all that a structure does: as its JSON, or as the one value it wraps."""
    said = [_parsed(text) for text in texts]
    wraps = isinstance(structure, dict) and len(structure) == 1
    inner = next(iter(structure.values())) if wraps else structure
    wanted = (structure, inner)
    return any(value in wanted or text == inner for value, text in zip(said, texts, strict=True)) or (
        isinstance(inner, list) and inner in ([*texts], said)
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
