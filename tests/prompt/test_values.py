"""What one object becomes in a prompt: text that a reader wants, or an image."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import altair
import matplotlib as mpl
import numpy as np
import pandas as pd
import plotly.graph_objects
import pytest
from IPython.core import display as ipython
from IPython.display import Image as Displayed
from matplotlib.figure import Figure
from PIL import Image

from metask_magic.chat.reply import Reply
from metask_magic.errors import AttachmentError, PromptError
from metask_magic.language import using
from metask_magic.messages.request import ImagePart, TextPart
from metask_magic.prompt import images
from metask_magic.prompt.images import image_part, pixels
from metask_magic.prompt.values import TEXT_LIMIT, cut, to_parts

from ..chinese import left_in_english


def text_of(value: Any) -> str:
    (part,) = to_parts(value)
    assert isinstance(part, TextPart)
    return part.text


def image_of(value: Any) -> ImagePart:
    (part,) = to_parts(value)
    assert isinstance(part, ImagePart)
    return part


def image_bytes(kind: str, size: tuple[int, int] = (4, 3)) -> bytes:
    file = BytesIO()
    Image.new("RGB", size).save(file, kind)
    return file.getvalue()


PLAIN: list[Any] = [
    "",
    "{{ x }}\r\n",
    3,
    1.0,
    True,
    None,
    [1, 2],
    {"a": "é"},
    (1,),
    2 + 1j,
    np.float64(0.1),
    len,
    object,
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_what_prints_well_is_its_str(value: Any) -> None:
    assert text_of(value) == str(value)


def test_a_reply_is_its_text() -> None:
    assert text_of(Reply("Once.", "gpt-4o-mini", "stop")) == "Once."


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.arange(4).reshape(2, 2), "array of 2 × 2 int64:\n[[0 1]\n [2 3]]"),
        (
            np.arange(12_000),
            "array of 12,000 int64:\n[    0     1     2 ... 11997 11998 11999]",
        ),
        (np.array(7), "7"),
    ],
)
def test_an_array_is_summarised(array: Any, expected: str) -> None:
    assert text_of(array) == expected


def test_long_text_is_cut_in_the_middle_with_a_note() -> None:
    text = text_of("a" * TEXT_LIMIT + "b" * 50_000)
    note = "[… 50,000 of 150,000 characters left out …]"
    assert note in text
    assert text.startswith("a" * 66_667)
    assert text.endswith("b" * 33_333)
    assert len(text) == TEXT_LIMIT + len(note) + 2


def test_the_user_is_told_in_chinese_and_the_model_in_english(capsys: pytest.CaptureFixture[str]) -> None:
    with using("zh"):
        (part,) = to_parts("a" * (TEXT_LIMIT + 50_000), "text")
        to_parts("a" * (TEXT_LIMIT + 1))
    assert isinstance(part, TextPart)
    assert "[… 50,000 of 150,000 characters left out …]" in part.text
    assert capsys.readouterr().err == (
        "text：共 150,000 个字符，发送时省略中间的 50,000 个；"
        "在提示词中写 {{ text | cut(150000) }} 可发送全部内容。\n"
        "某个值：共 100,001 个字符，发送时省略中间的 1 个；"
        "在提示词中写 {{ value | cut(100001) }} 可发送全部内容。\n"
    )


@pytest.mark.parametrize(
    ("limit", "kept"), [(0, ("", "")), (1, ("0", "")), (3, ("01", "b")), (10, ("0123456", "9ab"))]
)
def test_any_limit_keeps_that_many(limit: int, kept: tuple[str, str]) -> None:
    start, end = kept
    note = f"[… {12 - limit} of 12 characters left out …]"
    assert cut("0123456789ab", limit) == f"{start}\n{note}\n{end}"


class Bright:
    """A class with a source."""

    def shine(self) -> str:
        return "!"


@pytest.mark.parametrize(
    ("value", "start"),
    [(Bright, "class Bright:\n"), (Bright().shine, "def shine(self)"), (text_of, "def text_of(")],
)
def test_code_is_its_source(value: Any, start: str) -> None:
    assert text_of(value).startswith(start)


class Shows:
    """An object with display methods, as many libraries have them."""

    def __init__(self, **shown: Any) -> None:
        self.shown = shown

    def _repr_png_(self) -> Any:
        return self.shown.get("png")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.shown.get("bundle", {})

    def _repr_markdown_(self) -> Any:
        if "markdown" not in self.shown:
            raise NotImplementedError
        return self.shown["markdown"]

    def __str__(self) -> str:
        return "plain"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Shows(markdown="**x**"), "**x**"),
        (Shows(markdown=("**x**", {"meta": 1})), "**x**"),
        (Shows(), "plain"),
        (ipython.DisplayObject("<b>"), "<b>"),
    ],
)
def test_an_object_that_shows_text(value: Any, text: str) -> None:
    assert text_of(value) == text


# Images

PNG = image_bytes("PNG")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WebP", "GIF"])
def test_bytes_of_an_image_are_an_image(kind: str) -> None:
    part = image_of(image_bytes(kind))
    assert (part.media_type, pixels(part.data)) == (f"image/{kind.lower()}", (4, 3))


@pytest.mark.parametrize(
    "value",
    [
        bytearray(PNG),
        memoryview(PNG),
        Shows(png=PNG),
        Shows(png=(PNG, {"width": 4})),
        Shows(bundle={"image/png": "iVBORw0KGgo=", "text/plain": "x"}),
        Shows(bundle=({"image/png": PNG}, {})),
    ],
)
def test_an_object_that_shows_an_image(value: Any) -> None:
    assert image_of(value).data.startswith(b"\x89PNG")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "1", "P", "CMYK", "I;16", "HSV"])
def test_a_picture_is_png(mode: str) -> None:
    assert pixels(image_of(Image.new(mode, (5, 2))).data) == (5, 2)


def drawn() -> Figure:
    figure = Figure(figsize=(4, 3))
    figure.subplots().plot([1, 2])
    return figure


@pytest.mark.parametrize(
    "pick",
    [
        lambda figure: figure,
        lambda figure: figure.axes[0],
        lambda figure: list(figure.axes[0].lines),
        lambda figure: np.array([figure.axes[0], figure.axes[0]], dtype=object),
        lambda figure: figure.add_subfigure(figure.add_gridspec()[0]).subplots(),
    ],
    ids=["figure", "axes", "lines", "array of axes", "in a subfigure"],
)
def test_what_plotting_returns_is_its_figure_once(pick: Callable[[Figure], Any]) -> None:
    width, height = pixels(image_of(pick(drawn())).data) or (0, 0)
    assert 400 < width <= 650
    assert 300 < height <= 500


def test_a_figure_gives_the_same_bytes_again() -> None:
    assert image_of(drawn()) == image_of(drawn())


def test_several_figures_are_several_images() -> None:
    assert [part.__class__ for part in to_parts([drawn(), drawn()])] == [ImagePart, ImagePart]


def test_drawing_leaves_pyplot_alone() -> None:
    mpl.use("agg")
    import matplotlib.pyplot as plt

    current = plt.figure()
    size, dpi = current.get_size_inches().tolist(), current.dpi
    image_of(drawn())
    image_of(current)
    assert plt.gcf() is current
    assert (plt.get_fignums(), current.get_size_inches().tolist(), current.dpi) == (
        [current.number],
        size,
        dpi,
    )
    plt.close(current)


def test_a_huge_figure_is_scaled_down() -> None:
    figure = Figure(figsize=(100, 10))
    figure.subplots().plot([1, 2])
    assert max(pixels(image_of(figure).data) or (9999,)) <= 1600


def test_pandas_plots_are_images() -> None:
    mpl.use("agg")
    import matplotlib.pyplot as plt

    axes = pd.DataFrame({"a": [1, 2], "b": [2, 1]}).plot(subplots=True)
    assert image_of(axes).media_type == "image/png"
    plt.close("all")


def test_seaborn_grids_are_images() -> None:
    mpl.use("agg")
    import matplotlib.pyplot as plt
    import seaborn

    assert image_of(seaborn.FacetGrid(pd.DataFrame({"a": [1]}))).media_type == "image/png"
    plt.close("all")


def test_an_altair_chart_is_twice_as_large_as_it_would_be_shown() -> None:
    chart = (
        altair.Chart(pd.DataFrame({"a": [1, 2]})).mark_bar().encode(x="a").properties(width=100, padding=0)
    )
    with Image.open(BytesIO(image_of(chart).data)) as picture:
        once = BytesIO()
        chart.save(once, format="png")
        with Image.open(once) as plain:
            assert picture.width == 2 * plain.width


def test_an_altair_chart_is_an_image() -> None:
    chart = altair.Chart(pd.DataFrame({"a": [1, 2]})).mark_bar().encode(x="a")
    assert image_of(chart).media_type == "image/png"


def failing(error: Exception) -> Callable[..., bytes]:
    def fail(*_: Any, **__: Any) -> bytes:
        raise error

    return fail


def test_charts_that_cannot_be_drawn_name_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(altair.Chart, "save", failing(ImportError("no vl-convert\nat all")))
    with pytest.raises(
        PromptError, match=r"draw this chart here: no vl-convert Install `vl-convert-python`.*to_json"
    ):
        to_parts(altair.Chart())
    monkeypatch.setattr(plotly.graph_objects.Figure, "to_image", failing(ValueError("kaleido is missing")))
    with pytest.raises(PromptError, match=r"here: kaleido is missing Install `kaleido` and Chrome.*to_json"):
        to_parts(plotly.graph_objects.Figure())


@pytest.mark.parametrize(
    "make",
    [altair.Chart, plotly.graph_objects.Figure, lambda: b"abc", lambda: Displayed(url="https://x/y.png")],
    ids=["Altair", "Plotly", "bytes", "link"],
)
def test_what_cannot_be_drawn_in_chinese(make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(altair.Chart, "save", failing(ImportError("no vl-convert\nat all")))
    monkeypatch.setattr(plotly.graph_objects.Figure, "to_image", failing(ValueError("kaleido is missing")))
    for name in ("it", ""):
        with using("zh"), pytest.raises(PromptError) as caught:
            to_parts(make(), name)
        assert left_in_english(caught.value) == []


def test_a_plotly_figure_is_an_image_where_plotly_can_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plotly.graph_objects.Figure, "to_image", lambda self, kind: PNG)
    assert image_of(plotly.graph_objects.Figure()).data == PNG


def test_other_bytes_are_refused() -> None:
    with pytest.raises(AttachmentError, match=r"3 bytes of it are no PNG, JPEG, WebP or GIF.*\.decode\(\)"):
        to_parts(b"abc", "it")


def test_an_image_too_large_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "IMAGE_LIMIT", 50)
    with pytest.raises(
        AttachmentError, match=r"image of fig has 0\.1 MB; the limit is 0\.1 MB\. Scale it down"
    ):
        image_part(PNG, "fig")


def test_ipython_images() -> None:
    assert image_of(Displayed(data=PNG)).data == PNG
    with pytest.raises(PromptError, match=r"only a link \(https://x/y\.png\)"):
        to_parts(Displayed(url="https://x/y.png"))
