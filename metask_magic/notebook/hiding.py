"""Keeping keys out of a text that is made of the user's code and values."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

HIDDEN = "[hidden]"
SHORTEST_SECRET = 8  # characters: shorter values are words that stand elsewhere with another meaning

_NAME = r"(?:api_?key|access_?key|private_?key|token|secret|passw|credential|authorization)"
_SECRET_NAME = re.compile(_NAME, re.IGNORECASE)
# A literal given to such a name, in code, JSON or a repr: `api_key="…"`, `os.environ["X_TOKEN"] = '…'`.
_LITERAL = re.compile(
    rf"""({_NAME}\w*["']?\]?\s*[=:]{{1,2}}\s*[bru]{{0,2}})(["'])(?:(?!\2)[^\n])+\2""", re.IGNORECASE
)
# Keys of well-known services, which begin alike and have a digit somewhere.
_KEY = re.compile(
    r"(?:\bsk-|\bghp_|\bgho_|\bgithub_pat_|\bhf_|\bglpat-|\bxox[abp]-|\bAIza|\bAKIA)"
    r"(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{12,}"
)


def is_secret(name: str, value: Any) -> bool:
    """Whether a value of this name had better not be shown. Numbers may: `max_tokens` is no key."""
    return _SECRET_NAME.search(name) is not None and not isinstance(value, int | float | None)


class Hiding:
    """Replaces secrets in texts: what `hide` knows, what the environment holds, what `learn` was told.

    Parameters
    ----------
    hide
        Replaces the session's own key.
    environment
        Variables whose names sound secret have their values hidden wherever they stand.

    """

    def __init__(self, hide: Callable[[str], str], environment: Mapping[str, str] = os.environ) -> None:
        self._hide = hide
        self._secrets: set[str] = set()
        self.learn(environment)

    def learn(self, variables: Mapping[str, Any]) -> None:
        """Remember the texts among `variables` whose names sound secret."""
        for name, value in list(variables.items()):
            if isinstance(name, str) and type(value) is str and is_secret(name, value):
                self._secrets |= {part for part in (value, value.strip()) if len(part) >= SHORTEST_SECRET}

    def __call__(self, text: str) -> str:
        """Return the text without them."""
        text = self._hide(text)
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return _KEY.sub(HIDDEN, _LITERAL.sub(rf"\1\2{HIDDEN}\2", text))
