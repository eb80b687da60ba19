"""The reply as the value of its cell: `_`, `Out[n]`, `-o name`, shown once and not twice."""

from __future__ import annotations

import ast
from typing import Any

from ..chat.reply import Reply
from ..display.record import Bundle, to_bundle


class CellValue:
    """Hands replies to the shell, and shows them there.

    IPython shows the value of a cell, but the reply has been shown already while it came. What a magic
    returns is therefore marked, and the display hook's look at it shows nothing; in a terminal, where the
    prompt `Out[n]:` is printed in any case, a line of facts.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._shown: Reply | None = None

    def register(self) -> None:
        formatter = self._shell.display_formatter
        formatter.ipython_display_formatter.for_type(Reply, self._skip_if_shown)
        formatter.mimebundle_formatter.for_type(Reply, self._to_bundle)
        self._shell.events.register("pre_run_cell", self._forget)

    def unregister(self) -> None:
        formatter = self._shell.display_formatter
        formatter.ipython_display_formatter.pop(Reply, None)
        formatter.mimebundle_formatter.pop(Reply, None)
        self._shell.events.unregister("pre_run_cell", self._forget)

    def bind(self, name: str | None, reply: Reply) -> None:
        """Give the reply its name, if the cell asked for one."""
        if name:
            self._shell.user_ns[name] = reply

    def keep(self, reply: Reply) -> None:
        """Make the reply `_` and `Out[n]` although its cell is about to raise."""
        self._shell.displayhook.update_user_ns(reply)

    def mark_shown(self, reply: Reply, *, by_cell_magic: bool) -> None:
        """Note that the reply is about to be returned to the shell, which must not show it again."""
        if by_cell_magic or self._ends_in_line_magic():
            self._shown = reply

    def _forget(self, _info: Any = None) -> None:
        self._shown = None

    def _skip_if_shown(self, reply: Reply) -> None:
        if reply is not self._shown or getattr(self._shell, "kernel", None) is None:
            raise NotImplementedError  # the next formatter shows it
        self._shown = None

    def _to_bundle(self, reply: Reply, **_: Any) -> Bundle:
        if reply is self._shown:
            self._shown = None
            return {"text/plain": repr(reply)}
        return to_bundle(reply.text, reply.format, reply.steps)

    def _ends_in_line_magic(self) -> bool:
        """Whether the running cell's last line is a magic alone, so that its value is the cell's."""
        tree = ast.parse(self._shell.transform_cell(self._shell.user_ns["In"][-1]))
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr) or not isinstance(last.value, ast.Call):
            return False
        called = last.value.func
        return isinstance(called, ast.Attribute) and called.attr == "run_line_magic"
