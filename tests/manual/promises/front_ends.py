"""What `front-ends.md` promises."""

from __future__ import annotations

from ..promise import Promise

PROMISES = [
    Promise(
        '%config Metask.display = "markdown"',
        asked=["gpt-4o-mini: Hello!"],
        values={"magic('gpt-4o-mini Hello!').text": "Hello!"},
    ),
]
