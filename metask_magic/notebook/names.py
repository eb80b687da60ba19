"""Names of the notebook that an option line mentions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import OptionError
from ..gateway.models import nearest
from .commands import did_you_mean


def look_up(name: str, namespace: Mapping[str, Any], what: str) -> Any:
    """Return the value of `name`, which an option needs as `what` ("tool", "schema").

    Raises
    ------
    OptionError
        The notebook has no such name.

    """
    try:
        return namespace[name]
    except KeyError:
        own = (known for known in namespace if not known.startswith("_"))
        raise OptionError(
            f"The {what} `{name}` is not defined.",
            did_you_mean(nearest(name, own)) or "Run the cell that defines it first.",
        ) from None
