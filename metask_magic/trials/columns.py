"""A trial as a table: a row for each of the table's rows and each model, in the table's own kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import OptionError
from ..language import _
from ..table.answers import ERROR, META, REPLY, meta_of
from ..table.rows import WholeRows
from ..words import all_of
from .answer import Answer

MODEL, SAMPLE, SCORE, REASON, CHECK_ERROR = "model", "sample", "score", "reason", "check_error"


class TrialColumns:
    """The columns that stand behind a table's own.

    A field of the schema has its own name, and `reply_` before it where the table or the trial has a column
    of that name: so what is expected in `stars` stands beside the answer in `reply_stars`.

    Raises
    ------
    OptionError
        The table has a column with one of the trial's names.

    """

    def __init__(self, own: Iterable[Any], fields: Sequence[str], name: str, *, samples: int) -> None:
        taken = {label[0] if isinstance(label, tuple) and label else label for label in own}
        before = (MODEL, SAMPLE) if samples > 1 else (MODEL,)
        after = (SCORE, REASON, CHECK_ERROR, ERROR, META)
        fixed = {*before, *after}
        self._fields = {
            field: field if field not in taken | fixed else f"{REPLY}_{field}" for field in fields or (REPLY,)
        }
        self.names = (*before, *self._fields.values(), *after)
        clashing = [each for each in self.names if each in taken]
        clashing += [each for each in self._fields.values() if each in fixed]
        if clashing:
            raise OptionError(
                _(
                    "{table} already has {columns}: a trial's answers would go there.",
                    table=name,
                    columns=all_of(clashing),
                ),
                _("Rename such columns first, or leave them out of the table."),
            )

    def join(self, rows: WholeRows, answers: Sequence[Answer]) -> Any:
        """Return the table with a row for each answer."""
        cells = [self._cells(answer) for answer in answers]
        columns = {name: [each.get(name) for each in cells] for name in self.names}
        return rows.take([answer.row for answer in answers]).join(columns)

    def _cells(self, answer: Answer) -> Mapping[str, Any]:
        grade = answer.grade
        return {
            MODEL: answer.model,
            SAMPLE: answer.sample,
            **{name: answer.said.get(field) for field, name in self._fields.items()},
            SCORE: grade.score,
            REASON: grade.reason or None,
            CHECK_ERROR: grade.error,
            ERROR: answer.error,
            META: None if answer.reply is None else meta_of(answer.reply),
        }
