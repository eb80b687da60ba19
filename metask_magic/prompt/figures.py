"""Objects that are images or can be drawn as one: figures, plots, pictures.

Libraries are recognised by the classes an object is made of; none is imported to look.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

from ..errors import PromptError
from ..language import _
from ..messages.request import ImagePart
from .images import image_part

DPI = 144
LONGEST_SIDE = 1500
"""Pixels; providers scale down what is larger, and the letters with it."""

_IMAGE_KINDS = ("image/png", "image/jpeg")


def to_images(value: Any, name: str = "") -> list[ImagePart]:
    """Return what an object looks like, as images; nothing where it has no looks.

    A list or array of plots (`df.plot(subplots=True)`) gives each figure once.

    Raises
    ------
    PromptError
        The object is a picture, but cannot be drawn here.

    """
    if _kind(value) is not None:
        return [image_part(_draw(value), name)]
    figures = {id(figure): figure for figure in map(_figure, _plots(value))}
    if figures:
        return [image_part(_draw(figure), name) for figure in figures.values()]
    data = _own_image(value)
    return [image_part(data, name)] if data is not None else []


def _draw(value: Any) -> bytes:
    kind = _kind(value)
    return _DRAWINGS[kind](value) if kind else b""


def _kind(value: Any) -> tuple[str, str] | None:
    """Which entry of `_DRAWINGS` the object falls under, by the library and name of its classes."""
    kinds = ((cls.__module__.partition(".")[0], cls.__name__) for cls in type(value).__mro__)
    return next((kind for kind in kinds if kind in _DRAWINGS), None)


def _plots(value: Any) -> list[Any]:
    """The items of a list or array of plots; nothing if it is anything else."""
    if isinstance(value, list | tuple):
        items = list(value)
    elif type(value).__module__ == "numpy" and getattr(value, "dtype", "") == "object":
        items = list(value.flat)
    else:
        return []
    return items if all(_kind(item) for item in items) else []


def _figure(value: Any) -> Any:
    """The figure that a part of a Matplotlib figure belongs to; anything else is its own."""
    while not hasattr(value, "savefig"):
        figure = getattr(value, "figure", None)
        if figure is None:
            break
        value = figure
    return value


def _draw_matplotlib(value: Any) -> bytes:
    figure = _figure(value)
    if not hasattr(figure, "savefig"):
        raise PromptError(
            _("The {kind} belongs to no figure.", kind=type(value).__name__), _("Put in the figure itself.")
        )
    file = BytesIO()
    # The figure's own method: pyplot and its current figure are not touched.
    dpi = min(DPI, LONGEST_SIDE / max(figure.get_size_inches()))
    figure.savefig(file, format="png", bbox_inches="tight", dpi=dpi)
    return file.getvalue()


def _draw_plotly(figure: Any) -> bytes:
    try:
        return bytes(figure.to_image("png"))
    except Exception as error:
        raise PromptError(
            _("Plotly cannot draw this figure here: {error}", error=_first_line(error)),
            _("Install `kaleido` and Chrome, or send the figure's data: {{ fig.to_json() }}."),
        ) from error


def _draw_altair(chart: Any) -> bytes:
    file = BytesIO()
    try:
        chart.save(file, format="png", scale_factor=2)
    except Exception as error:
        raise PromptError(
            _("Altair cannot draw this chart here: {error}", error=_first_line(error)),
            _("Install `vl-convert-python`, or send the chart's data: {{ chart.to_json() }}."),
        ) from error
    return file.getvalue()


def _draw_pillow(image: Any) -> bytes:
    file = BytesIO()
    try:
        image.save(file, format="PNG")
    except OSError:  # CMYK and other modes PNG does not know
        file = BytesIO()
        image.convert("RGB").save(file, format="PNG")
    return file.getvalue()


def _draw_seaborn(grid: Any) -> bytes:
    return _draw_matplotlib(grid.figure)


def _draw_displayed(image: Any) -> bytes:
    if image.data is None:
        raise PromptError(
            _("The image is only a link ({url}).", url=image.url),
            _("Download it, and attach the file or its bytes."),
        )
    return bytes(image.data)


_DRAWINGS: dict[tuple[str, str], Callable[[Any], bytes]] = {
    ("matplotlib", "Artist"): _draw_matplotlib,  # figures, axes, lines, images
    ("plotly", "BaseFigure"): _draw_plotly,
    ("altair", "TopLevelMixin"): _draw_altair,
    ("PIL", "Image"): _draw_pillow,
    ("IPython", "Image"): _draw_displayed,
    ("seaborn", "Grid"): _draw_seaborn,
    ("seaborn", "JointGrid"): _draw_seaborn,
}


def _own_image(value: Any) -> bytes | None:
    """What the object's own `_repr_png_` and its like give."""
    for method in ("_repr_png_", "_repr_jpeg_"):
        data = _shown(value, method)
        if data:
            return _decoded(data)
    bundle = _shown(value, "_repr_mimebundle_", include=_IMAGE_KINDS)
    if isinstance(bundle, dict):
        return next((_decoded(bundle[kind]) for kind in _IMAGE_KINDS if bundle.get(kind)), None)
    return None


def _shown(value: Any, method: str, **arguments: Sequence[str]) -> Any:
    """The result of a display method, without the metadata that may come with it."""
    # Looked up on the class, as Python does for its own: some objects answer to any attribute.
    if isinstance(value, type) or not hasattr(type(value), method):
        return None
    try:
        shown = getattr(value, method)(**arguments)
    except NotImplementedError:  # how these methods say that there is nothing to show
        return None
    return shown[0] if isinstance(shown, tuple) else shown


def _decoded(data: str | bytes) -> bytes:
    return b64decode(data) if isinstance(data, str) else bytes(data)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
