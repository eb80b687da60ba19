"""A trial: what several models made of the same rows, and what that tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ..errors import MetaskError
from ..language import _, ngettext
from ..table.rows import Row, WholeRows
from ..words import nearest
from . import asserting, frames, notes, report, trial_file
from .answer import Answer
from .choosing import choose
from .columns import TrialColumns
from .disagreement import Disagreements, find_disagreements
from .facts import Facts
from .leaderboard import Leaderboard
from .standing import Standing, are_shares, stand


class Trial:
    """Several models' answers to the same rows, checked. In a notebook it shows its leaderboard.

    Attributes
    ----------
    facts
        What was tried, and how.
    answers
        Every answer with its grade, by row, then by model as they were named, then by sample.
    rows
        The rows of the table.

    """

    def __init__(self, table: WholeRows, answers: Sequence[Answer], facts: Facts) -> None:
        order = {model: at for at, model in enumerate(facts.models)}
        self.facts = facts
        self.answers = sorted(answers, key=lambda answer: (answer.row, order[answer.model], answer.sample))
        self.rows: list[Row] = [row for row in table if row is not None]
        self._table = table

    @property
    def models(self) -> tuple[str, ...]:
        """The models, in the order they were named."""
        return self.facts.models

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """Where each model stands, the best first."""
        compared = self.facts.check != notes.AGREEMENT  # who agrees most is not the best
        return tuple(stand(self.answers, self.models, self.facts.given_up, compared=compared))

    @property
    def leaderboard(self) -> Leaderboard:
        """The standings as a table with charts."""
        shares = are_shares(self.answers)
        return Leaderboard(
            self.title,
            notes.measure(self.facts, shares),
            self.standings,
            tuple(notes.all_notes(self, shares)),
        )

    @property
    def title(self) -> str:
        """What was tried, in a line."""
        return notes.title(self.facts, len(self.rows))

    @cached_property
    def table(self) -> Any:
        """A row for each row of the table and each model, in the table's own kind."""
        facts = self.facts
        columns = TrialColumns(self._table.columns, facts.fields, facts.table, samples=facts.samples)
        return columns.join(self._table, self.answers)

    def __getitem__(self, model: str) -> Standing:
        for standing in self.standings:
            if standing.model == model:
                return standing
        near = nearest(model, self.models)
        raise KeyError(
            _("{model} was not tried; {other} was", model=model, other=near[0])
            if near
            else _("{model} was not tried", model=model)
        )

    def __str__(self) -> str:
        return str(self.leaderboard)

    __repr__ = __str__

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return self.leaderboard._repr_mimebundle_()

    # -- what it tells --------------------------------------------------------------------------------

    def disagreements(self, n: int = 5) -> Disagreements:
        """Return the `n` rows on which the models differ most, their answers side by side.

        Those come first where the scores lie farthest apart, then those where most different things are said.
        """

        def join(rows: Sequence[int], columns: Mapping[str, Sequence[str]]) -> Any:
            return self._table.take(rows).join(columns)

        return find_disagreements(self.answers, self.rows, self.models, n, join)

    def best(
        self,
        *,
        score: float | None = None,
        cost: float | Literal["lowest"] | None = None,
        latency: float | Literal["lowest"] | None = None,
    ) -> str:
        """Return the name of the best model that meets all that is asked for.

        Parameters
        ----------
        score
            The least score it may have.
        cost
            The most that 1,000 rows may cost, in US dollars by list prices; or `"lowest"`, for the cheapest
            of those that meet the rest, instead of the one with the highest score.
        latency
            The most that the median reply may take, in seconds; or `"lowest"`.

        Raises
        ------
        MetaskError
            No model meets it, or a cost was asked for and no price is known.

        """
        return choose(self.standings, score=score, cost=cost, latency=latency)

    def pass_at(self, k: int, model: str) -> float:
        """Return the chance that at least one of `k` answers of a model to a row is right (pass@k).

        Raises
        ------
        MetaskError
            There are fewer answers to a row, or they are not right or wrong.

        """
        chances = self[model].pass_at_k
        if k not in chances:
            raise MetaskError(
                ngettext(
                    "pass@{k} needs {answers} to each row that are right or wrong, and there is {count}.",
                    "pass@{k} needs {answers} to each row that are right or wrong, and there are {count}.",
                    max(chances, default=1),
                    k=k,
                    answers=ngettext("{count} answer", "{count} answers", k),
                ),
                _("Ask with --sample {k} and a check that says right or wrong.", k=k),
            )
        return chances[k]

    # -- what becomes of it ---------------------------------------------------------------------------

    def to_pandas(self) -> Any:
        """Return `table` as a DataFrame of pandas. Raises `MetaskError` where it is not installed."""
        return frames.to_pandas(self.table)

    def to_polars(self) -> Any:
        """Return `table` as a DataFrame of Polars. Raises `MetaskError` where it is not installed."""
        return frames.to_polars(self.table)

    def to_arrow(self) -> Any:
        """Return `table` as a Table of PyArrow. Raises `MetaskError` where it is not installed."""
        return frames.to_arrow(self.table)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return `table` as a list of dicts."""
        return frames.to_dicts(self.table)

    def to_markdown(self, disagreements: int = 5) -> str:
        """Return a report for a pull request: the leaderboard, and so many rows on which models differ."""
        return report.to_markdown(self, disagreements)

    def save(self, path: str | Path) -> None:
        """Write it to a file of JSON Lines: a line of facts, then one for each row and each answer.

        Raises `MetaskError` where it cannot be written.
        """
        trial_file.save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Trial:
        """Read what `save` wrote; its `table` is a list of dicts.

        Raises `MetaskError` where there is no such file, or it is none of a trial.
        """
        return cls(*trial_file.load(Path(path)))

    # -- in a test ------------------------------------------------------------------------------------

    def assert_score(self, at_least: float, model: str | None = None) -> None:
        """Fail a test where the score of a model, or of any, is below a bound. Raises `AssertionError`."""
        asserting.assert_score(self, at_least, model)

    def assert_no_worse_than(self, other: Trial, model: str | None = None) -> None:
        """Fail a test where a model, or any of both trials, scores lower than in `other` by more than chance.

        The same rows are compared one by one; those with other values are others. One model on either side
        is compared whatever its name is. A row that had a score in `other` and has none now fails too.

        Raises
        ------
        AssertionError
            It is worse, or has rows without a score; the message says by how much, and on which rows.
        MetaskError
            The trials cannot be compared: they have no model or no row in common, or other checks.

        """
        asserting.assert_no_worse(self, other, model)
