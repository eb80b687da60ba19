"""What a gateway turned out not to take, so that it is asked otherwise, at once and from then on."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ..language import _
from ..messages.request import Request
from .refusal import Refusal

_REFUSED = {400, 422}
_OLD, _NEW = "max_tokens", "max_completion_tokens"


class Quirks:
    """Learns from refusals how requests have to be made."""

    def __init__(self) -> None:
        self._reports_usage = True
        self._renames: set[str] = set()

    def adapt(self, request: Request) -> Request:
        """Return a request with its parameters as this gateway takes them."""
        if request.model not in self._renames or _OLD not in request.params:
            return request
        params = {_NEW if name == _OLD else name: value for name, value in request.params.items()}
        return replace(request, params=params)

    def to_body(self, request: Request) -> dict[str, Any]:
        """Return the body of a request as this gateway takes it."""
        body: dict[str, Any] = self.adapt(request).to_json()
        if not self._reports_usage:
            body.pop("stream_options", None)
        return body

    def learn(self, refusal: Refusal, body: dict[str, Any]) -> str | None:
        """Return what is said of asking again, otherwise than with `body`; None where that is of no use."""
        if refusal.status not in _REFUSED:
            return None
        if "stream_options" in body and refusal.mentions("stream_options", "include_usage"):
            self._reports_usage = False
            return ""
        if _OLD in body and re.search(rf"\b{_NEW}\b", refusal.message):
            self._renames.add(body["model"])
            return _(
                "{model} takes no {old}: the limit was sent as {new}.",
                model=body["model"],
                old=_OLD,
                new=_NEW,
            )
        return None
