"""Images on their way through a template, which knows text only: each is a number until the text is whole."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from jinja2 import Undefined

from ..errors import PromptError
from ..language import _
from ..messages.request import ImagePart, Part, TextPart
from .values import to_parts

_DIGITS = 40


class PlacedImages:
    """The images of one rendering after another.

    Their places are marked by a number that never leaves this object, so that no value can hold it; digits,
    because filters such as `upper` and `indent` leave them alone.
    """

    def __init__(self) -> None:
        self._key = "".join(secrets.choice("0123456789") for _ in range(_DIGITS))
        self._images: list[ImagePart] = []

    def clear(self) -> None:
        """Begin another rendering."""
        self._images.clear()

    def place(self, value: Any, name: str, say: Callable[[str], None]) -> Any:
        """Return the text that stands for a value, which is what a template's `finalize` does."""
        if isinstance(value, Undefined):
            return value  # Jinja raises what there is to say about it
        if isinstance(value, str) and self._key in value:
            return value  # a block or macro with an image in it
        return "".join(self._text(part) for part in to_parts(value, say=say, known_as=name))

    def restore(self, text: str) -> tuple[Part, ...]:
        """Return the rendered text with the images at their places."""
        pieces = re.split(rf"{self._key}(\d{{6}})", text)
        if any(self._key[: _DIGITS // 2] in piece for piece in pieces[::2]):
            raise PromptError(_("A filter has cut an image in two."), _("Put the image outside of it."))
        parts: list[Part] = [TextPart(pieces[0])]
        for number, after in zip(pieces[1::2], pieces[2::2], strict=True):
            parts += [self._images[int(number)], TextPart(after)]
        return tuple(part for part in parts if isinstance(part, ImagePart) or part.text)

    def _text(self, part: Part) -> str:
        if isinstance(part, TextPart):
            return part.text
        self._images.append(part)
        return f"{self._key}{len(self._images) - 1:06}"
