"""How the answers of a trial are to be checked, as the user says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import OptionError
from ..language import N_, _
from ..words import did_you_mean, nearest
from .judge import NAME as JUDGE
from .judge import RUBRIC


@dataclass(frozen=True, slots=True)
class CheckWish:
    """One of a column, a function and a judge; or none of them.

    Attributes
    ----------
    column
        The one with what is expected.
    tolerance
        How far a number may be from it.
    function, name
        From a row and a reply to a truth value or a number, and what it is called.
    judge, rubric, rubric_name
        The model that grades, what it is given, and what that is called.

    """

    column: str | None = None
    tolerance: float | None = None
    function: Callable[..., Any] | None = None
    name: str = ""
    judge: str | None = None
    rubric: Any = None
    rubric_name: str = RUBRIC

    @property
    def is_none(self) -> bool:
        """Whether the models are only compared with each other."""
        return self.column is None and self.function is None and self.judge is None

    @classmethod
    def of(
        cls,
        check: str | Callable[..., Any] | None,
        columns: Sequence[Any],
        table: str,
        *,
        functions: Callable[[str], Any] = lambda _name: None,
        known: Sequence[str] = (),
        tolerance: float | None = None,
        judge: str | None = None,
        rubric: Any = None,
        rubric_name: str = RUBRIC,
    ) -> CheckWish:
        """Return what is meant by `check`: a column, a function, the name of one, `judge`, or None.

        `functions` finds a function by its name, None where there is none; `known` are names to offer.

        Raises
        ------
        OptionError
            It is nothing of these, or may be two of them; or something is missing or means nothing.

        """
        if check == JUDGE and judge is not None:
            _refuse_tolerance(tolerance)
            if rubric is None:
                raise OptionError(
                    _("A judge needs a rubric."), _("Give it with --rubric NAME (or rubric=): a text.")
                )
            return cls(judge=judge, rubric=rubric, rubric_name=rubric_name)
        if judge is not None or rubric is not None:
            what = "--judge" if judge is not None else "--rubric"
            raise OptionError(_("{option} goes with a check by a judge.", option=what), _(_BY_JUDGE))
        if check is None:
            _refuse_tolerance(tolerance)
            return cls()
        if not isinstance(check, str):
            name = getattr(check, "__name__", "the check")  # English: trials are compared by it
            return _by_function(check, name, tolerance)
        return _by_name(check, columns, table, functions(check), known, tolerance)


_BY_JUDGE = N_(
    'Write --check judge --judge MODEL --rubric NAME; in a call check="judge", judge= and rubric=.'
)


def _by_name(
    name: str,
    columns: Sequence[Any],
    table: str,
    function: Any,
    known: Sequence[str],
    tolerance: float | None,
) -> CheckWish:
    if name in columns:
        if function is not None:
            raise OptionError(
                _("{name} is a column of {table} and a function too.", name=name, table=table),
                _("Rename one of them: it may mean either."),
            )
        if tolerance is not None and not tolerance >= 0:
            raise OptionError(
                _("A tolerance of {tolerance} is none.", tolerance=tolerance), _("Give a number from 0 on.")
            )
        return CheckWish(column=name, tolerance=tolerance)
    if function is not None:
        return _by_function(function, name, tolerance)
    if name == JUDGE:
        raise OptionError(_("The check by a judge needs a model."), _(_BY_JUDGE))
    near = did_you_mean(nearest(name, [*map(str, columns), *known]))
    raise OptionError(
        _("The check {name} is neither a column of {table} nor a function.", name=name, table=table),
        near or _("Name the column with the expected values, or a function of a row and a reply."),
    )


def _by_function(function: Any, name: str, tolerance: float | None) -> CheckWish:
    _refuse_tolerance(tolerance)
    if not callable(function):
        raise OptionError(
            _("The check is a {type}.", type=type(function).__name__),
            _("Give the name of a column, or a function."),
        )
    return CheckWish(function=function, name=name)


def _refuse_tolerance(tolerance: float | None) -> None:
    if tolerance is not None:
        raise OptionError(
            _("A tolerance goes with a column of expected numbers."), _("Leave the tolerance out.")
        )
