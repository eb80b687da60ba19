"""What a cell may set of a request: any parameter but what it says otherwise, or what would be dropped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ..errors import OptionError
from ..language import N_, _
from ..messages.kinds import JSON
from ..words import narrow

_NUMBER = re.compile(r"[－-]?[\d.．]+")

OWN_PARAMETERS = ("model", "messages", "stream")
_SAME = {"max_completion_tokens": "max_tokens"}
"""Parameters by another name."""


class _Loss(NamedTuple):
    """A parameter of which something would come that is dropped, where its value is such."""

    is_such: Callable[[JSON], bool]
    said: str
    remedy: str


def _is_more_than_one(value: JSON) -> bool:
    return value != 1


def _is_set(value: JSON) -> bool:
    return value not in (None, False, 0)


_SEVERAL = _Loss(
    _is_more_than_one,
    N_("{written} asks for several answers, and a reply holds one."),
    N_("Name the model twice, or ask again with --sample 2."),
)
_FACTS = _Loss(
    _is_set,
    N_("{written} asks for facts about tokens, which no reply keeps."),
    N_("Leave it out, or use the openai library."),
)
_LOSSES: Mapping[str, _Loss] = {
    **dict.fromkeys(("n", "best_of", "candidate_count", "num_return_sequences"), _SEVERAL),
    **dict.fromkeys(("logprobs", "top_logprobs"), _FACTS),
    "modalities": _Loss(
        lambda value: value not in (None, ["text"]),
        N_("{written} asks for more than text, which no reply holds."),
        N_("Leave it out."),
    ),
    "audio": _Loss(_is_set, N_("{written} asks for sound, which no reply holds."), N_("Leave it out.")),
}


def check_parameter(name: str, value: JSON, written: str) -> None:
    """Refuse a parameter that cannot be set. `written` is how the user says it.

    Raises
    ------
    OptionError
        The cell itself says it, or something that was paid for would be dropped.

    """
    if name in OWN_PARAMETERS:
        raise OptionError(
            _("{written} cannot set {name}.", written=written, name=name), _("The cell itself says it.")
        )
    loss = _LOSSES.get(name)
    if loss is not None and loss.is_such(value):
        raise OptionError(_(loss.said, written=written), _(loss.remedy))


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
            raise said_twice(written[same], how)
        written[same] = how
        merged[name] = value
    return merged


def override(settings: Mapping[str, JSON], own: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the settings' parameters with a cell's own over them, also where those have another name."""
    meant = {*own, *(_SAME[name] for name in own if name in _SAME)}
    return {name: value for name, value in settings.items() if name not in meant} | dict(own)


def said_twice(one: str, other: str) -> OptionError:
    """Return the error for two options that contradict each other, or might."""
    return OptionError(
        _("{one} and {other} say the same thing twice.", one=one, other=other), _("Leave one of them out.")
    )


def read_parameter(param: str) -> tuple[str, JSON]:
    """Return name and value of what follows `-p`. Raises `OptionError`."""
    found = re.fullmatch(r"([^=＝]+)[=＝](.*)", param, re.DOTALL)
    if found is None:
        raise OptionError(
            _("-p {param} is not of the form KEY=JSON.", param=param),
            _("For example: -p presence_penalty=0.5"),
        )
    name, text = found.groups()
    try:
        value: JSON = json.loads(narrow(text) if _NUMBER.fullmatch(text) else text)
    except (ValueError, RecursionError):
        raise OptionError(
            _("The value of -p {name} is not JSON: {text}", name=name, text=text), _as_json(name, text)
        ) from None
    check_parameter(name, value, f"-p {name}")
    return name, value


def _as_json(name: str, text: str) -> str:
    if text[:1] in "[{":
        return _('In JSON, names and texts stand in double quotes: -p {name}=["a", "b"]', name=name)
    return _('A text needs its quotation marks: -p {name}="{text}"', name=name, text=text)
