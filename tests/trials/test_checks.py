"""Checks: what they refuse before anything is sent, and how they grade."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest

from metask_magic.asking.interrupt import InterruptRequest
from metask_magic.errors import OptionError
from metask_magic.schemas.schema import ANY_JSON, Schema
from metask_magic.table.rows import Row
from metask_magic.trials.answer import Answer
from metask_magic.trials.checks import STOPPED, Agreement, ColumnCheck, FunctionCheck, grade_all

from .trials import answer


def rows(*values: Any, name: str = "expected") -> list[Row]:
    return [Row({name: value}) for value in values]


def schema(**fields: Any) -> Schema:
    from pydantic import create_model

    described: dict[str, Any] = {name: (kind, ...) for name, kind in fields.items()}
    return Schema.from_object(create_model("Shape", **described), "Shape")


def column(
    *values: Any, name: str = "expected", shape: Schema | None = None, tolerance: float | None = None
) -> ColumnCheck:
    return ColumnCheck(name, rows(*values, name=name), shape, tolerance, "df")


REFUSED: Mapping[str, tuple[Callable[[], object], str]] = {
    "a gap": (lambda: column("a", None), "expected of df has no expected value in row 1"),
    "a blank": (lambda: column(" ", "b"), "has no expected value in row 0"),
    "many gaps": (lambda: column(*[None] * 5), "in rows 0, 1, 2 and 2 more"),
    "kinds": (lambda: column("a", 1), "has texts and numbers (in row 1)"),
    "truth and numbers": (lambda: column(True, 1), "has truth values and numbers (in row 1)"),
    "no such kind": (lambda: column({"a": 1}), "has a value of type dict in row 0, which cannot be compared"),
    "a tolerance": (lambda: column("a", tolerance=1), "A tolerance goes with numbers"),
    "no field": (lambda: column(1, shape=schema(one=int, two=int)), "Shape has no field expected"),
    "a type": (lambda: column("a", shape=schema(expected=int)), "of another type (integer)"),
    "truth": (lambda: column(True, shape=schema(expected=int)), "of another type (integer)"),
    "a list": (lambda: column("a", shape=schema(expected=list[str])), "of another type (array)"),
    "a coroutine": (lambda: FunctionCheck(_asynchronous, "f", InterruptRequest()), "is a coroutine"),
    "one argument": (lambda: FunctionCheck(lambda row: 1, "f", InterruptRequest()), "it is f(row)"),  # type: ignore[arg-type, misc]
}


async def _asynchronous(row: Any, reply: Any) -> bool:
    return True


@pytest.mark.parametrize(("make", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(OptionError) as refused:
        make()
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1], int),
        ([1.5], float | None),
        (["a"], Literal["a", "b"]),
        ([1], str),
        ([{"a"}], list[str]),
        ([{1, 2}], int),
        ([True], bool),
    ],
)
def test_fields_that_fit(values: Sequence[Any], kind: Any) -> None:
    column(*values, shape=schema(expected=kind, other=int))
    column(*values, name="another", shape=schema(only=kind))


def said(row: int, **fields: Any) -> Answer:
    return replace(answer(row, "a"), said=fields)


def test_a_field_is_compared_by_its_name() -> None:
    check = column(4, 5, name="stars", shape=schema(stars=int, other=int))
    grades = check.grade([said(0, stars=4, other=0), said(1, stars=4, other=5)], rows(4, 5, name="stars"))
    assert [grade.score for grade in grades] == [1.0, 0.0]
    assert [grade.reason for grade in grades] == ["", "4 is not 5"]


def test_json_of_any_shape_is_compared_by_the_column_s_name() -> None:
    check = column(4, 4, name="stars", shape=ANY_JSON)
    base = answer(0, "a", '{"stars": 4}')
    assert base.reply is not None
    whole = replace(base, reply=replace(base.reply, data={"stars": 4, "n": 9}))
    alone = replace(base, reply=replace(base.reply, data=5))
    assert [grade.score for grade in check.grade([whole, alone], rows(4, 4, name="stars"))] == [1.0, 0.0]


def graded(function: Callable[..., Any], interrupt: InterruptRequest | None = None) -> list[Any]:
    check = FunctionCheck(function, "f", interrupt or InterruptRequest())
    answers = [answer(0, "a", "one"), answer(1, "a", "two")]
    return [grade.error or grade.score for grade in check.grade(answers, rows(1, 2))]


@pytest.mark.parametrize(
    ("function", "grades"),
    [
        (lambda row, reply: reply.text == "one", [1.0, 0.0]),
        (lambda row, reply: row["expected"] / 4, [0.25, 0.5]),
        (lambda row, reply: None, ["f returned None, and no truth value or number"] * 2),
        (lambda row, reply: "good", ["f returned 'good', and no truth value or number"] * 2),
        (lambda row, reply: float("nan"), ["f returned nan, and no truth value or number"] * 2),
        (lambda row, reply: 1 / (row["expected"] - 1), ["f raised ZeroDivisionError: division by zero", 1.0]),
    ],
)
def test_a_function(function: Callable[..., Any], grades: list[Any]) -> None:
    assert graded(function) == grades


def test_an_interrupt_stops_the_user_s_own_function() -> None:
    def stuck(row: Any, reply: Any) -> bool:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the interrupt was not thrown here")

    with InterruptRequest() as interrupt:
        assert graded(stuck, interrupt) == [STOPPED, STOPPED]
    assert interrupt.requested


def test_agreement_is_the_share_of_the_others_that_say_the_same() -> None:
    answers = [answer(0, "a", "Yes"), answer(0, "b", "yes."), answer(0, "c", "no"), answer(1, "a", "alone")]
    grades = Agreement().grade(answers, rows(1, 2))
    assert [grade.score for grade in grades] == [0.5, 0.5, 0.0, None]


@pytest.mark.parametrize(("scores", "unusable"), [([1.0, 0.5], 0.0), ([3.0, 0.5], None), ([-1.0, 0.0], None)])
def test_what_cannot_be_used_is_worth_nothing_where_scores_are_shares(
    scores: list[float], unusable: float | None
) -> None:
    check = FunctionCheck(lambda row, reply: row["expected"], "f", InterruptRequest())
    answers = [
        answer(0, "a"),
        answer(1, "a"),
        answer(2, "a", outcome="unusable", error="Refused."),
        answer(3, "a", outcome="failed", error="No."),
    ]
    found = grade_all(check, answers, rows(*scores, 9, 9))
    assert [each.grade.score for each in found] == [*scores, unusable, None]


def test_agreement_field_by_field() -> None:
    answers = [
        replace(answer(0, "a"), said={"stars": 4, "why": "Good."}),
        replace(answer(0, "b"), said={"stars": 4.0, "why": "It works."}),
        replace(answer(0, "c"), said={"stars": 1, "why": "it works"}),
    ]
    assert [grade.score for grade in Agreement().grade(answers, rows(1))] == [0.25, 0.5, 0.25]
