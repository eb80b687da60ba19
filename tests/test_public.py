"""The public surface, as a list."""

from __future__ import annotations

import pytest

import metask_magic


def test_the_names() -> None:
    assert metask_magic.__all__ == [
        "CodeBlock",
        "Interrupted",
        "Metask",
        "MetaskError",
        "Reply",
        "ToolCall",
        "Trial",
        "Usage",
        "load_ipython_extension",
        "retry_failed",
        "unload_ipython_extension",
    ]


@pytest.mark.parametrize("name", [*metask_magic.__all__, "map", "trial"])
def test_a_name_is_there(name: str) -> None:
    assert getattr(metask_magic, name).__name__ == name


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = metask_magic.nope
