"""What went wrong at the gateway, said so that a person can act on it.

Everything a server says goes through `plain`: no control characters, no bidirectional overrides, no novel.
"""

from __future__ import annotations

import json
import math
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import (
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    ContextLengthError,
    GatewayError,
    HostRefusedError,
    MetaskError,
    NameResolutionError,
    NotFoundError,
    PermissionDeniedError,
    ProxyError,
    RateLimitError,
    ReplyTimeoutError,
    ServerError,
    StreamCutError,
    StreamStalledError,
    TLSError,
    UnreadableReplyError,
)
from ..settings import is_loopback
from ..words import plain

# Each provider says it in its own words; a gateway may drop the code and keep the sentence.
_TOO_LONG_CODES = ("context_length_exceeded", "exceed_context_size_error")
_TOO_LONG = re.compile(
    r"""
      maximum\ (?:context|prompt)\ length
    | exceed\w*\ (?:\S+\ ){0,3}context\ (?:window|length|limit|size)
    | (?:prompt|input)\ (?:\(.*?\)\ )?is\ too\ long
    | token\ count\ .{0,30}\bexceeds\ the\ maximum
    | exceed\w*\ model\ token\ limit
    | prompt\ exceeds\ max\ length
    | range\ of\ input\ length
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer that is not a reply."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def request_id(self) -> str | None:
        found = self.headers.get("x-request-id")
        return plain(found) if found else None

    @property
    def error(self) -> Mapping[str, Any]:
        """The body's `error` object, as far as there is one."""
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        error = body.get("error", body) if isinstance(body, Mapping) else body
        return error if isinstance(error, Mapping) else {"message": error}

    @property
    def message(self) -> str:
        said = self.error.get("message") or self.error.get("detail")
        if said:
            return plain(said if isinstance(said, str) else json.dumps(said))
        return "it answered with a page that is not JSON" if self._is_page else "it gave no reason"

    @property
    def is_too_long(self) -> bool:
        """Whether the prompt is longer than the model takes."""
        coded = any(self.error.get(name) in _TOO_LONG_CODES for name in ("code", "type"))
        return coded or _TOO_LONG.search(self.message) is not None

    @property
    def _is_page(self) -> bool:
        return bool(self.body.strip()) and not self.error

    def mentions(self, *words: str) -> bool:
        return any(word.encode() in self.body for word in words)


def refused(refusal: Refusal, *, model: str, base_url: str, key_source: str) -> GatewayError:
    """The error for an HTTP status of 400 and above."""
    kind, message, remedy = _explain(refusal, plain(model), base_url, key_source)
    return kind(
        message,
        remedy,
        request_id=refusal.request_id,
        status=refusal.status,
        code=plain(refusal.error["code"]) if refusal.error.get("code") else None,
        retry_after=retry_after(refusal.headers),
    )


def _explain(
    refusal: Refusal, model: str, base_url: str, key_source: str
) -> tuple[type[GatewayError], str, str]:
    says = f"({refusal.status}): {refusal.message}"
    match refusal.status:
        case 400 | 413 | 422 if refusal.is_too_long:
            return (
                ContextLengthError,
                f"The prompt is too long for {model} {says}",
                "Shorten the prompt, or ask a model that takes more.",
            )
        case 400 | 422:
            return BadRequestError, f"The gateway did not accept the request {says}", _bad(refusal)
        case 401:
            return (
                AuthenticationError,
                f"The gateway refused the key {says}",
                f"The key came from {key_source}. Check it there or enter another with `%metask login`; "
                "keys are made in the gateway's dashboard (Settings → API Keys).",
            )
        case 403:
            return (
                PermissionDeniedError,
                f"The gateway refused {model} {says}",
                "Either this key may not use the model (`%metask models` lists those it may), or the balance "
                "is zero: top it up in the gateway's dashboard.",
            )
        case 404:
            return NotFoundError, *_not_found(refusal, model, base_url)
        case 429:
            return RateLimitError, f"Too many requests {says}", _slow_down(refusal)
        case status if status >= 500:
            return (
                ServerError,
                f"The gateway failed {says}",
                "Run the cell again in a moment; if it goes on, try another model.",
            )
        case _:
            return (
                GatewayError,
                f"The gateway answered {says}",
                f"Check Metask.base_url, which is {base_url}.",
            )


def _bad(refusal: Refusal) -> str:
    parameter = refusal.error.get("param")
    named = f"Change or drop the parameter {plain(parameter)}. " if parameter else ""
    return named + "`--dry-run` shows the exact request."


def _not_found(refusal: Refusal, model: str, base_url: str) -> tuple[str, str]:
    if refusal.error.get("code") == "model_not_found" or "model" in refusal.message.lower():
        return (
            f"The gateway has no model {model} (404): {refusal.message}",
            "`%metask models` lists the models this key may use.",
        )
    return (
        f"The gateway's address {base_url} does not answer as it should (404): {refusal.message}",
        "Check Metask.base_url; it usually ends in /v1.",
    )


def _slow_down(refusal: Refusal) -> str:
    if refusal.error.get("code") == "insufficient_quota":
        return "The quota is used up: top it up in the gateway's dashboard."
    wait = retry_after(refusal.headers)
    return (
        f"Wait {wait:.0f} s, then run the cell again." if wait else "Wait a little, then run the cell again."
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to wait: `Retry-After` as a number or a date (RFC 9110, 10.2.3)."""
    asked = headers.get("retry-after")
    if not asked:
        return None
    try:
        seconds = float(asked)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        until, now = parsedate_to_datetime(asked), parsedate_to_datetime(headers["date"])
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def fault_in_stream(error: Any) -> ServerError:
    """The error for an `{"error": …}` object in the middle of a stream that began well."""
    said = error.get("message") if isinstance(error, Mapping) else error
    code = error.get("code") if isinstance(error, Mapping) else None
    return ServerError(
        f"The gateway broke off with an error: {plain(said or 'it gave no reason')}",
        "Run the cell again; if it goes on, try another model.",
        code=plain(code) if code else None,
    )


def broken_json() -> UnreadableReplyError:
    """The error for a piece of a stream that cannot be read."""
    return UnreadableReplyError(
        "The gateway sent something unreadable in the middle of the reply.",
        "Run the cell again; if it goes on, try `--no-stream` or another model.",
    )


def not_a_reply(content_type: str, base_url: str) -> UnreadableReplyError:
    """The error for a successful answer that holds no reply."""
    kind = plain(content_type.partition(";")[0]) or "nothing readable"
    return UnreadableReplyError(
        f"The server at {base_url} answered with {kind} instead of a reply.",
        "Check Metask.base_url: it must be the API's address (it usually ends in /v1), not that of a web "
        "page or a login portal.",
    )


def unreachable(error: BaseException, base_url: str, seconds: float) -> ConnectionFailedError:
    """The error for a request that got no answer, by the first cause that is known."""
    host = urlsplit(base_url).netloc.rpartition("@")[2]
    causes = list(_iter_causes(error))
    if (proxy := proxy_for(base_url)) and not any(map(_is_beyond_proxy, causes)):
        return _by_proxy(host, proxy, causes)
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return NameResolutionError(
                f"The host name {host} has no address.", "Check Metask.base_url and the network (VPN, proxy)."
            )
        if isinstance(cause, ssl.SSLError):
            reason = plain(getattr(cause, "reason", None) or cause)
            return TLSError(
                f"The connection to {host} is not secure ({reason}).",
                "Where a private certificate authority signs, put its file into SSL_CERT_FILE before the "
                "kernel starts; else check Metask.base_url.",
            )
        if isinstance(cause, ConnectionRefusedError):
            return HostRefusedError(
                f"Nothing answers at {host}.", "Check Metask.base_url, and that the server runs."
            )
    if _timed_out(causes):
        return _too_slow(host, seconds)
    return ConnectionFailedError(
        f"The connection to {host} failed ({plain(causes[-1]) or type(causes[-1]).__name__}).",
        "Run the cell again; if it goes on, check the network and Metask.base_url.",
    )


def _wait_longer(seconds: float) -> str:
    return f"Run the cell again, or wait longer: `%config Metask.timeout = {2 * seconds:g}`."


def _too_slow(host: str, seconds: float) -> ReplyTimeoutError:
    return ReplyTimeoutError(
        f"No answer from {host} within {seconds:g} s.",
        _wait_longer(seconds),
    )


def misconfigured(error: Exception, base_url: str) -> ConnectionFailedError:
    """The error where the environment lets no client be made; its own words may hold a proxy's password."""
    if isinstance(error, ImportError):
        return unreachable(error, base_url, 0.0)
    if isinstance(error, OSError):
        return TLSError(
            "The certificates named by SSL_CERT_FILE or SSL_CERT_DIR cannot be read.",
            "Correct the variable or unset it, before the kernel starts.",
        )
    return ProxyError(
        "The address of the gateway, or of the proxy in the environment, is not a valid one.",
        "Check Metask.base_url, HTTPS_PROXY, HTTP_PROXY and ALL_PROXY.",
    )


def _is_beyond_proxy(error: BaseException) -> bool:
    """Whether it was the gateway's own doing: a proxy let the connection through."""
    return isinstance(error, ssl.SSLError) or type(error).__name__ == "ReadTimeout"


def _by_proxy(host: str, proxy: str, causes: list[BaseException]) -> ConnectionFailedError:
    if any(isinstance(cause, ImportError) for cause in causes):
        return ProxyError(
            f"The proxy {proxy} speaks SOCKS, which needs one more package.", '`pip install "httpx2[socks]"`.'
        )
    return ProxyError(
        f"{host} was not reached through the proxy {proxy} ({plain(causes[-1]) or 'no answer'}).",
        "See HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY in the environment.",
    )


def proxy_for(base_url: str) -> str | None:
    """Host and port of the proxy in the way, without the password it may carry."""
    target = urlsplit(base_url)
    if is_loopback(base_url) or proxy_bypass(target.hostname or ""):
        return None
    proxies = getproxies()
    found = proxies.get(target.scheme) or proxies.get("all")
    return _without_password(found) or "of the environment" if found else None


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
            f"Nothing more came for {seconds:g} s.",
            _wait_longer(seconds),
        )
    return StreamCutError("The connection was cut in the middle of the reply.", "Run the cell again.")


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
