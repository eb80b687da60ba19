"""How a trial is run: several models are asked about a table's rows as `--map` asks one, and checked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..asking.interrupt import InterruptRequest
from ..batch.asker import ends_all
from ..batch.batch import RowResult
from ..batch.collector import seldom_collecting
from ..display.table import Table
from ..errors import Interrupted, MetaskError, OptionError
from ..language import N_, _, ngettext
from ..table.answers import RowAnswers, fields_of
from ..table.asking import Manner
from ..table.lane import RowLane
from ..table.mapper import Mapper
from ..table.requests import TablePrompt
from ..table.rows import RecordRows, Row, WholeRows
from ..words import all_of, listed, sentences
from .answer import Answer, Outcome
from .checks import Agreement, Check, ColumnCheck, FunctionCheck, grade_all
from .columns import TrialColumns
from .facts import Facts
from .judge import ANSWERS, Judge
from .preview import preview
from .trial import Trial
from .wish import CheckWish

STREAMED = 20
"""Most rows of each model whose replies are streamed, to tell how long they take to begin.

They are spread over the table, as the first ones wait for connections. A streamed reply costs this machine
some half more than one in one piece, so they are few. No more than half of all are: some gateways report the
tokens of replies in one piece alone.
"""


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """The trial as far as it got, and what has to be raised: its `trial` is this one."""

    trial: Trial
    failure: BaseException | None = None


class TrialRun:
    """One trial: what is wrong with it is told when this is made, and then nothing was sent.

    `asked` is what each model is asked, `manner.sample` how often; `name` is what the user calls the table.
    Raises `MetaskError`.
    """

    def __init__(
        self,
        mapper: Mapper,
        table: WholeRows,
        asked: TablePrompt,
        models: Sequence[str],
        wish: CheckWish,
        name: str,
        manner: Manner,
    ) -> None:
        _check_models(models, wish)
        if not table.length:
            raise OptionError(
                _("{table} has no rows, so there is nothing to try.", table=name),
                _("Give a table with rows."),
            )
        self._mapper = mapper
        self._table = table
        self._asked = replace(asked, stream_every=max(2, math.ceil(table.length / STREAMED)))
        self._models = tuple(models)
        self._name = name
        self._manner = manner
        self._samples = manner.sample
        self._rows: list[Row] = [row for row in table if row is not None]
        self._answers = RowAnswers(asked.schema)
        self._interrupt = InterruptRequest()
        self._judged: list[RowLane] = []
        self._unjudged: list[MetaskError] = []
        TrialColumns(table.columns, fields_of(asked.schema), name, samples=self._samples)
        self._check = self._find_check(wish)

    @property
    def prompts(self) -> list[TablePrompt]:
        """What each model is asked."""
        return [replace(self._asked, model=model) for model in self._models]

    def preview(self) -> Table:
        """Return what `run` would send, and what that may cost. Raises `MetaskError`."""
        tallies = [
            (
                asked,
                self._mapper.count_up(self._table, asked, self._name, replace(self._manner, sample=sample)),
            )
            for asked in self.prompts
            for sample in range(1, self._samples + 1)
        ]
        title = _(
            "Not sent: {models}, for each row of {table}, {where}",
            models=listed(self._models),
            table=self._name,
            where=all_of(dict.fromkeys(map(self._mapper.destination, self._models))),
        )
        return preview(title, tallies, self._check.model if isinstance(self._check, Judge) else None)

    def run(self, kept: str) -> TrialOutcome:
        """Ask, check, and tell; `kept` says where the trial is found if this fails. Raises `MetaskError`."""
        if isinstance(self._check, Judge):
            self._mapper.check_may_ask(self._check.prompt, self._manner)
        with seldom_collecting(), self._interrupt as interrupt:
            lanes = self._lanes()
            total = len(self._rows) * len(self._models) * self._samples
            bar = self._mapper.new_bar(total, quiet=self._manner.quiet)
            self._mapper.ask(lanes, self._manner, bar, interrupt, total)
            answers = self._to_answers(lanes)
            summary = _summarize(answers, lanes)
            bar.close(summary)
            graded = grade_all(self._check, answers, self._rows)
            trial = Trial(self._table, graded, self._facts(lanes))
            told = sentences(summary, _("The trial is kept {kept}.", kept=kept))
            return TrialOutcome(trial, self._failure(trial, lanes, told))

    def _lanes(self) -> list[RowLane]:
        numbers = range(1, self._samples + 1)
        return [
            self._mapper.lane(self._table, asked, self._name, self._manner, samples=numbers, cautious=True)
            for asked in self.prompts
        ]

    def _to_answers(self, lanes: Sequence[RowLane]) -> list[Answer]:
        """Return an answer for each model, sample and row, also where nothing was asked."""
        found: list[Answer] = []
        for lane in lanes:
            results = {series.sample: series.results for series in lane.series}
            for sample in range(1, self._samples + 1):
                by_row = {result.row: result for result in results.get(sample, ())}
                found += (
                    Answer.of(
                        lane.asked.model,
                        sample,
                        by_row.get(row, RowResult(row)),
                        self._answers,
                        self._asked.schema,
                    )
                    for row in range(len(self._rows))
                )
        return found

    def _facts(self, lanes: Sequence[RowLane]) -> Facts:
        stops = {lane.asked.model: stop for lane in lanes if (stop := _stop_of(lane)) is not None}
        return Facts(
            self._name,
            self._models,
            self._check.name,
            self._samples,
            self._asked.text,
            self._asked.system,
            fields_of(self._asked.schema),
            {model: stop.message for model, stop in stops.items()},
            tuple(lane.asked.model for lane in lanes if lane.given_up),
            self._check.use if isinstance(self._check, Judge) else None,
        )

    def _failure(self, trial: Trial, lanes: Sequence[RowLane], told: str) -> BaseException | None:
        """Return what the cell has to raise: an interrupt, what ended all, or that nothing is left."""
        failure: BaseException | None = None
        stops = [stop for lane in lanes if (stop := _stop_of(lane)) is not None and ends_all(stop)]
        # Without its judge a trial has no scores, whatever the judge failed for.
        stops += [stop for lane in self._judged if (stop := _stop_of(lane)) is not None] + self._unjudged
        errors = [result.error for lane in lanes for series in lane.series for result in series.results]
        if self._interrupt.requested and _is_partial(trial):
            failure = Interrupted(None, sentences(_("Stopped."), told))
        elif stops:
            failure = _with_remedy(stops[0], told)
        elif not any(answer.reply is not None for answer in trial.answers):
            failure = next((_with_remedy(error, told) for error in errors if error is not None), None)
        if failure is not None:
            failure.trial = trial  # type: ignore[attr-defined]  # both kinds have one
        return failure

    # -- the check ------------------------------------------------------------------------------------

    def _find_check(self, wish: CheckWish) -> Check:
        schema = self._asked.schema
        if wish.judge is not None:
            task = replace(self._asked, model=wish.judge)
            return Judge(wish.judge, wish.rubric, task, self._table, self._ask_judge, called=wish.rubric_name)
        if wish.column is not None:
            return ColumnCheck(wish.column, self._rows, schema, wish.tolerance, self._name)
        if wish.function is not None:
            return FunctionCheck(wish.function, wish.name, self._interrupt)
        return Agreement()

    def _ask_judge(self, records: Sequence[Mapping[str, Any]], asked: TablePrompt) -> Sequence[RowResult]:
        if self._interrupt.requested:
            return []
        bar = self._mapper.new_bar(len(records), quiet=self._manner.quiet)
        manner = replace(self._manner, sample=1)
        name = _(ANSWERS)
        rows = RecordRows(records, name)
        lane = self._mapper.lane(rows, asked, name, manner, samples=(1,), cautious=True)
        self._judged.append(lane)
        try:
            self._mapper.ask([lane], manner, bar, self._interrupt)
        except MetaskError as error:  # the answers are there, and must not be lost with it
            self._unjudged.append(error)
            return []
        results = lane.series[0].results
        graded = sum(result.reply is not None and result.error is None for result in results)
        bar.close(
            ngettext("{count} verdict by {judge}.", "{count} verdicts by {judge}.", graded, judge=asked.model)
        )
        return results


def _check_models(models: Sequence[str], wish: CheckWish) -> None:
    """Refuse what is no trial. Raises `OptionError`."""
    twice = [model for model, times in Counter(models).items() if times > 1]
    if twice:
        raise OptionError(
            _("{model} is named twice, and two models of a trial need two names.", model=twice[0]),
            _("Leave one out; several answers to each row come with --sample 2."),
        )
    if wish.is_none and len(models) < 2:
        raise OptionError(
            _("A trial without a check tells how far models agree, and this is one."),
            _("Name another model, or give a check."),
        )
    if wish.judge is not None and wish.judge in models:
        raise OptionError(
            _("{judge} would judge its own answers.", judge=wish.judge),
            _("Name another judge: models favour what is theirs."),
        )


def _stop_of(lane: RowLane) -> MetaskError | None:
    """Return what ended a model's rows before all were asked about, other than an interrupt."""
    return next((series.stopped for series in lane.series if series.stopped is not None), None)


