"""What one object of the notebook becomes in a message: text that a reader wants, or an image."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ..language import _
from ..messages.request import Part, TextPart
from .addresses import tell_of_address
from .figures import to_images
from .images import image_part
from .sources import source_of
from .tables import to_table

TEXT_LIMIT = 100_000
"""Characters of one value; a longer one is cut in the middle, with a note in its place."""


class Whole(str):
    """Text whose length has been decided: it is not cut again."""

    __slots__ = ()


def say(text: str) -> None:
    """Tell the user something before anything is sent."""
    print(text, file=sys.stderr)


def to_parts(
    value: Any, name: str = "", say: Callable[[str], None] = say, *, known_as: str = ""
) -> list[Part]:
    """Return what a reader wants to see of `value`; `name` is what people call an image.

    Text stays as it is, if it is `fitted`. A table becomes Markdown, an array its shape and a
    summary, a figure or picture (also as bytes) an image, a function or class its source; anything else
    its own Markdown, or `str`.

    Raises
    ------
    PromptError
        It is a picture that cannot be drawn here, or bytes that are no image.

    """
    if isinstance(value, str):
        return [TextPart(fitted(value, name, say))]
    if isinstance(value, bytes | bytearray | memoryview):
        return [image_part(bytes(value), name)]
    parts: list[Part] = [*to_images(value, name)]
    called = known_as or name
    return parts or [TextPart(fitted(_told_text(value, called, say), called, say))]


def to_text(value: Any) -> str:
    """Return the text of an object that is no image, at any length."""
    text = _own_text(value)
    return str(value) if text is None else text


def _own_text(value: Any) -> str | None:
    """Return the text of an object that has more to show than its `str`."""
    texts = (of_kind(value) for of_kind in (to_table, _array, source_of, _markdown, _displayed))
    return next((text for text in texts if text is not None), None)


def _told_text(value: Any, name: str, say: Callable[[str], None]) -> str:
    text = _own_text(value)
    if text is None:
        text = str(value)
        tell_of_address(value, text, name, say)
    return text


def fitted(text: str, name: str = "", say: Callable[[str], None] = say) -> str:
    """Return `text` with at most `TEXT_LIMIT` of its characters; where it had more, tell the user."""
    short = cut(text)
    if short is not text:
        expression = f"{{{{ {name or 'value'} | cut({len(text)}) }}}}"
        say(
            _(
                "{what} has {length:,} characters and is sent without {missing:,} in its middle; "
                "{expression} in the prompt sends all of it.",
                what=name or _("A value"),
                length=len(text),
                missing=len(text) - TEXT_LIMIT,
                expression=expression,
            )
        )
    return short


def cut(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return `text` with at most `limit` of its characters, from both ends, and a note of what is left out.

    Text that is `Whole` stays so.
    """
    if len(text) <= limit or isinstance(text, Whole):
        return text
    end = limit // 3
    note = f"[… {len(text) - limit:,} of {len(text):,} characters left out …]"  # English: a model reads it
    return f"{text[: limit - end]}\n{note}\n{text[len(text) - end :]}"


def _array(value: Any) -> str | None:
    """A NumPy array; its scalars print well by themselves."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray) or value.ndim == 0:
        return None
    printed: str = numpy.array2string(value, threshold=1000)
    shape = " × ".join(f"{length:,}" for length in value.shape)
    return f"array of {shape} {value.dtype}:\n{printed}"  # English: a model reads it


def _markdown(value: Any) -> str | None:
    if isinstance(value, type) or not hasattr(type(value), "_repr_markdown_"):
        return None
    try:
        shown = value._repr_markdown_()
    except NotImplementedError:  # how these methods say that there is nothing to show
        return None
    text = shown[0] if isinstance(shown, tuple) else shown
    return text if isinstance(text, str) else None


def _displayed(value: Any) -> str | None:
    """The text of IPython's `HTML`, `SVG`, `Latex`, … whose `str` is an address."""
    classes = {(cls.__module__, cls.__name__) for cls in type(value).__mro__}
    text = value.data if ("IPython.core.display", "DisplayObject") in classes else None
    return text if isinstance(text, str) else None
