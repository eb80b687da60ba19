"""A batch: many requests, asked once each, and a result for every row of them.

The requests run elsewhere, in an `Engine`: on the network's loop (`Asker`), or on other machines. The
caller's thread is a pump, as in `Asking`: it takes requests from their iterable, looks them up in the
journal, puts what comes into it, and says how far it is. So the iterable, the journal and `validate` belong
to that thread alone. It can pump several batches at once (`together`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from enum import Enum, auto
from hashlib import sha256
from typing import Any, Protocol, TypeAlias

from ..asking.exchange import unexpected
from ..asking.interrupt import InterruptRequest
from ..chat.reply import Reply
from ..errors import MetaskError
from ..language import _
from ..messages.request import Request
from .engine import Answer, Engine

FEED_SECONDS = 0.05

Row: TypeAlias = "Request | tuple[int, Request | MetaskError] | None"
"""A request, or one with its own row number; an error stands for a request that could not be made, None for
one that is not there yet: it is asked for again a moment later."""


class Journal(Protocol):
    """What was answered before, and where answers are put."""

    def find(self, request: Request) -> Reply | None:
        """Return the reply to the same request; None where there is none."""
        ...

    def put(self, answered: Sequence[tuple[Request, Reply]]) -> None:
        """Take replies to keep."""
        ...

    def flush(self) -> None:
        """Keep what was put: it is on disk when this returns. Raises `OSError` or `MetaskError`.

        Journals of one file keep what was put into any of them.
        """
        ...


@dataclass(frozen=True, slots=True)
class RowResult:
    """What came of one row.

    Attributes
    ----------
    row
        Its number: the position in the input, unless it came with its own.
    reply
        The reply, without its request; None where it was never answered.
    error
        What failed for good. Where `reply` is None too, the row was not asked, or not to the end.
    journalled
        The reply came from the journal, or from another row with the same request.
    like
        The row that was asked for the same; None where this one was, or no other is like it.

    """

    row: int
    reply: Reply | None = None
    error: MetaskError | None = None
    journalled: bool = False
    like: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is, in rows.

    `done` have a reply, `journalled` of them without being asked, `failed` have none. `tokens` is what was
    reported for those asked; `limit` is how many may be `in_flight` now; `total` is None until it is known.
    `retried` counts requests that were asked again; `hindrance` says why nothing is asked, if so.
    """

    done: int
    failed: int
    journalled: int
    tokens: int | None
    in_flight: int
    limit: int
    total: int | None
    retried: int = 0
    hindrance: str = ""


def digest(request: Request) -> bytes:
    """Return what tells a request from others: 32 bytes for all that is sent of it but `stream`."""
    body = replace(request, stream=False).to_json()
    return sha256(json.dumps(body, sort_keys=True).encode()).digest()


