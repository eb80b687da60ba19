"""Rows of a Dask DataFrame: its partitions, computed one after another while their rows are asked about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from itertools import accumulate, pairwise
from typing import Any

from ..errors import MetaskError
from ..language import Language, _, current, ngettext, using
from .rows import Columns, PandasRows, Row

UNREAD = -1  # in the index of answers to a partition that was not read


class PartitionedRows:
    """The partitions are pandas tables, of which two are here at a time; `client` is their cluster's.

    The table of the answers is a Dask DataFrame again. Its partitions are computed anew when it is, and the
    answers put beside their rows.
    """

    def __init__(self, frame: Any, client: Any) -> None:
        self._frame = frame
        self._client = client
        self._lengths: list[int] = []
        self.columns: tuple[Any, ...] = tuple(frame.columns)
        self.length: int | None = None

    def __iter__(self) -> Iterator[Row | None]:
        self._lengths = []
        for part in self._iter_ahead():
            while not part.done():
                yield None
            frame = part.result()
            self._lengths.append(len(frame))
            yield from PandasRows(frame)

    def _iter_ahead(self) -> Iterator[Any]:
        """Yield a future for each partition, the next one being computed by then."""
        ahead = None
        for at in range(self._frame.npartitions):
            part, ahead = ahead, self._client.compute(self._frame.partitions[at])
            if part is not None:
                yield part
        if ahead is not None:
            yield ahead

    def count(self) -> int:
        return len(self._frame)

    def head(self, count: int) -> PartitionedRows:
        first = self._frame.head(count, npartitions=-1, compute=False)
        return PartitionedRows(first, self._client)

    def count_partitions(self) -> int:
        return int(self._frame.npartitions)

    def gather(self) -> Any:
        """Return all of them as one pandas table."""
        return self._client.compute(self._frame).result()

    def join(self, columns: Columns, unread: Mapping[str, Any] | None = None) -> Any:
        import dask
        import dask.dataframe as dd

        missing = self._frame.npartitions - len(self._lengths)
        answers = _to_answers(columns, (unread or {}) if missing else None)
        ends = accumulate(self._lengths, initial=0)
        pieces = [answers.iloc[start:end] for start, end in pairwise(ends)]
        pieces += [answers[answers.index == UNREAD]] * missing
        none = answers.iloc[:0]
        with dask.config.set({"dataframe.convert-string": False}):  # the dicts of `reply_meta` are none
            beside = dd.from_map(_as_it_is, pieces, meta=none)
        meta = _join_part(self._frame._meta, none, current())
        return dd.map_partitions(
            _join_part, self._frame, beside, current(), meta=meta, align_dataframes=False
        )


class GatheredRows:
    """The rows of all partitions, here at once; a table of the answers has as many partitions again."""

    def __init__(self, rows: PartitionedRows) -> None:
        self._rows = PandasRows(rows.gather())
        self._partitions = rows.count_partitions()
        self.columns = self._rows.columns
        self.length = self._rows.length

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def count(self) -> int | None:
        return self.length

    def head(self, count: int) -> GatheredRows:
        return self._with(self._rows.head(count))

    def take(self, positions: Sequence[int]) -> GatheredRows:
        return self._with(self._rows.take(positions))

    def join(self, columns: Columns, unread: Mapping[str, Any] | None = None) -> Any:
        import dask
        import dask.dataframe as dd

        with dask.config.set({"dataframe.convert-string": False}):  # the dicts of `reply_meta` are none
            return dd.from_pandas(self._rows.join(columns, unread), npartitions=self._partitions, sort=False)

    def _with(self, rows: PandasRows) -> GatheredRows:
        like = copy(self)
        like._rows, like.columns, like.length = rows, rows.columns, rows.length
        return like


def _to_answers(columns: Columns, unread: Mapping[str, Any] | None) -> Any:
    """Return the answers as one table, so that its columns are of one kind in every partition."""
    import pandas as pd

    rest = [] if unread is None else [unread]
    values = {name: [*known, *(row.get(name) for row in rest)] for name, known in columns.items()}
    length = len(next(iter(columns.values())))
    index = [*range(length), *(UNREAD for _ in rest)]
    return PandasRows(pd.DataFrame(index=index)).join(values)


def _changed(before: int, now: int) -> MetaskError:
    return MetaskError(
        ngettext(
            "A partition has {count} row now, and had {before:,} when it was read.",
            "A partition has {count} rows now, and had {before:,} when it was read.",
            now,
            before=before,
        ),
        _("Keep the table as it is (`table = table.persist()`) and ask again: nothing is asked twice."),
    )


def _as_it_is(piece: Any) -> Any:
    return piece


def _join_part(part: Any, answers: Any, language: Language) -> Any:
    """Put answers beside the rows of a partition. Runs in the cluster, when the table is computed."""
    if list(answers.index) == [UNREAD]:
        answers = answers.iloc[[0] * len(part)]
    if len(answers) != len(part):
        with using(language):
            raise _changed(len(answers), len(part))
    joined = part.copy()
    for name in answers.columns:
        joined[name] = answers[name].array
    return joined
