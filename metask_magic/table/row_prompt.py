"""The prompt of a row: the template over its columns, compiled once for all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Undefined
from jinja2.sandbox import SandboxedEnvironment

from ..errors import PromptError
from ..language import _
from ..messages.request import Part, join_parts
from ..prompt.template import PromptTemplate
from ..words import any_of, nearest
from .rows import Row

ROW = "row"

_NUMBERS = {int, float, bool}  # most of what a table holds, and no image


class Missing(str):
    """A missing value within a template: empty text, so that filters work, and `is none` all the same."""

    __slots__ = ()


MISSING = Missing()


class _RowEnvironment(SandboxedEnvironment):
    """Looks up columns before methods, so that `row.items` and `row.count` are columns if there are such."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.tests["none"] = lambda value: value is None or isinstance(value, Missing)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Row) and (attribute in obj or not hasattr(dict, attribute)):
            return self.getitem(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if not isinstance(obj, Row):
            return super().getitem(obj, argument)
        if argument not in obj:
            return self._undefined_column(obj, argument)
        value = obj[argument]
        return MISSING if value is None else value

    def _undefined_column(self, row: Row, name: Any) -> Undefined:
        near = nearest(str(name), [label for label in row if isinstance(label, str)])
        hint = _("the table has no column {name}", name=name)
        if near:
            hint = _("the table has no column {name} (did you mean {near}?)", name=name, near=any_of(near))
        return self.undefined(hint=hint, obj=row, name=str(name))


class _RowTemplate(PromptTemplate):
    _kind = _RowEnvironment

    def _place(self, value: Any) -> Any:
        if value is None:
            return ""
        return str(value) if type(value) in _NUMBERS else super()._place(value)


class RowPrompt:
    """A template whose names are a table's columns, then the notebook's; `row` is the row itself.

    Raises `PromptError` where it cannot be compiled, or names what neither has.
    """

    def __init__(self, text: str, columns: Sequence[Any], namespace: Mapping[str, Any]) -> None:
        self._template = _RowTemplate(text)
        labels = {label: None for label in columns if isinstance(label, str)}
        self._template.check({**namespace, **labels, ROW: None})
        # Python's max stays callable beside a column of that name.
        own = self._template.names - self._template.functions.keys()
        self._columns = tuple(sorted(own & labels.keys() - {ROW}))
        shared = {name: namespace[name] for name in own - labels.keys() if name in namespace}
        self._known = {**self._template.functions, **shared}
        self.uses_row = bool(self._columns) or ROW in own

    def render(self, row: Row) -> tuple[Part, ...]:
        """Return the prompt of a row. A missing value is empty text. Raises `PromptError`."""
        values = {name: MISSING if row.get(name) is None else row[name] for name in self._columns}
        return self._template.fill({**self._known, **values, ROW: row})

    def render_text(self, row: Row) -> str:
        """Return the text of a row where no image may be, as in a system message. Raises `PromptError`."""
        content = join_parts(self.render(row))
        if not isinstance(content, str):
            raise PromptError(
                _("A system message cannot hold an image."), _("Put it into the prompt, or attach it.")
            )
        return content
