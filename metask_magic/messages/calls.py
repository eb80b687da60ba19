"""Tool calls as people read them, and as they go back to the model."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ..words import shorten
from .kinds import JSON
from .request import ToolCall

LONGEST_VALUE = 60
LONGEST_TITLE = 200


def unwrapped(arguments: str) -> str:
    """Return the JSON of a call's arguments, which some gateways send as JSON within a JSON string."""
    if not arguments.lstrip().startswith('"'):
        return arguments
    try:
        inner = json.loads(arguments)
        return inner if isinstance(inner, str) and isinstance(json.loads(inner), dict) else arguments
    except (ValueError, RecursionError):
        return arguments


def arguments_of(call: ToolCall) -> dict[str, JSON] | None:
    """Return the arguments by name; none where there is no text, None where it is no JSON object."""
    if not call.arguments.strip():
        return {}
    try:
        arguments = json.loads(unwrapped(call.arguments))
    except (ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None


def describe(call: ToolCall, *, whole: bool = False) -> str:
    """Return the call as a line of plain text: `get_weather(city="Paris")`, cut unless `whole`."""
    arguments = arguments_of(call)
    if arguments is None:
        written = [call.arguments]
    else:
        written = [f"{name}={_literal(value)}" for name, value in arguments.items()]
    if whole:
        return _plain(f"{call.name}({', '.join(written)})")
    short = ", ".join(shorten(value, LONGEST_VALUE) for value in written)
    return _plain(f"{call.name}({shorten(short, LONGEST_TITLE)})")


def as_sendable(call: ToolCall) -> ToolCall:
    """Return the call with arguments every server can read: some parse those of earlier calls again."""
    if not arguments_of(call):
        return replace(call, arguments="{}")
    return replace(call, arguments=unwrapped(call.arguments))


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _plain(text: str) -> str:
    """Return one line without control characters and marks that turn the direction of writing."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
