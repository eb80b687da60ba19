"""`metask_magic.map` and `retry_failed`: a prompt over a table, called from code."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..answering.backends import Backends
from ..answering.shelf import Shelf
from ..errors import OptionError
from ..language import N_, _
from ..messages.kinds import JSON
from ..schemas.schema import Schema
from ..settings import Metask
from ..table.answers import ERROR
from ..table.asking import Manner
from ..table.mapper import MapOutcome, Mapper
from ..table.requests import TablePrompt
from ..usage.ledger import Ledger
from .parameters import OWN_PARAMETERS, check_parameter, merge_parameters, override, said_twice

TABLE = N_("the table")
KEPT = N_("as its `table`")


def map(
    table: Any,
    prompt: str,
    *,
    model: str | None = None,
    system: str | None = None,
    schema: Any = None,
    names: Mapping[str, Any] | None = None,
    limit: int | None = None,
    dry_run: bool = False,
    fresh: bool = False,
    sample: int = 1,
    quiet: bool = False,
    max_concurrency: int | None = None,
    requests_per_minute: int | None = None,
    engine: Any = None,
    **params: JSON,
) -> Any:
    """Ask a model about each row of a table, and return the table with the answers beside it.

    It is what `%%metask --map` does, and works in plain scripts too: there the settings come from `METASK_*`
    variables. What was answered before in this process is not asked again.

    Parameters
    ----------
    table
        A pandas, Polars, PyArrow or Dask table, a list of dicts, or any iterable of dicts, which is read as
        rows are needed.
    prompt, system
        Templates: `{{ row.column }}`, or `{{ column }}`. A missing value is empty text, and
        `{{ "unknown" if row.column is none else row.column }}` works. Images (bytes of a file, Pillow) are
        sent as such. `system` is `Metask.system` by default.
    model
        The model's name; `Metask.model` by default.
    schema
        What each answer must look like: a Pydantic model, a dataclass, a TypedDict, a type or a JSON Schema.
    names
        More names for the templates. In a notebook these are the notebook's own by default.
    limit
        Ask about that many rows from the start; the result has no others.
    dry_run
        Send nothing, and return a preview of three prompts and of the number of requests.
    fresh
        Ask again what was answered before, and record the new answers.
    sample
        Which of several answers to the same prompts is wanted, from 1: each is recorded by itself.
    quiet
        Show no progress.
    max_concurrency, requests_per_minute
        How many rows are asked about at once, and in a minute; settings of these names by default. The
        workers of a cluster share both.
    engine
        A client of a `dask.distributed` cluster, whose workers ask; this process by default. A Dask DataFrame
        is asked about by the cluster of the client that was made last.
    **params
        Parameters of each request by their names in the API, such as `temperature=0`.

    Returns
    -------
    A table of the same kind (a list of dicts for any iterable) with the rows in their order, a pandas index
    as it was, and these columns: `reply`, the text, or with a schema of named fields a column for each, as
    they stand in JSON; `reply_error`, why there is none (`"not asked"` where the run ended before), or null;
    `reply_meta`, with `model`, `finish_reason`, `prompt_tokens`, `completion_tokens`, `total_tokens`,
    `elapsed` (seconds) and `request_id`: a dict, or a struct in Polars and PyArrow.

    Raises
    ------
    MetaskError
        Nothing could be sent; or the key was refused (401, 403); or every row failed. A row that fails among
        others raises nothing: `reply_error` says why. The exception's `table` is the table as far as it got.
    Interrupted
        The user stopped it; its `table` has what was answered.

    """
    mapper, settings, names = surroundings(names)
    check_numbers(limit=limit, sample=sample)
    rows, client = mapper.open(table, _(TABLE), engine)
    rows = rows if limit is None else rows.head(limit)
    asked = asked_for(settings, prompt, mapper.choose_model(model), system, schema, names, params)
    manner = Manner(
        quiet=quiet,
        fresh=fresh,
        sample=sample,
        max_concurrency=max_concurrency,
        requests_per_minute=requests_per_minute,
        client=client,
    )
    if dry_run:
        return mapper.preview(rows, asked, _(TABLE), manner)
    return _table(mapper.run(rows, asked, _(TABLE), manner, kept=_(KEPT)))


def retry_failed(
    table: Any,
    prompt: str,
    *,
    model: str | None = None,
    system: str | None = None,
    schema: Any = None,
    names: Mapping[str, Any] | None = None,
    quiet: bool = False,
    max_concurrency: int | None = None,
    requests_per_minute: int | None = None,
    engine: Any = None,
    **params: JSON,
) -> Any:
    """Ask again about the rows of a result of `map` that have a `reply_error`, and return it completed.

    A table does not remember what was asked, so that it may have been filtered, sorted or read from a file
    since: give the same prompt, schema and parameters again, or better ones. The other rows stay as they
    are. Parameters, result and errors are those of `map`.
    """
    mapper, settings, names = surroundings(names)
    rows, client = mapper.open(table, _(TABLE), engine)
    if ERROR not in rows.columns:
        raise OptionError(
            _("The table has no column {name}.", name=ERROR), _("Give a result of metask_magic.map.")
        )
    asked = asked_for(settings, prompt, mapper.choose_model(model), system, schema, names, params)
    manner = Manner(
        quiet=quiet,
        again=True,
        max_concurrency=max_concurrency,
        requests_per_minute=requests_per_minute,
        client=client,
    )
    return _table(mapper.run(rows, asked, _(TABLE), manner, kept=_(KEPT)))


def check_numbers(**numbers: int | None) -> None:
    """Refuse numbers of rows or answers below 1. Raises `OptionError`."""
    for name, number in numbers.items():
        if number is not None and number < 1:
            raise OptionError(
                _("{name}={number} leaves nothing to ask.", name=name, number=number),
                _("Give a number above 0."),
            )


def asked_for(
    settings: Metask,
    prompt: str,
    model: str,
    system: str | None,
    schema: Any,
    names: Mapping[str, Any],
    params: Mapping[str, JSON],
) -> TablePrompt:
    """Return what a call asks. Raises `OptionError` or `SchemaError`."""
    own = [name for name in OWN_PARAMETERS if name in params]
    if own:
        raise OptionError(_("{name} is no parameter of a row's request.", name=own[0]), _("Leave it out."))
    for name, value in params.items():
        check_parameter(name, value, f"{name}={value!r}")
    if schema is not None and "response_format" in params:
        raise said_twice("schema=", "response_format=")
    params = merge_parameters((name, value, f"{name}=") for name, value in params.items())
    return TablePrompt(
        model,
        prompt,
        settings.system if system is None else system,
        names,
        override(settings.params(), params),
        format="markdown" if schema is None else "json",
        schema=None
        if schema is None
        else Schema.from_object(schema, getattr(schema, "__name__", "the schema")),  # English: it is sent
    )


def _table(outcome: MapOutcome) -> Any:
    if outcome.failure is not None:
        raise outcome.failure
    return outcome.table


def surroundings(names: Mapping[str, Any] | None) -> tuple[Mapper, Metask, Mapping[str, Any]]:
    """Return who asks, with what settings, and the names a template may use, where others are not given."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        from .extension import loaded

        magics = loaded(shell)
        if magics is not None:
            settings, mapper = magics.prepare_map()
            return mapper, settings, shell.user_ns if names is None else names
    mapper, settings = _of_process()
    settings.read_environment()
    own = {} if shell is None else shell.user_ns
    return mapper, settings, own if names is None else names


@cache
def _of_process() -> tuple[Mapper, Metask]:
    settings = Metask()
    backends = Backends(settings)
    atexit.register(backends.close)
    return Mapper(settings, backends, Ledger(), Shelf(settings), None), settings
