"""What a reader of a leaderboard has to know: what a score is, how sure, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..usage.prices import INSTALL_EXTRA
from ..words import counted, plain
from .leaderboard import dollars
from .statistics import RESAMPLES

if TYPE_CHECKING:
    from .facts import Facts
    from .trial import Trial

AGREEMENT = "agreement"
MOST_NOTES = 3


def measure(facts: Facts, shares: bool) -> str:
    """Return what the scores of a trial are."""
    if facts.check == AGREEMENT:
        return "agreement with the other models"
    if facts.check == "judge":
        return "mean score from the judge"
    return "share of right answers" if shares else f"mean score by {facts.check}"


def all_notes(trial: Trial, shares: bool) -> Iterator[str]:
    """Yield the notes, those on what the scores mean first."""
    if any(standing.score is not None for standing in trial.standings):
        yield from _of_scores(trial, shares)
    yield from _of_gaps(trial)
    yield from _of_costs(trial)


def _of_scores(trial: Trial, shares: bool) -> Iterator[str]:
    how = "Wilson's" if shares else f"by bootstrap over the rows (BCa, {RESAMPLES:,} resamples)"
    yield f"Score: {measure(trial.facts, shares)}; its interval (95 %) is {how}."
    if trial.facts.check == AGREEMENT:
        yield "Models that agree can be wrong together: with --check there is a score for what is right."
    if any(standing.p_value is not None for standing in trial.standings):
        test = "McNemar's exact test" if shares else "a randomisation test of the rows' differences"
        yield f"Against the best: row by row, {test}, p adjusted by Holm; no real difference from 0.05 on."
    if any(each.interval is not None and each.interval.low == each.interval.high for each in trial.standings):
        yield "An interval without width says only that all rows have the same score."
    if trial.facts.samples > 1:
        yield "Stable: how often two answers of a model to one row say the same."
    if any(standing.pass_at_k for standing in trial.standings):
        yield "Pass: how likely at least one of k answers is right (pass@k)."


def _of_gaps(trial: Trial) -> Iterator[str]:
    for model, ending in trial.facts.endings.items():
        yield f"{model} was asked about no more rows: {plain(ending)}"
    if any(standing.outcomes.get("unusable") for standing in trial.standings):
        worth = "" if trial.facts.check == AGREEMENT else "; it scores 0 where the best score is 1"
        yield f"Unusable is what was filtered, refused or empty, or does not fit its schema{worth}."
    yield from _of_endings(trial)
    failed = [answer for answer in trial.answers if answer.outcome == "failed"]
    if failed:
        first = failed[0]
        told = f"{first.model} in row {first.row}: {plain(first.error)}"
        yield f"Requests that failed have no score. The first, {told}"
    unchecked = [answer for answer in trial.answers if answer.grade.error is not None]
    if unchecked:
        first = unchecked[0]
        told = f"{first.model} in row {first.row}: {plain(first.grade.error)}"
        yield f"{counted(len(unchecked), 'answer')} could not be checked. The first, {told}"


def _of_endings(trial: Trial) -> Iterator[str]:
    """Yield what is to be said beside answers that count as such: that they were cut, and their own notes."""
    replies = [answer.reply for answer in trial.answers if answer.reply is not None]
    ends = Counter((reply.requested_model, reply.notice) for reply in replies if not reply.ending.is_lacking)
    for (model, notice), number in ends.items():
        if notice:
            yield f"{counted(number, 'answer')} of {model}: {notice}"
    yield from list(dict.fromkeys(note for reply in replies for note in reply.notes))[:MOST_NOTES]


def _of_costs(trial: Trial) -> Iterator[str]:
    standings = [standing for standing in trial.standings if standing.cost.replies]
    sources = {standing.cost.source for standing in standings}
    if any(standing.cost.is_least for standing in standings):
        yield "A ? stands for tokens that the gateway did not report; costs are of what it did."
    if sources == {None}:
        yield f"With {INSTALL_EXTRA} there is an estimate of the cost."
    elif standings:
        source = next(source for source in sources if source)
        unpriced = [standing.model for standing in standings if standing.cost.usd is None]
        yield (
            f"The cost in US dollars is estimated from public list prices by {source}; the gateway's prices "
            "may differ." + (f" No list has a price of {', '.join(unpriced)}." if unpriced else "")
        )
    if (judge := trial.facts.judge) is not None:
        cost = dollars(judge.cost.usd, is_least=judge.cost.is_least)
        priced = f", {cost}" if cost else ""
        yield (
            f"Judged by {judge.model}, which saw no names: {counted(judge.graded, 'verdict')}, "
            f"{judge.cost.tokens} tokens{priced}; these are in no model's cost."
        )
