"""What a test says of a trial: a bound for a score, and that it is no worse than a saved one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from ..errors import MetaskError
from ..language import _, ngettext
from ..table.rows import Row
from ..words import all_of, clauses, listed
from .leaderboard import score_in_words
from .places import places
from .standing import SIGNIFICANT, Standing
from .statistics import holm, paired_p_value
from .trial_file import dump, plain_row

if TYPE_CHECKING:
    from .trial import Trial


def assert_score(trial: Trial, at_least: float, model: str | None) -> None:
    """See `Trial.assert_score`."""
    chosen = trial.standings if model is None else (_standing(trial, model),)
    below = [each for each in chosen if each.score is None or each.score < at_least - 1e-9]
    if below:
        raise AssertionError(
            _(
                "{scores}: below {bound} on {rows}.",
                scores=clauses(map(_score, below)),
                bound=score_in_words(at_least),
                rows=ngettext("{count} row", "{count} rows", len(trial.rows)),
            )
        )


def _score(standing: Standing) -> str:
    if standing.score is None:
        return _("{model} has no score", model=standing.model)
    return _("{model} scores {score}", model=standing.model, score=score_in_words(standing.score))


def assert_no_worse(trial: Trial, other: Trial, model: str | None) -> None:
    """See `Trial.assert_no_worse_than`."""
    if trial.facts.check != other.facts.check:
        raise MetaskError(
            _(
                "One trial was checked by {check}, the other by {other}.",
                check=trial.facts.check,
                other=other.facts.check,
            ),
            _("Compare trials of one check."),
        )
    shared = _shared_rows(trial.rows, other.rows)
    if not shared:
        raise MetaskError(_("The trials have no row in common."), _("Try the same table in both."))
    compared = [_Compared(*pair, shared) for pair in _pairs(trial, other, model)]
    chances = holm([each.chance for each in compared])
    failures = [
        failure
        for each, chance in zip(compared, chances, strict=True)
        for failure in each.iter_failures(chance)
    ]
    if failures:
        raise AssertionError("\n".join(failures))


def _standing(trial: Trial, model: str) -> Standing:
    try:
        return trial[model]
    except KeyError as error:
        raise MetaskError(
            _("{said}.", said=error.args[0]), _("Tried were {models}.", models=listed(trial.models))
        ) from None


def _pairs(trial: Trial, other: Trial, model: str | None) -> list[tuple[Standing, Standing]]:
    """Return the models to compare: those of both names, or the only one on either side."""
    if model is not None:
        old = other.models[0] if len(other.models) == 1 else model
        return [(_standing(trial, model), _standing(other, old))]
    names = [name for name in trial.models if name in other.models]
    if names:
        return [(trial[name], other[name]) for name in names]
    if len(trial.models) == len(other.models) == 1:
        return [(trial.standings[0], other.standings[0])]
    raise MetaskError(
        _(
            "The trials have no model in common: {models}.",
            models=all_of([listed(trial.models), listed(other.models)]),
        ),
        _("Try one of the same models again, or one model on either side."),
    )


def _shared_rows(rows: Sequence[Row], others: Sequence[Row]) -> dict[int, int]:
    """Return the positions of the same rows in the other table: the first such row is the first there."""
    places = {key: at for at, key in enumerate(_keys(others))}
    return {at: places[key] for at, key in enumerate(_keys(rows)) if key in places}


def _keys(rows: Sequence[Row]) -> Iterator[tuple[str, int]]:
    seen: Counter[str] = Counter()
    for row in rows:
        said = dump(plain_row(row), sort_keys=True)  # as in a file, which the other trial may come from
        seen[said] += 1
        yield said, seen[said]


class _Compared:
    """A model's scores and those that it had, on the rows of both trials."""

    def __init__(self, now: Standing, before: Standing, shared: dict[int, int]) -> None:
        self._name = (
            now.model
            if now.model == before.model
            else _("{model} (before: {before})", model=now.model, before=before.model)
        )
        had = {at: before.scores[old] for at, old in shared.items() if old in before.scores}
        self._missing = [at for at in had if at not in now.scores]
        self._moved = {at: now.scores[at] - score for at, score in had.items() if at in now.scores}
        self._now = [now.scores[at] for at in self._moved]
        self._had = [had[at] for at in self._moved]
        self.chance = paired_p_value([*self._moved.values()], "less")

    def iter_failures(self, chance: float) -> Iterator[str]:
        """Yield what is wrong, in sentences; `chance` is its own, adjusted for the number of models."""
        if self._missing:
            yield ngettext(
                "{model}: {count} row had a score and {rows} none now.",
                "{model}: {count} rows had a score and {rows} none now.",
                len(self._missing),
                model=self._name,
                rows=places(self._missing),
            )
        elif not self._moved:
            yield _("{model}: no row of both trials had a score.", model=self._name)
        if self._moved and chance < SIGNIFICANT:
            worse = [at for at, moved in sorted(self._moved.items(), key=lambda pair: pair[1]) if moved < 0]
            yield ngettext(
                "{model} scores {now} and scored {before} on the same {count} row: worse than chance "
                "explains (p = {chance:.2g}). It lost in {rows}.",
                "{model} scores {now} and scored {before} on the same {count} rows: worse than chance "
                "explains (p = {chance:.2g}). It lost in {rows}.",
                len(self._moved),
                model=self._name,
                now=score_in_words(fmean(self._now)),
                before=score_in_words(fmean(self._had)),
                chance=chance,
                rows=places(worse),
            )
