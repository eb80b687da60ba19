"""The help of the options, `%%metask?`: written when it is asked for, in the language of the moment."""

from __future__ import annotations

import argparse
import re
from typing import Any

from IPython.core.magic_arguments import MagicArgumentParser, MagicHelpFormatter

from ..language import _, current
from ..words import width
from .options import MODELS, OPTIONS

# A Chinese character with the marks that stand before or behind it, another word, or a blank.
_WIDE = r"\u2e80-\u9fff\uff00-\uffef"
_PIECE = re.compile(rf"[（“]*(?:[{_WIDE}]|[^\s{_WIDE}（“]+)[，。；：、？！）”…]*|\s")
_HALF_WIDTH = re.compile(r"(?<=[\u4e00-\u9fff]):$", re.MULTILINE)
"""The colon that argparse puts behind a Chinese heading."""


def help_text() -> str:
    """Return what the options mean, in lines as wide as the terminal."""
    parser: Any = MagicArgumentParser("%metask", description=_description(), formatter_class=_Formatter)
    parser.color = False  # the pager shows it, and a notebook: Python from 3.14 on would colour it
    MODELS.add_to_parser(parser, parser.add_argument_group(_("positional arguments")))
    options = parser.add_argument_group(_("options"))
    for option in OPTIONS:
        option.add_to_parser(parser, options)
    return _HALF_WIDTH.sub("：", parser.format_help())


def _description() -> str:
    return "\n".join(
        [
            _("Ask a language model; the reply streams into the cell and is its value."),
            "",
            _(
                "The cell is the prompt. {{ name }} puts in a value of the notebook. On one line: "
                "%metask MODEL prompt."
            ),
            _("%metask alone shows the status, and %metask help the commands."),
        ]
    )


class _Formatter(MagicHelpFormatter):
    """IPython's, of help texts in the current language."""

    def _get_help_string(self, action: argparse.Action) -> str:
        return _(action.help) if action.help else ""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrap(text, width) if current() == "zh" else super()._split_lines(text, width)


def wrap(text: str, columns: int) -> list[str]:
    """Return Chinese text in lines of at most so many columns: it breaks anywhere but before a mark."""
    lines = [""]
    for piece in _PIECE.findall(text):
        if width(lines[-1] + piece.rstrip()) > columns:
            lines.append("")
        if lines[-1] or not piece.isspace():
            lines[-1] += piece
    return [line.rstrip() for line in lines]
