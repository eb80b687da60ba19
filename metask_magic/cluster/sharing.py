"""What a run may do, shared out among the workers of a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .messages import Share


class Sharing:
    """Hands out a run's concurrency, and its requests in a minute, in shares that are as even as can be.

    Workers keep their turn, those that came first the first: where there are more of them than requests may
    be under way, the last ones get no share.
    """

    def __init__(self, max_concurrency: int, requests_per_minute: float | None) -> None:
        self.max_concurrency = max_concurrency
        self._per_minute = requests_per_minute
        self._workers: dict[str, None] = {}

    def among(self, workers: Iterable[str]) -> dict[str, Share]:
        """Return the share of each of the workers there are now."""
        there = set(workers)
        known = [worker for worker in self._workers if worker in there]
        self._workers = dict.fromkeys([*known, *sorted(there.difference(known))])
        taking = [*self._workers][: self.max_concurrency]
        return dict(zip(taking, self._shares(taking), strict=True))

    def _shares(self, workers: Sequence[str]) -> Iterable[Share]:
        for at in range(len(workers)):
            part, rest = divmod(self.max_concurrency, len(workers))
            concurrency = part + (at < rest)
            per_minute = self._per_minute and self._per_minute * concurrency / self.max_concurrency
            yield Share(concurrency, per_minute)
