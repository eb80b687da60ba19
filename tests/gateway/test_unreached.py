"""What is said where no answer came, or it broke off; nothing that a proxy should not show."""

from __future__ import annotations

import re
import socket
import ssl

import httpx2
import pytest

from metask_magic.errors import (
    ConnectionFailedError,
    HostRefusedError,
    MetaskError,
    NameResolutionError,
    ProxyError,
    ReplyTimeoutError,
    StreamCutError,
    StreamStalledError,
    TLSError,
)
from metask_magic.gateway import unreached
from metask_magic.language import choose

from ..english import english_sentences

BASE_URL = "https://gateway.invalid/v1"


def caused(error: BaseException, *causes: BaseException) -> BaseException:
    """The error with its chain of causes, outermost first."""
    chain = [error, *causes]
    for outer, inner in zip(chain, causes, strict=False):
        outer.__cause__ = inner
    return error


def in_context(error: BaseException, context: BaseException) -> BaseException:
    error.__context__ = context
    return error


CONNECT = "All connection attempts failed"
CERTIFICATE = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] unable to get issuer")

OTHER, REFUSED, TOO_SLOW, NO_NAME = (
    ConnectionFailedError,
    HostRefusedError,
    ReplyTimeoutError,
    NameResolutionError,
)

UNREACHABLE: dict[str, tuple[BaseException, type[ConnectionFailedError], str]] = {
    "no address": (
        caused(Exception(), httpx2.ConnectError(CONNECT), socket.gaierror(-2, "unknown")),
        NO_NAME,
        "gateway.invalid has no address",
    ),
    "in the context": (
        in_context(httpx2.ConnectError(CONNECT), socket.gaierror(-2, "unknown")),
        NO_NAME,
        "has no address",
    ),
    "refused": (caused(Exception(), ConnectionRefusedError(111, "refused")), REFUSED, "Nothing answers"),
    "refused at both addresses": (
        caused(OSError(CONNECT), ExceptionGroup("all", [ConnectionRefusedError(), ConnectionRefusedError()])),
        REFUSED,
        "Nothing answers at gateway.invalid",
    ),
    "certificate": (caused(Exception(), CERTIFICATE), TLSError, "is not secure"),
    "connecting takes long": (caused(Exception(), httpx2.ConnectTimeout("")), TOO_SLOW, "within 5 s"),
    "answering takes long": (caused(Exception(), TimeoutError()), TOO_SLOW, "within 5 s"),
    "refused, after a time": (caused(TimeoutError(), ConnectionRefusedError()), REFUSED, "Nothing answers"),
    "other": (caused(Exception("Connection error."), OSError("\x1b[31mno\nroute")), OTHER, "(no route)"),
    "silent": (caused(Exception("no"), OSError()), OTHER, "(OSError)"),
    "round in circles": (in_context(error := OSError("loop"), caused(OSError("a"), error)), OTHER, "(a)"),
}


@pytest.mark.parametrize(("error", "kind", "says"), UNREACHABLE.values(), ids=UNREACHABLE)
def test_why_it_is_unreachable(error: BaseException, kind: type[MetaskError], says: str) -> None:
    found = unreached.unreachable(error, BASE_URL, 5.0)
    assert type(found) is kind
    assert says in found.message
    assert found.remedy


def test_the_address_is_shown_without_a_password() -> None:
    found = unreached.unreachable(ConnectionRefusedError(), "https://me:s3cret@gateway.invalid:8443/v1", 5.0)
    assert found.message == "Nothing answers at gateway.invalid:8443."


