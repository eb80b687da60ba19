"""The reply as the value of its cell: `_`, `Out[n]`, `-o name`, shown once and not twice."""

from __future__ import annotations

import ast
from typing import Any, TypeAlias

from ..asking.background import BackgroundReply
from ..chat.replies import Replies
from ..chat.reply import Reply
from ..display.record import Bundle, to_bundle, to_output
from ..language import using

Value: TypeAlias = Reply | Replies | BackgroundReply

_KINDS = (Reply, Replies, BackgroundReply)


class CellValue:
    """Hands replies to the shell, and shows them there.

    IPython shows the value of a cell, but the reply has been shown already while it came. What a magic
    returns is therefore marked, and the display hook's look at it shows nothing; in a terminal, where the
    prompt `Out[n]:` is printed in any case, a line of facts.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._shown: Value | None = None

    def register(self) -> None:
        formatter = self._shell.display_formatter
        for kind in _KINDS:
            formatter.ipython_display_formatter.for_type(kind, self._skip_if_shown)
            formatter.mimebundle_formatter.for_type(kind, self._to_bundle)
        self._shell.events.register("pre_run_cell", self._forget)

    def unregister(self) -> None:
        formatter = self._shell.display_formatter
        for kind in _KINDS:
            formatter.ipython_display_formatter.pop(kind, None)
            formatter.mimebundle_formatter.pop(kind, None)
        self._shell.events.unregister("pre_run_cell", self._forget)

    def bind(self, name: str | None, value: Any) -> None:
        """Give the reply its name, if the cell asked for one."""
        if name:
            self._shell.user_ns[name] = value

    def keep(self, value: Any) -> None:
        """Make the reply `_` and `Out[n]` although its cell is about to raise."""
        self._shell.displayhook.update_user_ns(value)

    def mark_shown(self, value: Value, *, by_cell_magic: bool) -> None:
        """Note that the reply is about to be returned to the shell, which must not show it again."""
        if by_cell_magic or self._ends_in_line_magic():
            self._shown = value

    def _forget(self, _info: Any = None) -> None:
        self._shown = None

    def _skip_if_shown(self, value: Value) -> None:
        if value is not self._shown or getattr(self._shell, "kernel", None) is None:
            raise NotImplementedError  # the next formatter shows it
        self._shown = None

    def _to_bundle(self, value: Value, **_: Any) -> Bundle:
        if value is self._shown:
            self._shown = None
            return {"text/plain": repr(value)}
        if isinstance(value, BackgroundReply):
            return {"text/plain": repr(value)}
        with using(value.language):
            if isinstance(value, Replies):
                return to_output(value.to_records())[0]
            return to_bundle(value.text, value.format, value.steps, value.notice)

    def _ends_in_line_magic(self) -> bool:
        """Whether the running cell's last line is a magic alone, so that its value is the cell's."""
        tree = ast.parse(self._shell.transform_cell(self._source()))
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr) or not isinstance(last.value, ast.Call):
            return False
        called = last.value.func
        return isinstance(called, ast.Attribute) and called.attr == "run_line_magic"

    def _source(self) -> str:
        """The running cell. The request has it, also where it is kept out of the history, as by nbval."""
        kernel = getattr(self._shell, "kernel", None)
        request = kernel.get_parent("shell").get("content", {}) if kernel is not None else {}
        return str(request.get("code", self._shell.user_ns["In"][-1]))
