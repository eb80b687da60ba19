"""What a reader of a leaderboard has to know: what a score is, how sure, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..language import N_, _, ngettext
from ..usage.prices import INSTALL_EXTRA
from ..words import listed, plain, sentences
from .leaderboard import dollars
from .statistics import RESAMPLES

if TYPE_CHECKING:
    from ..messages.ending import Ending
    from .facts import Facts
    from .judge import JudgeUse
    from .trial import Trial

AGREEMENT = "agreement"
MOST_NOTES = 3


def title(facts: Facts, length: int) -> str:
    """Return what was tried, in a line; `length` is the number of rows."""
    said = _TITLES[facts.check == AGREEMENT, facts.samples > 1]
    return _(
        said,
        models=ngettext("{count} model", "{count} models", len(facts.models)),
        rows=ngettext("{count} row", "{count} rows", length),
        table=facts.table,
        samples=facts.samples,
        check=facts.check,
    )


# By whether there is no check, and whether each row has several answers.
_TITLES = {
    (False, False): N_("{models} on {rows} of {table}, checked by {check}"),
    (False, True): N_("{models} on {rows} of {table}, {samples} answers to each, checked by {check}"),
    (True, False): N_("{models} on {rows} of {table}, compared with each other"),
    (True, True): N_("{models} on {rows} of {table}, {samples} answers to each, compared with each other"),
}


def measure(facts: Facts, shares: bool) -> str:
    """Return what the scores of a trial are."""
    if facts.check == AGREEMENT:
        return _("agreement with the other models")
    if facts.check == "judge":
        return _("mean score from the judge")
    return _("share of right answers") if shares else _("mean score by {check}", check=facts.check)


def all_notes(trial: Trial, shares: bool) -> Iterator[str]:
    """Yield the notes, those on what the scores mean first."""
    if any(standing.score is not None for standing in trial.standings):
        yield from _of_scores(trial, shares)
    yield from _of_gaps(trial)
    yield from _of_costs(trial)


def _of_scores(trial: Trial, shares: bool) -> Iterator[str]:
    yield _of_interval(measure(trial.facts, shares), shares)
    if trial.facts.check == AGREEMENT:
        yield _("Models that agree can be wrong together: with --check there is a score for what is right.")
    if any(standing.p_value is not None for standing in trial.standings):
        yield _of_test(shares)
    if any(each.interval is not None and each.interval.low == each.interval.high for each in trial.standings):
        yield _("An interval without width says only that all rows have the same score.")
    if trial.facts.samples > 1:
        yield _("Stable: how often two answers of a model to one row say the same.")
    if any(standing.pass_at_k for standing in trial.standings):
        yield _("Pass: how likely at least one of k answers is right (pass@k).")


def _of_interval(measured: str, shares: bool) -> str:
    if shares:
        return _("Score: {measure}; its interval (95 %) is Wilson's.", measure=measured)
    return _(
        "Score: {measure}; its interval (95 %) is by bootstrap over the rows (BCa, {draws:,} resamples).",
        measure=measured,
        draws=RESAMPLES,
    )


def _of_test(shares: bool) -> str:
    if shares:
        return _(
            "Against the best: row by row, McNemar's exact test, p adjusted by Holm; no real difference from "
            "0.05 on."
        )
    return _(
        "Against the best: row by row, a randomisation test of the rows' differences, p adjusted by Holm; no "
        "real difference from 0.05 on."
    )


def _of_gaps(trial: Trial) -> Iterator[str]:
    for model, ending in trial.facts.endings.items():
        yield _("{model} was asked about no more rows: {why}", model=model, why=plain(ending))
    if any(standing.outcomes.get("unusable") for standing in trial.standings):
        yield _of_unusable(scored=trial.facts.check != AGREEMENT)
    yield from _of_endings(trial)
    failed = [answer for answer in trial.answers if answer.outcome == "failed"]
    if failed:
        yield _(
            "Requests that failed have no score. The first, {model} in row {row}: {why}",
            model=failed[0].model,
            row=failed[0].row,
            why=plain(failed[0].error),
        )
    unchecked = [answer for answer in trial.answers if answer.grade.error is not None]
    if unchecked:
        yield ngettext(
            "{count} answer could not be checked. The first, {model} in row {row}: {why}",
            "{count} answers could not be checked. The first, {model} in row {row}: {why}",
            len(unchecked),
            model=unchecked[0].model,
            row=unchecked[0].row,
            why=plain(unchecked[0].grade.error),
        )


def _of_unusable(*, scored: bool) -> str:
    if scored:
        return _(
            "Unusable is what was filtered, refused or empty, or does not fit its schema; it scores 0 where "
            "the best score is 1."
        )
    return _("Unusable is what was filtered, refused or empty, or does not fit its schema.")


def _of_endings(trial: Trial) -> Iterator[str]:
    """Yield what is to be said beside answers that count as such: that they were cut, and their own notes."""
    replies = [answer.reply for answer in trial.answers if answer.reply is not None]
    ends = Counter((reply.requested_model, reply.notice) for reply in replies if _is_doubtful(reply.ending))
    for (model, notice), number in ends.items():
        if notice:
            yield ngettext(
                "{count} answer of {model}: {notice}",
                "{count} answers of {model}: {notice}",
                number,
                model=model,
                notice=notice,
            )
    yield from list(dict.fromkeys(note for reply in replies for note in reply.notes))[:MOST_NOTES]


def _is_doubtful(ending: Ending) -> bool:
    """Whether an answer counts, but is not one that came whole."""
    return bool(ending.outcome) and not ending.is_lacking


def _of_costs(trial: Trial) -> Iterator[str]:
    standings = [standing for standing in trial.standings if standing.cost.replies]
    sources = {standing.cost.source for standing in standings}
    if any(standing.cost.is_least for standing in standings):
        yield _("A ? stands for tokens that the gateway did not report; costs are of what it did.")
    if sources == {None}:
        yield _("With {extra} there is an estimate of the cost.", extra=INSTALL_EXTRA)
    elif standings:
        source = next(source for source in sources if source)
        unpriced = [standing.model for standing in standings if standing.cost.usd is None]
        yield sentences(
            _(
                "The cost in US dollars is estimated from public list prices by {source}; the gateway's "
                "prices may differ.",
                source=source,
            ),
            _("No list has a price of {models}.", models=listed(unpriced)) if unpriced else "",
        )
    if trial.facts.judge is not None:
        yield _of_judge(trial.facts.judge)


def _of_judge(judge: JudgeUse) -> str:
    verdicts = ngettext("{count} verdict", "{count} verdicts", judge.graded)
    cost = dollars(judge.cost.usd, is_least=judge.cost.is_least)
    if not cost:
        return _(
            "Judged by {judge}, which saw no names: {verdicts}, {tokens} tokens; these are in no "
            "model's cost.",
            judge=judge.model,
            verdicts=verdicts,
            tokens=judge.cost.tokens,
        )
    return _(
        "Judged by {judge}, which saw no names: {verdicts}, {tokens} tokens, {cost}; these are in no model's "
        "cost.",
        judge=judge.model,
        verdicts=verdicts,
        tokens=judge.cost.tokens,
        cost=cost,
    )
