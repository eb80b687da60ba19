"""A backend around a backend that replays what is recorded, and records what is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from ..errors import RecordingError
from ..language import _, current, speak
from ..messages.ending import known_reason
from ..messages.events import Backend, Event, Noted, ReasoningDelta, TextDelta, Timed, ToolCallDelta
from ..messages.fold import Fold
from ..messages.kinds import JSON
from ..messages.request import Request
from .recording import RecordedReply, Recording
from .recording_key import describe, key_of
from .recording_miss import missed
from .recordings import Recordings


@dataclass(frozen=True, slots=True)
class Conduct:
    """Whether recordings are replayed, whether the model is asked, and whether its answer is recorded."""

    replays: bool
    asks: bool
    records: bool


CONDUCTS: Mapping[str, Conduct] = {
    "off": Conduct(replays=False, asks=True, records=False),
    "auto": Conduct(replays=True, asks=True, records=True),
    "record": Conduct(replays=False, asks=True, records=True),
    "replay": Conduct(replays=True, asks=False, records=False),
}
"""What the values of `Metask.recording` mean."""


class RecordedBackend:
    """Replays, asks and records, as its conduct says.

    It stands around the meter, so that a replay costs nothing, and within tools and schema, which run anew:
    each round of a reply is a recording of its own.

    Parameters
    ----------
    inner
        Whom to ask. It is awaited at the first miss: without one, neither key nor connection is needed.
    store
        The recordings.
    conduct
        One of `CONDUCTS`.
    sample
        Which answer to the same request this is, from 1.
    hide
        Takes the key out of a text. What it changes is not recorded.
    clock
        Seconds.

    """

    def __init__(
        self,
        inner: Callable[[], Awaitable[Backend]],
        store: Recordings,
        conduct: Conduct,
        *,
        sample: int = 1,
        hide: Callable[[str], str] = str,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._inner = inner
        self._store = store
        self._conduct = conduct
        self._sample = sample
        self._hide = hide
        self._clock = clock

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        """Replay or ask (see `Backend.stream`).

        `Timed` is the last event in either case, with the same figures. An answer that could not be recorded
        is `Noted`. What is said of a replayed reply from its `Spoken` on, in the task that iterates, comes in
        the language of the recording.

        Raises
        ------
        RecordingMissError
            There is no recording, and nothing may be asked.
        RecordingError
            The recordings cannot be read, or the request is none that can be recorded.

        """
        described = describe(request, self._sample)
        key = key_of(described)
        async with AsyncExitStack() as stack:
            if self._conduct.replays:
                await stack.enter_async_context(self._store.turn(key))
                found = await asyncio.to_thread(self._store.find, key)
                if found is not None:
                    events = list(found.reply.iter_events())
                    speak(found.reply.language)
                    for event in events:
                        yield event
                    return
            if not self._conduct.asks:
                raise await asyncio.to_thread(missed, described, self._store)
            async for event in self._ask(request, described):
                yield event

    def has(self, request: Request) -> bool:
        """Whether the request would be replayed. Raises `RecordingError`."""
        return self._conduct.replays and self._store.has(key_of(describe(request, self._sample)))

    async def _ask(self, request: Request, described: Mapping[str, JSON]) -> AsyncIterator[Event]:
        backend = await self._inner()
        heard = _Heard(self._clock)
        async for event in backend.stream(request):
            heard.take(event)
            yield event
        reply = heard.to_reply()
        if self._conduct.records and heard.is_whole:
            try:
                await asyncio.to_thread(self._record, Recording.of(described, reply))
            except RecordingError as error:
                yield Noted(_("Not recorded: {error}", error=error))
        yield Timed(reply.elapsed, reply.first_token_after)

    def _record(self, recording: Recording) -> None:
        if reveals(recording, self._hide):
            raise RecordingError(
                _("The key for the gateway is in the prompt or in the reply."),
                _("Take it out: what is recorded is meant to be shared."),
            )
        self._store.append(recording)


def reveals(recording: Recording, hide: Callable[[str], str]) -> bool:
    """Whether `hide`, which takes the key out of a text, finds it in a recording."""
    texts = "\n".join(_iter_texts([recording.request, recording.reply.to_json()]))  # no key has a line's end
    return hide(texts) != texts


class _Heard:
    """Folds the events of one request into what a replay needs."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked_at = clock()
        self._first_at: float | None = None
        self._answer = Fold()
        self._notes: list[str] = []

    @property
    def is_whole(self) -> bool:
        """Whether the server said why it stopped, and not that it broke off."""
        return known_reason(self._answer.reason) != "incomplete"

    def take(self, event: Event) -> None:
        if self._first_at is None and isinstance(event, TextDelta | ReasoningDelta):
            self._first_at = self._clock()
        if not self._answer.take(event) and isinstance(event, Noted):
            self._notes.append(event.text)

    def to_reply(self) -> RecordedReply:
        """The reply, which ends now."""
        elapsed = self._clock() - self._asked_at
        answer = self._answer
        return RecordedReply(
            answer.text,
            answer.reason or "",
            answer.reasoning,
            tuple(
                ToolCallDelta(position, call.id, call.name, call.arguments)
                for position, call in answer.calls.items()
            ),
            answer.usage,
            *answer.served,
            round(elapsed, 3),
            None if self._first_at is None else round(self._first_at - self._asked_at, 3),
            answer.refusal,
            tuple(self._notes),
            current(),
        )


def _iter_texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, names as well."""
    match value:
        case str():
            yield value
        case Mapping():
            for name, inner in value.items():
                yield name
                yield from _iter_texts(inner)
        case list():
            for inner in value:
                yield from _iter_texts(inner)
