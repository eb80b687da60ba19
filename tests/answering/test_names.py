"""What can be the name of a model."""

from __future__ import annotations

import pytest

from metask_magic.answering.backends import Backends
from metask_magic.errors import OptionError
from metask_magic.settings import Metask

NAMES = (
    "gpt-4o",
    "o1",
    "local",
    "x_y",
    "claude-3-5-sonnet-20241022",
    "meta-llama/Llama-3.1-8B:free",
    "@cf/meta/llama-3",
    "~x/y",
    "accounts/a/models/m#accounts/b/deployments/c",
    "[官转]gpt-4o",
    "通义千问-max",
    "model+tools",
)
NO_NAMES = (
    "", "#", "--", "-x", "…", "—", "gpt-4o?", "gpt-4o!", "gpt-4o,", "gpt 4", "（", "gpt，4", "a\nb",
    "a\x1bb", "`a`", "a=b", "$x", "x" * 201, "...", "a&b", "50%", "'a'",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    assert Backends(Metask()).check_name(name) == name


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_no_api_can_have(name: str) -> None:
    with pytest.raises(OptionError, match="cannot be the name of a model") as caught:
        Backends(Metask()).check_name(name)
    assert caught.value.remedy
