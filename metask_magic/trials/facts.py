"""What was tried, and how: what a trial is read by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .judge import JudgeUse


@dataclass(frozen=True, slots=True)
class Facts:
    """What was tried, and how.

    Attributes
    ----------
    table
        What the user calls the table.
    models
        In the order they were named.
    check
        The name of the check; `agreement` without one.
    samples
        How many answers each row should have from each model.
    prompt, system
        The templates.
    fields
        Of the schema; empty without one.
    endings
        Why a model was asked about no more rows, by model.
    given_up
        Models that failed in every row at first.
    judge
        What judging took.

    """

    table: str
    models: tuple[str, ...]
    check: str
    samples: int = 1
    prompt: str = ""
    system: str = ""
    fields: tuple[str, ...] = ()
    endings: Mapping[str, str] = field(default_factory=dict)
    given_up: tuple[str, ...] = ()
    judge: JudgeUse | None = None
