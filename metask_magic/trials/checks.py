"""Checks that need nobody's help: a column with what is expected, a function, how far the models agree."""

from __future__ import annotations

import inspect
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Real
from statistics import fmean
from typing import Any, Protocol

from ..asking.interrupt import InterruptRequest
from ..errors import OptionError
from ..language import N_, _
from ..schemas.schema import Schema
from ..schemas.strict import resolve
from ..table.answers import fields_of
from ..table.rows import Row
from ..words import did_you_mean, listed, nearest, plain, sentences, shorten
from .answer import Answer, Grade
from .comparing import Kind, canonical, kind_of, matches, plain_value
from .places import places

LONGEST_REASON = 80
STOPPED = N_("stopped before it was checked")

_FITS: Mapping[str, frozenset[Kind]] = {
    "string": frozenset(("text", "number", "truth value", "set")),
    "integer": frozenset(("number", "set")),
    "number": frozenset(("number", "set")),
    "boolean": frozenset(("truth value", "set")),
    "array": frozenset(("set",)),
}
"""What may be expected of a field, by its type in the schema."""


class Check(Protocol):
    """Grades answers; `name` is what the leaderboard calls it."""

    name: str

    def grade(self, answers: Sequence[Answer], rows: Sequence[Row]) -> list[Grade]:
        """Return a grade for each of the answers, which are all of the models and of these rows."""
        ...


class ColumnCheck:
    """Compares answers with the column of the table that has what is expected.

    Raises
    ------
    OptionError
        The column has gaps, values of several kinds or of one that no answer can be compared with; or the
        schema has no field to compare; or `tolerance` stands beside a column that has no numbers.

    """

    def __init__(
        self, column: str, rows: Sequence[Row], schema: Schema | None, tolerance: float | None, table: str
    ) -> None:
        self.name = column
        self._tolerance = tolerance or 0.0
        kind = _kind_of_column(column, [row.get(column) for row in rows], table)
        if tolerance is not None and kind not in ("number", "set"):
            raise OptionError(
                _(
                    "A tolerance goes with numbers, and {column} of {table} has {kind}.",
                    column=column,
                    table=table,
                    kind=_(_PLURALS[kind]),
                ),
                _("Leave the tolerance out."),
            )
        self._field = _field_of(column, kind, schema)

    def grade(self, answers: Sequence[Answer], rows: Sequence[Row]) -> list[Grade]:
        return [self._grade_one(answer, rows[answer.row][self.name]) for answer in answers]

    def _grade_one(self, answer: Answer, expected: Any) -> Grade:
        said = self._said(answer)
        right = matches(expected, said, self._tolerance)
        if right:
            return Grade(1.0)
        reason = _("{answer} is not {expected}", answer=_short(said), expected=_short(plain_value(expected)))
        return Grade(0.0, reason)

    def _said(self, answer: Answer) -> Any:
        if self._field is not None:
            return answer.said.get(self._field)
        data = answer.reply.data if answer.reply is not None else None
        if isinstance(data, Mapping):  # any JSON will do: the value by the column's name, if there is one
            return data.get(self.name, answer.text)
        return answer.text if data is None else data


_PLURALS: Mapping[Kind, str] = {
    "text": N_("texts"),
    "number": N_("numbers"),
    "truth value": N_("truth values"),
    "set": N_("sets"),
}


def _kind_of_column(column: str, values: Sequence[Any], table: str) -> Kind:
    """Return what all values of a column are. Raises `OptionError`."""
    gaps = [
        at
        for at, value in enumerate(values)
        if value is None or (isinstance(value, str) and not value.strip())
    ]
    if gaps:
        raise OptionError(
            _(
                "{column} of {table} has no expected value in {rows}.",
                column=column,
                table=table,
                rows=places(gaps),
            ),
            _("Fill the gaps, or leave these rows out of the table."),
        )
    kinds: dict[Kind | None, int] = {}
    for at, value in enumerate(values):
        kinds.setdefault(kind_of(value), at)
    if None in kinds:
        raise OptionError(
            _(
                "{column} of {table} has a value of type {kind} in row {row}, which cannot be compared.",
                column=column,
                table=table,
                kind=type(values[kinds[None]]).__name__,
                row=kinds[None],
            ),
            _("Texts, numbers, truth values and sets can be; check anything else with a function."),
        )
    first, *others = kinds
    if others:
        raise OptionError(
            _(
                "{column} of {table} has {kind} and {other} (in row {row}).",
                column=column,
                table=table,
                kind=_(_PLURALS[_known(first)]),
                other=_(_PLURALS[_known(others[0])]),
                row=kinds[others[0]],
            ),
            _("Give all of them one type."),
        )
    return _known(first)


def _known(kind: Kind | None) -> Kind:
    assert kind is not None  # noqa: S101 -- None was refused before
    return kind


