"""What a trial would send, and what that may cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from ..display.table import Table
from ..table.preview import Tally
from ..table.requests import TablePrompt
from ..usage.ledger import Figure, ModelUsage
from ..usage.prices import INSTALL_EXTRA, estimate
from ..words import counted
from .leaderboard import dollars

_LIMITS = ("max_tokens", "max_completion_tokens")


def preview(title: str, tallies: Sequence[tuple[TablePrompt, Tally]], judge: str | None) -> Table:
    """Return three prompts, and what the rows come to for each model; several tallies of one are summed."""
    prompts = tallies[0][1].shown
    lines = [(asked.model, _in_words(asked, tally)) for asked, tally in _by_model(tallies)]
    requests = sum(tally.asked for _, tally in tallies)
    notes = [f"{counted(requests, 'request')} to send; tokens of the text, estimated from its characters"]
    if judge is not None:
        notes.append(f"{judge} then judges each answer that it has not judged before, which is not in this")
    if estimate(()) is None:
        notes.append(f"with {INSTALL_EXTRA} there is an estimate of the cost")
    return Table(title, (), (*prompts, *lines), "; ".join(notes))


def _by_model(tallies: Sequence[tuple[TablePrompt, Tally]]) -> list[tuple[TablePrompt, Tally]]:
    found: dict[str, tuple[TablePrompt, Tally]] = {}
    for asked, tally in tallies:
        known = found.get(asked.model)
        found[asked.model] = asked, tally if known is None else _sum(known[1], tally)
    return [*found.values()]


def _sum(one: Tally, other: Tally) -> Tally:
    names = ("asked", "alike", "known", "failing", "characters", "images")
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in names})


def _in_words(asked: TablePrompt, tally: Tally) -> str:
    said = [
        counted(tally.asked, "request"),
        f"{tally.known:,} answered before" if tally.known else "",
        f"{tally.alike:,} like another row" if tally.alike else "",
        f"{tally.failing:,} whose prompt fails" if tally.failing else "",
        f"about {tally.tokens:,} tokens" if tally.asked else "",
        f"without {counted(tally.images, 'image')}" if tally.images else "",
        _costs(asked, tally),
    ]
    return ", ".join(filter(None, said))


def _costs(asked: TablePrompt, tally: Tally) -> str:
    """Return what the prompts cost, and the answers at most, where their length has a limit."""
    sent = _price(asked.model, tally.asked, tally.tokens, 0)
    if sent is None or not tally.asked:
        return ""
    limit = next((value for name in _LIMITS if isinstance(value := asked.params.get(name), int)), None)
    if limit is None:
        return f"{dollars(sent)} for the prompts alone"
    most = _price(asked.model, tally.asked, tally.tokens, limit * tally.asked)
    return f"{dollars(sent)} for the prompts, {dollars(most)} with the longest answers"


def _price(model: str, requests: int, sent: int, came: int) -> Decimal | None:
    used = ModelUsage(model, requests=max(1, requests), input=Figure(sent), output=Figure(came))
    estimated = estimate([used])
    return None if estimated is None else estimated.usd.get(model)
