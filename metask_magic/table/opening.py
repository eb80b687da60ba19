"""Which kind of table something is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from ..errors import OptionError
from ..language import N_, _
from .partitions import GatheredRows, PartitionedRows
from .rows import FrameRows, PandasRows, RecordRows, Rows, StreamedRows, WholeRows

KINDS = N_("A table is a pandas, Polars, PyArrow or Dask one, a list of dicts, or a generator of dicts.")


def open_rows(value: Any, name: str, client: Any = None) -> Rows:
    """Return the rows of what the user calls `name`.

    Raises
    ------
    OptionError
        It is no table, or one that has no rows yet.

    """
    if isinstance(value, str | bytes | bytearray | Mapping):
        raise _no_table(value, name)
    if type(value).__module__ != "builtins":
        import narwhals as nw

        if nw.dependencies.is_pandas_dataframe(value):
            return PandasRows(value)
        if is_partitioned(value):
            return PartitionedRows(value, client)
        frame = nw.from_native(value, pass_through=True, allow_series=True)
        if isinstance(frame, nw.DataFrame):
            return FrameRows(frame)
        _refuse_other(frame, name)
    if isinstance(value, Sequence):
        return RecordRows(value, name)
    if isinstance(value, Iterable):
        return StreamedRows(value, name)
    raise _no_table(value, name)


def _no_table(value: Any, name: str) -> OptionError:
    kind = type(value).__name__
    return OptionError(_("{name} is a {kind}, which is no table.", name=name, kind=kind), _(KINDS))


def open_whole(value: Any, name: str, client: Any = None) -> WholeRows:
    """Return the rows of what the user calls `name`, all of them read. Raises as `open_rows` does."""
    rows = open_rows(value, name, client)
    if isinstance(rows, StreamedRows):
        return RecordRows([dict(row) for row in rows], name)
    if isinstance(rows, PartitionedRows):
        return GatheredRows(rows)
    return cast("WholeRows", rows)  # of the other kinds


def _refuse_other(frame: Any, name: str) -> None:
    import narwhals as nw

    if isinstance(frame, nw.LazyFrame):
        raise OptionError(
            _("{name} is lazy: it has no rows yet.", name=name),
            _("Compute them first, such as by {name}.collect().", name=name),
        )
    if isinstance(frame, nw.Series):
        raise OptionError(
            _("{name} is a single column.", name=name),
            _("Make a table of it, such as by {name}.to_frame('text').", name=name),
        )


def is_partitioned(value: Any) -> bool:
    """Whether something is a Dask DataFrame, whose rows only a cluster has."""
    import narwhals as nw

    return bool(nw.dependencies.is_dask_dataframe(value))
