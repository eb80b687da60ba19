"""A prompt over a table: each row is asked about, and the table comes back with the answers beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..answering.backends import Backends
from ..answering.choice import MOST_IN_TRIAL, choose_models
from ..answering.shelf import Shelf
from ..asking.interrupt import InterruptRequest
from ..batch.batch import Progress, RowResult
from ..batch.collector import seldom_collecting
from ..batch.together import Together
from ..display.front_end import FrontEnd, detect
from ..display.pages import attended
from ..display.table import Table
from ..errors import Interrupted, MetaskError, OptionError
from ..language import N_, _, ngettext
from ..settings import Metask
from ..usage.ledger import Ledger
from ..words import listed, sentences
from .answers import NOT_ASKED, RowAnswers
from .asking import Manner, RowAsking
from .lane import RowLane, Series
from .opening import is_partitioned, open_rows, open_whole
from .preview import Tally, count_up, preview
from .progress import Bar, choose_bar
from .requests import RowRequests, TablePrompt
from .rows import Rows, WholeRows


@dataclass(frozen=True, slots=True)
class MapOutcome:
    """The table with what was answered, and what has to be raised: its `table` is this one."""

    table: Any
    failure: BaseException | None = None


class Mapper:
    """Asks about the rows of tables, as the settings have it; `shell` is None outside IPython."""

    def __init__(
        self, settings: Metask, backends: Backends, ledger: Ledger, shelf: Shelf, shell: Any
    ) -> None:
        self._settings = settings
        self._backends = backends
        self._asking = RowAsking(settings, backends, ledger, shelf)
        self._shell = shell

    def open(self, table: Any, name: str, engine: Any = None) -> tuple[Rows, Any]:
        """Return the rows of what the user calls `name`, and the client of the cluster that asks, or None.

        `engine` is the user's client. A Dask DataFrame is asked about by the cluster of the last client.

        Raises
        ------
        OptionError
            It is no table, or there is no such cluster.

        """
        client = _client_for(table, engine)
        return open_rows(table, name, client), client

    def open_whole(self, table: Any, name: str, engine: Any = None) -> tuple[WholeRows, Any]:
        """Return the same for rows that are all read now. Raises as `open` does."""
        client = _client_for(table, engine)
        return open_whole(table, name, client), client

    def choose_model(self, name: str | None) -> str:
        """Return the model that a name or alias stands for. Raises `OptionError` where it is not one."""
        chosen = self.choose_models((name or self._settings.model,))
        if len(chosen) > 1:
            raise OptionError(
                _("{name} stands for {count} models.", name=name, count=len(chosen)), _("Ask one of them.")
            )
        return chosen[0]

    def choose_models(self, names: Sequence[str]) -> list[str]:
        """Return the models that names, aliases and patterns stand for. Raises `OptionError`."""
        chosen = choose_models(names, self._settings.aliases, self._backends.models, most=MOST_IN_TRIAL)
        return [self._backends.check_name(model) for model in chosen]

    def preview(self, rows: Rows, asked: TablePrompt, name: str, manner: Manner) -> Table:
        """Return what `run` would send. Raises `MetaskError`."""
        RowAnswers(asked.schema).check_free(rows.columns, name)
        requests = RowRequests(rows, asked, name)
        where = _(
            "{model} for each row of {name}, {destination}",
            model=asked.model,
            name=name,
            destination=self._backends.destination(asked.model),
        )
        return preview(requests, rows.count(), self._asking.journal(asked, manner), where)

    def count_up(self, rows: WholeRows, asked: TablePrompt, name: str, manner: Manner) -> Tally:
        """Return what the rows of a table would come to, sending nothing. Raises `MetaskError`."""
        requests = RowRequests(rows, asked, name)
        return count_up(requests, rows.length or 0, self._asking.journal(asked, manner))

    def check_may_ask(self, asked: TablePrompt, manner: Manner) -> None:
        """Raise `MetaskError` where nothing can be sent to a model."""
        self._asking.engine(asked, manner)

    def destination(self, model: str) -> str:
        """Return where a request for a model goes, in words for a person."""
        return self._backends.destination(model)

    def run(self, rows: Rows, asked: TablePrompt, name: str, manner: Manner, *, kept: str) -> MapOutcome:
        """Ask about the rows of what the user calls `name`, and show how far it is.

        `kept` says where the table is found if this fails.

        Raises
        ------
        MetaskError
            Nothing could be sent: the prompt, the table or the settings do not allow it.

        """
        answers = RowAnswers(asked.schema)
        if not manner.again:
            answers.check_free(rows.columns, name)
        if not rows.columns and not rows.length:
            return MapOutcome(rows.join({column: [] for column in answers.names}, answers.not_asked))
        bar = self.new_bar(rows.length, quiet=manner.quiet)
        with seldom_collecting(), InterruptRequest() as interrupt:
            lane = self.lane(rows, asked, name, manner, samples=(manner.sample,))
            self.ask([lane], manner, bar, interrupt)
            run = _Run(rows, lane.series[0], answers, bar)
            return run.conclude(interrupt.requested, kept)

    def lane(
        self,
        rows: Rows,
        asked: TablePrompt,
        name: str,
        manner: Manner,
        *,
        samples: Sequence[int],
        cautious: bool = False,
    ) -> RowLane:
        """Return the rows on their way to a model, for `ask`."""
        return RowLane(rows, asked, name, manner, self._asking, samples=samples, cautious=cautious)

    def ask(
        self,
        lanes: Sequence[RowLane],
        manner: Manner,
        bar: Bar,
        interrupt: InterruptRequest,
        total: int | None = None,
    ) -> None:
        """Ask about the rows of all lanes, side by side, and show how far that is.

        `total` is the number of all answers that are wanted, where there are several lanes or series. Raises
        `MetaskError` where nothing could be sent.
        """
        together = Together(
            [iter(lane) for lane in lanes],
            side_by_side=self._asking.most_models(manner),
            total=total,
            shared=lambda running: self._asking.share([lanes[at].asked.model for at in running], manner),
        )
        with attended(self._shell) as attend:

            def show(progress: Progress) -> None:
                bar.show(progress)
                attend()

            try:
                together.run(show, interrupt)
            except BaseException:
                bar.close(_("Failed."))
                raise

    def new_bar(self, total: int | None, *, quiet: bool) -> Bar:
        """Return where progress is shown."""
        front_end = FrontEnd.TERMINAL if self._shell is None else detect(self._shell)
        return choose_bar(front_end, self._settings.display, total, quiet=quiet)


def _client_for(table: Any, engine: Any) -> Any:
    if engine is None and not is_partitioned(table):
        return None
    from ..cluster.connection import find_client

    return find_client(engine)


class _Run:
    """One table that was asked about."""

    def __init__(self, rows: Rows, series: Series, answers: RowAnswers, bar: Bar) -> None:
        self._rows = rows
        self._series = series
        self._requests = series.requests
        self._answers = answers
        self._bar = bar

    def conclude(self, interrupted: bool, kept: str) -> MapOutcome:
        """Put the answers to their rows, and tell what became of them."""
        requests, results, stopped = self._requests, self._series.results, self._series.stopped
        by_row = {result.row: result for result in results}
        length = requests.read if self._rows.length is None else self._rows.length
        table = self._rows.join(
            self._answers.to_columns(by_row, requests.kept, length), self._answers.not_asked
        )
        summary, missing = self._summarize(by_row, length)
        self._bar.close(summary)
        failure: BaseException | None = stopped or requests.broken or _failure(results)
        where = _("The table is kept {where}.", where=kept)
        if interrupted and missing:
            failure = Interrupted(None, sentences(_("Stopped."), summary, where))
        elif isinstance(failure, MetaskError):
            failure.remedy = sentences(failure.remedy, summary, where)
        if failure is not None:
            failure.table = table  # type: ignore[attr-defined]  # of a stranger's exception too
            failure = failure if failure is requests.broken else failure.with_traceback(None)
        return MapOutcome(table, failure)

    def _summarize(self, by_row: Mapping[int, RowResult], length: int) -> tuple[str, int]:
        """Return how it went in a sentence, and how many rows were not asked about."""
        outcomes = Counter(map(_outcome, by_row.values()))
        missing = (
            length - sum(outcomes[outcome] for outcome in outcomes if outcome) - len(self._requests.kept)
        )
        others = sorted((said, number) for said, number in outcomes.items() if said not in _COUNTED)
        counts = [
            ("kept", len(self._requests.kept)),
            *others,
            ("failed", outcomes["failed"]),
            (NOT_ASKED, missing),
        ]
        shown = [("answered", outcomes["answered"]), *((said, number) for said, number in counts if number)]
        told = listed(_(_SAID[said], count=number) for said, number in shown)
        rows = ngettext("{count} row: {outcomes}.", "{count} rows: {outcomes}.", length, outcomes=told)
        used = self._series.tokens
        tokens = ngettext("{count} token.", "{count} tokens.", used) if used else ""
        return sentences(rows, tokens, *_notes(by_row.values())), missing


_COUNTED = ("answered", "failed", "")

_SAID = {  # English: these keys
    "answered": N_("{count:,} answered"),
    "kept": N_("{count:,} kept"),
    "cut off": N_("{count:,} cut off"),
    "perhaps cut off": N_("{count:,} perhaps cut off"),
    "filtered": N_("{count:,} filtered"),
    "refused": N_("{count:,} refused"),
    "empty": N_("{count:,} empty"),
    "waiting for a tool": N_("{count:,} waiting for a tool"),
    "stopped": N_("{count:,} stopped"),
    "failed": N_("{count:,} failed"),
    NOT_ASKED: N_("{count:,} not asked"),
}
"""Rows by how they went, which is an `Outcome` or one of our own."""

MOST_NOTES = 3


def _outcome(result: RowResult) -> str:
    """How a row went, in a word or two; nothing where it was not asked about."""
    if result.error is not None:
        return "failed"
    return "" if result.reply is None else result.reply.ending.outcome or "answered"


def _notes(results: Iterable[RowResult]) -> list[str]:
    """Return what is to be said beside replies, once each."""
    notes = (note for result in results if result.reply is not None for note in result.reply.notes)
    return list(dict.fromkeys(notes))[:MOST_NOTES]


def _failure(results: Sequence[RowResult]) -> MetaskError | None:
    """Return what the cell has to raise where nothing is left to return."""
    errors = [result.error for result in results if result.error is not None]
    return errors[0] if errors and len(errors) == len(results) else None
