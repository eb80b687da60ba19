"""The rows of a table on their way to one model: once, or several times for as many independent answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from ..batch.batch import Batch, RowResult
from ..batch.caution import CautiousEngine
from ..errors import MetaskError
from .answers import ERROR
from .asking import Manner, RowAsking
from .requests import Numbered, RowRequests, TablePrompt, waited_for
from .rows import Rows


@dataclass(frozen=True, slots=True)
class Series:
    """The rows of a table asked about once; `sample` is which answer to each prompt is wanted, from 1."""

    sample: int
    requests: RowRequests
    batch: Batch

    @property
    def results(self) -> list[RowResult]:
        """A result for each row that was read."""
        return self.batch.results

    @property
    def stopped(self) -> MetaskError | None:
        """What ended it before all rows were asked about, other than an interrupt."""
        return self.batch.stopped

    @property
    def tokens(self) -> int | None:
        """What was reported for the rows that were asked about; None where nothing was."""
        return self.batch.progress.tokens


class RowLane:
    """One model's series, which are asked one after another; iterated once, as `Together` does.

    Attributes
    ----------
    series
        Those that have begun.
    given_up
        The model failed in every row that it was asked about at first, and no more were sent. A model is
        given up where there are others: `cautious`.

    """

    def __init__(
        self,
        rows: Rows,
        asked: TablePrompt,
        name: str,
        manner: Manner,
        asking: RowAsking,
        *,
        samples: Sequence[int],
        cautious: bool = False,
    ) -> None:
        self.asked = asked
        self.series: list[Series] = []
        self._rows = rows
        self._name = name
        self._manner = manner
        self._asking = asking
        self._samples = samples
        self._cautious = cautious
        self._engines: list[CautiousEngine] = []

    @property
    def given_up(self) -> bool:
        return any(engine.given_up for engine in self._engines)

    def __iter__(self) -> Iterator[Batch]:
        """Yield a batch for each series. Raises `MetaskError` where nothing can be asked."""
        for sample in self._samples:
            manner = replace(self._manner, sample=sample)
            failed_by = ERROR if manner.again else None
            requests = RowRequests(self._rows, self.asked, self._name, failed_by=failed_by)
            engine = self._asking.engine(self.asked, manner)
            if self._cautious:
                self._engines.append(engine := CautiousEngine(engine))
            journal = self._asking.journal(self.asked, manner)
            batch = Batch(_begun(requests), engine, journal, total=self._rows.length)
            self.series.append(Series(sample, requests, batch))
            yield batch


def _begun(requests: RowRequests) -> Iterator[Numbered | None]:
    """Return the requests, the first of which is made by now: what is wrong with it is wrong with all."""
    made = iter(requests)
    first = [*islice(waited_for(made), 1)]
    return chain(first, made)