def _field_of(column: str, kind: Kind, schema: Schema | None) -> str | None:
    """Return the field of an answer to compare; None where the text itself is. Raises `OptionError`."""
    fields = fields_of(schema)
    if schema is None or not fields:
        return None
    if column not in fields and len(fields) > 1:
        raise OptionError(
            _(
                "{schema} has no field {column} to compare with that column.",
                schema=schema.name,
                column=column,
            ),
            sentences(
                did_you_mean(nearest(column, fields)),
                _("Call the column like the field, or check with a function."),
            ),
        )
    field = column if column in fields else fields[0]
    types = {*_iter_types_of(field, schema.json_schema)}
    if types and not any(kind in _FITS.get(each, ()) for each in types):
        raise OptionError(
            _(
                "{column} has {kind}, and the field {field} of {schema} is of another type ({types}).",
                column=column,
                kind=_(_PLURALS[kind]),
                field=field,
                schema=schema.name,
                types=listed(sorted(types)),
            ),
            _("Give the column the field's type, or check with a function."),
        )
    return field


def _iter_types_of(field: str, root: Any) -> Iterator[str]:
    yield from _iter_types(root["properties"][field], root)


def _iter_types(schema: Any, root: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """Yield the JSON types that a value may have, as far as its schema says."""
    if not isinstance(schema, Mapping) or depth > 20:
        return
    if "$ref" in schema:
        yield from _iter_types(resolve(str(schema["$ref"]), root), root, depth + 1)
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _iter_types(branch, root, depth + 1)
    said = schema.get("type", ())
    yield from (each for each in ([said] if isinstance(said, str) else said) if each != "null")


def _short(value: Any) -> str:
    return shorten(plain(value), LONGEST_REASON)


class FunctionCheck:
    """A function of the user's: from a row and a reply to a truth value or a number.

    What it raises is told in the row's grade, and ends nothing. An `interrupt` is thrown in it. Raises
    `OptionError` where it cannot be called so.
    """

    def __init__(self, function: Callable[[Row, Any], Any], name: str, interrupt: InterruptRequest) -> None:
        self.name = name
        self._function = function
        self._interrupt = interrupt
        if inspect.iscoroutinefunction(function):
            raise OptionError(
                _("The check {name} is a coroutine.", name=name), _("Make it a plain function.")
            )
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):  # of a builtin
            return
        try:
            signature.bind(None, None)
        except TypeError:
            raise OptionError(
                _(
                    "The check {name} cannot be called with a row and a reply: it is {name}{signature}.",
                    name=name,
                    signature=signature,
                ),
                _(
                    "Write it as `def {name}(row, reply):`, which returns a truth value or a number.",
                    name=name,
                ),
            ) from None

    def grade(self, answers: Sequence[Answer], rows: Sequence[Row]) -> list[Grade]:
        return [self._grade_one(answer, rows[answer.row]) for answer in answers]

    def _grade_one(self, answer: Answer, row: Row) -> Grade:
        found: Any = None
        if self._interrupt.requested:
            return Grade(error=_(STOPPED))
        try:
            with self._interrupt.thrown():
                found = plain_value(self._function(Row(row), answer.reply))
        except Exception as error:  # noqa: BLE001 -- one row's defect must not lose the others
            return Grade(
                error=_(
                    "{name} raised {kind}: {why}", name=self.name, kind=type(error).__name__, why=plain(error)
                )
            )
        if self._interrupt.requested:
            return Grade(error=_(STOPPED))
        if not isinstance(found, Real) or math.isnan(found):
            return Grade(
                error=_(
                    "{name} returned {value}, and no truth value or number",
                    name=self.name,
                    value=_short(repr(found)),
                )
            )
        return Grade(float(found))


class Agreement:
    """How far a model agrees with the others, without a check: the share of what they say that is like its.

    Answers are compared as text after normalising, or field by field where they have a schema, so that a
    reason in free words takes away its own part alone.
    """

    name = "agreement"

    def grade(self, answers: Sequence[Answer], rows: Sequence[Row]) -> list[Grade]:
        said: dict[int, list[tuple[str, dict[str, str]]]] = defaultdict(list)
        for answer in answers:
            fields = {field: canonical(value) for field, value in answer.said.items()}
            said[answer.row].append((answer.model, fields))
        own = {row: iter(each) for row, each in said.items()}
        return [self._grade_one(*next(own[answer.row]), said[answer.row]) for answer in answers]

    def _grade_one(
        self, model: str, own: Mapping[str, str], said: Sequence[tuple[str, Mapping[str, str]]]
    ) -> Grade:
        others = [fields for other, fields in said if other != model]
        if not others:
            return Grade(reason=_("no other model answered"))
        return Grade(fmean(fields.get(field) == value for fields in others for field, value in own.items()))


def grade_all(check: Check, answers: Sequence[Answer], rows: Sequence[Row]) -> list[Answer]:
    """Return the answers with their grades.

    One that was filtered, refused, empty or does not fit its schema is worth 0, where scores are shares of 1;
    a request that failed says nothing of the model, and has none.
    """
    usable = [answer for answer in answers if answer.outcome == "answered"]
    grades = {id(answer): grade for answer, grade in zip(usable, check.grade(usable, rows), strict=True)}
    bounded = all(grade.score is None or 0 <= grade.score <= 1 for grade in grades.values())
    worthless = 0.0 if bounded and not isinstance(check, Agreement) else None
    return [_graded(answer, grades.get(id(answer)), worthless) for answer in answers]


def _graded(answer: Answer, grade: Grade | None, worthless: float | None) -> Answer:
    if grade is not None:
        return answer.graded(grade)
    return answer.graded(Grade(worthless)) if answer.outcome == "unusable" else answer
