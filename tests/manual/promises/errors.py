"""What `errors.md` promises."""

from __future__ import annotations

from ...gateway_server import model_not_found
from ..promise import Promise

PROMISES = [
    Promise(
        "from metask_magic import MetaskError",
        answers=[model_not_found("gpt-4o-min")],
        asked=["gpt-4o-min: Hello!"],
        shows=["NotFoundError\nDid you mean gpt-4o-mini"],
    ),
]
