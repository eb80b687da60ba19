"""A cell with `--map`, read: what is asked about each row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import OptionError
from ..language import N_, _
from ..mcp.toolbox import Toolbox
from ..settings import Metask
from ..table.requests import TablePrompt
from .cell import attached, params_of
from .options import CellOptions
from .schemas import find_schema, format_of


def read_cell(
    options: CellOptions,
    text: str,
    model: str,
    settings: Metask,
    namespace: Mapping[str, Any],
    toolbox: Toolbox,
) -> TablePrompt:
    """Return what a cell with `--map` asks a model; the resources of servers are in the `toolbox`.

    Raises
    ------
    OptionError
        An option means nothing for a table.
    AttachmentError, SchemaError
        What the cell names cannot be used so.

    """
    check_options(options)
    return TablePrompt(
        model,
        text,
        settings.system if options.system is None else options.system,
        namespace,
        params_of(options, settings),
        attached(options.attach, namespace, toolbox),
        format_of(options),
        find_schema(options, namespace),
    )


def check_options(options: CellOptions) -> None:
    """Refuse what goes with no table. Raises `OptionError`."""
    for option, given, why in (
        ("-c", options.chat is not None, N_("the rows are no turns of a conversation")),
        ("-T", bool(options.tools), N_("tools are for one reply at a time")),
        ("--prompt", options.prompt is not None, N_("the prompt of a table is a template for its rows")),
        ("-f code", options.format == "code", N_("there is one next cell, and there are many rows")),
        ("--raw", options.raw, N_("a text without {{ }} is the same for each row")),
        ("--background", options.background, N_("the table is there when all rows are")),
    ):
        if given:
            raise OptionError(
                _("{option} does not go with --map: {why}.", option=option, why=_(why)),
                _("Leave {option} out.", option=option),
            )
