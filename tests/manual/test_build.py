"""The manual, built as CONTRIBUTING says: without a warning, a dead link or anything from another host."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from ..examples import iter_spans, languages
from ..kernel import ROOT

pytestmark = pytest.mark.kernel

FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
"""What a page loads by itself, and the attribute that says from where."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a built page has: ids, addresses that a reader may follow, and those that it loads itself."""

    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    fetched: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.ids.add(given.get("id", ""))
        if tag == "a" and "href" in given:
            self.page.links.add(given["href"])
        elif (said := given.get(FETCHED.get(tag, ""))) and given.get("rel") not in ("canonical", "index"):
            self.page.fetched.add(said)


def command(language: str, out: Path) -> list[str]:
    """Return CONTRIBUTING's command for the manual, for a language and another place."""
    spans = iter_spans((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    (said,) = (span for span in spans if span.startswith("sphinx-build"))
    words = {"en": language, "docs/_build/en": str(out)}
    return [sys.executable, "-m", "sphinx", *(words.get(word, word) for word in shlex.split(said)[1:])]


@pytest.fixture(scope="module", params=languages())
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp(f"manual-{request.param}")
    done = subprocess.run(
        command(request.param, out), cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return out


@pytest.fixture
def pages(built: Path) -> Mapping[Path, Page]:
    return dict(_iter_pages(built))


def _iter_pages(folder: Path) -> Iterator[tuple[Path, Page]]:
    for path in folder.rglob("*.html"):
        reader = _Reader()
        reader.feed(path.read_text(encoding="utf-8"))
        yield path, reader.page


def test_it_has_the_pages_and_the_notebooks(pages: Mapping[Path, Page]) -> None:
    names = {path.name for path in pages}
    assert {"errors.html", "python-api.html", "CONTRIBUTING.html", "quickstart.html", "index.html"} <= names


def test_no_link_is_dead(pages: Mapping[Path, Page]) -> None:
    assert [
        f"{path.name}: {link}"
        for path, page in pages.items()
        for link in page.links
        if is_dead(path, link, pages)
    ] == []


def is_dead(path: Path, link: str, pages: Mapping[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return False  # another host's, or mail: nobody asks for it here
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return True
    return bool(parts.fragment) and target in pages and unquote(parts.fragment) not in pages[target].ids


def test_nothing_is_fetched_from_another_host(built: Path, pages: Mapping[Path, Page]) -> None:
    loaded = {address for page in pages.values() for address in page.fetched}
    assert [address for address in loaded if urlsplit(address).netloc] == []
    styles = [path.read_text(encoding="utf-8") for path in built.rglob("*.css")]
    assert styles
    assert [
        style[:80] for style in styles if "url(http" in style or "url(//" in style or "@import" in style
    ] == []