class Batch:
    """Asks for the replies to many requests, in the order they come but side by side.

    Identical requests (those with the same `key`) are asked once, those in the journal not at all, and
    every reply is in the journal before it is counted. `validate` turns a reply into its `data`; what it
    raises fails the row. `total` is the number of rows, where `requests` cannot say it.
    """

    def __init__(
        self,
        requests: Iterable[Row],
        engine: Engine,
        journal: Journal,
        *,
        validate: Callable[[Reply], Any] | None = None,
        key: Callable[[Request], Hashable] = digest,
        total: int | None = None,
    ) -> None:
        self.stopped: MetaskError | None = None
        """What ended the run before all rows were asked, other than an interrupt."""
        self._requests = _numbered(requests)
        self._total = len(requests) if total is None and isinstance(requests, Sized) else total
        self._journal = journal
        self._engine = engine
        self._validate = validate
        self._key = key
        self._wake: Callable[[], None] = lambda: None
        self._outstanding: dict[Hashable, list[int]] = {}
        self._known: dict[Hashable, RowResult] = {}
        self._results: list[RowResult] = []
        self._came: list[tuple[Answer, Reply]] = []
        self._exhausted = self._unwritable = False
        self._failed = self._journalled = 0
        self._tokens: int | None = None
        self._params: Any = None

    def begin(self, wake: Callable[[], None]) -> None:
        """Start the engine; `wake` is called, from any thread, when there is something to do."""
        self._wake = wake
        self._engine.start(wake)

    def advance(self, interrupt: InterruptRequest) -> bool:
        """Ask for more, when what came is put away. Return whether every row has its result, or none can.

        Raises what the iterable of requests or `journal.find` raise.
        """
        if self.stopped is None:
            self._feed(interrupt)
        return self.stopped is not None or (self._exhausted and not self._outstanding)

    def end(self) -> None:
        """Ask no more, and put away what had come."""
        self._engine.stop()
        self.collect()
        self.settle()

    @property
    def results(self) -> list[RowResult]:
        """A result for every row that was taken from `requests`, by row number.

        Those that were not answered have neither reply nor error.
        """
        unanswered = (RowResult(row) for rows in self._outstanding.values() for row in rows)
        return sorted([*self._results, *unanswered], key=lambda result: result.row)

    # -- rows in --------------------------------------------------------------------------------------

    def _feed(self, interrupt: InterruptRequest) -> None:
        """Take rows, as many as keep the engine busy: what is asked and not yet journalled may be lost."""
        fresh: list[tuple[Hashable, Request]] = []
        until = time.monotonic() + FEED_SECONDS
        while len(self._outstanding) < self._engine.appetite and time.monotonic() < until:
            taken: tuple[int, Request | MetaskError] | _End | None = None
            with interrupt.thrown():  # whoever makes the rows may take long
                taken = next(self._requests, _END)
            if isinstance(taken, _End):
                self._exhausted = True
                break
            if taken is None or interrupt.requested:
                break
            row, request = taken
            if isinstance(request, MetaskError):
                self._add(RowResult(row, error=request))
            else:
                self._admit(row, request, fresh)
        self._engine.launch(fresh)
        if len(self._outstanding) < self._engine.appetite // 2 and not self._exhausted:
            self._wake()  # journalled rows took the time

    def _admit(self, row: int, request: Request, fresh: list[tuple[Hashable, Request]]) -> None:
        key = self._key(request)
        if key in self._outstanding:
            self._outstanding[key].append(row)
        elif known := self._known.get(key):
            self._add(_alike(known, row))
        elif (found := self._find(request)) is not None:
            self._outstanding[key] = [row]
            self._conclude(key, found, journalled=True)
        else:
            self._outstanding[key] = [row]
            fresh.append((key, request))

    def _find(self, request: Request) -> Reply | None:
        found = self._journal.find(request)
        if found is not None:
            found = self._validated(found)
        return found if found is not None and found.error is None else None

    # -- replies out ----------------------------------------------------------------------------------

    def collect(self) -> None:
        """Take what came, and put it to the journal."""
        came = [(answer, self._validated(answer.reply)) for answer in self._engine.take()]
        self._came += came
        if not self._unwritable:
            self._journal.put([(answer.request, reply) for answer, reply in came if reply.error is None])

    def settle(self) -> None:
        """Give what was collected to its rows, when the journal has it."""
        came, self._came = self._came, []
        if came and not self._unwritable:
            self._write()
        for answer, reply in came:
            self._take(answer, reply)

    def _take(self, answer: Answer, reply: Reply) -> None:
        if answer.ends_run:
            self.stopped = self.stopped or reply.error
        if reply.usage is not None and (tokens := _tokens(reply)) is not None:
            self._tokens = (self._tokens or 0) + tokens
        self._conclude(answer.key, reply, journalled=False)

    def _write(self) -> None:
        try:
            self._journal.flush()
        except (OSError, MetaskError) as error:
            self._unwritable = True
            self.stopped = _unwritable(error)

    def _validated(self, reply: Reply) -> Reply:
        if self._validate is None or reply.error is not None:
            return reply
        try:
            return replace(reply, data=self._validate(reply))
        except MetaskError as error:
            return replace(reply, error=error)
        except Exception as error:  # noqa: BLE001 -- one row's defect must not lose the others
            return replace(reply, error=unexpected(error))

    def _conclude(self, key: Hashable, reply: Reply, journalled: bool) -> None:
        """Give the reply to the rows that asked for it: the first, and those like it."""
        kept = self._lightened(reply) if reply.error is None or reply.text else None
        first, *others = self._outstanding.pop(key)
        self._known[key] = result = RowResult(first, kept, reply.error, journalled)
        self._add(result)
        for row in others:
            self._add(_alike(result, row))

    def _add(self, result: RowResult) -> None:
        self._results.append(result)
        self._failed += result.error is not None
        self._journalled += result.journalled

    def _lightened(self, reply: Reply) -> Reply:
        """Return the reply without what a table of many must not hold: the request above all.

        Its times are to the millisecond, as its recording has them: the same is said when it is replayed.
        """
        if reply.params != self._params:
            self._params = reply.params
        first = reply.first_token_after
        return replace(
            reply,
            request=None,
            messages=(),
            params=self._params,
            elapsed=round(reply.elapsed, 3),
            first_token_after=None if first is None else round(first, 3),
        )

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(
            done=len(self._results) - self._failed,
            failed=self._failed,
            journalled=self._journalled,
            tokens=self._tokens,
            in_flight=self._engine.in_flight,
            limit=self._engine.limit,
            total=len(self._results) + sum(map(len, self._outstanding.values()))
            if self._exhausted
            else self._total,
            retried=self._engine.retried,
            hindrance=self._engine.hindrance,
        )


def _alike(result: RowResult, row: int) -> RowResult:
    return replace(result, row=row, journalled=result.error is None, like=result.row)


class _End(Enum):
    END = auto()


_END = _End.END


def _numbered(rows: Iterable[Row]) -> Iterator[tuple[int, Request | MetaskError] | None]:
    position = 0
    for row in rows:
        yield (position, row) if isinstance(row, Request) else row
        position += row is not None


def _tokens(reply: Reply) -> int | None:
    usage = reply.usage
    if usage is None:
        return None
    if usage.total_tokens is not None:
        return usage.total_tokens
    parts = [count for count in (usage.prompt_tokens, usage.completion_tokens) if count is not None]
    return sum(parts) if parts else None


def _unwritable(error: OSError | MetaskError) -> MetaskError:
    reason = (error.strerror or error) if isinstance(error, OSError) else error.message
    return MetaskError(
        _("A reply could not be kept, so nothing more was asked ({why}).", why=reason),
        _(
            "What is done is in the result. Make room, or choose another place, and run it again: "
            "only what is missing is asked."
        ),
    )
