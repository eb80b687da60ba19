"""How sure a score is, and whether two differ: intervals and paired tests, with a fixed seed.

A share has Wilson's interval ("Probable Inference, the Law of Succession, and Statistical Inference", JASA
1927), which is right near 0 and 1 too. Any other mean has the bootstrap's with the bias corrected and
accelerated (BCa; Efron, "Better Bootstrap Confidence Intervals", JASA 1987). Two models are compared row by
row: had they no difference, each row's difference might as well have the other sign (Fisher's randomisation
test). Of answers that are right or wrong this is McNemar's exact test. Several comparisons are adjusted as
Holm says ("A Simple Sequentially Rejective Multiple Test Procedure", Scand. J. Statist. 1979).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, product
from operator import itemgetter
from statistics import NormalDist, fmean
from typing import Literal

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 20_240_501

_MOST_SIGNS = 12  # differences of which all combinations of signs are tried
_MOST_KEPT = 2000  # values whose draws are kept for the next model: 8 bytes for each of them in each draw
_NORMAL = NormalDist()
_SIGNS = bytes.maketrans(b"01", b"\0\1")
_ROUNDING = 1e-9  # sums in another order differ by less, of their size

Alternative = Literal["two-sided", "less"]


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both within it."""

    low: float
    high: float


def wilson(successes: int, count: int, confidence: float = CONFIDENCE) -> Interval | None:
    """Return Wilson's score interval of a share; None of nothing."""
    if not count:
        return None
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    share, spread = successes / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / count / 4)
    return Interval(
        0.0 if not successes else max(0.0, centre - reach),
        1.0 if successes == count else min(1.0, centre + reach),
    )


def bootstrap(values: Sequence[float], confidence: float = CONFIDENCE, seed: int = SEED) -> Interval | None:
    """Return the BCa bootstrap interval of a mean; None of fewer than two values."""
    if len(values) < 2:
        return None
    count = len(values)
    # The same rows for every model: what is drawn by chance does not tell them apart.
    drawn = _drawn_together(count, seed) if count <= _MOST_KEPT else _iter_drawn(count, seed)
    return bca(values, [sum(take(values)) / count for take in drawn], confidence)


@lru_cache(maxsize=1)
def _drawn_together(count: int, seed: int) -> tuple[Callable[[Sequence[float]], Sequence[float]], ...]:
    return tuple(_iter_drawn(count, seed))


def _iter_drawn(count: int, seed: int) -> Iterator[Callable[[Sequence[float]], Sequence[float]]]:
    """Yield what draws as many of so many values, with replacement."""
    draw, positions = random.Random(seed), list(range(count))  # noqa: S311 -- statistics, no secrets
    for _ in range(RESAMPLES):
        yield itemgetter(*draw.choices(positions, k=count))


def bca(values: Sequence[float], resampled: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return the BCa interval of the mean of `values`, given the means of resamples."""
    mean = fmean(values)
    if min(values) == max(values):
        return Interval(mean, mean)
    slack = _ROUNDING * max(map(abs, values))
    below = sum(each < mean - slack for each in resampled)
    at_most = sum(each <= mean + slack for each in resampled)
    share = min(max((below + at_most) / 2 / len(resampled), 0.5 / len(resampled)), 1 - 0.5 / len(resampled))
    bias, acceleration = _NORMAL.inv_cdf(share), _acceleration(values, mean)
    ordered = sorted(resampled)

    def end(tail: float) -> float:
        shifted = bias + _NORMAL.inv_cdf(tail)
        level = _NORMAL.cdf(bias + shifted / (1 - acceleration * shifted))
        return _quantile(ordered, level)

    return Interval(end((1 - confidence) / 2), end((1 + confidence) / 2))


def _acceleration(values: Sequence[float], mean: float) -> float:
    """Return a sixth of the skewness of the jackknife's means, which lie as the values do, mirrored."""
    squares = math.fsum((value - mean) ** 2 for value in values)
    cubes = math.fsum((value - mean) ** 3 for value in values)
    return cubes / squares**1.5 / 6 if squares > 0 else 0.0


def quantile(values: Sequence[float], level: float) -> float | None:
    """Return a quantile, between two values where it falls there; None of nothing."""
    return _quantile(sorted(values), level) if values else None


def _quantile(ordered: Sequence[float], level: float) -> float:
    place = min(max(level, 0.0), 1.0) * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


# -- two models, row by row ----------------------------------------------------------------------------


def paired_p_value(
    differences: Sequence[float], alternative: Alternative = "two-sided", seed: int = SEED
) -> float:
    """Return how likely a mean as far from 0 is, were the signs of the differences a matter of chance.

    `less`: as far below 0. Exact where all differences have one size, as those of right and wrong answers
    do, or where they are few; else estimated from `RESAMPLES` draws.
    """
    moved = [difference for difference in differences if difference]
    if not moved:
        return 1.0
    if len({abs(difference) for difference in moved}) == 1:
        return _binomial(sum(difference > 0 for difference in moved), len(moved), alternative)
    seen = math.fsum(moved)
    slack = _ROUNDING * max(map(abs, moved)) * len(moved)

    def is_as_far(drawn: float) -> bool:
        return drawn <= seen + slack if alternative == "less" else abs(drawn) >= abs(seen) - slack

    if len(moved) <= _MOST_SIGNS:
        sums = list(_iter_all_sums(moved))
        return sum(map(is_as_far, sums)) / len(sums)
    return (sum(map(is_as_far, _iter_drawn_sums(moved, seed))) + 1) / (RESAMPLES + 1)


def _binomial(wins: int, count: int, alternative: Alternative) -> float:
    """Return the exact chance of as few wins, or of as few or as many, if each is one as often as not."""
    tail = wins if alternative == "less" else min(wins, count - wins)
    ways = sum(math.comb(count, number) for number in range(tail + 1))
    chance = ways / (1 << count) if alternative == "less" else 2 * ways / (1 << count)
    return min(1.0, chance)


def _iter_all_sums(moved: Sequence[float]) -> Iterator[float]:
    for signs in product((-1, 1), repeat=len(moved)):
        yield math.fsum(sign * each for sign, each in zip(signs, moved, strict=True))


def _iter_drawn_sums(moved: Sequence[float], seed: int) -> Iterator[float]:
    draw, total, count = random.Random(seed), math.fsum(moved), len(moved)  # noqa: S311 -- statistics
    for _ in range(RESAMPLES):
        signs = format(draw.getrandbits(count), f"0{count}b").encode().translate(_SIGNS)
        yield 2 * sum(compress(moved, signs)) - total


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values of several tests, each as large as the number of tests demands, in their order."""
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, (len(p_values) - rank) * p_values[at])
        adjusted[at] = min(1.0, largest)
    return adjusted


# -- several answers to a row --------------------------------------------------------------------------


def pass_at_k(count: int, right: int, k: int) -> float:
    """Return the chance that one of `k` answers is right, if `right` of `count` are, without bias.

    Chen et al., "Evaluating Large Language Models Trained on Code" (2021). `k` is at most `count`.
    """
    return 1 - math.comb(count - right, k) / math.comb(count, k)
