"""What a Chinese input method writes around a cell's options: full-width blanks and signs, read as meant.

Only `%metask` itself and its options are; a prompt stays as it is typed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from tokenize import TokenInfo
from typing import Any

from IPython.core.inputtransformer2 import TokenTransformBase

from ..errors import OptionError
from ..language import _
from ..words import did_you_mean, narrow
from .options import CellOptions

BLANKS = "".join(
    map(
        chr,
        (
            *(*range(0x09, 0x0E), *range(0x1C, 0x21), 0x85, 0xA0, 0x1680),
            *(*range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000),
        ),
    )
)
"""What stands between words: whatever `str.isspace` says of it."""

_FIRST_LINE = re.compile(r"([%％]{1,2}metask)(?:[^\S\r\n]|([?？]{1,2})(?=\s*$)|(?=\s*$))")
_OTHER_BLANK = re.compile(r"%metask[^\S\r\n ]")


def check_models(options: CellOptions, known: Collection[str]) -> None:
    """Refuse a model in full-width letters that is known in plain ones. Raises `OptionError`."""
    for name in (*options.models, options.judge or ""):
        if narrow(name) != name and narrow(name) in ("local", *known):
            raise OptionError(
                _("The name {name} is in full-width letters.", name=name), did_you_mean([narrow(name)])
            )


def with_plain_magic(lines: list[str]) -> list[str]:
    """Return the lines of a cell; `％％metask` and the blank or `？` behind it as IPython reads them."""
    found = _FIRST_LINE.match(lines[0]) if lines else None
    if found is None:
        return lines
    behind = found[2] or " " * (found.end() - found.end(1))
    return [narrow(found[1] + behind) + lines[0][found.end() :], *lines[1:]]


class OtherBlank(TokenTransformBase):
    """Puts a plain blank behind a `%metask` of any line: IPython divides at no other."""

    priority = 0  # before all that read the line

    @classmethod
    def find(cls, tokens_by_line: Sequence[Sequence[TokenInfo]]) -> OtherBlank | None:
        """Return the first such line, if there is one."""
        for tokens in tokens_by_line:
            before = "="
            for token in tokens:
                # Python from 3.12 on reads no further than the sign.
                begins = before == "=" and token.string == "%"
                if begins and _OTHER_BLANK.match(token.line, token.start[1]):
                    return cls(token.start)
                before = token.string.strip() or before
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """Replace the blank."""
        at = self.start_col + len("%metask")
        changed = f"{lines[self.start_line][:at]} {lines[self.start_line][at + 1 :]}"
        return [*lines[: self.start_line], changed, *lines[self.start_line + 1 :]]


def register(shell: Any) -> None:
    # Among the clean-ups: a terminal then knows the cell magic, and waits for its prompt.
    shell.input_transformer_manager.cleanup_transforms.append(with_plain_magic)
    shell.input_transformer_manager.token_transformers.append(OtherBlank)


def unregister(shell: Any) -> None:
    shell.input_transformer_manager.cleanup_transforms.remove(with_plain_magic)
    shell.input_transformer_manager.token_transformers.remove(OtherBlank)
