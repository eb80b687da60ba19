"""What goes with what in a cell: options that exclude each other once it is known what they stand for."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import OptionError
from ..language import _
from ..mcp.tool import ServerTool
from ..prompt.draft import Draft
from .options import CellOptions


def check_models(options: CellOptions, models: Sequence[str]) -> None:
    """Refuse options that exclude each other. Raises `OptionError`."""
    if options.chat is not None and len(models) > 1:
        raise OptionError(
            _(
                "A conversation goes on with one answer, and {number} models would give several.",
                number=len(models),
            ),
            _("Ask one model, or leave -c out."),
        )
    if options.chat is not None and options.background:
        raise OptionError(
            _("The next turn of a conversation needs the end of this one."),
            _("Leave --background or -c out."),
        )


def check_draft(options: CellOptions, draft: Draft) -> None:
    """Refuse what goes with no background, or with no conversation. Raises `OptionError`."""
    if options.chat is not None and draft.opening:
        raise OptionError(
            _(
                "The prompt {name} has turns of its own, and would be several of the conversation.",
                name=options.prompt,
            ),
            _("Leave -c or --prompt out."),
        )
    for tool in draft.tools if options.background else ():
        if not isinstance(tool, ServerTool):
            raise OptionError(
                _(
                    "The function {name} runs in the cell that asked, which --background ends at once.",
                    name=tool.name,
                ),
                _("Leave --background out, or the functions among the tools."),
            )
        if tool.asks:
            raise OptionError(
                _(
                    "The tool {name} needs your consent in the cell, which --background ends at once.",
                    name=tool.name,
                ),
                _("Leave --background out, or let the tools run without asking: --yes"),
            )
