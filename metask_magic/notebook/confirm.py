"""`--confirm`: the question before each call of a tool."""

from __future__ import annotations

from ..errors import ToolError
from ..messages.calls import describe
from ..messages.request import ToolCall
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
        if call.name in self._always:
            return True
        question = f"Call {describe(call, whole=True)}? [y]es, [n]o, [a]ll of {call.name} in this cell: "
        while True:
            match _answer(question).strip().lower():
                case "y" | "yes":
                    return True
                case "n" | "no":
                    return False
                case "a" | "all":
                    self._always.add(call.name)
                    return True


def _answer(question: str) -> str:
    try:
        return ask(question)
    except NobodyAnswersError:
        raise ToolError(
            "--confirm has a question, and nobody can answer it here.",
            "Leave --confirm out to let the tools be called without asking.",
        ) from None
