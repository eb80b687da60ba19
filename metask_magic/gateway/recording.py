"""A recording: a request, the reply it got, and the line of JSON that both are kept as."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from ..language import LANGUAGES, Language, _, current
from ..messages.events import (
    Event,
    Finished,
    Noted,
    ReasoningDelta,
    RefusalDelta,
    Served,
    Spoken,
    TextDelta,
    Timed,
    ToolCallDelta,
    Usage,
    UsageReported,
)
from ..messages.kinds import JSON
from .recording_key import VERSION, dump, key_of

T = TypeVar("T")

# Every line begins so. No text within can look like it, for its quotation marks are escaped.
_BEGIN = re.compile(rb'\{"version": ?(\d+), ?"key": ?"([0-9a-f]{64})"')


class UnreadableError(Exception):
    """What is wrong with a line, as the end of a sentence that begins with it."""


class NewerVersionError(UnreadableError):
    """It is a recording, but of a version that is not known here."""


@dataclass(frozen=True, slots=True)
class RecordedReply:
    """All that a replay needs: the events of a reply, folded.

    `finish_reason` is what the server said; `model` the model as it named it; `elapsed` and
    `first_token_after` are seconds; `refusal` is the part of the text that refuses to answer, `notes` what
    was said beside it, in `language`, in which whatever else we say of the reply is said again.
    """

    text: str
    finish_reason: str
    reasoning: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    usage: Usage | None = None
    model: str | None = None
    request_id: str | None = None
    elapsed: float = 0.0
    first_token_after: float | None = None
    refusal: str = ""
    notes: tuple[str, ...] = ()
    language: Language = "en"

    def iter_events(self) -> Iterator[Event]:
        """Yield what a backend yields for this reply, each delta whole."""
        if self.language != current():
            yield Spoken(self.language)
        yield Served(self.model, self.request_id)
        if self.reasoning:
            yield ReasoningDelta(self.reasoning)
        if self.text:
            yield TextDelta(self.text)
        if self.refusal:
            yield RefusalDelta(self.refusal)
        yield from self.tool_calls
        yield from map(Noted, self.notes)
        if self.usage is not None:
            yield UsageReported(self.usage)
        yield Finished(self.finish_reason)
        yield Timed(self.elapsed, self.first_token_after)

    def to_json(self) -> dict[str, JSON]:
        """What is there, in an order that reads well."""
        calls: list[JSON] = [
            {"position": call.position, "id": call.id, "name": call.name, "arguments": call.arguments}
            for call in self.tool_calls
        ]
        facts: dict[str, Any] = {
            "text": self.text,
            "refusal": self.refusal or None,
            "reasoning": self.reasoning or None,
            "tool_calls": calls or None,
            "finish_reason": self.finish_reason,
            "usage": None if self.usage is None else self.usage.to_json(),
            "model": self.model,
            "request_id": self.request_id,
            "elapsed": self.elapsed,
            "first_token_after": self.first_token_after,
            "notes": list(self.notes) or None,
            "language": None if self.language == "en" else self.language,
        }
        return {name: fact for name, fact in facts.items() if fact is not None}

    @classmethod
    def from_json(cls, data: Any) -> RecordedReply:
        """Read what `to_json` wrote. Raises `UnreadableError`."""
        calls = _get(data, "tool_calls", list, [])
        usage = _get(data, "usage", dict, None)
        return cls(
            _get(data, "text", str),
            _get(data, "finish_reason", str),
            _get(data, "reasoning", str, ""),
            tuple(
                ToolCallDelta(
                    _get(call, "position", int),
                    *(_get(call, name, str) for name in ("id", "name", "arguments")),
                )
                for call in calls
            ),
            None
            if usage is None
            else Usage(**{name: _get(usage, name, int, None) for name in Usage.__dataclass_fields__}),
            _get(data, "model", str, None),
            _get(data, "request_id", str, None),
            float(_get(data, "elapsed", (int, float))),
            _get(data, "first_token_after", (int, float), None),
            _get(data, "refusal", str, ""),
            tuple(map(str, _get(data, "notes", list, []))),
            next((one for one in LANGUAGES if one == data.get("language")), "en"),
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """A reply with its request, as `describe` wrote that down; `recorded` is when, in UTC."""

    key: str
    request: Mapping[str, JSON]
    reply: RecordedReply
    recorded: str

    @classmethod
    def of(cls, described: Mapping[str, JSON], reply: RecordedReply) -> Recording:
        """Return a recording of now."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return cls(key_of(described), described, reply, now)

    @property
    def model(self) -> str:
        """The model that was asked."""
        return str(self.request.get("model", ""))

    @property
    def prompt(self) -> str:
        """The text of the last message of the user."""
        return last_prompt(self.request)

    def to_line(self) -> bytes:
        """Return the line, with its newline."""
        line: dict[str, Any] = {
            "version": VERSION,
            "key": self.key,
            "recorded": self.recorded,
            "request": self.request,
            "reply": self.reply.to_json(),
        }
        return dump(line).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Recording:
        """Read what `to_line` wrote. Raises `UnreadableError`."""
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            raise UnreadableError(_("is not whole, or no JSON")) from None
        return cls(
            _get(data, "key", str),
            _get(data, "request", dict),
            RecordedReply.from_json(_get(data, "reply", dict)),
            _get(data, "recorded", str, ""),
        )


def read_key(line: bytes) -> tuple[int, str]:
    """Return where in a line its recording begins, and the key, at the cost of a glance.

    A writer that was killed can have left the beginning of another recording in front.

    Raises
    ------
    UnreadableError
        It holds none; `NewerVersionError` where it is of one.

    """
    begins = list(_BEGIN.finditer(line))
    if not begins or not line.rstrip().endswith(b"}"):
        raise UnreadableError(_("is not whole, or no recording"))
    found = begins[0] if len(begins) == 1 or _is_json(line) else begins[-1]
    if int(found[1]) > VERSION:
        raise NewerVersionError(
            _(
                "was written by a newer version (format {version}, known is {known})",
                version=int(found[1]),
                known=VERSION,
            )
        )
    return found.start(), found[2].decode()


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def last_prompt(described: Mapping[str, JSON]) -> str:
    """Return the text of the last message of the user in a request that `describe` wrote down."""
    messages: Any = described.get("messages")
    texts = [message_text(m) for m in messages or () if isinstance(m, dict) and m.get("role") == "user"]
    return texts[-1] if texts else ""


def message_text(message: Mapping[str, Any]) -> str:
    """Return a message's text; an image is a mark in it."""
    content = message.get("content")
    if not isinstance(content, list):
        return str(content or "")
    parts = [part for part in content if isinstance(part, dict)]
    return "".join(_part_text(part) for part in parts)


def _part_text(part: Mapping[str, Any]) -> str:
    if "text" in part:
        return str(part["text"])
    return _("[image {digest}]", digest=str(part.get("image"))[:8])


_MISSING: Any = object()


def _get(data: Any, name: str, kind: type[T] | tuple[type[T], ...], default: Any = _MISSING) -> Any:
    found = data.get(name) if isinstance(data, dict) else None
    if found is None and default is not _MISSING:
        return default
    if not isinstance(found, kind) or isinstance(found, bool):
        raise UnreadableError(_("has no proper {name!r}", name=name))
    return found
