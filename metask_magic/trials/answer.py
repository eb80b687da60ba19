"""One model's answer to one row, and the grade that a check gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..batch.batch import RowResult
from ..chat.reply import Reply
from ..errors import MetaskError, SchemaError
from ..schemas.schema import Schema
from ..table.answers import NOT_ASKED, RowAnswers

Outcome = Literal["answered", "unusable", "failed", "not asked"]
"""What came of a row: an answer; one that was filtered, refused or empty, or does not fit its schema; the
request failed; it was not asked about."""


@dataclass(frozen=True, slots=True)
class Grade:
    """What a check says of an answer.

    Attributes
    ----------
    score
        1 and 0 for right and wrong, or a number that is higher the better; None where there is none.
    reason
        Why, in a few words.
    error
        Why it could not be checked.

    """

    score: float | None = None
    reason: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model made of a row.

    Attributes
    ----------
    row
        The position in the table.
    sample
        Which of the model's answers to that row it is, from 1.
    reply
        What came; None where nothing did.
    said
        The answer by the names of the schema's fields; the text, as `reply`, without a schema.
    error
        Why there is none to build on.
    like
        The row whose reply this is, where two rows made the same prompt: it was asked, and paid for, once.

    """

    row: int
    model: str
    sample: int
    outcome: Outcome
    reply: Reply | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    grade: Grade = Grade()
    like: int | None = None

    @classmethod
    def of(
        cls, model: str, sample: int, result: RowResult, answers: RowAnswers, schema: Schema | None
    ) -> Answer:
        """Return what a row's result is."""
        if result.reply is None and result.error is None:
            return cls(result.row, model, sample, "not asked", error=NOT_ASKED)
        said, error = answers.answer_of(result)
        reply = result.reply
        outcome: Outcome = "answered"
        if error is not None:
            outcome = "unusable" if _is_models_own(result.error) else "failed"
            return cls(result.row, model, sample, outcome, reply, {}, error, like=result.like)
        if reply is not None and schema is not None and reply.data is None:
            reply = replace(reply, data=schema.validate(reply.text))
        return cls(result.row, model, sample, outcome, reply, said, like=result.like)

    @property
    def text(self) -> str:
        """The reply's text."""
        return "" if self.reply is None else self.reply.text

    def graded(self, grade: Grade) -> Answer:
        """Return it with this grade."""
        return replace(self, grade=grade)


def _is_models_own(error: MetaskError | None) -> bool:
    """Whether an answer came that cannot be used, and not a failure of the way to the model."""
    return error is None or isinstance(error, SchemaError)
