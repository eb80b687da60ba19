"""What a cell may set of a request: any parameter but what it says otherwise, or what would be dropped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ..errors import OptionError
from ..messages.kinds import JSON

OWN_PARAMETERS = ("model", "messages", "stream")
_SAME = {"max_completion_tokens": "max_tokens"}
"""Parameters by another name."""


class _Loss(NamedTuple):
    """A parameter of which something would come that is dropped, where its value is such."""

    is_such: Callable[[JSON], bool]
    why: str
    remedy: str


def _is_more_than_one(value: JSON) -> bool:
    return value != 1


def _is_set(value: JSON) -> bool:
    return value not in (None, False, 0)


_SEVERAL = _Loss(
    _is_more_than_one,
    "asks for several answers, and a reply holds one",
    "Name the model twice, or ask again with --sample 2.",
)
_FACTS = _Loss(
    _is_set, "asks for facts about tokens, which no reply keeps", "Leave it out, or use the openai library."
)
_LOSSES: Mapping[str, _Loss] = {
    **dict.fromkeys(("n", "best_of", "candidate_count", "num_return_sequences"), _SEVERAL),
    **dict.fromkeys(("logprobs", "top_logprobs"), _FACTS),
    "modalities": _Loss(
        lambda value: value not in (None, ["text"]),
        "asks for more than text, which no reply holds",
        "Leave it out.",
    ),
    "audio": _Loss(_is_set, "asks for sound, which no reply holds", "Leave it out."),
}


def check_parameter(name: str, value: JSON, written: str) -> None:
    """Refuse a parameter that cannot be set. `written` is how the user says it.

    Raises
    ------
    OptionError
        The cell itself says it, or something that was paid for would be dropped.

    """
    if name in OWN_PARAMETERS:
        raise OptionError(f"{written} cannot set {name}.", "The cell itself says it.")
    loss = _LOSSES.get(name)
    if loss is not None and loss.is_such(value):
        raise OptionError(f"{written} {loss.why}.", loss.remedy)


def merge_parameters(said: Iterable[tuple[str, JSON, str]]) -> dict[str, JSON]:
    """Return parameters by name, each said once: name, value, and how the user wrote it.

    Raises
    ------
    OptionError
        One is said twice, by whatever names.

    """
    merged: dict[str, JSON] = {}
    written: dict[str, str] = {}
    for name, value, how in said:
        same = _SAME.get(name, name)
        if same in written:
            raise OptionError(
                f"{written[same]} and {how} say the same thing twice.", "Leave one of them out."
            )
        written[same] = how
        merged[name] = value
    return merged


def override(settings: Mapping[str, JSON], own: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the settings' parameters with a cell's own over them, also where those have another name."""
    meant = {*own, *(_SAME[name] for name in own if name in _SAME)}
    return {name: value for name, value in settings.items() if name not in meant} | dict(own)


def said_twice(one: str, other: str) -> OptionError:
    """Return the error for two options that contradict each other, or might."""
    return OptionError(f"{one} and {other} say the same thing twice.", "Leave one of them out.")


def read_parameter(param: str) -> tuple[str, JSON]:
    """Return name and value of what follows `-p`. Raises `OptionError`."""
    name, equals, text = param.partition("=")
    if not equals or not name:
        raise OptionError(f"-p {param} is not of the form KEY=JSON.", "For example: -p presence_penalty=0.5")
    try:
        value: JSON = json.loads(text)
    except (ValueError, RecursionError):
        raise OptionError(f"The value of -p {name} is not JSON: {text}", _as_json(name, text)) from None
    check_parameter(name, value, f"-p {name}")
    return name, value


def _as_json(name: str, text: str) -> str:
    if text[:1] in "[{":
        return f'In JSON, names and texts stand in double quotes: -p {name}=["a", "b"]'
    return f'A text needs its quotation marks: -p {name}="{text}"'
