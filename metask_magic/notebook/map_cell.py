"""A cell with `--map`, read: what is asked about each row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import OptionError
from ..prompt.attachments import attach
from ..settings import Metask
from ..table.requests import TablePrompt
from .cell import params_of
from .options import CellOptions
from .schemas import find_schema, format_of


def read_cell(
    options: CellOptions, text: str, model: str, settings: Metask, namespace: Mapping[str, Any]
) -> TablePrompt:
    """Return what a cell with `--map` asks a model.

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
        tuple(part for what in options.attach for part in attach(what, namespace)),
        format_of(options),
        find_schema(options, namespace),
    )


def check_options(options: CellOptions) -> None:
    """Refuse what goes with no table. Raises `OptionError`."""
    for option, given, why in (
        ("-c", options.chat is not None, "the rows are no turns of a conversation"),
        ("-T", bool(options.tools), "tools are for one reply at a time"),
        ("-f code", options.format == "code", "there is one next cell, and there are many rows"),
        ("--raw", options.raw, "a text without {{ }} is the same for each row"),
        ("--background", options.background, "the table is there when all rows are"),
    ):
        if given:
            raise OptionError(f"{option} does not go with --map: {why}.", f"Leave {option} out.")
