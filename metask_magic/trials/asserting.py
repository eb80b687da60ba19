"""What a test says of a trial: a bound for a score, and that it is no worse than a saved one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from ..errors import MetaskError
from ..table.rows import Row
from ..words import counted
from .leaderboard import score_in_words
from .standing import SIGNIFICANT, Standing
from .statistics import holm, paired_p_value
from .trial_file import dump, plain_row

if TYPE_CHECKING:
    from .trial import Trial

_SHOWN = 3


def assert_score(trial: Trial, at_least: float, model: str | None) -> None:
    """See `Trial.assert_score`."""
    chosen = trial.standings if model is None else (_standing(trial, model),)
    below = [each for each in chosen if each.score is None or each.score < at_least - 1e-9]
    if below:
        said = "; ".join(f"{each.model} {_score(each)}" for each in below)
        raise AssertionError(
            f"{said}: below {score_in_words(at_least)} on {counted(len(trial.rows), 'row')}."
        )


def _score(standing: Standing) -> str:
    return "has no score" if standing.score is None else f"scores {score_in_words(standing.score)}"


def assert_no_worse(trial: Trial, other: Trial, model: str | None) -> None:
    """See `Trial.assert_no_worse_than`."""
    if trial.facts.check != other.facts.check:
        raise MetaskError(
            f"One trial was checked by {trial.facts.check}, the other by {other.facts.check}.",
            "Compare trials of one check.",
        )
    shared = _shared_rows(trial.rows, other.rows)
    if not shared:
        raise MetaskError("The trials have no row in common.", "Try the same table in both.")
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
        raise MetaskError(f"{error.args[0]}.", f"Tried were {', '.join(trial.models)}.") from None


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
        f"The trials have no model in common: {', '.join(trial.models)} and {', '.join(other.models)}.",
        "Try one of the same models again, or one model on either side.",
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
        self._name = now.model if now.model == before.model else f"{now.model} (before: {before.model})"
        had = {at: before.scores[old] for at, old in shared.items() if old in before.scores}
        self._missing = [at for at in had if at not in now.scores]
        self._moved = {at: now.scores[at] - score for at, score in had.items() if at in now.scores}
        self._now = [now.scores[at] for at in self._moved]
        self._had = [had[at] for at in self._moved]
        self.chance = paired_p_value([*self._moved.values()], "less")

    def iter_failures(self, chance: float) -> Iterator[str]:
        """Yield what is wrong, in sentences; `chance` is its own, adjusted for the number of models."""
        if self._missing or not self._moved:
            rows = _places(self._missing)
            yield f"{self._name}: {counted(len(self._missing), 'row')} had a score and {rows} none now."
        if self._moved and chance < SIGNIFICANT:
            worse = [at for at, moved in sorted(self._moved.items(), key=lambda pair: pair[1]) if moved < 0]
            yield (
                f"{self._name} scores {score_in_words(fmean(self._now))} and scored "
                f"{score_in_words(fmean(self._had))} on the same {counted(len(self._moved), 'row')}: "
                f"worse than chance explains (p = {chance:.2g}). It lost in {_places(worse)}."
            )


def _places(rows: Sequence[int]) -> str:
    shown = ", ".join(f"{row}" for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f"row{'s' if len(rows) != 1 else ''} {shown}{more}"
