"""Names of the notebook that an option line mentions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import OptionError
from ..language import _
from ..prompt.own_names import iter_own_names
from ..words import did_you_mean, nearest


def look_up(
    name: str, namespace: Mapping[str, Any], what: str, fits: Callable[[Any], bool] = lambda value: True
) -> Any:
    """Return the value of `name`, which an option needs as `what` ("tool", "schema"), to be one that `fits`.

    A name may have attributes: `client.find`, `models.Person`.

    Raises
    ------
    OptionError
        The notebook has no such name, or its value no such attribute.

    """
    first, *attributes = name.split(".")
    if first not in namespace:
        raise OptionError(
            _("The {what} `{name}` is not defined.", what=_(what), name=name),
            did_you_mean(nearest(first, iter_own_names(namespace, fits)))
            or _("Run the cell that defines it first."),
        )
    value = namespace[first]
    for attribute in attributes:
        try:
            value = getattr(value, attribute)
        except AttributeError:
            near = nearest(attribute, (known for known in dir(value) if not known.startswith("_")))
            raise OptionError(
                _(
                    "The {what} `{name}` is not defined: `{first}` has no {attribute}.",
                    what=_(what),
                    name=name,
                    first=first,
                    attribute=attribute,
                ),
                did_you_mean(near),
            ) from None
        first = f"{first}.{attribute}"
    return value
