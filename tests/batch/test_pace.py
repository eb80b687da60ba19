"""Requests a second: what a refusal teaches, step by step."""

from __future__ import annotations

import pytest

from metask_magic.batch.pace import HEADROOM, ROWS_BETWEEN_TRIALS, Pace


def send(pace: Pace, count: int) -> int:
    """Send so many, each as soon as it may go; return the first that went out faster than the one before."""
    rate = pace.rate
    for number in range(1, count + 1):
        pace.send(pace.next_at, 0.0)
        if pace.rate > rate:
            return number
    return 0


def refused(passed: int, seconds: float) -> Pace:
    """A pace of which so many have passed before the first refusal."""
    pace = Pace(0.0)
    pace.passed = passed
    pace.refuse(seconds)
    pace.next_at = seconds
    return pace


def test_a_measured_pace_is_kept_below_what_passed_for_many_rows() -> None:
    pace = refused(20, 10.0)
    assert pace.rate == pytest.approx((1 - HEADROOM) * 2)
    assert pace.passed == 0
    assert send(pace, 1000) == ROWS_BETWEEN_TRIALS


def test_a_guessed_pace_is_tried_higher_as_soon_as_it_can_be_measured() -> None:
    pace = refused(Pace.CERTAIN - 1, 10.0)
    assert pace.rate == pytest.approx(1.0)
    assert send(pace, 1000) == Pace.CERTAIN + 1


def test_a_step_that_is_refused_leads_back_to_the_pace_before() -> None:
    pace = refused(20, 10.0)
    before = pace.rate
    send(pace, ROWS_BETWEEN_TRIALS)
    passed = pace.passed
    pace.refuse(pace.next_at)
    assert pace.rate == pytest.approx(before, rel=0.06)
    assert pace.passed == passed, "the bucket is not empty: what has passed still counts"
    pace.refuse(pace.next_at + 1.0)
    assert pace.passed == 0
