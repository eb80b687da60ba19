"""A reply's HTML in its frame; `tests/browser/test_formats.py` shows in a browser that it can do nothing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from metask_magic.display.page import to_sandboxed_page

from .test_record import HOSTILE, TRICKS


class Tags(HTMLParser):
    """The tags of a page, and their attributes; of two attributes of a name the first, as browsers do."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(reversed(attributes))))


@pytest.mark.parametrize("source", [*HOSTILE, *TRICKS, '"></iframe><script>', "&quot;&gt;", ""], ids=repr)
def test_one_frame_without_permissions(source: str) -> None:
    [(tag, attributes)] = Tags(to_sandboxed_page(source)).tags
    assert tag == "iframe"
    assert attributes.keys() == {"sandbox", "srcdoc", "title", "style"}
    assert attributes["sandbox"] == ""
    (policy, about), *_ = Tags(attributes["srcdoc"] or "").tags
    assert policy == "meta"
    assert (about["content"] or "").startswith("default-src 'none'; ")


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("<p title='a<b'>x &amp; y</p>", "<p title='a<b'>x &amp; y</p>"),
        ("<LINK rel=preconnect>", "&lt;LINK rel=preconnect>"),
        ("<iframe\nsrc=x>", "&lt;iframe\nsrc=x>"),
        ("<linked>", "<linked>"),
        ("<a target=_top href=x>", '<a target="_blank" href="#" target=_top href=x>'),
        ("<a/href=x>", '<a target="_blank" href="#"/href=x>'),
        ("<abbr>", "<abbr>"),
    ],
)
def test_what_a_policy_does_not_hold_back(source: str, kept: str) -> None:
    [(_, attributes)] = Tags(to_sandboxed_page(source)).tags
    assert (attributes["srcdoc"] or "").endswith(f">{kept}")
