"""The manual, built as CONTRIBUTING says: without a warning, a dead link or anything from another host."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from ..examples import documents, iter_headings, iter_spans, languages
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All languages, built beside each other."""
    out = tmp_path_factory.mktemp("manual")
    for language in languages():
        done = subprocess.run(
            command(language, out / language), cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> Mapping[Path, Page]:
    return dict(_iter_pages(site))


def _iter_pages(folder: Path) -> Iterator[tuple[Path, Page]]:
    for path in folder.rglob("*.html"):
        reader = _Reader()
        reader.feed(path.read_text(encoding="utf-8"))
        yield path, reader.page


@pytest.mark.parametrize("language", languages())
def test_it_has_the_pages_and_the_notebooks(site: Path, pages: Mapping[Path, Page], language: str) -> None:
    built = {path.relative_to(site / language).as_posix() for path in pages if language in path.parts}
    names = ["index", f"docs/{language}/errors", "CONTRIBUTING", "notebooks/quickstart"]
    assert [name for name in names if f"{name}.html" not in built] == []


@pytest.fixture(scope="module")
def words(site: Path) -> Mapping[str, Collection[str]]:
    """The words of headings that the search of each language finds."""
    files = {
        language: (site / language / "searchindex.js").read_text(encoding="utf-8") for language in languages()
    }
    return {
        language: json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))["titleterms"]
        for language, text in files.items()
    }


@pytest.mark.parametrize("language", languages())
def test_an_error_is_found_by_its_name(words: Mapping[str, Collection[str]], language: str) -> None:
    page = documents()[f"docs/{language}/errors.md"]
    headings = [text for _, text in iter_headings(page) if text.endswith("Error")]
    assert headings
    assert [name for name in headings if name.lower() not in words[language]] == []


@pytest.mark.parametrize("language", [language for language in languages() if language == "zh"])
def test_chinese_words_are_found(words: Mapping[str, Collection[str]], language: str) -> None:
    _, title = next(iter_headings(documents()[f"docs/{language}/recordings.md"]))
    pairs = re.findall(r"(?=([\u3400-\u9fff]{2}))", title)
    assert pairs
    assert [pair for pair in pairs if pair not in words[language]] == []


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


def test_nothing_is_fetched_from_another_host(site: Path, pages: Mapping[Path, Page]) -> None:
    loaded = {address for page in pages.values() for address in page.fetched}
    assert [address for address in loaded if urlsplit(address).netloc] == []
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert styles
    assert [
        style[:80] for style in styles if "url(http" in style or "url(//" in style or "@import" in style
    ] == []
