"""The arguments of a call, checked against what the server declared before it is sent any."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..language import _
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
        raise BadArgumentsError.not_json(text, error) from None
    if not isinstance(given, dict):
        raise BadArgumentsError.no_object(text)
    worst = _worst(given, parameters)
    if worst:
        raise BadArgumentsError.misfits(lambda: map(_complaint, worst))
    return given


def _worst(given: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[Any]:
    """What does not fit. A schema that cannot be used refuses nothing: the server checks too."""
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
    return [best_match([error]) for error in found[:MOST_COMPLAINTS]]


def _complaint(error: Any) -> str:
    place = ".".join(map(str, error.absolute_path)) or _("arguments")
    return _("- {place}: {complaint}", place=place, complaint=shorten(error.message, 3 * LONGEST_INPUT))
