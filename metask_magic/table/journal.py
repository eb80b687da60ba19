"""The journal of a prompt over a table: every answered row is a recording, on disk before it counts.

So a run that was interrupted, killed or begun in another kernel asks only for what is missing. Where
recording was set to `off`, and for rows that cannot be recorded, the memory of this kernel is the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace

from ..chat.reply import Reply, ReplyBuilder
from ..gateway.recorded import Conduct, reveals
from ..gateway.recording import RecordedReply, Recording
from ..gateway.recording_key import describe, key_of
from ..gateway.recordings import Recordings
from ..messages.events import ToolCallDelta
from ..messages.request import Request


class RowJournal:
    """Answers by what was asked: those of `store`, and those that this kernel alone knows.

    `hide` takes the key out of a text; what it changes is not recorded.
    """

    def __init__(self, store: Recordings, hide: Callable[[str], str]) -> None:
        self._store = store
        self._hide = hide
        self._conduct = Conduct(replays=True, asks=True, records=True)
        self._fresh = self._again = False
        self._sample = 1
        self._remembered: dict[str, Reply] = {}
        self._put: list[Recording] = []

    def conducted(
        self, conduct: Conduct, *, fresh: bool = False, again: bool = False, sample: int = 1
    ) -> RowJournal:
        """Return this journal as one that keeps to `conduct`, and knows the `sample`-th answers alone.

        What is put into one of them, any of them keeps. It finds nothing if `fresh`; `again`, nothing that
        is no answer to build on.
        """
        conducted = copy(self)
        conducted._conduct = conduct
        conducted._fresh, conducted._again = fresh, again
        conducted._sample = sample
        return conducted

    def find(self, request: Request) -> Reply | None:
        """Return the reply to the same request. Raises `RecordingError` where the file cannot be read."""
        if self._fresh:
            return None
        key = key_of(describe(request, self._sample))
        found = self._store.find(key) if self._conduct.replays else None
        reply = self._remembered.get(key) if found is None else _replayed(request, found.reply)
        return None if self._again and reply is not None and reply.ending.is_lacking else reply

    def put(self, answered: Sequence[tuple[Request, Reply]]) -> None:
        """Take replies to keep."""
        for request, reply in answered:
            recording = Recording.of(describe(request, self._sample), recorded(reply))
            if not self._conduct.records or reveals(recording, self._hide):
                self._remembered[recording.key] = replace(reply, request=None)
            else:
                self._put.append(recording)

    def flush(self) -> None:
        """Keep what was put: it is on disk when this returns.

        Raises `RecordingError` where it cannot be written; the next time is another try.
        """
        if self._put:
            self._store.append(*self._put)
            self._put.clear()


def replayed(model: str, found: RecordedReply) -> Reply:
    """Return the reply that `recorded` wrote down, to a request that is not known any more."""
    return _replayed(Request(model, ()), found)


def _replayed(request: Request, found: RecordedReply) -> Reply:
    builder = ReplyBuilder(request)
    for event in found.iter_events():
        builder.feed(event)
    builder.finish()
    return builder.build()


def recorded(reply: Reply) -> RecordedReply:
    """Return what a replay of a reply needs."""
    calls = (
        ToolCallDelta(at, call.id, call.name, call.arguments) for at, call in enumerate(reply.tool_calls)
    )
    first = reply.first_token_after
    return RecordedReply(
        reply.text,
        reply.native_finish_reason or reply.finish_reason,
        reply.reasoning,
        tuple(calls),
        reply.usage,
        reply.model,
        reply.request_id,
        round(reply.elapsed, 3),
        None if first is None else round(first, 3),
        reply.refusal,
        reply.notes,
        reply.language,
    )
