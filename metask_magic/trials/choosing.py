"""Which model of a trial to take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from ..errors import MetaskError
from ..language import _
from ..usage.prices import INSTALL_EXTRA
from ..words import listed
from .leaderboard import score_in_words
from .standing import Standing

LOWEST: Literal["lowest"] = "lowest"

Wish = float | Literal["lowest"] | None


def choose(standings: Sequence[Standing], *, score: float | None, cost: Wish, latency: Wish) -> str:
    """Return the name of the best model that meets the wishes (`Trial.best`). Raises `MetaskError`."""
    _check(cost, latency)
    scored = [standing for standing in standings if standing.score is not None]
    if not scored:
        raise MetaskError(_("No model has a score."), _("Give the trial a check, or look at what failed."))
    if cost is not None:
        _check_prices(scored)
    able = [each for each in scored if score is None or _reaches(each, score)]
    if not able:
        first = scored[0]
        raise MetaskError(
            _(
                "No model scores {score} or more: the best is {model} with {best}.",
                score=score_in_words(score),
                model=first.model,
                best=score_in_words(first.score),
            ),
            _("Ask for less, or try other models."),
        )
    fitting = [each for each in able if _is_within(_cost(each), cost) and _is_within(each.median, latency)]
    if not fitting:
        raise MetaskError(
            _(
                "None of {models} is within the cost and the latency that are asked for.",
                models=listed(each.model for each in able),
            ),
            _("Allow more, or ask for a lower score."),
        )
    if cost == LOWEST:
        return min(fitting, key=lambda each: _or_infinite(_cost(each))).model
    if latency == LOWEST:
        return min(fitting, key=lambda each: _or_infinite(each.median)).model
    return fitting[0].model


def _check(cost: Wish, latency: Wish) -> None:
    for name, wish in (("cost", cost), ("latency", latency)):
        if isinstance(wish, str) and wish != LOWEST:
            raise MetaskError(
                _("{name}={wish!r} means nothing.", name=name, wish=wish),
                _('Give a number, or {name}="lowest".', name=name),
            )
    if cost == latency == LOWEST:
        raise MetaskError(
            _("The lowest cost and the lowest latency may be two models."),
            _("Give a number for one of them."),
        )


def _check_prices(standings: Sequence[Standing]) -> None:
    if any(standing.cost.usd is not None for standing in standings):
        return
    if all(standing.cost.source is None for standing in standings):
        raise MetaskError(
            _("Costs are estimated by an extra that is not installed."), _("{said}.", said=INSTALL_EXTRA)
        )
    raise MetaskError(
        _("No list has a price of {models}.", models=listed(standing.model for standing in standings)),
        _("Choose by the score, or by the latency."),
    )


def _reaches(standing: Standing, score: float) -> bool:
    return standing.score is not None and standing.score >= score - 1e-9


def _cost(standing: Standing) -> float | None:
    cost = standing.cost.usd_per_1000
    return None if cost is None else float(cost)


def _is_within(value: float | None, wish: Wish) -> bool:
    """Whether a value meets a wish; what is not known meets none."""
    if wish is None:
        return True
    return value is not None and (isinstance(wish, str) or value <= wish)


def _or_infinite(value: float | None) -> float:
    return math.inf if value is None else value
