"""The statistics against scipy's and statsmodels' own."""

from __future__ import annotations

import math
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import scipy  # its parts, and statsmodels, are imported when they are needed: each worker collects this
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from metask_magic.trials.statistics import (
    Interval,
    bca,
    bootstrap,
    holm,
    paired_p_value,
    pass_at_k,
    quantile,
    wilson,
)

SCORES = st.floats(-100, 100, allow_nan=False).map(lambda value: round(value, 3))
CONFIDENCES = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])


def close(one: Interval | None, low: float, high: float) -> bool:
    return (
        one is not None
        and math.isclose(one.low, low, abs_tol=1e-9)
        and math.isclose(one.high, high, abs_tol=1e-9)
    )


@given(st.integers(1, 5000), st.data(), CONFIDENCES)
@settings(max_examples=200)
def test_wilson(count: int, data: st.DataObject, confidence: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    right = data.draw(st.integers(0, count))
    expected = proportion_confint(right, count, 1 - confidence, "wilson")
    assert close(wilson(right, count, confidence), *expected)


def test_a_share_of_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None
    assert bootstrap([1.0]) is None
    assert quantile([], 0.5) is None


@given(st.lists(SCORES, min_size=15, max_size=40), CONFIDENCES, st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_bca_of_the_same_resamples(values: list[float], confidence: float, seed: int) -> None:
    assume(max(values) - min(values) > 0.01)
    reference: Any = scipy.stats.bootstrap(
        (values,), np.mean, confidence_level=confidence, n_resamples=400, method="BCa", rng=seed, axis=0
    )
    resampled = [float(mean) for mean in reference.bootstrap_distribution]
    # A resampled mean that is the mean but for rounding counts as below it or not by chance, there.
    assume(min(abs(mean - fmean(values)) for mean in resampled) > 1e-9)
    assert close(bca(values, resampled, confidence), *reference.confidence_interval)


@given(st.lists(SCORES, min_size=20, max_size=60), st.integers(0, 100))
@settings(max_examples=15)
def test_our_own_resamples_say_what_scipy_s_say(values: list[float], seed: int) -> None:
    assume(np.std(values) > 1)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="BCa", rng=seed
    ).confidence_interval
    ours = bootstrap(values)
    width = theirs.high - theirs.low
    assert ours is not None
    assert abs(ours.low - theirs.low) < 0.12 * width
    assert abs(ours.high - theirs.high) < 0.12 * width


def test_the_bootstrap_is_the_same_every_time() -> None:
    values = [0.1, 0.5, 0.9, 0.4, 1.0]
    assert bootstrap(values) == bootstrap(list(values))
    assert bootstrap([0.5] * 9) == Interval(0.5, 0.5)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 50))
@settings(max_examples=200)
@example(0, 0, 10)
def test_right_and_wrong_answers_are_compared_as_mcnemar_does(wins: int, losses: int, ties: int) -> None:
    from statsmodels.stats.contingency_tables import mcnemar

    differences = [1.0] * wins + [0.0] * ties + [-1.0] * losses
    expected = mcnemar([[ties, wins], [losses, 0]], exact=True).pvalue if wins + losses else 1.0
    assert math.isclose(paired_p_value(differences), expected, rel_tol=1e-9)
    less = scipy.stats.binomtest(wins, wins + losses, alternative="less").pvalue if wins + losses else 1.0
    assert math.isclose(paired_p_value(differences, "less"), less, rel_tol=1e-9)


# Whole numbers, whose sums are the same in whatever order: scipy tells apart what differs by rounding.
WHOLE = st.integers(-100, 100).map(float)


@given(st.lists(WHOLE, min_size=2, max_size=10), st.sampled_from(["two-sided", "less"]))
@settings(max_examples=60)
def test_few_grades_are_compared_with_all_signs(differences: list[float], alternative: Any) -> None:
    expected = scipy.stats.permutation_test(
        (np.array(differences),),
        np.sum,
        permutation_type="samples",
        alternative=alternative,
        n_resamples=np.inf,
    ).pvalue
    assert math.isclose(paired_p_value(differences, alternative), expected, abs_tol=1e-9)


@given(st.integers(0, 10_000), st.floats(-0.6, 0.6))
@settings(max_examples=25)
def test_many_grades_are_compared_as_scipy_does(seed: int, shift: float) -> None:
    draw = np.random.default_rng(seed)
    differences = draw.normal(shift, 1, 40)
    others = np.random.default_rng([seed, 1])  # with the same, the signs would hang together with the numbers
    reference = scipy.stats.permutation_test(
        (differences,), np.sum, permutation_type="samples", n_resamples=4000, rng=others
    ).pvalue
    assert abs(paired_p_value([float(each) for each in differences]) - reference) < 0.07


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@settings(max_examples=6)  # theirs takes long
def test_holm(p_values: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests

    expected = multipletests(p_values, method="holm")[1]
    assert all(math.isclose(*pair, abs_tol=1e-9) for pair in zip(holm(p_values), expected, strict=True))


@given(st.lists(SCORES, min_size=1, max_size=50), st.floats(0, 1))
def test_quantile(values: list[float], level: float) -> None:
    found = quantile(values, level)
    assert found is not None
    assert math.isclose(found, float(np.quantile(values, level)), abs_tol=1e-9)


@given(st.integers(1, 12), st.data())
def test_pass_at_k_is_the_hypergeometric_chance_of_a_right_one(count: int, data: st.DataObject) -> None:
    right, k = data.draw(st.integers(0, count)), data.draw(st.integers(1, count))
    expected = scipy.stats.hypergeom(count, right, k).sf(0)
    assert math.isclose(pass_at_k(count, right, k), expected, abs_tol=1e-9)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_intervals_cover_what_they_say(level: float) -> None:
    """Of many samples whose share is known, as many intervals hold it; with a fixed seed."""
    draw = np.random.default_rng(5)
    held = [
        (found := wilson(int(draw.binomial(60, 0.85)), 60, level)) is not None
        and found.low <= 0.85 <= found.high
        for _ in range(2000)
    ]
    assert abs(fmean(held) - level) < 0.03
