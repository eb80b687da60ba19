"""`metask_magic.trial`: several models tried on a table, called from code or from a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import OptionError
from ..language import N_, _
from ..messages.kinds import JSON
from ..table.asking import Manner
from ..table.mapper import Mapper
from ..trials.run import TrialRun
from ..trials.wish import CheckWish
from .mapping import TABLE, asked_for, check_numbers, surroundings

KEPT = N_("as its `trial`")


def trial(
    table: Any,
    prompt: str,
    *,
    models: str | Sequence[str],
    check: str | Callable[..., Any] | None = None,
    tolerance: float | None = None,
    judge: str | None = None,
    rubric: str | None = None,
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
    """Ask several models about each row of a table, check their answers, and return the trial.

    It is what `%%metask --map` does with several models, and works in plain scripts and in tests too: with
    `METASK_RECORDING=replay` nothing is asked, and all comes from recordings. What was answered before is not
    asked again, so that a model that is added later costs its own rows alone.

    Parameters
    ----------
    table, prompt, system, schema, names, limit, fresh, quiet, max_concurrency, requests_per_minute, engine
        As for `map`. All models together keep to the two limits; a cluster asks one model after another.
    models
        Names, aliases or patterns, or one of them.
    check
        What tells good answers: the name of the column with what is expected; a function of a row (a dict)
        and a `Reply` that returns a truth value or a number, the higher the better; or `"judge"`. Without one
        the models are compared with each other.
    tolerance
        How far a number may be from the one that is expected.
    judge, rubric
        The model that grades with `check="judge"`, and what it is given to grade by: a template over the row,
        as the prompt is. It sees no model's name.
    dry_run
        Send nothing, and return a preview with the prompts, the tokens and the cost.
    sample
        How many answers to each row are wanted from each model.
    **params
        Parameters of each request by their names in the API, such as `temperature=0`.

    Returns
    -------
    A `Trial`: its `table` has a row for each row and model, in the table's own kind.

    Raises
    ------
    MetaskError
        Something cannot be tried so, and nothing was sent; or the key was refused (401), the budget is used
        up, or no model answered: the exception's `trial` is the trial as far as it got. A model that fails
        among others raises nothing; after ten rows without an answer it is asked about no more.
    Interrupted
        The user stopped it; its `trial` has what was answered.

    """
    mapper, settings, names = surroundings(names)
    check_numbers(limit=limit, sample=sample)
    chosen = _chosen(mapper, models)
    asked = asked_for(settings, prompt, chosen[0], system, schema, names, params)
    rows, client = mapper.open_whole(table, _(TABLE), engine)
    rows = rows if limit is None else rows.head(limit)
    wish = CheckWish.of(
        check,
        rows.columns,
        _(TABLE),
        tolerance=tolerance,
        judge=None if judge is None else mapper.choose_model(judge),
        rubric=rubric,
    )
    manner = Manner(
        quiet=quiet,
        fresh=fresh,
        sample=sample,
        max_concurrency=max_concurrency,
        requests_per_minute=requests_per_minute,
        client=client,
    )
    run = TrialRun(mapper, rows, asked, chosen, wish, _(TABLE), manner)
    if dry_run:
        return run.preview()
    outcome = run.run(_(KEPT))
    if outcome.failure is not None:
        raise outcome.failure
    return outcome.trial


def _chosen(mapper: Mapper, models: str | Sequence[str]) -> list[str]:
    """Return the models to try, one at least. Raises `OptionError`."""
    chosen = mapper.choose_models([models] if isinstance(models, str) else [*models])
    if not chosen:
        raise OptionError(
            _("A trial needs models."),
            _('For example: models=["gpt-4o-mini", "gpt-4o"]'),
        )
    return chosen
