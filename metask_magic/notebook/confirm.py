"""The question before a call of a tool: what `--confirm` wants, and what a server's tool needs."""

from __future__ import annotations

from ..errors import ToolError
from ..mcp.declared import Declared
from ..messages.calls import describe
from ..messages.request import ToolCall
from ..words import plain
from .stdin import NobodyAnswersError, ask


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
        return self._ask(call, call.name, "", "--confirm has a question", "Leave --confirm out")

    def of_server(self, call: ToolCall, server: str, declared: Declared, changed: bool) -> bool:
        """Ask about a server's tool, and say what the server says of it. Raises as for any other.

        An answer for all calls in the cell is for the tool as it is declared now.
        """
        say = f" The server {plain(server)} {_word_of(declared)}: that is its word, and nothing checks it."
        if changed:
            say += " The tool is not declared as it was before."
        return self._ask(
            call,
            f"{server} {declared.fingerprint}",
            say,
            f"{call.name} needs your consent",
            "Add --yes",
        )

    def _ask(self, call: ToolCall, known_as: str, say: str, asks: str, remedy: str) -> bool:
        if known_as in self._always:
            return True
        question = f"Call {describe(call, whole=True)}?{say} [y]es, [n]o, [a]ll of {call.name} in this cell: "
        while True:
            match _answer(question, asks, remedy).strip().lower():
                case "y" | "yes":
                    return True
                case "n" | "no":
                    return False
                case "a" | "all":
                    self._always.add(known_as)
                    return True


def _word_of(declared: Declared) -> str:
    if declared.only_reads:
        return "declares that it only reads"
    if not declared.hints:
        return "does not declare what it may do"
    if declared.hints.get("destructiveHint") is False:
        return "declares that it writes, and destroys nothing"
    return "declares that it may change things, or destroy them"


def _answer(question: str, asks: str, remedy: str) -> str:
    try:
        return ask(question)
    except NobodyAnswersError:
        raise ToolError(
            f"{asks}, and nobody can answer it here.", f"{remedy} to let the tools be called without asking."
        ) from None
