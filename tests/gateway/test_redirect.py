"""Where a redirect points, and whether it may be followed."""

from __future__ import annotations

import pytest

from metask_magic.gateway.redirect import next_address, target_of
from metask_magic.gateway.refusal import Refusal

BASE = "https://gateway.example/v1"
ASKED = f"{BASE}/chat/completions"


def refusal(status: int, location: str | None) -> Refusal:
    return Refusal(status, b"", {} if location is None else {"location": location})


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/v2/chat", "https://gateway.example/v2/chat"),
        ("completions/", f"{BASE}/chat/completions/"),
        ("https://gateway.example:443/x", "https://gateway.example:443/x"),
        ("https://GATEWAY.example/x", "https://GATEWAY.example/x"),
        (ASKED, None),
        ("http://gateway.example/x", None),
        ("http://gateway.example:443/x", None),
        ("https://gateway.example:8443/x", None),
        ("https://evil.example/x", None),
        ("//evil.example/x", None),
        ("https://gateway.example@evil.example/x", None),
        ("https://gateway.example.evil.example/x", None),
        ("https://user:pw@gateway.example/x", None),
        ("https://user@gateway.example/x", None),
        ("http://[::1", None),
        ("https://gateway.example:x/", None),
        ("", None),
        (None, None),
    ],
)
def test_what_may_be_followed(location: str | None, target: str | None) -> None:
    assert [next_address(refusal(status, location), ASKED) for status in (307, 308)] == [target] * 2
    assert [next_address(refusal(status, location), ASKED) for status in (301, 302, 303, 400)] == [None] * 4


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://user:pw@evil.example/v1?key=k#f", "https://evil.example/v1"),
        ("/login", "https://gateway.example/login"),
        ("https://evil.example/\x1b[31mx\u202e", "https://evil.example/x"),
        ("https://evil.example/" + "x" * 1000, "https://evil.example/" + "x" * 179),
        ("http://[::1", None),
        (None, None),
    ],
)
def test_what_is_shown(location: str | None, shown: str | None) -> None:
    assert target_of(refusal(302, location), BASE) == shown


def test_it_points_from_where_it_was_met() -> None:
    met = Refusal(302, b"", {"location": "login"}, ASKED)
    assert target_of(met, BASE) == f"{BASE}/chat/login"
