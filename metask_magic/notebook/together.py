"""What goes with what in a cell: options that exclude each other once it is known what they stand for."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import OptionError
from ..mcp.tool import ServerTool
from ..prompt.draft import Draft
from .options import CellOptions


def check_models(options: CellOptions, models: Sequence[str]) -> None:
    """Refuse options that exclude each other. Raises `OptionError`."""
    if options.chat is not None and len(models) > 1:
        raise OptionError(
            f"A conversation goes on with one answer, and {len(models)} models would give several.",
            "Ask one model, or leave -c out.",
        )
    if options.chat is not None and options.background:
        raise OptionError(
            "The next turn of a conversation needs the end of this one.", "Leave --background or -c out."
        )


def check_draft(options: CellOptions, draft: Draft) -> None:
    """Refuse what goes with no background, or with no conversation. Raises `OptionError`."""
    if options.chat is not None and draft.opening:
        raise OptionError(
            f"The prompt {options.prompt} has turns of its own, and would be several of the conversation.",
            "Leave -c or --prompt out.",
        )
    for tool in draft.tools if options.background else ():
        if not isinstance(tool, ServerTool):
            raise OptionError(
                f"The function {tool.name} runs in the cell that asked, which --background ends at once.",
                "Leave --background out, or the functions among the tools.",
            )
        if tool.asks:
            raise OptionError(
                f"The tool {tool.name} needs your consent in the cell, which --background ends at once.",
                "Leave --background out, or let the tools run without asking: --yes",
            )
