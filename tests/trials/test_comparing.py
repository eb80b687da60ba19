"""What counts as the expected answer, and what does not."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
import pytest

from metask_magic.trials.comparing import canonical, kind_of, matches, plain_value


class Mood(Enum):
    GOOD = "good"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a", "text"),
        (Mood.GOOD, "text"),
        (date(2024, 5, 1), "text"),
        (pd.Timestamp("2024-05-01"), "text"),
        (1, "number"),
        (1.5, "number"),
        (Decimal("1.5"), "number"),
        (np.int64(3), "number"),
        (True, "truth value"),
        (np.bool_(True), "truth value"),
        ({"a", "b"}, "set"),
        (["a", 1], "set"),
        (np.array(["a"]), "set"),
        ({"a": 1}, None),
        ([{"a": 1}], None),
        (object(), None),
    ],
)
def test_kinds(value: Any, kind: str | None) -> None:
    assert kind_of(value) == kind


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("Positive", " **positive.** "),
        ("positive", "POSITIVE"),
        ("New York", "new\n york"),
        ("caf\u00e9", "cafe\u0301"),
        ("ﬁne", "fine"),
        ("好", "好。"),
        (":)", ":)"),
        (Mood.GOOD, "Good"),
        (date(2024, 5, 1), "2024-05-01"),
        (datetime(2024, 5, 1), "2024-05-01"),
        (4, "4"),
        (4, "**4** stars."),
        (4, "I would give it 4.0"),
        (4, 4.0),
        (1234.5, "about 1,234.5 euros"),
        (-3, "It is \N{MINUS SIGN}3 degrees"),
        (0.3, 0.1 + 0.2),
        (np.int64(4), 4),
        (True, "Yes."),
        (True, "Yes, because it is so."),
        (False, "no"),
        (False, False),
        ({"a", "b"}, ["b", "a", "a"]),
        ({"red", "dark blue"}, "Dark blue, red"),
        ({"red", "blue"}, "- red\n- blue"),
        ({"red", "blue"}, "red and blue"),
        ({"rock and roll", "jazz"}, "jazz, rock and roll"),
        ({"red", "blue"}, '["blue", "red"]'),
        ([1, 2], [2, 1.0]),
        (["yes", "yep"], "yes, yep"),
        ({1, 2}, 2),
    ],
)
def test_right(expected: Any, answer: Any) -> None:
    assert matches(expected, answer)


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("positive", "not positive"),
        ("positive", ""),
        ("positive", None),
        (":)", ":("),
        ("c", "c++"),
        (4, "4 of 5"),
        (4, "four"),
        (4, "14"),
        (4, "4.5"),
        (4, True),
        (4, None),
        (1, "v1x2"),
        (True, "No."),
        (True, "yesterday"),
        (True, "No doubt that is true"),
        (True, 1),
        ({"a", "b"}, ["a"]),
        ({"a"}, ["a", "b"]),
        ({"red", "blue"}, "red"),
        ({1, 2}, 3),
    ],
)
def test_wrong(expected: Any, answer: Any) -> None:
    assert not matches(expected, answer)


@pytest.mark.parametrize(
    ("expected", "answer", "tolerance", "right"),
    [
        (10, "10.5", 0.5, True),
        (10, "10.51", 0.5, False),
        (0.1, 0.3, 0.2, True),
        (10, 9, 0, False),
        ({10, 20}, [20.4, 9.7], 0.5, True),
    ],
)
def test_tolerance(expected: Any, answer: Any, tolerance: float, right: bool) -> None:
    assert matches(expected, answer, tolerance) is right


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"reply": "Yes."}, {"reply": "yes"}, True),
        ({"stars": 4}, {"stars": 4.0}, True),
        ({"stars": 4, "why": "Good!"}, {"why": "good", "stars": 4}, True),
        ({"reply": "4"}, {"reply": "4.0"}, True),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, False),
        ({"reply": "yes"}, {"reply": "no"}, False),
        ({"ok": True}, {"ok": 1}, False),
    ],
)
def test_answers_that_say_the_same(one: Any, other: Any, same: bool) -> None:
    assert (canonical(one) == canonical(other)) is same


def test_plain_values() -> None:
    assert plain_value(np.float64(1.5)) == 1.5
    assert type(plain_value(np.int64(2))) is int
    assert plain_value(datetime(2024, 5, 1, 12)) == "2024-05-01T12:00:00"
