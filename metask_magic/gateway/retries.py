"""Trying again: which failures may pass, how long to wait, and what the waiting user is told."""

from __future__ import annotations

import random

from ..errors import (
    ConnectionFailedError,
    GatewayError,
    MetaskError,
    NotFoundError,
    RateLimitError,
    ServerError,
)
from ..language import _
from ..messages.events import Notice

LONGEST_WAIT = 120.0
RETRIED_STATUS = {408, 429, 500, 502, 503, 504, 529}


def may_pass(error: MetaskError) -> bool:
    """Whether the same request may do better a moment later."""
    if isinstance(error, GatewayError):
        patient = (error.retry_after or 0.0) <= LONGEST_WAIT
        hopeless = isinstance(error, NotFoundError) or error.needs_credit
        return error.status in RETRIED_STATUS and patient and not hopeless
    return type(error) is ConnectionFailedError


def wait_before(error: MetaskError, tries: int) -> float:
    """Return the seconds to wait before trying again, for the `tries`-th time: as asked, or ever longer."""
    asked = error.retry_after if isinstance(error, GatewayError) else None
    if asked is not None:
        return asked
    return min(8.0, 0.5 * 2.0 ** (tries - 1)) * random.uniform(0.75, 1.0)  # noqa: S311 -- spreads load, guards nothing


def waiting(error: MetaskError, wait: float, tries: int, most: int) -> Notice:
    """Return what is said while it waits."""
    match error:
        case RateLimitError():
            what = _("Rate limited")
        case ServerError():
            what = _("The gateway failed")
        case _:
            what = _("The connection failed")
    return Notice(
        _(
            "{what}: trying again in {wait:.1f} s ({tries} of {most}).",
            what=what,
            wait=wait,
            tries=tries,
            most=most,
        )
    )
