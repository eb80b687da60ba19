"""Where each model of a trial stands: its score and how sure that is, what it costs, how long it takes."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean
from typing import Literal

from ..chat.reply import Reply
from .answer import Answer, Outcome
from .comparing import canonical
from .cost import Cost, cost_of
from .statistics import Interval, bootstrap, holm, paired_p_value, pass_at_k, quantile, wilson

SIGNIFICANT = 0.05

Verdict = Literal["best", "worse", "no real difference", ""]
"""How a model compares with the best one; nothing where that cannot be said."""

Scores = Mapping[int, float]
"""Scores by row: of several answers to a row, their mean."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one model did.

    Attributes
    ----------
    model
        Its name, as it was asked by.
    score
        The mean over the rows that have a score; None where none has.
    interval
        Where the score would lie if there were more such rows, at 95 %; None where that cannot be said.
    scores
        By row: the mean of the answers to it.
    verdict, p_value
        How it compares with the model of the highest score, row by row, and how likely such a difference
        were by chance (adjusted for the number of models); None where they share no row.
    outcomes
        How many answers came to what.
    unchecked
        Answers that could not be checked.
    cost
        What its replies used; one that several rows share counts once, here and in the times.
    median, late
        Seconds to a whole reply: the median, and the 95th percentile.
    first_token
        The median of the seconds to the first token, of the replies that were streamed; None without one.
    stability
        The share of pairs of answers to a row that say the same; None without several.
    pass_at_k
        The chance that one of `k` answers is right, by `k`; empty without several that are right or wrong.
    given_up
        It failed in all rows that it was asked about at first, and was asked about no more.

    """

    model: str
    score: float | None
    interval: Interval | None
    scores: Scores
    outcomes: Mapping[Outcome, int]
    unchecked: int
    cost: Cost
    median: float | None
    late: float | None
    first_token: float | None
    stability: float | None
    pass_at_k: Mapping[int, float]
    given_up: bool = False
    verdict: Verdict = ""
    p_value: float | None = None


def stand(
    answers: Sequence[Answer], models: Sequence[str], given_up: Sequence[str], *, compared: bool
) -> list[Standing]:
    """Return where the models stand, the highest score first; those without one last.

    `compared` says whether they are compared with the first one.
    """
    by_model: dict[str, list[Answer]] = {model: [] for model in models}
    for answer in answers:
        by_model[answer.model].append(answer)
    shares = are_shares(answers)
    standings = [
        replace(_stand(model, own, shares), given_up=model in given_up) for model, own in by_model.items()
    ]
    placed = sorted(standings, key=_place)
    return _compared(placed) if compared else placed


def are_shares(answers: Iterable[Answer]) -> bool:
    """Whether all answers of a trial are right or wrong, one to a row: their means are shares then."""
    scores = [answer.grade.score for answer in answers if answer.grade.score is not None]
    return set(scores) <= {0.0, 1.0} and all(answer.sample == 1 for answer in answers)


def _place(standing: Standing) -> tuple[float, float]:
    cost = standing.cost.usd_per_1000
    return (
        math.inf if standing.score is None else -standing.score,
        math.inf if cost is None else float(cost),
    )


def _stand(model: str, answers: Sequence[Answer], shares: bool) -> Standing:
    scores = _scores_by_row(answers)
    values = list(scores.values())
    replies = [answer.reply for answer in answers if answer.reply is not None and answer.like is None]
    return Standing(
        model,
        fmean(values) if values else None,
        wilson(round(sum(values)), len(values)) if shares else bootstrap(values),
        scores,
        Counter(answer.outcome for answer in answers),
        sum(answer.grade.error is not None for answer in answers),
        cost_of(model, replies),
        *_times(replies),
        _stability(answers),
        _pass_at_k(answers),
    )


def _scores_by_row(answers: Iterable[Answer]) -> dict[int, float]:
    found: defaultdict[int, list[float]] = defaultdict(list)
    for answer in answers:
        if answer.grade.score is not None:
            found[answer.row].append(answer.grade.score)
    return {row: fmean(scores) for row, scores in sorted(found.items())}


def _times(replies: Sequence[Reply]) -> tuple[float | None, float | None, float | None]:
    elapsed = [reply.elapsed for reply in replies]
    first = [reply.first_token_after for reply in replies if reply.first_token_after is not None]
    return quantile(elapsed, 0.5), quantile(elapsed, 0.95), quantile(first, 0.5)


def _by_row(answers: Iterable[Answer]) -> list[list[Answer]]:
    rows: defaultdict[int, list[Answer]] = defaultdict(list)
    for answer in answers:
        rows[answer.row].append(answer)
    return [*rows.values()]


def _stability(answers: Sequence[Answer]) -> float | None:
    shares = []
    for row in _by_row(answer for answer in answers if answer.outcome == "answered"):
        if len(row) > 1:
            said = [canonical(answer.said) for answer in row]
            shares.append(fmean(one == other for one, other in combinations(said, 2)))
    return fmean(shares) if shares else None


def _pass_at_k(answers: Sequence[Answer]) -> dict[int, float]:
    graded = [answer for answer in answers if answer.grade.score is not None]
    rows = _by_row(graded)
    fewest = min(map(len, rows), default=0)
    if fewest < 2 or {answer.grade.score for answer in graded} - {0.0, 1.0}:
        return {}
    right = [(len(row), sum(answer.grade.score == 1 for answer in row)) for row in rows]
    return {k: fmean(pass_at_k(count, many, k) for count, many in right) for k in range(1, fewest + 1)}


# -- against the best ----------------------------------------------------------------------------------


def _compared(standings: Sequence[Standing]) -> list[Standing]:
    """Return them with their verdicts; the first one is the best."""
    if not standings or standings[0].score is None:
        return [*standings]
    best, *others = standings
    moves = [differences(standing.scores, best.scores) for standing in others]
    chances = {at: paired_p_value(moved) for at, moved in enumerate(moves) if moved}
    adjusted = dict(zip(chances, holm([*chances.values()]), strict=True))
    return [
        replace(best, verdict="best"),
        *(
            _judged(standing, moved, adjusted.get(at))
            for at, (standing, moved) in enumerate(zip(others, moves, strict=True))
        ),
    ]


def _judged(standing: Standing, moved: Sequence[float], p_value: float | None) -> Standing:
    if p_value is None:
        return standing
    # Where both have a score it may be better than the one whose mean over other rows is the highest.
    worse = p_value < SIGNIFICANT and fmean(moved) < 0
    return replace(standing, verdict="worse" if worse else "no real difference", p_value=p_value)


def differences(scores: Scores, others: Scores) -> list[float]:
    """Return by how much each row that both have is better in `scores`."""
    return [score - others[row] for row, score in scores.items() if row in others]
