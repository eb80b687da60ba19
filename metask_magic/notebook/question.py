"""A question on one line: `%metask gpt-4o-mini What is this?` is a prompt, not a request for help.

IPython takes a line that ends in `?` for one that asks about an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from tokenize import TokenInfo
from typing import Any

from IPython.core.inputtransformer2 import TokenTransformBase

_MAGIC = ["%", "metask"]


class QuestionLine(TokenTransformBase):
    """Turns `[name =] %metask … ?` into the call of the magic. `%metask?` alone still shows the help."""

    priority = 1  # before IPython's own reading of the question mark

    @classmethod
    def find(cls, tokens_by_line: Sequence[Sequence[TokenInfo]]) -> QuestionLine | None:
        """Return the first such line, if there is one."""
        for line in tokens_by_line:
            tokens = [token for token in line if token.string.strip()]
            words = [token.string for token in tokens]
            at = 0 if words[:2] == _MAGIC else words.index("=") + 1 if "=" in words else -1
            asked = words[at + 2 :] if at >= 0 and words[at : at + 2] == _MAGIC else []
            if {*asked} - {"?", "??"} and words[-1].endswith("?"):
                return cls(tokens[0].start)
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """Replace the magic by its call."""
        before, _, prompt = lines[self.start_line].partition("%metask")
        called = f"{before}get_ipython().run_line_magic('metask', {prompt.strip()!r})\n"
        return [*lines[: self.start_line], called, *lines[self.start_line + 1 :]]


def register(shell: Any) -> None:
    shell.input_transformer_manager.token_transformers.append(QuestionLine)


def unregister(shell: Any) -> None:
    shell.input_transformer_manager.token_transformers.remove(QuestionLine)
