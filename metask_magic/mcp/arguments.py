"""The arguments of a call, checked against what the server declared before it is sent any."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..messages.calls import unwrapped
from ..tools.signature import LONGEST_INPUT, BadArgumentsError
from ..words import shorten

MOST_COMPLAINTS = 10


def bind(arguments: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments by name. Raises `BadArgumentsError`, whose message tells the model why."""
    text = unwrapped(arguments) if arguments.strip() else "{}"
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadArgumentsError(
            f"the arguments are not JSON ({error}): {shorten(text, LONGEST_INPUT)}"
        ) from None
    if not isinstance(given, dict):
        raise BadArgumentsError(f"the arguments must be a JSON object, not {shorten(text, LONGEST_INPUT)}")
    complaints = _complaints(given, parameters)
    if complaints:
        raise BadArgumentsError("\n".join(["the arguments do not fit.", *complaints]))
    return given


def _complaints(given: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[str]:
    """What does not fit, a line each. A schema that cannot be used refuses nothing: the server checks too."""
    from jsonschema.exceptions import best_match
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    # With a registry of its own: nothing that a schema refers to is fetched.
    registry: Any = Registry()
    checker = validator_for(dict(parameters), default=Draft202012Validator)
    try:
        checker.check_schema(parameters)
        found = list(checker(parameters, registry=registry).iter_errors(given))
    except Exception:  # noqa: BLE001 -- whatever is wrong with a stranger's schema
        return []
    worst = [best_match([error]) for error in found[:MOST_COMPLAINTS]]
    return [f"- {_place(error)}: {shorten(error.message, 3 * LONGEST_INPUT)}" for error in worst]


def _place(error: Any) -> str:
    return ".".join(map(str, error.absolute_path)) or "arguments"
