"""The schema a cell asks for: `--schema NAME`, or any JSON with `-f json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import OptionError
from ..language import N_, _
from ..messages.kinds import Format
from ..schemas.schema import ANY_JSON, Schema
from .names import look_up
from .options import CellOptions


def find_schema(options: CellOptions, namespace: Mapping[str, Any]) -> Schema | None:
    """Return what the cell's answer must look like; None where it need not be JSON.

    Raises
    ------
    OptionError
        `--schema` names nothing there is, or stands beside a format that is no JSON.
    SchemaError
        What it names is no schema.

    """
    name = options.schema
    if name is None:
        return ANY_JSON if options.format == "json" else None
    if options.format not in (None, "json"):
        raise OptionError(
            _("--schema is answered in JSON, not as {format}.", format=options.format),
            _("Leave {option} out.", option="-f"),
        )
    return Schema.from_object(look_up(name, namespace, N_("schema")), name)


def format_of(options: CellOptions) -> Format:
    """Return what the cell's reply is shown as."""
    return options.format or ("json" if options.schema is not None else "markdown")
