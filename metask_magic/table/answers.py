"""What becomes of the answers to a table's rows: columns beside its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..batch.batch import RowResult
from ..chat.reply import Reply
from ..errors import MetaskError, OptionError
from ..language import _
from ..messages.events import Usage
from ..messages.kinds import JSON
from ..schemas.schema import Schema
from ..schemas.strict import WRAPPED
from ..words import all_of
from .rows import Columns, Row

REPLY, ERROR, META = "reply", "reply_error", "reply_meta"
NOT_ASKED = "not asked"  # English: programs look for it

_TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens")


def fields_of(schema: Schema | None) -> tuple[str, ...]:
    """Return the names of the schema's fields; none where it leaves them open."""
    described = schema.json_schema if schema else None
    properties = described.get("properties") if described else None
    return tuple(properties) if isinstance(properties, Mapping) else ()


class RowAnswers:
    """Collects the answers, and makes columns of them.

    `reply` is the text, or with a schema one column for each of its fields, as the JSON they came as;
    `reply_error` says why there is none, or none to build on (filtered, refused, empty), and `reply_meta` has
    the facts of each reply.

    Attributes
    ----------
    names
        Of the columns.
    not_asked
        What a row has that was not asked about.

    """

    def __init__(self, schema: Schema | None) -> None:
        self._schema = schema
        self._fields = fields_of(schema)
        self.names = (*(self._fields or (REPLY,)), ERROR, META)
        self.not_asked = {**dict.fromkeys(self.names), ERROR: NOT_ASKED}

    def check_free(self, columns: Iterable[Any], name: str) -> None:
        """Raise `OptionError` if the table called `name` has a column of one of these names."""
        labels = {label[0] if isinstance(label, tuple) and label else label for label in columns}
        taken = [own for own in self.names if own in labels]
        if taken:
            raise OptionError(
                _(
                    "{name} already has {columns}: the answers would go there.",
                    name=name,
                    columns=all_of(taken),
                ),
                _("Rename such columns first, or leave them out of the table."),
            )

    def to_columns(self, results: Mapping[int, RowResult], kept: Mapping[int, Row], length: int) -> Columns:
        """Return the columns of so many rows, by position.

        Those of `kept` stay as they are; one without a result was not asked about.
        """
        columns: dict[str, list[Any]] = {name: [None] * length for name in self.names}
        for row in range(length):
            cells = kept[row] if row in kept else self.cells_of(results.get(row))
            for name in self.names:
                columns[name][row] = cells.get(name)
        return columns

    def cells_of(self, result: RowResult | None) -> Mapping[str, Any]:
        """Return what stands in a row's columns, by their names; a name that is missing has no value."""
        if result is None or (result.reply is None and result.error is None):
            return self.not_asked
        said, error = self.answer_of(result)
        meta = {} if result.reply is None else {META: meta_of(result.reply)}
        return {**said, ERROR: error, **meta}

    def answer_of(self, result: RowResult) -> tuple[dict[str, Any], str | None]:
        """Return what a row's answer says, by its columns, and why it is none to build on, if so."""
        failure = None if result.error is None else result.error.message
        if result.reply is None:
            return {}, failure
        try:
            said = self._answer(result.reply, failed=failure is not None)
        except MetaskError as unfit:  # a text from before, when the schema was another
            return {}, failure or unfit.message
        return said, failure or lack_of(result.reply)

    def _answer(self, reply: Reply, *, failed: bool) -> dict[str, Any]:
        if not self._fields:
            return {REPLY: reply.text}
        if failed or self._schema is None:
            return {}
        data = self._schema.validate(reply.text) if reply.data is None else reply.data
        return _spread(data, self._fields)


def _spread(data: Any, fields: Sequence[str]) -> dict[str, Any]:
    from pydantic_core import to_jsonable_python

    plain = to_jsonable_python(data, by_alias=True)
    if fields == (WRAPPED,) and not (isinstance(plain, dict) and set(plain) == {WRAPPED}):
        return {WRAPPED: plain}
    return {name: plain.get(name) for name in fields}


def lack_of(reply: Reply) -> str | None:
    """Return why a reply is no answer to build on; None where it is one."""
    return reply.notice if reply.ending.is_lacking else None


def meta_of(reply: Reply) -> dict[str, JSON]:
    """Return the facts of a reply, the same keys for each; `elapsed` is in seconds."""
    tokens = (reply.usage or Usage()).to_json()
    return {
        "model": reply.model or reply.requested_model,
        "finish_reason": reply.finish_reason,
        **{name: tokens.get(name) for name in _TOKENS},
        "elapsed": round(reply.elapsed, 3),
        "request_id": reply.request_id,
    }
