"""An HTTP answer that is no reply, and what it says: in OpenAI's shape, in a gateway's own, or as a page."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..language import N_, _
from ..messages.ending import known_reason
from ..words import plain, shorten

LONGEST_QUOTE = 200
"""Characters of an answer that are quoted where it has no message."""

NO_REASON = N_("it gave no reason")

MOST_NESTED = 3

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

# Names that gateways give to the same things, in lower case and without marks.
_MESSAGES = ("message", "msg", "errormessage", "errormsg", "errmsg", "statusmsg", "statusmessage", "detail")
_MORE_MESSAGES = ("errordescription", "description", "reason", "error", "info", "title")
_CODES = ("code", "statuscode", "errorcode", "errcode", "errno")
_WITHIN = ("error", "errors", "baseresp", "response", "header", "detail", "data", "result")
_FINE = frozenset(("", "200", "201", "ok", "success", "succeeded", "none", "null", "true"))
_FAILED = re.compile(r"[45][0-9]{2}|error|fail(?:ed|ure)?", re.IGNORECASE)

_PAGE = re.compile(r"<(?:!doctype|html|head|body|title)\b", re.IGNORECASE)
_UNSEEN = re.compile(r"<(script|style|svg|template)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Said:
    """What an error says of itself, made fit to show.

    `status` is the code where that is an HTTP status.
    """

    message: str = ""
    code: str = ""
    kind: str = ""
    param: str = ""

    @property
    def status(self) -> int | None:
        """The HTTP status that the code is, if it is one of an error."""
        return int(self.code) if re.fullmatch("[45][0-9]{2}", self.code) else None

    @property
    def is_too_long(self) -> bool:
        """Whether it says that the prompt is longer than the model takes."""
        coded = self.code in _TOO_LONG_CODES or self.kind in _TOO_LONG_CODES
        return coded or _TOO_LONG.search(self.message) is not None

    @property
    def is_filtered(self) -> bool:
        """Whether it says that the provider's filter let the prompt not pass."""
        return known_reason(self.code) == "content_filter"


@dataclass(frozen=True)
class Refusal:
    """An HTTP answer that is no reply, from `address` where that is known."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    address: str = ""

    @property
    def request_id(self) -> str | None:
        found = self.headers.get("x-request-id")
        return plain(found) if found else None

    @cached_property
    def said(self) -> Said:
        """What the body says, as far as it is JSON."""
        return read_error(_json_or_none(self.body)) or Said()

    @property
    def message(self) -> str:
        """What it says, in words: its message, the text of its page, or its first characters."""
        if self.said.message:
            return self.said.message
        if self.said.code:
            return _("it gave no reason but the code {code}", code=self.said.code)
        if not self.body.strip():
            return _(NO_REASON)
        quoted = quote(self.body)
        if _json_or_none(self.body) is not None:
            return _("it answered with JSON without a message: {quoted}", quoted=quoted)
        if not quoted:
            return _("it answered with a page that is not JSON")
        return _("it answered with a page that is not JSON: {quoted}", quoted=quoted)

    def mentions(self, *words: str) -> bool:
        return any(word.encode() in self.body for word in words)


def read_error(value: Any) -> Said | None:
    """Return what a JSON value says that an error sent; None where it says nothing readable."""
    if isinstance(value, str):
        return Said(plain(value)) if value.strip() else None
    for level in _iter_levels(value):
        fields = _named(level)
        message = _first(fields, (*_MESSAGES, *_MORE_MESSAGES), str) or _written(fields)
        code = _code(fields)
        if message or code or fields.get("param"):
            return Said(
                plain(message),
                plain(code or (_code(_named(value)) if isinstance(value, Mapping) else "")),
                plain(fields.get("type") or ""),
                plain(fields.get("param") or ""),
            )
    return Said(plain(_dumped(value))) if isinstance(value, list) and value else None


def is_error(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object without any choice says that something failed, in one of the shapes known."""
    if value.get("error") or value.get("errors") or "error" in (value.get("object"), value.get("type")):
        return True
    if any(value.get(name) in (False, "false") for name in ("success", "ok")):
        return True
    return not all(is_fine(_code(_named(level))) for level in _iter_levels(value))


def is_fine(word: str) -> bool:
    """Whether a code or a message says that nothing failed: `0`, `00000`, `200`, `success`, …; or nothing."""
    return word.strip("0").lower() in _FINE or word in _FINE


def quote(body: bytes) -> str:
    """Return the first characters of what a body says; of a page, those that a browser would show."""
    text = body[: LONGEST_QUOTE * 100].decode("utf-8", "replace")
    if _PAGE.search(text):
        text = html.unescape(_TAG.sub(" ", _UNSEEN.sub(" ", text)))
    said = shorten(plain(text), LONGEST_QUOTE)
    return f"“{said}”" if said else ""


def _iter_levels(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in which gateways put their errors, the innermost first."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = next((each for each in value if isinstance(each, Mapping)), None)
    if not isinstance(value, Mapping) or depth > MOST_NESTED:
        return
    for name, inner in value.items():
        kinds = Mapping if _bare(name) == "detail" else (Mapping, list)  # a list of details says where
        if _bare(name) in _WITHIN and isinstance(inner, kinds):
            yield from _iter_levels(inner, depth + 1)
    yield value


def _first(fields: Mapping[str, Any], names: Sequence[str], kinds: Any) -> Any:
    found = (fields.get(name) or "" for name in names)
    return next((each for each in found if each and isinstance(each, kinds) and each is not True), "")


def _named(level: Mapping[str, Any]) -> dict[str, Any]:
    return {_bare(name): inner for name, inner in level.items()}


def _code(fields: Mapping[str, Any]) -> str:
    """The code in an object, as text; a `status` is one where it says that something failed."""
    status = str(fields.get("status", ""))
    return str(_first(fields, _CODES, (str, int)) or (status if _FAILED.fullmatch(status) else ""))


def _bare(name: Any) -> str:
    return str(name).lower().replace("_", "").replace("-", "")


def _written(fields: Mapping[str, Any]) -> str:
    """A message that is no text, as JSON."""
    said = next((fields[name] for name in (*_MESSAGES, *_MORE_MESSAGES) if fields.get(name)), "")
    return _dumped(said) if said else ""


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
