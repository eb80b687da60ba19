"""How many at once: what each answer and each refusal teaches, step by step."""

from __future__ import annotations

import math

import pytest

from metask_magic.batch.pace import ROWS_BETWEEN_TRIALS
from metask_magic.batch.places import SECONDS_BETWEEN_TRIALS, START, Places, Sent, Trials

MOST = 32


def taken(places: Places, beside: int, at: float = 0.0) -> Sent:
    """A request that was sent beside so many others, and answered."""
    sent = Sent(at, 0, beside, is_most=False)
    places.send(sent)
    places.answer(sent)
    return sent


def filled(places: Places) -> None:
    taken(places, places.number - 1)


def test_each_time_all_are_taken_there_is_one_more() -> None:
    places = Places(MOST)
    taken(places, START - 2)
    assert places.number == START
    filled(places)
    taken(places, 0)
    assert places.number == START + 1
    for _ in range(2 * MOST):
        filled(places)
    assert places.number == MOST


def test_a_refusal_shows_a_number_that_is_kept_to() -> None:
    places = Places(MOST)
    places.lower(5)
    places.refuse(0.0, pause=1.0)
    for _ in range(10):
        filled(places)
    assert (places.number, places.number_soon) == (5, 5)


def test_one_or_two_more_may_slip_through_and_three_are_another_limit() -> None:
    places = Places(MOST)
    places.lower(5)  # and may grow again: no refusal has said more
    more = Sent(0.0, 0, 5, is_most=False)
    for number in (6, 7):
        filled(places)
        assert (places.number, places.is_more(more)) == (number, True)
    filled(places)
    assert (places.number, places.is_more(more)) == (8, False)


def due(places: Places, at: float) -> float:
    return places.more_in(at, trusted_after=10.0)


def test_one_more_is_tried_after_a_while_and_what_is_taken_lets_it_grow() -> None:
    places = Places(MOST)
    places.lower(5)
    places.refuse(0.0, pause=0.0)
    assert due(places, 0.0) == 1.0
    assert due(places, 1.0) == 0.0
    assert places.number == 6
    assert due(places, 2.0) == math.inf  # no request has tried it yet
    trial = taken(places, 5, at=2.0)
    assert places.number == 7
    assert not places.is_trial(trial)
    filled(places)
    assert places.number == 8, "it grows again"


def test_a_trial_that_is_not_refused_for_long_was_taken() -> None:
    places = Places(MOST)
    places.lower(5)
    places.refuse(0.0, pause=0.0)
    due(places, 1.0)
    trial = Sent(1.0, 0, 5, is_most=True)
    places.send(trial)
    assert places.is_trial(trial)
    assert due(places, 4.0) == 7.0
    assert due(places, 11.0) == math.inf
    assert places.number_soon == 2 * places.number


@pytest.mark.parametrize(
    ("rows", "seconds"),
    [(0, 64.0), (ROWS_BETWEEN_TRIALS - 1, 64.0), (ROWS_BETWEEN_TRIALS, SECONDS_BETWEEN_TRIALS)],
)
def test_trials_that_fail_come_later_but_not_for_ever(rows: int, seconds: float) -> None:
    trials = Trials()
    assert trials.count == 0
    for _ in range(3):
        trials.count = 7
        trials.fail(100.0, 0.0, again=True)
        assert trials.count == 0
    trials.count = rows
    assert trials.due_in(100.0) == seconds


def test_a_long_pause_puts_a_trial_off() -> None:
    trials = Trials()
    trials.fail(100.0, 10.0, again=False)
    assert trials.due_in(100.0) > 1.0
