"""What is asked about each row of a table, made one request after another as they are needed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..errors import MetaskError, PromptError
from ..language import _
from ..messages.kinds import JSON, Format
from ..messages.request import Message, Part, Request
from ..prompt.attachments import compose
from ..prompt.draft import Draft
from ..schemas.schema import Schema
from ..words import sentences
from .row_prompt import RowPrompt
from .rows import Row, Rows

WAIT_SECONDS = 0.02

Numbered: TypeAlias = "tuple[int, Request | MetaskError]"
"""A row's number, and its request or why there is none."""


@dataclass(frozen=True, slots=True)
class TablePrompt:
    """What is asked about each row: `text` and `system` are templates over its columns and `namespace`.

    The replies to every `stream_every`-th row, from the first, are streamed, which tells how long a model
    takes to begin; the others come in one piece, which costs less. 0 streams none.
    """

    model: str
    text: str
    system: str
    namespace: Mapping[str, Any]
    params: Mapping[str, JSON] = field(default_factory=dict)
    attached: tuple[Part, ...] = ()
    format: Format = "markdown"
    schema: Schema | None = None
    stream_every: int = 0


class RowRequests:
    """The requests of the rows, each with the row's number. They are iterated once.

    Of a table that was asked about before, `failed_by` names the column that says what failed: rows without
    an error are left out.

    Attributes
    ----------
    read
        How many rows were read so far.
    kept
        Rows that were answered before.
    broken
        What the table raised, if it could not be read to its end.

    Raises
    ------
    PromptError
        The templates cannot be compiled, name what there is not, or are the same for each row.

    """

    def __init__(self, rows: Rows, asked: TablePrompt, name: str, *, failed_by: str | None = None) -> None:
        self._rows = rows
        self._asked = asked
        self._failed_by = failed_by
        self._prompt = RowPrompt(asked.text, rows.columns, asked.namespace)
        self._system = RowPrompt(asked.system, rows.columns, asked.namespace)
        if not self._prompt.uses_row and not self._system.uses_row:
            column = next((str(label) for label in rows.columns if str(label).isidentifier()), "column")
            raise PromptError(
                _("The prompt has nothing of {name} in it: it would be the same for each row.", name=name),
                _("Put a column in, such as {{{{ row.{column} }}}}.", column=column),
            )
        self.read = 0
        self.kept: dict[int, Row] = {}
        self.broken: Exception | None = None

    def __iter__(self) -> Iterator[Numbered | None]:
        """Yield a request per row, or what failed in its prompt; None where a row is not there yet.

        Raises what failed in the prompt of the first row.
        """
        first = True
        for row in self._iter_rows():
            if row is None:
                yield None
                continue
            at = self.read
            self.read += 1
            if self._failed_by is not None and row.get(self._failed_by) is None:
                self.kept[at] = row
                continue
            request: Request | MetaskError
            try:
                request = self._to_request(at, row)
            except PromptError as error:
                if first:
                    raise _of_first_row(error, at) from None
                request = error.with_traceback(None)
            first = False
            yield at, request

    def _iter_rows(self) -> Iterator[Row | None]:
        rows = iter(self._rows)
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001 -- of the user's generator; answers must not be lost
                self.broken = error
                return
            yield row

    def _to_request(self, at: int, row: Row) -> Request:
        asked = self._asked
        content = compose(self._prompt.render(row), asked.attached)
        if isinstance(content, str) and not content.strip():
            raise PromptError(_("The prompt is empty."), _("Write it below the %%metask line."))
        draft = Draft(
            Message("user", content),
            None,
            asked.params,
            stream=asked.stream_every > 0 and at % asked.stream_every == 0,
            format=asked.format,
            schema=asked.schema,
            tools=(),
            confirm=False,
        )
        return draft.to_request(asked.model, (), self._system.render_text(row))


def waited_for(requests: Iterable[Numbered | None]) -> Iterator[Numbered]:
    """Yield the requests, waiting for those that are not there yet."""
    for request in requests:
        if request is None:
            time.sleep(WAIT_SECONDS)
        else:
            yield request


def _of_first_row(error: PromptError, at: int) -> PromptError:
    error.remedy = sentences(error.remedy, _("This is row {number}; nothing was sent.", number=at))
    return error
