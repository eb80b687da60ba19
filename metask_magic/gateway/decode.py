"""Bytes of a streamed reply in, events out. A small machine: feed it, then flush it.

The stream is one of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)
whose data are `chat.completion.chunk` objects, ended by `[DONE]`. Gateways that pass on other providers'
replies send more than OpenAI does; what is no event for us is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

import jiter

from ..errors import MetaskError, UnreadableReplyError
from ..language import _, ngettext, pgettext
from ..messages.events import (
    Event,
    Finished,
    Noted,
    ReasoningDelta,
    RefusalDelta,
    Served,
    TextDelta,
    Usage,
    UsageReported,
)
from ..words import plain, shorten, size
from .bounds import LONGEST_EVENT, LONGEST_LINE, LONGEST_REPLY
from .faults import too_large, unreadable
from .refusal import is_error
from .tool_calls import ToolCallStream

DONE = b"[DONE]"
BOM = b"\xef\xbb\xbf"
LONGEST_REASON = 60
LONGEST_STRAY = 20_000
NO_REASON = {"null", "none"}

# Halves of a character outside the first plane: at the end of one chunk's text, at the beginning of the next.
_FIRST_HALF = re.compile(rb'\\u[dD][89abAB][0-9a-fA-F]{2}(?=")')
_SECOND_HALF = re.compile(rb'(?<=")(?=\\u[dD][c-fC-F][0-9a-fA-F]{2})')

# A line of an event stream, or the beginning of one that was cut.
_FIELD = re.compile(rb"[a-z_-]*:|d(?:a(?:t(?:a)?)?)?$")

Fail: TypeAlias = Callable[[Any], MetaskError]
"""Makes the error for what a server says of a failure, as JSON."""


class ChoiceReader:
    """Reads the chunks of one reply, or a reply that came whole: they differ in `delta` against `message`.

    Only the first of several answers is read; that there are others is `Noted`.
    """

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self._calls = ToolCallStream()
        self._left_out = False
        self._ended = False
        self._length = 0

    def iter_events(self, chunk: Mapping[str, Any]) -> Iterator[Event]:
        """Yield the events of a chunk. Raises what `fail` returns, and `UnreadableReplyError`."""
        choices = chunk.get("choices")
        if not choices and is_error(chunk):
            raise self._fail(chunk)
        if error := chunk.get("error"):
            raise self._fail({"error": error})
        for position, choice in enumerate(choices or ()):
            index = choice.get("index")
            if (position if index is None else index) == 0:
                yield from self._iter_choice(choice)
            else:
                yield from self._leave_out()
        if isinstance(usage := chunk.get("usage"), Mapping):
            yield UsageReported(Usage.from_json(usage))

    def _iter_choice(self, choice: Mapping[str, Any]) -> Iterator[Event]:
        delta = choice.get("delta") or choice.get("message") or {}
        if text := delta.get("content") or choice.get("text"):  # the latter of text completions
            if isinstance(text, str):
                self.count(len(text))
                yield TextDelta(text)
            else:
                yield from self._iter_parts(text)
        if len(delta) > 1 or not text:
            yield from self._iter_rest(delta)
        if error := choice.get("error"):
            raise self._fail({"error": error})
        if reason := choice.get("finish_reason"):
            yield from self._iter_end(shorten(plain(reason), LONGEST_REASON))

    def _iter_end(self, reason: str) -> Iterator[Event]:
        """Yield why it stopped. That a stream ended well is no news after another reason: gateways add it."""
        if (word := reason.lower()) in NO_REASON or (self._ended and word == "stop"):
            return
        self._ended = True
        yield Finished(reason)

    def _iter_parts(self, parts: Any) -> Iterator[Event]:
        """Yield a content that comes as a list of parts."""
        for part in parts:
            if not isinstance(part, Mapping):
                continue
            if part.get("type") == "thinking":
                yield from self._iter_rest({"reasoning": _joined_parts(part.get("thinking"))})
            elif part.get("type") == "refusal":
                yield from self._iter_rest({"refusal": part.get("refusal")})
            elif text := str(part.get("text") or ""):
                self.count(len(text))
                yield TextDelta(text)

    def _iter_rest(self, delta: Mapping[str, Any]) -> Iterator[Event]:
        """Yield what is no text of the answer."""
        if reasoning := _reasoning_of(delta):
            self.count(len(reasoning))
            yield ReasoningDelta(reasoning)
        if refusal := delta.get("refusal"):
            self.count(len(str(refusal)))
            yield TextDelta(str(refusal))
            yield RefusalDelta(str(refusal))
        for call in self._calls.iter_deltas(_calls_of(delta)):
            self.count(len(call.arguments) + len(call.name) + len(call.id) + 1)
            yield call

    def _leave_out(self) -> Iterator[Event]:
        if not self._left_out:
            yield Noted(_("The gateway sent more than one answer, unasked: all but the first were left out."))
        self._left_out = True

    def count(self, characters: int) -> None:
        """Note that the reply has grown. Raises `UnreadableReplyError` where no reply is as long."""
        self._length += characters
        if self._length > LONGEST_REPLY:
            bound = ngettext("{count} character", "{count} characters", LONGEST_REPLY)
            raise too_large(pgettext("too long", "a reply"), bound)


class StreamDecoder:
    """Decodes one reply's stream; every event is parsed once.

    `feed` and `flush` are generators: what came before something unreadable is yielded before it raises
    `UnreadableReplyError`, or what `fail` makes of a failure that the server reports in mid-stream.

    Some gateways leave out the blank line that ends an event: then the next event's beginning ends it.
    """

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self._reader = ChoiceReader(fail)
        self._rest = b""
        self._first = True
        self._data: list[bytes] = []
        self._held = 0
        self._failed = False
        self._fails_next = False
        self._unended = False
        self._named = False
        self._half = b""
        self._stray = b""
        self.finished = False
        """Whether the model has said why it stopped: no text comes after that."""
        self.done = False
        """Whether the server closed the stream properly."""
        self.empty = True
        """Whether no piece of an answer has come yet."""
        self.stranger = b""
        """The first event that is of no reply, nor says that anything failed."""

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield the events that `data` completes."""
        held = self._rest + data
        if b"\r" in held:
            # A lone CR may be half of a CR LF that the network cut in two.
            tail = b"\r" if held.endswith(b"\r") else b""
            held = held.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n") + tail
        lines = held.split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if line or self._failed or len(self._data) != 1 or not (payload := self._data[0].strip()):
                yield from self._line(line)
            else:  # an event of one line, as nearly all are
                self._data, self._held, failed, self._fails_next = [], 0, self._fails_next, False
                yield from self._event(payload, failed)
        if len(self._rest) > LONGEST_LINE:
            raise too_large(pgettext("too long", "a line"), size(LONGEST_LINE))

    def flush(self) -> Iterator[Event]:
        """Yield the event that the stream ended in, if it is whole."""
        rest, self._rest = self._rest.rstrip(b"\r"), b""
        with suppress(UnreadableReplyError):  # half an event: its missing end says that it is incomplete
            yield from self._line(rest)
            yield from self._line(b"")
        if self._half:
            yield TextDelta("?")
        if self._stray.strip() and not (self.empty or self.finished or self.done):
            raise self._told(self._stray)

    def _told(self, stray: bytes) -> MetaskError:
        """Return the error for the last words of a server whose stream broke off: they are no event."""
        try:
            said = parse(stray)
        except UnreadableReplyError as error:
            return error
        return self._fail(said) if isinstance(said, Mapping) and is_error(said) else unreadable(stray)

    def _line(self, line: bytes) -> Iterator[Event]:
        if self._first:
            self._first, line = False, line.removeprefix(BOM)
        if not line:
            yield from self._dispatch()
        elif line.startswith(b"data:"):
            yield from self._take(line[5:].lstrip(b" "))
        elif line.startswith(b"event:"):
            fails = line[6:].strip() == b"error"
            if self._data:
                self._fails_next = fails
            else:
                self._failed = fails
        elif len(self._stray) < LONGEST_STRAY and not _FIELD.match(line):
            self._stray += line[:LONGEST_STRAY] + b"\n"

    def _take(self, data: bytes) -> Iterator[Event]:
        """Take in a line of data. No JSON goes on with such a line after such an end: it is another event."""
        if self._data and self._data[-1].endswith((b"}", DONE)) and data.startswith((b"{", DONE)):
            self._unended = True
            fails_next, self._fails_next = self._fails_next, False
            yield from self._dispatch()
            self._failed = fails_next
        self._data.append(data)
        self._held += len(data)
        if self._held > LONGEST_EVENT:
            raise too_large(pgettext("too long", "an event"), size(LONGEST_EVENT))
        if len(self._data) == 1 and (data.startswith(DONE) or (self._unended and data.endswith(b"}"))):
            yield from self._dispatch()  # its end may be long in coming

    def _dispatch(self) -> Iterator[Event]:
        payload, self._data, self._held = b"\n".join(self._data), [], 0
        failed = self._failed or self._fails_next
        self._failed = self._fails_next = False
        if payload.strip() or failed:
            yield from self._event(payload or b"null", failed)

    def _event(self, payload: bytes, failed: bool) -> Iterator[Event]:
        if self.done:
            return
        if failed:
            raise self._fail(parse(payload))
        if payload.startswith(DONE):
            yield from self._end()
            return
        if self._half:
            payload, joined = self._join(payload)
            if not joined:
                yield TextDelta("?")
        try:
            chunk = jiter.from_json(payload)
        except ValueError:
            chunk = self._parse_cut(payload)
        if self._named and (text := _text_alone(chunk)):
            self._reader.count(len(text))
            yield TextDelta(text)
            return
        try:
            for event in self._chunk(chunk, payload):
                self.finished = self.finished or isinstance(event, Finished)
                yield event
        except (AttributeError, TypeError):
            raise unreadable(payload) from None  # JSON, but of no shape a chunk can have

    def _end(self) -> Iterator[Event]:
        self.done = True
        if not self.finished:
            yield Finished("stop")

    def _parse_cut(self, payload: bytes) -> Any:
        """Parse an event in which a character may be cut in two: its first half waits for the next event."""
        if half := _FIRST_HALF.search(payload):
            self._half = half[0]
            payload = payload[: half.start()] + payload[half.end() :]
        return _parse_leniently(payload)

    def _join(self, payload: bytes) -> tuple[bytes, int]:
        """Put the half that waits before the other one; return how many of them there are."""
        half, self._half = self._half, b""
        return _SECOND_HALF.subn(lambda _found: half, payload, 1)

    def _chunk(self, chunk: Any, payload: bytes) -> Iterator[Event]:
        if not isinstance(chunk, Mapping):
            self.stranger = self.stranger or payload
            return
        if chunk.get("choices"):
            self.empty = False
        elif "choices" not in chunk and "usage" not in chunk:
            self.stranger = self.stranger or payload
        if not self._named and (model := chunk.get("model")):
            self._named = True
            yield Served(plain(model), None)
        yield from self._reader.iter_events(chunk)


