"""A prompt over a table: each row is asked about, and the table comes back with the answers beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from ..answering.backends import Backends
from ..answering.choice import choose_models
from ..answering.shelf import Shelf
from ..chat.batch import Batch, Progress, RowResult
from ..chat.errands import Errands
from ..chat.gate import Gate
from ..chat.interrupt import InterruptRequest
from ..chat.ledger import Ledger, MeteredBackend
from ..chat.messages import Backend
from ..chat.structured import StructuredBackend
from ..display.front_end import FrontEnd, detect
from ..display.table import Table
from ..errors import (
    Interrupted,
    MetaskError,
    OptionError,
)
from ..gateway.embedded import LOCAL
from ..gateway.recorded import RecordedBackend
from ..settings import Metask
from ..words import counted
from .answers import ERROR, RowAnswers
from .journal import RowJournal
from .preview import preview
from .progress import Bar, choose_bar
from .requests import RowRequests, TablePrompt
from .rows import Rows

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MapOutcome:
    """The table with what was answered, and what has to be raised: its `table` is this one."""

    table: Any
    failure: BaseException | None = None


class _AtOnce(Errands):
    """Calls where it is: a table's answers are validated in the network's thread, between others."""

    async def call(self, function: Callable[[], T]) -> T:
        return function()


async def _nobody() -> Backend:
    raise MetaskError("Nothing may be asked.")


class Mapper:
    """Asks about the rows of tables, as the settings have it; `shell` is None outside IPython."""

    def __init__(
        self, settings: Metask, backends: Backends, ledger: Ledger, shelf: Shelf, shell: Any
    ) -> None:
        self._settings = settings
        self._backends = backends
        self._ledger = ledger
        self._shell = shell
        self._shelf = shelf
        self._journals: dict[Path, RowJournal] = {}
        self._gate: tuple[tuple[Any, ...], Gate] | None = None

    def choose_model(self, name: str | None) -> str:
        """Return the model that a name or alias stands for. Raises `OptionError` where it is not one."""
        settings, backends = self._settings, self._backends
        chosen = choose_models((name or settings.model,), settings.aliases, backends.models)
        if len(chosen) > 1:
            raise OptionError(f"{name} stands for {len(chosen)} models.", "Ask one of them.")
        return backends.check_name(chosen[0])

    def preview(self, rows: Rows, asked: TablePrompt, name: str) -> Table:
        """Return what `run` would send. Raises `MetaskError`."""
        RowAnswers(asked.schema).check_free(rows.columns, name)
        requests = RowRequests(rows, asked, name)
        where = f"{asked.model} for each row of {name}, {self._backends.destination(asked.model)}"
        return preview(requests, rows.length, self._journal(asked.model), where)

    def run(
        self,
        rows: Rows,
        asked: TablePrompt,
        name: str,
        *,
        kept: str,
        quiet: bool = False,
        again: bool = False,
        limits: tuple[int | None, int | None] = (None, None),
    ) -> MapOutcome:
        """Ask about the rows of what the user calls `name`, and show how far it is.

        `kept` says where the table is found if this fails. `again` asks only about rows with an error from
        before. `limits` are the concurrency and the requests per minute where they are not the settings'.

        Raises
        ------
        MetaskError
            Nothing could be sent: the prompt, the table or the settings do not allow it.

        """
        answers = RowAnswers(asked.schema)
        if not again:
            answers.check_free(rows.columns, name)
        if not rows.columns and not rows.length:
            return MapOutcome(rows.join({column: [] for column in answers.names}))
        requests = RowRequests(rows, asked, name, failed_by=ERROR if again else None)
        batch = self._new_batch(requests, asked, limits, rows.length)
        bar = self._bar(rows.length, quiet=quiet)
        with InterruptRequest() as interrupt:
            run = _Run(rows, requests, answers, bar)
            try:
                results = batch.run(run.show, interrupt)
            except BaseException:
                bar.close("Failed.")
                raise
            return run.conclude(results, batch.stopped, interrupt.requested, kept)

    def _new_batch(
        self,
        requests: RowRequests,
        asked: TablePrompt,
        limits: tuple[int | None, int | None],
        total: int | None,
    ) -> Batch:
        backend = self._around(asked)
        sending = iter(requests)
        first = [row for row in (next(sending, None),) if row is not None]
        return Batch(
            chain(first, sending),
            backend,
            self._journal(asked.model),
            gate=self._gate_for(asked.model, limits),
            max_retries=self._settings.max_retries,
            total=total,
        )

    def _around(self, asked: TablePrompt) -> Backend:
        settings = self._settings
        backend = self._answering(asked.model)
        if asked.schema is None:
            return backend
        return StructuredBackend(
            backend, asked.schema, settings.max_repairs, _AtOnce(), self._backends.refused
        )

    def _answering(self, model: str) -> Backend:
        """Return the model itself; where nothing may be asked, what tells which recording is missing."""
        conduct = self._shelf.conduct_of_rows(embedded=model == LOCAL)
        if not conduct.asks:
            return RecordedBackend(_nobody, self._shelf.store, conduct)
        return MeteredBackend(
            self._backends.for_rows(model), self._ledger, lambda: self._settings.budget_tokens
        )

    def _journal(self, model: str) -> RowJournal:
        store = self._shelf.store
        journal = self._journals.setdefault(store.path, RowJournal(store, self._backends.hide))
        return journal.conducted(self._shelf.conduct_of_rows(embedded=model == LOCAL))

    def _gate_for(self, model: str, limits: tuple[int | None, int | None]) -> Gate:
        """Return the gate of a model: what was learnt of its limits stays while the settings do."""
        settings = self._settings
        concurrency = limits[0] or settings.max_concurrency
        per_minute = limits[1] or settings.requests_per_minute
        key = (settings.base_url, model, concurrency, per_minute)
        if self._gate is None or self._gate[0] != key:
            self._gate = key, Gate(concurrency, per_minute)
        return self._gate[1]

    def _bar(self, total: int | None, *, quiet: bool) -> Bar:
        front_end = FrontEnd.TERMINAL if self._shell is None else detect(self._shell)
        return choose_bar(front_end, self._settings.display, total, quiet=quiet)


class _Run:
    """One table on its way."""

    def __init__(self, rows: Rows, requests: RowRequests, answers: RowAnswers, bar: Bar) -> None:
        self._rows = rows
        self._requests = requests
        self._answers = answers
        self._bar = bar
        self._tokens: int | None = None

    def show(self, progress: Progress) -> None:
        self._tokens = progress.tokens
        self._bar.show(progress)

    def conclude(
        self, results: Sequence[RowResult], stopped: MetaskError | None, interrupted: bool, kept: str
    ) -> MapOutcome:
        """Put the answers to their rows, and tell what became of them."""
        requests = self._requests
        by_row = {result.row: result for result in results}
        length = requests.read if self._rows.length is None else self._rows.length
        table = self._rows.join(self._answers.to_columns(by_row, requests.kept, length))
        summary, missing = self._summarize(by_row, length)
        self._bar.close(summary)
        failure: BaseException | None = stopped or requests.broken or _failure(results)
        if interrupted and missing:
            failure = Interrupted(None, f"Stopped. {summary} The table is kept {kept}.")
        elif isinstance(failure, MetaskError):
            failure.remedy = f"{failure.remedy} {summary} The table is kept {kept}.".lstrip()
        if failure is not None:
            failure.table = table  # type: ignore[attr-defined]  # of a stranger's exception too
            failure = failure if failure is requests.broken else failure.with_traceback(None)
        return MapOutcome(table, failure)

    def _summarize(self, by_row: Mapping[int, RowResult], length: int) -> tuple[str, int]:
        """Return how it went in a sentence, and how many rows were not asked about."""
        answered = sum(result.reply is not None and result.error is None for result in by_row.values())
        failed = sum(result.error is not None for result in by_row.values())
        missing = length - answered - failed - len(self._requests.kept)
        counts = [f"{answered:,} answered"]
        counts += [f"{len(self._requests.kept):,} kept"] if self._requests.kept else []
        counts += [f"{failed:,} failed"] if failed else []
        counts += [f"{missing:,} not asked"] if missing else []
        tokens = f" {self._tokens:,} tokens." if self._tokens else ""
        return f"{counted(length, 'row')}: {', '.join(counts)}.{tokens}", missing


def _failure(results: Sequence[RowResult]) -> MetaskError | None:
    """Return what the cell has to raise where nothing is left to return."""
    errors = [result.error for result in results if result.error is not None]
    return errors[0] if errors and len(errors) == len(results) else None
