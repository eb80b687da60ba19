"""`%metask usage`: what this session has used, as a value that shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..display.usage_chart import Bar, UsageChart
from ..errors import MetaskError, OptionError
from ..language import N_, _, ngettext, pgettext
from ..usage.ledger import Figure, Ledger, ModelUsage
from ..usage.prices import INSTALL_EXTRA, Estimate, estimate
from ..words import listed, plain, sentences

RESET = "--reset"

_FIGURES = (N_("input"), N_("cached"), N_("output"), N_("reasoning"))
_SMALLEST_SHOWN = Decimal("0.0001")


@dataclass(frozen=True, repr=False)
class UsageReport:
    """What the session's requests used.

    In a notebook it shows a table with a bar for each model.

    Attributes
    ----------
    rows
        One sum per model, by the name it was asked by.
    total
        The sum of all.
    estimate
        What it may have cost; None without the extra `prices`.
    budget
        `Metask.budget_tokens` when the report was made.

    """

    rows: tuple[ModelUsage, ...]
    total: ModelUsage
    estimate: Estimate | None = None
    budget: int | None = None

    def __str__(self) -> str:
        return str(self._chart()) if self.rows else _(_NOTHING)

    __repr__ = __str__

    def _repr_mimebundle_(self, **_asked: Any) -> dict[str, str]:
        return self._chart()._repr_mimebundle_() if self.rows else {"text/plain": _(_NOTHING)}

    def to_dataframe(self) -> Any:
        """Return the rows as a DataFrame of pandas, or of polars where pandas is not installed.

        Tokens are sums of what was reported, None where nothing was; `…_unreported` is the number of
        requests that used more than that. `estimated_usd` is there with the extra `prices`.

        Raises
        ------
        MetaskError
            Neither library is installed.

        """
        columns = self._columns()
        try:
            import pandas
        except ImportError:
            return _to_polars(columns)
        return pandas.DataFrame(columns)

    def _columns(self) -> dict[str, list[Any]]:
        plain_names = ("model", "requests", "failed", "interrupted", "unreported", "seconds")
        columns: dict[str, list[Any]] = {
            name: [getattr(row, name) for row in self.rows] for name in plain_names
        }
        for name in _FIGURES:
            figures: list[Figure] = [getattr(row, name) for row in self.rows]
            columns[f"{name}_tokens"] = [None if f.missing and not f.known else f.known for f in figures]
            columns[f"{name}_unreported"] = [f.missing for f in figures]
        if self.estimate is not None:
            usd = self.estimate.usd
            columns["estimated_usd"] = [
                float(usd[row.model]) if row.model in usd else None for row in self.rows
            ]
        return columns

    # -- drawing --------------------------------------------------------------------------------------

    def _chart(self) -> UsageChart:
        endings = (_("ended early"),) if self.total.failed or self.total.interrupted else ()
        costs = (_("est. cost"),) if self.estimate is not None else ()
        return UsageChart(
            summarize(self.total, self.budget),
            (_("model"), _("requests"), *endings, *map(_, _FIGURES), _("seconds"), *costs),
            tuple(self._cells(plain(row.model), row) for row in self.rows),
            tuple(_bar(row) for row in self.rows),
            self._cells(_("total"), self.total) if len(self.rows) > 1 else (),
            tuple(self._notes()),
        )

    def _cells(self, name: str, used: ModelUsage) -> tuple[str, ...]:
        endings = (_endings(used),) if self.total.failed or self.total.interrupted else ()
        figures = (str(getattr(used, figure)) for figure in _FIGURES)
        costs = () if self.estimate is None else (self._cost(used, self.estimate),)
        return (name, f"{used.requests:,}", *endings, *figures, f"{used.seconds:,.1f}", *costs)

    def _cost(self, used: ModelUsage, estimated: Estimate) -> str:
        """The cost of a row, or of the total; empty where no list price is known."""
        if used is not self.total:
            cost = estimated.usd.get(used.model)
            return "" if cost is None else _dollars(cost, at_least=used.unreported > 0)
        incomplete = used.unreported > 0 or any(row.model not in estimated.usd for row in self.rows)
        return _dollars(sum(estimated.usd.values(), Decimal(0)), incomplete) if estimated.usd else ""

    def _notes(self) -> list[str]:
        notes = []
        if any(getattr(self.total, name).missing for name in _FIGURES):
            notes.append(_("A ? stands for tokens that the gateway did not report."))
        if self.estimate is None:
            notes.append(_("With {install} there is an estimate of the cost.", install=INSTALL_EXTRA))
        else:
            whole = all(row.model in self.estimate.usd for row in self.rows)
            estimated = _(
                "The cost in US dollars is estimated from public list prices by {source}; the gateway's "
                "prices may differ.",
                source=self.estimate.source,
            )
            notes.append(sentences(estimated, "" if whole else _("No list has a price where none stands.")))
        return notes


_NOTHING = N_("Nothing has been asked in this session.")


def report(ledger: Ledger, budget: int | None = None) -> UsageReport:
    """Return what the ledger says now."""
    return UsageReport(ledger.rows(), ledger.total(), estimate(ledger.slices()), budget)


def run(ledger: Ledger, words: str, budget: int | None = None) -> UsageReport | None:
    """Do what stands after `%metask usage`: nothing shows the report, `--reset` starts over.

    Raises
    ------
    OptionError
        It is something else.

    """
    if not words:
        return report(ledger, budget)
    if words != RESET:
        raise OptionError(
            _("`%metask usage` cannot read {words!r}.", words=words),
            _("It takes `{option}`, or nothing.", option=RESET),
        )
    forgotten = summarize(ledger.total())
    ledger.reset()
    print(_("The count starts over; it was at {total}.", total=forgotten))
    return None


def summarize(total: ModelUsage, budget: int | None = None) -> str:
    """Return the total in a line: `12 requests, at least 1,204 tokens of a budget of 10,000`."""
    requests, tokens = total.requests, total.tokens
    if total.unreported:
        said = ngettext(
            "{count} request, at least {tokens:,} tokens",
            "{count} requests, at least {tokens:,} tokens",
            requests,
            tokens=tokens,
        )
    else:
        said = ngettext(
            "{count} request, {tokens:,} tokens",
            "{count} requests, {tokens:,} tokens",
            requests,
            tokens=tokens,
        )
    return _("{used} of a budget of {budget:,}", used=said, budget=budget) if budget else said


def _endings(used: ModelUsage) -> str:
    failed = pgettext("of requests", "{number:,} failed", number=used.failed)
    interrupted = pgettext("of requests", "{number:,} interrupted", number=used.interrupted)
    counted = ((used.failed, failed), (used.interrupted, interrupted))
    return listed(said for number, said in counted if number)


def _bar(row: ModelUsage) -> Bar:
    return Bar(row.input.known, row.cached.known, row.output.known, open_end=row.unreported > 0)


def _dollars(cost: Decimal, at_least: bool) -> str:
    shown = f"< ${_SMALLEST_SHOWN}" if 0 < cost < _SMALLEST_SHOWN else f"${cost:,.4f}"
    if not at_least:
        return shown
    return f"{shown} + ?" if cost else "?"


def _to_polars(columns: dict[str, list[Any]]) -> Any:
    try:
        import polars
    except ImportError:
        raise MetaskError(
            _("Neither pandas nor polars is installed."),
            _("`pip install pandas`, or use the report's `rows`."),
        ) from None
    return polars.DataFrame(columns)
