"""A cell that tries several models on a table, or checks one: what its options mean."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from ..language import N_, _
from ..prompt.own_names import iter_own_names
from ..table.asking import Manner
from ..table.mapper import Mapper
from ..table.requests import TablePrompt
from ..trials.run import TrialRun
from ..trials.wish import CheckWish
from .names import look_up
from .options import CellOptions


def read_cell(
    options: CellOptions,
    asked: TablePrompt,
    models: Sequence[str],
    mapper: Mapper,
    namespace: Mapping[str, Any],
) -> TrialRun:
    """Return the trial that a cell asks for.

    Raises
    ------
    MetaskError
        Something of it cannot be tried so; nothing was sent.

    """
    name = str(options.map)
    engine = None if options.engine is None else look_up(options.engine, namespace, N_("engine"))
    rows, client = mapper.open_whole(look_up(name, namespace, N_("table")), name, engine)
    if options.limit is not None:
        rows = rows.head(options.limit)
    wish = CheckWish.of(
        options.check,
        rows.columns,
        name,
        functions=lambda check: _find_function(check, namespace),
        known=[*iter_own_names(namespace, inspect.isfunction)],
        tolerance=options.tolerance,
        judge=None if options.judge is None else mapper.choose_model(options.judge),
        rubric=None if options.rubric is None else look_up(options.rubric, namespace, N_("rubric")),
        rubric_name=_("the rubric {name}", name=options.rubric),
    )
    manner = Manner(quiet=options.quiet, fresh=options.fresh, sample=options.sample, client=client)
    return TrialRun(mapper, rows, asked, models, wish, name, manner)


def _find_function(name: str, namespace: Mapping[str, Any]) -> Any:
    """Return the function of that name, which may have dots in it; None where there is none."""
    value = namespace.get(name.partition(".")[0])
    for attribute in name.split(".")[1:]:
        value = getattr(value, attribute, None)
    return value if callable(value) and not isinstance(value, type) else None
