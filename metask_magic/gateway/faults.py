"""What went wrong at the gateway, said so that a person can act on it.

Everything a server says goes through `plain`: no control characters, no bidirectional overrides, no novel.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from ..errors import (
    NO_CREDIT_CODES,
    AuthenticationError,
    BadRequestError,
    ContextLengthError,
    GatewayError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnreadableReplyError,
)
from ..language import N_, _, pgettext
from ..words import any_of, plain, sentences
from .redirect import next_address, target_of
from .refusal import NO_REASON, Refusal, Said, is_fine, quote, read_error

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "temperature": ("--temperature",),
    "top_p": ("--top-p",),
    "max_tokens": ("--max-tokens",),
    "seed": ("--seed",),
    "tools": ("-T",),
    "response_format": ("--schema", "-f json"),
}
"""The options that set a request's parameters; any other one is set by `-p`."""

_OTHERWISE = N_("Ask otherwise, or ask another model.")
_SHORTEN = N_("Shorten the prompt, or ask a model that takes more.")
_TOP_UP = N_("Top the balance up in the gateway's dashboard.")
_CHECK = N_("Check Metask.base_url, which is {base_url}.")
_SETTINGS = ("temperature", "max_tokens")
_UNSERVED = re.compile(r"no available channel|无可用渠道", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, and where, as errors speak of it; `parameters` are the request's own.

    Without a model it was the list of them.
    """

    model: str
    base_url: str
    key_source: str
    parameters: tuple[str, ...] = ()


def refused(refusal: Refusal, asked: Asked) -> GatewayError:
    """The error for an HTTP status other than success."""
    kind, message, remedy = _explain(refusal, asked)
    return kind(
        message,
        remedy,
        request_id=refusal.request_id,
        status=refusal.status,
        code=refusal.said.code or None,
        retry_after=retry_after(refusal.headers),
    )


def _explain(refusal: Refusal, asked: Asked) -> tuple[type[GatewayError], str, str]:
    match refusal.status:
        case 400 | 413 | 422 if refusal.said.is_too_long:
            return ContextLengthError, _too_long(refusal, asked.model), _(_SHORTEN)
        case 400 | 422:
            said = _with_status(refusal, N_("The gateway did not accept the request ({status}): {message}"))
            return BadRequestError, said, _bad(refusal, asked)
        case 401:
            said = _with_status(refusal, N_("The gateway refused the key ({status}): {message}"))
            return AuthenticationError, said, _check_key(asked.key_source)
        case 402:
            said = _with_status(refusal, N_("The gateway wants to be paid first ({status}): {message}"))
            return PermissionDeniedError, said, _(_TOP_UP)
        case 403:
            return PermissionDeniedError, _not_allowed(refusal, asked.model), _(_NOT_ALLOWED)
        case 404:
            return NotFoundError, *_not_found(refusal, asked)
        case 429:
            said = _with_status(refusal, N_("Too many requests ({status}): {message}"))
            return RateLimitError, said, _slow_down(refusal)
    return _explain_other(refusal, asked)


def _explain_other(refusal: Refusal, asked: Asked) -> tuple[type[GatewayError], str, str]:
    if 300 <= refusal.status < 400:
        return GatewayError, *_redirected(refusal, asked.base_url)
    if refusal.status == 413:
        said = _with_status(refusal, N_("The request is larger than the gateway takes ({status}): {message}"))
        return BadRequestError, said, _("Send less: fewer or smaller attachments and images.")
    if refusal.status >= 500 and asked.model and _is_unserved(refusal):
        return NotFoundError, *_unserved(refusal, asked.model)
    if refusal.status >= 500:
        said = _with_status(refusal, N_("The gateway failed ({status}): {message}"))
        remedy = _("Run the cell again in a moment; if it goes on, try another model.")
        return ServerError, said, remedy
    said = _with_status(refusal, N_("The gateway answered ({status}): {message}"))
    return GatewayError, said, _(_CHECK, base_url=asked.base_url)


def _with_status(refusal: Refusal, sentence: str) -> str:
    """Return a sentence of ours with the status and what the gateway says."""
    return _(sentence, status=refusal.status, message=refusal.message)


def _too_long(refusal: Refusal, model: str) -> str:
    return _(
        "The prompt is too long for {model} ({status}): {message}",
        model=plain(model),
        status=refusal.status,
        message=refusal.message,
    )


def _check_key(source: str) -> str:
    return _(
        "The key came from {source}. Check it there or enter another with `%metask login`; keys are made in "
        "the gateway's dashboard (Settings → API Keys).",
        source=source,
    )


_NOT_ALLOWED = N_(
    "Either this key may not use the model (`%metask models` lists those it may), or the balance is zero: "
    "top it up in the gateway's dashboard."
)


def _not_allowed(refusal: Refusal, model: str) -> str:
    if not model:
        return _with_status(refusal, N_("The gateway refused the list of models ({status}): {message}"))
    return _(
        "The gateway refused {model} ({status}): {message}",
        model=plain(model),
        status=refusal.status,
        message=refusal.message,
    )


def _unserved(refusal: Refusal, model: str) -> tuple[str, str]:
    return (
        _(
            "Nobody serves {model} at this gateway now ({status}): {message}",
            model=plain(model),
            status=refusal.status,
            message=refusal.message,
        ),
        _("Ask another model: `%metask models` lists those this key may use."),
    )


def _redirected(refusal: Refusal, base_url: str) -> tuple[str, str]:
    where, status = target_of(refusal, base_url), refusal.status
    if where is None:
        return (
            _("The gateway answered with a redirect ({status}) that says no address.", status=status),
            _(_CHECK, base_url=base_url),
        )
    if refusal.address and next_address(refusal, refusal.address):
        return (
            _(
                "The gateway redirects ({status}) again and again, at last to {where}.",
                status=status,
                where=where,
            ),
            _(_CHECK, base_url=base_url),
        )
    address = where.removesuffix("/").removesuffix("/chat/completions").removesuffix("/models")
    return (
        _("The gateway redirects ({status}) to {where}; nothing was sent there.", status=status, where=where),
        _(
            "If you trust that address, make it the gateway's: `%config Metask.base_url = {address}`.",
            address=json.dumps(address, ensure_ascii=False),
        ),
    )


def _bad(refusal: Refusal, asked: Asked) -> str:
    """Name what to drop: the parameter that is complained of, or the request's own that the words name."""
    known = [name for name in asked.parameters if re.search(rf"\b{re.escape(name)}\b", refusal.message)]
    if refusal.said.is_filtered:
        return _(_OTHERWISE)
    exact = _("`--dry-run` shows the exact request.")
    parameter = refusal.said.param or next(iter(known), "")
    return sentences(_change(parameter, asked), exact) if parameter else exact


def _change(parameter: str, asked: Asked) -> str:
    options = OPTIONS.get(parameter, (f"-p {parameter}",) if parameter in asked.parameters else ())
    if not options:
        return _("Change or drop the parameter {parameter}.", parameter=parameter)
    if parameter in _SETTINGS:
        return _(
            "Change or drop the parameter {parameter}: leave {option} out (or "
            "`%config Metask.{parameter} = None`).",
            parameter=parameter,
            option=any_of(options),
        )
    return _(
        "Change or drop the parameter {parameter}: leave {option} out.",
        parameter=parameter,
        option=any_of(options),
    )


def _not_found(refusal: Refusal, asked: Asked) -> tuple[str, str]:
    about_model = refusal.said.code == "model_not_found" or "model" in refusal.message.lower()
    if asked.model and about_model:
        return (
            _(
                "The gateway has no model {model} (404): {message}",
                model=plain(asked.model),
                message=refusal.message,
            ),
            _("`%metask models` lists the models this key may use."),
        )
    return (
        _(
            "The gateway's address {base_url} does not answer as it should (404): {message}",
            base_url=asked.base_url,
            message=refusal.message,
        ),
        _("Check Metask.base_url; it usually ends in /v1."),
    )


def _is_unserved(refusal: Refusal) -> bool:
    """Whether the gateway has nobody who serves the model now, as new-api and one-api say it."""
    return refusal.said.code == "model_not_found" or _UNSERVED.search(refusal.message) is not None


def _slow_down(refusal: Refusal) -> str:
    if refusal.said.code in NO_CREDIT_CODES:
        return _("The quota is used up: top it up in the gateway's dashboard.")
    wait = retry_after(refusal.headers)
    if wait:
        return _("Wait {seconds:.0f} s, then run the cell again.", seconds=wait)
    return _("Wait a little, then run the cell again.")


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


def told(value: Any, asked: Asked, headers: Mapping[str, str]) -> GatewayError:
    """The error for what a successful answer says of a failure: in its stream, or in place of a reply.

    `value` is JSON. Where its code is an HTTP status, the error is that of the status.
    """
    said = read_error(value) or Said()
    if said.status is not None:
        body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        return refused(Refusal(said.status, body, headers), asked)
    reason = said.message or _(NO_REASON)
    kind, remedy = _kind_of(said)
    if said.code:
        message = _(
            "The gateway answered with an error (code {code}): {reason}", code=said.code, reason=reason
        )
    else:
        message = _("The gateway answered with an error: {reason}", reason=reason)
    return kind(message, remedy, code=said.code or None)


def _kind_of(said: Said) -> tuple[type[GatewayError], str]:
    """Return the error for what says no status, and its remedy."""
    if said.is_too_long:
        return ContextLengthError, _(_SHORTEN)
    if said.is_filtered:
        return BadRequestError, _(_OTHERWISE)
    if said.code in NO_CREDIT_CODES:
        return PermissionDeniedError, _(_TOP_UP)
    return ServerError, _("Run the cell again; if it goes on, try another model.")


def unreadable(piece: bytes = b"") -> UnreadableReplyError:
    """The error for a piece of a stream that cannot be read."""
    if quoted := quote(piece):
        message = _(
            "The gateway sent something unreadable in the middle of the reply: {quoted}", quoted=quoted
        )
    else:
        message = _("The gateway sent something unreadable in the middle of the reply.")
    remedy = _("Run the cell again; if it goes on, try `--no-stream` or another model.")
    return UnreadableReplyError(message, remedy)


def too_large(what: str, bound: str) -> UnreadableReplyError:
    """The error for an answer that never ends, or a part of one."""
    return UnreadableReplyError(
        _("The gateway sent {what} of more than {bound}, which no reply has.", what=what, bound=bound),
        _("What came before is kept. Ask another model, or look at what stands behind Metask.base_url."),
    )


def not_a_reply(refusal: Refusal, base_url: str) -> UnreadableReplyError:
    """The error for a successful answer that holds no reply; it tells what it holds."""
    kind = plain(refusal.headers.get("content-type", "").partition(";")[0])
    message = refusal.said.message
    said = (quote(refusal.body) if is_fine(message) else message) or pgettext("of a body", "it is empty")
    if kind:
        what = _(
            "The server at {base_url} answered with {kind} instead of a reply: {said}",
            base_url=base_url,
            kind=kind,
            said=said,
        )
    else:
        what = _(
            "The server at {base_url} answered with something instead of a reply: {said}",
            base_url=base_url,
            said=said,
        )
    return UnreadableReplyError(
        what,
        _(
            "Check Metask.base_url: it must be the API's address (it usually ends in /v1), not that of a web "
            "page or a login portal."
        ),
    )
