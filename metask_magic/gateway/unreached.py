"""Why the gateway was not reached, or its answer broke off: names, sockets, certificates, proxies, time."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import (
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
from ..language import _, pgettext
from ..settings import is_loopback
from ..words import plain


def unreachable(error: BaseException, base_url: str, seconds: float) -> ConnectionFailedError:
    """The error for a request that got no answer, by the first cause that is known."""
    host = urlsplit(base_url).netloc.rpartition("@")[2]
    causes = list(_iter_causes(error))
    if (proxy := proxy_for(base_url)) and not any(map(_is_beyond_proxy, causes)):
        return _by_proxy(host, proxy, causes)
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return NameResolutionError(
                _("The host name {host} has no address.", host=host),
                _("Check Metask.base_url and the network (VPN, proxy)."),
            )
        if isinstance(cause, ssl.SSLError):
            return _insecure(host, plain(getattr(cause, "reason", None) or cause))
        if isinstance(cause, ConnectionRefusedError):
            return HostRefusedError(
                _("Nothing answers at {host}.", host=host),
                _("Check Metask.base_url, and that the server runs."),
            )
    if _timed_out(causes):
        return _too_slow(host, seconds)
    return ConnectionFailedError(
        _(
            "The connection to {host} failed ({reason}).",
            host=host,
            reason=plain(causes[-1]) or type(causes[-1]).__name__,
        ),
        _("Run the cell again; if it goes on, check the network and Metask.base_url."),
    )


def _insecure(host: str, reason: str) -> TLSError:
    return TLSError(
        _("The connection to {host} is not secure ({reason}).", host=host, reason=reason),
        _(
            "Where a private certificate authority signs, put its file into SSL_CERT_FILE before the kernel "
            "starts; else check Metask.base_url."
        ),
    )


def _wait_longer(seconds: float) -> str:
    return _(
        "Run the cell again, or wait longer: `%config Metask.timeout = {seconds:g}`.", seconds=2 * seconds
    )


def _too_slow(host: str, seconds: float) -> ReplyTimeoutError:
    return ReplyTimeoutError(
        _("No answer from {host} within {seconds:g} s.", host=host, seconds=seconds),
        _wait_longer(seconds),
    )


def misconfigured(error: Exception, base_url: str) -> ConnectionFailedError:
    """The error where the environment lets no client be made; its own words may hold a proxy's password."""
    if isinstance(error, ImportError):
        return unreachable(error, base_url, 0.0)
    if isinstance(error, OSError):
        return TLSError(
            _("The certificates named by SSL_CERT_FILE or SSL_CERT_DIR cannot be read."),
            _("Correct the variable or unset it, before the kernel starts."),
        )
    return ProxyError(
        _("The address of the gateway, or of the proxy in the environment, is not a valid one."),
        _("Check Metask.base_url, HTTPS_PROXY, HTTP_PROXY and ALL_PROXY."),
    )


def _is_beyond_proxy(error: BaseException) -> bool:
    """Whether it was the gateway's own doing: a proxy let the connection through."""
    return isinstance(error, ssl.SSLError) or type(error).__name__ == "ReadTimeout"


def _by_proxy(host: str, proxy: str, causes: list[BaseException]) -> ConnectionFailedError:
    if any(isinstance(cause, ImportError) for cause in causes):
        return ProxyError(
            _("The proxy {proxy} speaks SOCKS, which needs one more package.", proxy=proxy),
            _('`pip install "httpx2[socks]"`.'),
        )
    return ProxyError(
        _(
            "{host} was not reached through the proxy {proxy} ({reason}).",
            host=host,
            proxy=proxy,
            reason=plain(causes[-1]) or _("no answer"),
        ),
        _("See HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY in the environment."),
    )


def proxy_for(base_url: str) -> str | None:
    """Host and port of the proxy in the way, without the password it may carry."""
    target = urlsplit(base_url)
    if is_loopback(base_url) or proxy_bypass(target.hostname or ""):
        return None
    proxies = getproxies()
    found = proxies.get(target.scheme) or proxies.get("all")
    return _without_password(found) or pgettext("proxy", "of the environment") if found else None


def _without_password(address: str) -> str:
    """Host and port; empty where they cannot be told from a password."""
    try:
        parts = urlsplit(address)
        readable = parts.port != 0 and ("@" in address) == ("@" in parts.netloc)
    except ValueError:
        return ""
    return parts.netloc.rpartition("@")[2] if readable else ""


def broken(error: BaseException, seconds: float) -> MetaskError:
    """The error for a reply that began and could not be read to its end."""
    if _timed_out(list(_iter_causes(error))):
        return StreamStalledError(
            _("Nothing more came for {seconds:g} s.", seconds=seconds),
            _wait_longer(seconds),
        )
    return StreamCutError(_("The connection was cut in the middle of the reply."), _("Run the cell again."))


def _iter_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes, outermost first; groups too (anyio tries addresses side by side)."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        found = pending.pop(0)
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        if isinstance(found, BaseExceptionGroup):
            pending.extend(found.exceptions)
        pending.extend([found.__cause__, found.__context__])


def _timed_out(causes: list[BaseException]) -> bool:
    """Whether time ran out: aiohttp's transport says so of every lost connection, but keeps the cause."""
    return any(map(_is_timeout, causes)) and not any(map(_is_lost_by_aiohttp, causes))


def _is_lost_by_aiohttp(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] == "aiohttp" and not isinstance(error, TimeoutError)


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or "Timeout" in type(error).__name__
