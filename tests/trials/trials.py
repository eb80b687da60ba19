"""Trials made by hand: what a model said of each row, and how that was graded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metask_magic.chat.reply import Reply
from metask_magic.messages.events import Usage
from metask_magic.table.rows import RecordRows
from metask_magic.trials.answer import Answer, Grade, Outcome
from metask_magic.trials.facts import Facts
from metask_magic.trials.trial import Trial


def reply(text: str, model: str = "a", **facts: Any) -> Reply:
    return Reply(text, model, "stop", model=model, usage=Usage(100, 20, 120), elapsed=0.5, **facts)


def answer(
    row: int,
    model: str,
    text: str = "yes",
    score: float | None = None,
    *,
    sample: int = 1,
    outcome: Outcome = "answered",
    error: str | None = None,
    **grade: Any,
) -> Answer:
    came = outcome == "answered"
    return Answer(
        row,
        model,
        sample,
        outcome,
        reply(text, model) if came else None,
        {"reply": text} if came else {},
        error,
        Grade(score, **grade),
    )


def trial(
    scores: Mapping[str, Sequence[float | None]],
    rows: Sequence[Mapping[str, Any]] | None = None,
    **facts: Any,
) -> Trial:
    """A trial in which each model has these scores, a row each; what it said is its score."""
    length = max(map(len, scores.values()))
    answers = [
        answer(row, model, f"{score}", score)
        if score is not None
        else answer(row, model, outcome="failed", error="The gateway failed.")
        for model, own in scores.items()
        for row, score in enumerate(own)
    ]
    table = RecordRows(rows or [{"n": number} for number in range(length)], "rows")
    return Trial(table, answers, Facts("rows", tuple(scores), facts.pop("check", "expected"), **facts))
