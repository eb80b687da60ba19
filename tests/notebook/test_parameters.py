"""Parameters of a request: a cell's own over the settings', under whatever name."""

from __future__ import annotations

import pytest

from metask_magic.messages.kinds import JSON
from metask_magic.notebook.parameters import override


@pytest.mark.parametrize(
    ("settings", "own", "together"),
    [
        ({"temperature": 1, "max_tokens": 5}, {}, {"temperature": 1, "max_tokens": 5}),
        ({"temperature": 1}, {"temperature": 0, "seed": 2}, {"temperature": 0, "seed": 2}),
        ({"max_tokens": 5}, {"max_completion_tokens": 6}, {"max_completion_tokens": 6}),
    ],
)
def test_override(settings: dict[str, JSON], own: dict[str, JSON], together: dict[str, JSON]) -> None:
    assert override(settings, own) == together
