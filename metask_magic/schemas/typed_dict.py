"""TypedDict as Pydantic takes it: before Python 3.12 only one of typing_extensions."""

from __future__ import annotations

import operator
import sys
import types
import typing
from functools import reduce
from typing import Any


def of_today(kind: Any) -> Any:
    """Return a type with every TypedDict of `typing` in it replaced by its equal of typing_extensions."""
    if sys.version_info >= (3, 12):
        return kind
    if typing.is_typeddict(kind) and type(kind).__module__ == "typing":
        return _remade(kind)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    remade = tuple(of_today(argument) for argument in inner)
    if remade == inner or origin is typing.Annotated:
        return kind
    if origin is types.UnionType:
        return reduce(operator.or_, remade)
    return kind.copy_with(remade) if hasattr(kind, "copy_with") else kind.__origin__[remade]


def _remade(kind: Any) -> Any:
    from typing_extensions import TypedDict

    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {name: _marked(hint, name in kind.__required_keys__) for name, hint in hints.items()}
    remade: Any = TypedDict(kind.__name__, fields)  # type: ignore[misc]  # made while running
    remade.__doc__ = kind.__doc__
    return remade


def _marked(hint: Any, required: bool) -> Any:
    """Return a field that says whether it is required; where annotations are strings, only the hint knows."""
    said = typing.get_origin(hint)
    if said not in {typing.Required, typing.NotRequired}:
        said = typing.Required if required else typing.NotRequired
    else:
        (hint,) = typing.get_args(hint)
    return said[of_today(hint)]
