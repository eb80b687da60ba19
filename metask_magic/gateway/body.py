"""The body of a successful answer, whatever its type says: a stream of events, or a reply in one piece.

Gateways send either under `application/json`, `text/plain` or no type at all, so the first characters
decide. A small machine: feed it, then flush it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jiter

from ..errors import MetaskError
from ..language import pgettext
from ..messages.events import Event, Finished
from ..words import size
from .bounds import LONGEST_REFUSAL, LONGEST_REPLY
from .decode import BOM, DONE, Fail, StreamDecoder, iter_whole, parse
from .faults import too_large
from .refusal import is_error

_FIELD = re.compile(rb"(?:data|event|id|retry)?:|(?:data|event|id|retry)(?:[\r\n]|$)")
_LONGEST_FIELD = len(b"event:")


class Body:
    """Decodes the body of one answer into events.

    `fail` makes the error for a failure that the server reports (JSON), `no_reply` the one for a body that
    is none. What came before either is yielded first.
    """

    def __init__(self, fail: Fail, no_reply: Callable[[bytes], MetaskError]) -> None:
        self._fail = fail
        self._no_reply = no_reply
        self._stream: StreamDecoder | None = None
        self._pieces: list[bytes] = []
        self._held = 0
        self._is_whole = False

    @property
    def done(self) -> bool:
        """Whether the server has said that nothing more comes."""
        return self._stream is not None and self._stream.done

    @property
    def finished(self) -> bool:
        """Whether the model has said why it stopped."""
        return self._stream is not None and self._stream.finished

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield the events that `data` completes. Raises `MetaskError`."""
        if self._stream is None:
            self._hold(data)
            if self._is_whole or not self._begins():
                return
            data = b"".join(self._pieces)
            self._pieces = [data[:LONGEST_REFUSAL]]
        yield from self._stream.feed(data)  # type: ignore[union-attr]  # `_begins` has made it
        if self.done:
            self._check(self._stream)  # type: ignore[arg-type]

    def flush(self) -> Iterator[Event]:
        """Yield what is left at the body's end. Raises `MetaskError`, also where it held no reply at all."""
        if self._stream is None:
            yield from self._iter_whole(b"".join(self._pieces))
            return
        yield from self._stream.flush()
        self._check(self._stream)

    def rescue(self) -> Iterator[Event]:
        """Yield what can be read of a body that broke off."""
        if self._stream is not None:
            yield from self._stream.flush()
            return
        try:
            begun = jiter.from_json(b"".join(self._pieces), partial_mode="trailing-strings")
            events = list(iter_whole(begun, self._fail))
        except (ValueError, AttributeError, TypeError, MetaskError):
            return
        yield from (event for event in events if not isinstance(event, Finished))

    def _hold(self, data: bytes) -> None:
        self._pieces.append(data)
        self._held += len(data)
        if self._held > LONGEST_REPLY:
            raise too_large(pgettext("too long", "a reply in one piece"), size(LONGEST_REPLY))

    def _begins(self) -> bool:
        """Whether an event stream has begun; of what is none, that is known as soon."""
        begun = b"".join(self._pieces).removeprefix(BOM).lstrip()
        if _FIELD.match(begun):
            self._stream = StreamDecoder(self._fail)
            return True
        self._is_whole = len(begun) >= _LONGEST_FIELD
        return False

    def _check(self, stream: StreamDecoder) -> None:
        """Raise the error for no reply where the events of a stream are none of a reply's."""
        if stream.empty and (stream.stranger or not stream.done):
            raise self._no_reply(stream.stranger or b"".join(self._pieces))

    def _iter_whole(self, body: bytes) -> Iterator[Event]:
        value = _json_or_none(body)
        if value is None and (lines := _lines_of_json(body)):
            stream = StreamDecoder(self._fail)
            yield from stream.feed(b"".join(b"data: %s\n\n" % line for line in lines))
            self._check(stream)
            return
        if isinstance(value, list) and len(value) == 1:  # as some providers send their errors
            value = value[0]
        if not isinstance(value, Mapping):
            raise self._no_reply(body)
        if value.get("choices"):
            yield from self._iter_reply(value, body)
        else:
            raise self._fail(value) if is_error(value) else self._no_reply(body)

    def _iter_reply(self, whole: Mapping[str, Any], body: bytes) -> Iterator[Event]:
        try:
            events = list(iter_whole(whole, self._fail))
        except (AttributeError, TypeError):
            raise self._no_reply(body) from None
        yield from events
        if not any(isinstance(event, Finished) for event in events):
            yield Finished("stop")  # it came whole


def _json_or_none(body: bytes) -> Any:
    try:
        return parse(body.removeprefix(BOM))
    except MetaskError:
        return None


def _lines_of_json(body: bytes) -> list[bytes]:
    """Return the lines of a body that is one JSON object a line; none where it is anything else."""
    lines = [line for line in body.removeprefix(BOM).splitlines() if line.strip()]
    objects = [line.strip() == DONE or isinstance(_json_or_none(line), Mapping) for line in lines]
    return lines if len(lines) > 1 and all(objects) else []
