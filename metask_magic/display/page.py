"""A reply's HTML as a page in the page: nothing in it runs, nothing is fetched, no link leads away."""

from __future__ import annotations

import html
import re

from ..language import _

# No permission at all: no scripts, no forms, no windows, no navigation of the notebook, an origin of its own.
_POLICY = (  # English: a browser reads it
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)
_HEAD = (
    f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light">'
)
# No policy holds for the hints of a `link` (to connect, to look a name up), nor for a frame within the frame:
# these tags become text.
_INERT = re.compile(r"<(?=(?:link|i?frame|frameset|object|embed|portal|fencedframe)[\s/>])", re.IGNORECASE)
# A link could lead this very frame elsewhere, but not open a window; and a browser may connect to where it
# would lead as soon as it is pressed. Of two attributes the first one counts.
_LINK = re.compile(r"<(a|area)(?=[\s/>])", re.IGNORECASE)

_STYLE = (  # English: a browser reads it
    "width:100%;height:420px;resize:vertical;overflow:auto;box-sizing:border-box;background:#fff;"
    "border:1px solid var(--jp-border-color2,#bdbdbd);border-radius:4px"
)


def to_sandboxed_page(source: str) -> str:
    """Return an `iframe` that shows HTML of a model, whatever is in it."""
    body = _LINK.sub(r'<\1 target="_blank" href="#"', _INERT.sub("&lt;", source))
    page = html.escape(_HEAD + body)
    title = _("The reply as a page, without its scripts")
    return f'<iframe sandbox="" srcdoc="{page}" title="{title}" style="{_STYLE}"></iframe>'
