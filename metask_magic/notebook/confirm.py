"""The question before a call of a tool: what `--confirm` wants, and what a server's tool needs."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ToolError
from ..language import _
from ..mcp.declared import Declared
from ..messages.calls import describe
from ..messages.request import ToolCall
from ..words import narrow, plain, sentences
from .stdin import NO, YES, NobodyAnswersError, ask

_ALL = ("a", "all", "全部")


class Confirmation:
    """Asks the user whether a tool may be called; remembers, for one cell, which may without asking."""

    def __init__(self) -> None:
        self._always: set[str] = set()

    def __call__(self, call: ToolCall) -> bool:
        """Ask, and return whether the call may be made.

        Raises
        ------
        ToolError
            Nobody can answer.

        """
        nobody = ToolError(
            _("--confirm has a question, and nobody can answer it here."),
            _("Leave --confirm out to let the tools be called without asking."),
        )
        return self._ask(call, call.name, (), nobody)

    def of_server(self, call: ToolCall, server: str, declared: Declared, changed: bool) -> bool:
        """Ask about a server's tool, and say what the server says of it. Raises as for any other.

        An answer for all calls in the cell is for the tool as it is declared now.
        """
        said = [
            _(
                "The server {server} {declares}: that is its word, and nothing checks it.",
                server=plain(server),
                declares=_word_of(declared),
            )
        ]
        if changed:
            said.append(_("The tool is not declared as it was before."))
        nobody = ToolError(
            _("{tool} needs your consent, and nobody can answer it here.", tool=call.name),
            _("Add --yes to let the tools be called without asking."),
        )
        return self._ask(call, f"{server} {declared.fingerprint}", said, nobody)

    def _ask(self, call: ToolCall, known_as: str, said: Sequence[str], nobody: ToolError) -> bool:
        if known_as in self._always:
            return True
        told = sentences(
            _("Call {call}?"), *said, _("[y]es, [n]o, [a]ll of {tool} in this cell: ", tool=call.name)
        )
        # Put in last, to the letter: what joins sentences takes a stop away that follows another.
        question = told.replace("{call}", describe(call, whole=True), 1)
        while True:
            try:
                answer = narrow(ask(question)).strip().lower()
            except NobodyAnswersError:
                raise nobody from None
            if answer in _ALL:
                self._always.add(known_as)
            if answer in (*YES, *_ALL):
                return True
            if answer in NO:
                return False


def _word_of(declared: Declared) -> str:
    if declared.only_reads:
        return _("declares that it only reads")
    if not declared.hints:
        return _("does not declare what it may do")
    if declared.hints.get("destructiveHint") is False:
        return _("declares that it writes, and destroys nothing")
    return _("declares that it may change things, or destroy them")
