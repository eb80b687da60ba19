"""The pictures that texts use: each is there, none is empty or huge, and each can be read instead of seen."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from ..examples import NOTEBOOKS, prose_of
from ..kernel import ROOT
from .gallery import COLOURS, GALLERY, iter_names, shrink
from .scenes import SCENES

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "notebooks").glob("*.md"), *ROOT.glob("docs/**/*.md")])
} | {f"notebooks/{path.name}": prose_of(path) for path in NOTEBOOKS}

LARGEST, LARGEST_OF_ALL = 150_000, 1_500_000  # bytes
WIDTHS = range(900, 2001)
FEWEST_COLOURS = 16  # a page that is not loaded has one or two

PAPER, STRIPE, LIGHT = (255, 255, 255), (245, 245, 245), (25, 118, 210)

_IN_MARKDOWN = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)")


class Pictures(HTMLParser):
    """Collects the images of a page: alternative text and address; and the addresses in `<source>`."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.images: list[tuple[str, str]] = _IN_MARKDOWN.findall(page)
        self.sources: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "img":
            self.images.append((given.get("alt", ""), given["src"]))
        elif tag == "source":
            self.sources.append(given["srcset"])


def test_there_is_each_picture_and_no_other() -> None:
    assert {path.name for path in GALLERY.iterdir()} == {*iter_names()}


@pytest.mark.parametrize("name", [*iter_names()])
def test_a_picture_is_one(name: str) -> None:
    path = GALLERY / name
    assert path.stat().st_size < LARGEST
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width in WIDTHS
        assert len(image.convert("RGB").getcolors(image.width * image.height) or ()) >= FEWEST_COLOURS


def test_all_of_them_are_small() -> None:
    assert sum(path.stat().st_size for path in GALLERY.iterdir()) < LARGEST_OF_ALL


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_light_and_dark_show_the_same(scene: str, language: str) -> None:
    with (
        Image.open(GALLERY / f"{scene}.{language}.light.png") as light,
        Image.open(GALLERY / f"{scene}.{language}.dark.png") as dark,
    ):
        assert light.size == dark.size
        shades = [sum(image.convert("L").resize((1, 1)).tobytes()) for image in (light, dark)]
        assert shades[0] > 200 > 60 > shades[1]


@pytest.mark.parametrize("page", PAGES)
def test_a_picture_has_a_text_and_is_there(page: str) -> None:
    found = Pictures(PAGES[page])
    assert [address for text, address in found.images if len(text) < 10] == []
    addresses = [address for _, address in found.images] + found.sources
    here = [address for address in addresses if not re.match(r"https?:", address)]
    assert [address for address in here if not (Path(ROOT / page).parent / address).exists()] == []


def test_a_page_and_its_small_lights_keep_their_colours(tmp_path: Path) -> None:
    image = Image.new("RGB", (600, 200), PAPER)
    image.paste(STRIPE, (0, 100, 600, 130))
    image.paste(LIGHT, (10, 10, 18, 18))
    for at in range(250):  # the greys of many letters, and a few other colours
        image.paste((at, at, at), (at * 2, 140, at * 2 + 2, 170))
        image.paste((240, at, 255 - at), (at * 2, 180, at * 2 + 2, 181))
    path = tmp_path / "page.png"
    image.save(path)
    shrink(path)
    with Image.open(path) as small:
        assert len(small.getcolors(256) or ()) <= COLOURS
        seen = small.convert("RGB")
    assert [seen.getpixel(at) for at in ((300, 50), (300, 110), (14, 14))] == [PAPER, STRIPE, LIGHT]
