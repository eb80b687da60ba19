"""What an answer that is no reply says of itself, in every shape we have met."""

from __future__ import annotations

from typing import Any

import pytest

from metask_magic.gateway.refusal import LONGEST_QUOTE, Said, is_error, quote, read_error

SAID: list[tuple[Any, Said | None]] = [
    ({"error": {"message": "No.", "code": 401, "type": "t", "param": "p"}}, Said("No.", "401", "t", "p")),
    ({"code": 401, "msg": "令牌无效"}, Said("令牌无效", "401")),
    ({"code": "InvalidApiKey", "message": "No.", "request_id": "r"}, Said("No.", "InvalidApiKey")),
    ({"success": False, "message": "No."}, Said("No.")),
    ({"base_resp": {"status_code": 1004, "status_msg": "No."}}, Said("No.", "1004")),
    ({"success": False, "errors": [{"code": 10000, "message": "No."}], "result": None}, Said("No.", "10000")),
    ({"Response": {"Error": {"Code": "AuthFailure", "Message": "No."}}}, Said("No.", "AuthFailure")),
    ({"header": {"code": 10005, "message": "No."}}, Said("No.", "10005")),
    ({"error_code": 110, "error_msg": "No."}, Said("No.", "110")),
    ({"timestamp": 1, "status": 404, "error": "Not Found", "path": "/v1"}, Said("Not Found", "404")),
    ({"error": {"message": "No."}, "code": 500}, Said("No.", "500")),
    ({"detail": "No."}, Said("No.")),
    ({"detail": [{"loc": ["n"], "msg": "No."}]}, Said('[{"loc": ["n"], "msg": "No."}]')),
    ({"detail": {"message": "No."}}, Said("No.")),
    ({"error": {"param": "x"}}, Said("", "", "", "x")),
    ("No.", Said("No.")),
    (["No."], Said('["No."]')),
    ({"hello": 1}, None),
    ({}, None),
    ("", None),
    (None, None),
    (5, None),
]


@pytest.mark.parametrize(("value", "said"), SAID, ids=str)
def test_what_it_says(value: Any, said: Said | None) -> None:
    assert read_error(value) == said


@pytest.mark.parametrize(
    ("code", "status"), [("401", 401), ("529", 529), ("200", None), ("1004", None), ("x", None), ("", None)]
)
def test_a_code_that_is_a_status(code: str, status: int | None) -> None:
    assert Said(code=code).status == status


ERRORS: list[tuple[dict[str, Any], bool]] = [
    *((value, True) for value, _ in SAID[:9] if isinstance(value, dict)),
    ({"object": "error", "message": "No."}, True),
    ({"type": "error", "error": {}}, True),
    ({"status": "error", "message": "No."}, True),
    ({"status": 500}, True),
    ({"choices": [], "usage": {}}, False),
    ({"code": 0, "msg": "ok"}, False),
    ({"code": 200, "data": {"x": 1}}, False),
    ({"code": "00000", "msg": "ok"}, False),
    ({"code": "40000", "msg": "no"}, True),
    ({"code": "success"}, False),
    ({"status": "processing", "message": "2 before you"}, False),
    ({"base_resp": {"status_code": 0, "status_msg": ""}}, False),
    ({"message": "hello"}, False),
    ({"success": True, "message": "fine"}, False),
    ({"error": None}, False),
    ({"type": "ping"}, False),
    ({}, False),
]


@pytest.mark.parametrize(("value", "error"), ERRORS, ids=str)
def test_whether_it_is_an_error(value: dict[str, Any], error: bool) -> None:
    assert is_error(value) is error


@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        (b"", ""),
        (b"  \n", ""),
        (b"No.\n\x1b[31mNo.", "“No. No.”"),
        (b"\xff\xfeNo.", "“\ufffd\ufffdNo.”"),
        (b"<html><style>p{}</style><body>No.<br>Go &amp; see.<!-- x --></body>", "“No. Go & see.”"),
        (b"<title>Log in</title><script>alert(1)</script>", "“Log in”"),
        (b"a < b and c > d", "“a < b and c > d”"),
        (b"x" * 1000, f"“{'x' * (LONGEST_QUOTE - 1)}…”"),
    ],
)
def test_quoted(body: bytes, quoted: str) -> None:
    assert quote(body) == quoted