@pytest.mark.parametrize(
    ("variable", "proxy", "shown"),
    [
        ("HTTPS_PROXY", "http://proxy.invalid:3128", "proxy.invalid:3128"),
        ("https_proxy", "http://me:s3cret@proxy.invalid:3128", "proxy.invalid:3128"),
        ("ALL_PROXY", "socks5://me:s3@cret@proxy.invalid", "proxy.invalid"),
        ("ALL_PROXY", "me:s3cret@proxy.invalid:3128", "of the environment"),
        ("HTTPS_PROXY", "http://me:s3/cret@proxy.invalid:3128", "of the environment"),
        ("HTTPS_PROXY", "http://me:80/s3cret@proxy.invalid:3128", "of the environment"),
        ("HTTPS_PROXY", "http://me:s3?cret@proxy.invalid:3128", "of the environment"),
        ("HTTPS_PROXY", "http://[s3cret", "of the environment"),
    ],
)
def test_a_proxy_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str, shown: str
) -> None:
    monkeypatch.setenv(variable, proxy)
    found = unreached.unreachable(caused(Exception(), ConnectionRefusedError("no")), BASE_URL, 5.0)
    assert type(found) is ProxyError
    assert f"through the proxy {shown} (no)" in found.message
    assert "s3" not in str(found)
    assert "cret" not in str(found)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(-2, "unknown"), ProxyError),
        (httpx2.ConnectTimeout(""), ProxyError),
        (httpx2.ProxyError("407 Proxy Authentication Required"), ProxyError),
        (ImportError("socksio"), ProxyError),
        (CERTIFICATE, TLSError),
        (httpx2.ReadTimeout(""), ReplyTimeoutError),
    ],
)
def test_what_a_proxy_is_blamed_for(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[MetaskError]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    assert type(unreached.unreachable(caused(Exception(), error), BASE_URL, 5.0)) is kind


@pytest.mark.parametrize(
    ("base_url", "no_proxy"),
    [
        (BASE_URL, "gateway.invalid"),
        (BASE_URL, "*"),
        ("https://127.0.0.1/v1", ""),
        ("http://gateway.invalid/v1", ""),
    ],
)
def test_a_proxy_that_is_not_in_the_way(
    monkeypatch: pytest.MonkeyPatch, base_url: str, no_proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert type(unreached.unreachable(ConnectionRefusedError(), base_url, 5.0)) is HostRefusedError


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (caused(Exception(), httpx2.ReadTimeout("")), StreamStalledError, "for 0.5 s"),
        (TimeoutError(), StreamStalledError, "for 0.5 s"),
        (httpx2.RemoteProtocolError("incomplete chunked read"), StreamCutError, "was cut"),
        (ConnectionResetError(), StreamCutError, "was cut"),
    ],
)
def test_why_it_broke_off(error: BaseException, kind: type[MetaskError], says: str) -> None:
    found = unreached.broken(error, 0.5)
    assert type(found) is kind
    assert says in found.message


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (FileNotFoundError("/s3cret"), TLSError, "SSL_CERT_FILE"),
        (ssl.SSLError("s3cret"), TLSError, "SSL_CERT_FILE"),
        (ValueError("Unknown scheme: s3cret"), ProxyError, "not a valid one"),
        (httpx2.InvalidURL("Invalid port: 's3cret'"), ProxyError, "not a valid one"),
    ],
)
def test_an_environment_no_client_can_be_made_of(
    error: Exception, kind: type[MetaskError], says: str
) -> None:
    found = unreached.misconfigured(error, BASE_URL)
    assert type(found) is kind
    assert says in found.message
    assert "s3cret" not in str(found)


# -- in Chinese ------------------------------------------------------------------------------------------


def test_in_chinese_nothing_of_ours_is_english() -> None:
    choose("zh")
    errors: list[MetaskError] = [
        unreached.unreachable(error, BASE_URL, 5.0) for error, *_ in UNREACHABLE.values()
    ]
    errors += [unreached.broken(error, 0.5) for error in (TimeoutError(), ConnectionResetError())]
    errors += [unreached.misconfigured(error, BASE_URL) for error in (OSError(), ValueError())]
    theirs = f"{CONNECT}|no route|unable to get issuer"
    left = {said for error in errors for said in english_sentences(re.sub(theirs, "", str(error)))}
    assert left == set()


def test_a_proxy_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    choose("zh")
    monkeypatch.setenv("HTTPS_PROXY", "http://[s3cret")
    found = unreached.unreachable(caused(Exception(), OSError()), BASE_URL, 5.0)
    assert found.message == "没能通过代理（取自环境变量）连接到 gateway.invalid（没有响应）。"