def iter_whole(body: Any, fail: Fail) -> Iterator[Event]:
    """Yield the events of a reply that came in one piece."""
    yield Served(plain(body["model"]) if body.get("model") else None, None)
    yield from ChoiceReader(fail).iter_events(body)


def parse(payload: bytes) -> Any:
    """Parse JSON; raises `UnreadableReplyError` where it is none."""
    try:
        return jiter.from_json(payload)
    except ValueError:
        return _parse_leniently(payload)


def _parse_leniently(payload: bytes) -> Any:
    """Parse what a strict parser refuses: halves of surrogate pairs, which some gateways cut apart."""
    try:
        text = payload.decode("utf-8", "replace")
        return json.loads(json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise unreadable(payload) from None


def _text_alone(chunk: Any) -> str:
    """Return the text of a chunk that holds nothing else, which takes a short way; "" of any other."""
    if type(chunk) is not dict or chunk.get("usage") or chunk.get("error"):
        return ""
    choices = chunk.get("choices")
    if type(choices) is not list or len(choices) != 1 or type(choice := choices[0]) is not dict:
        return ""
    delta = choice.get("delta")
    if type(delta) is not dict or len(delta) != 1 or choice.get("finish_reason") or choice.get("index"):
        return ""
    text = delta.get("content")
    return text if type(text) is str else ""


def _reasoning_of(delta: Mapping[str, Any]) -> str:
    reasoning = delta.get("reasoning_content") or delta.get("reasoning")
    if reasoning is None and isinstance(details := delta.get("reasoning_details"), list):
        parts = (part for part in details if isinstance(part, Mapping))
        return "".join(str(part.get("text") or part.get("summary") or "") for part in parts)
    return str(reasoning) if reasoning else ""


def _calls_of(delta: Mapping[str, Any]) -> Any:
    """The pieces of calls, also of the one call that models made before there were several."""
    calls = delta.get("tool_calls")
    if not calls and isinstance(old := delta.get("function_call"), Mapping):
        return [{"index": 0, "function": old}]
    return calls or ()


def _joined_parts(parts: Any) -> str:
    """Text of a content that comes as a list of parts."""
    return "".join(str(part.get("text") or "") for part in parts if isinstance(part, Mapping))
