"""Where a redirect points: within the gateway it is followed, elsewhere the prompt must not go."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from ..words import plain
from .refusal import LONGEST_QUOTE, Refusal

_KEEPS_METHOD = {307, 308}  # after any other the request would be asked again without its body
_PORTS = {"http": 80, "https": 443}


def next_address(refusal: Refusal, asked: str) -> str | None:
    """Return the address to ask again, within the origin of `asked`; None where there is none."""
    location = refusal.headers.get("location")
    if refusal.status not in _KEEPS_METHOD or not location:
        return None
    try:
        target = urljoin(asked, location)
        parts = urlsplit(target)
        same = _origin(parts) == _origin(urlsplit(asked)) and "@" not in parts.netloc  # not as somebody else
    except ValueError:
        return None
    return target if same and target != asked else None


def target_of(refusal: Refusal, base_url: str) -> str | None:
    """Return where it points, fit to show: without user, query and fragment; None where it says nothing."""
    location = refusal.headers.get("location")
    if not location:
        return None
    try:
        parts = urlsplit(urljoin(refusal.address or f"{base_url}/", location))
        shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        shown = ""
    return plain(shown)[:LONGEST_QUOTE] or None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
