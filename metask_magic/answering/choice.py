"""Which models a cell asks: names, aliases, and patterns over the list of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..errors import OptionError
from ..gateway.models import Model, matching
from ..language import _
from ..words import did_you_mean, listed, nearest

MOST_MODELS = 12
MOST_IN_TRIAL = 100  # over the rows of a table, where nobody watches each of them
_SHOWN = 5


def choose_models(
    names: Sequence[str],
    aliases: Mapping[str, str],
    list_models: Callable[[], Sequence[Model]],
    *,
    most: int = MOST_MODELS,
) -> tuple[str, ...]:
    """Return the models that `names` stand for, in that order.

    An alias stands for one name or pattern, or several with blanks between; a pattern (`claude-*`) for the
    models of the list that match it, which alone asks for the list.

    Raises
    ------
    OptionError
        A pattern matches nothing, or there are more than `most`.

    """
    written = [word for name in names for word in (aliases[name].split() if name in aliases else [name])]
    chosen = [model for word in written for model in _matched(word, list_models)]
    if len(chosen) > most:
        raise OptionError(
            _(
                "{names} stands for {count} models: {shown}, …",
                names=" ".join(names),
                count=len(chosen),
                shown=listed(chosen[:_SHOWN]),
            ),
            _("At most {count} are asked at once. `%metask models PATTERN` shows what matches.", count=most),
        )
    return tuple(chosen)


def _matched(word: str, list_models: Callable[[], Sequence[Model]]) -> list[str]:
    if not any(mark in word for mark in "*?["):
        return [word]
    models = list_models()
    found = [model.id for model in matching(models, word)]
    if not found:
        near = nearest(word.strip("*?"), (model.id for model in models))
        raise OptionError(
            _("None of the {count} models matches {pattern}.", count=len(models), pattern=word),
            did_you_mean(near) or _("`%metask models` lists the models."),
        )
    return found