def _is_partial(trial: Trial) -> bool:
    """Whether something was not asked about, or not checked."""
    return any(answer.outcome == "not asked" or answer.grade.error is not None for answer in trial.answers)


def _with_remedy(error: MetaskError, told: str) -> MetaskError:
    error.remedy = sentences(error.remedy, told)
    return error.with_traceback(None)


def _summarize(answers: Sequence[Answer], lanes: Sequence[RowLane]) -> str:
    """Return how it went, in a sentence, and what was used now."""
    outcomes = Counter(answer.outcome for answer in answers)
    used = sum(series.tokens or 0 for lane in lanes for series in lane.series)
    return sentences(
        _(
            "{answers} of {models}: {counts}.",
            answers=ngettext("{count} answer", "{count} answers", len(answers)),
            models=ngettext("{count} model", "{count} models", len(lanes)),
            counts=listed(
                _(said, number=outcomes[outcome])
                for outcome, said in _COUNTS.items()
                if outcomes[outcome] or outcome == "answered"
            ),
        ),
        _("{number:,} tokens.", number=used) if used else "",
    )


_COUNTS: Mapping[Outcome, str] = {
    "answered": N_("{number:,} answered"),
    "unusable": N_("{number:,} unusable"),
    "failed": N_("{number:,} failed"),
    "not asked": N_("{number:,} not asked"),
}
