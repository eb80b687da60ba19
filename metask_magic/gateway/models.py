"""The models this key may use: `GET /models`, remembered for a while, and the nearest names in it."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

FRESH_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the list. `created` is a UTC date; what the gateway did not say is None."""

    id: str
    owner: str | None
    created: datetime | None

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> Model:
        owner = entry.get("owned_by")
        return cls(str(entry["id"]), str(owner) if owner else None, _date(entry.get("created")))


class Lister(Protocol):
    """What can fetch the list."""

    async def get_models(self) -> list[dict[str, Any]]: ...


class Catalog:
    """The list of models, fetched when it is older than `FRESH_SECONDS`."""

    def __init__(self, lister: Lister, clock: Callable[[], float] = time.monotonic) -> None:
        self._lister = lister
        self._clock = clock
        self._fetched_at = float("-inf")
        self.known: tuple[Model, ...] = ()
        """The list as last fetched, however old; never asks."""

    async def list(self) -> Sequence[Model]:
        """Return the models sorted by name. Raises `MetaskError` where the list cannot be had."""
        if self._clock() - self._fetched_at > FRESH_SECONDS:
            models = {model.id: model for model in map(Model.from_json, await self._lister.get_models())}
            self.known = tuple(sorted(models.values(), key=lambda model: model.id.lower()))
            self._fetched_at = self._clock()
        return self.known


def matching(models: Iterable[Model], pattern: str) -> list[Model]:
    """Return the models whose name holds `pattern`, or matches it where it has `*`, `?` or `[`."""
    wanted = pattern.lower() if any(c in pattern for c in "*?[") else f"*{pattern.lower()}*"
    return [model for model in models if fnmatch.fnmatchcase(model.id.lower(), wanted)]


def _date(created: Any) -> datetime | None:
    if isinstance(created, bool) or not isinstance(created, int | float) or created <= 0:
        return None
    try:
        return datetime.fromtimestamp(created, UTC)
    except (OverflowError, OSError, ValueError):
        return None
