"""What a trial would send, and what that may cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from ..display.table import Table
from ..language import _, ngettext, pgettext
from ..table.preview import Tally
from ..table.requests import TablePrompt
from ..usage.ledger import Figure, ModelUsage
from ..usage.prices import INSTALL_EXTRA, estimate
from ..words import clauses
from .leaderboard import dollars

_LIMITS = ("max_tokens", "max_completion_tokens")


def preview(title: str, tallies: Sequence[tuple[TablePrompt, Tally]], judge: str | None) -> Table:
    """Return three prompts, and what the rows come to for each model; several tallies of one are summed."""
    prompts = tallies[0][1].shown
    lines = [(asked.model, _in_words(asked, tally)) for asked, tally in _by_model(tallies)]
    notes = [
        ngettext(
            "{count} request to send; tokens of the text, estimated from its characters",
            "{count} requests to send; tokens of the text, estimated from its characters",
            sum(tally.asked for _asked, tally in tallies),
        )
    ]
    if judge is not None:
        notes.append(
            _(
                "{judge} then judges each answer that it has not judged before, which is not in this",
                judge=judge,
            )
        )
    if estimate(()) is None:
        notes.append(_("with {extra} there is an estimate of the cost", extra=INSTALL_EXTRA))
    return Table(title, (), (*prompts, *lines), clauses(notes))


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
        ngettext("{count} request", "{count} requests", tally.asked),
        _("{number:,} answered before", number=tally.known) if tally.known else "",
        _("{number:,} like another row", number=tally.alike) if tally.alike else "",
        _("{number:,} whose prompt fails", number=tally.failing) if tally.failing else "",
        _("about {number:,} tokens", number=tally.tokens) if tally.asked else "",
        ngettext("without {count} image", "without {count} images", tally.images) if tally.images else "",
        _costs(asked, tally),
    ]
    return pgettext("between two parts of a sentence", ", ").join(filter(None, said))


def _costs(asked: TablePrompt, tally: Tally) -> str:
    """Return what the prompts cost, and the answers at most, where their length has a limit."""
    sent = _price(asked.model, tally.asked, tally.tokens, 0)
    if sent is None or not tally.asked:
        return ""
    limit = next((value for name in _LIMITS if isinstance(value := asked.params.get(name), int)), None)
    if limit is None:
        return _("{cost} for the prompts alone", cost=dollars(sent))
    most = _price(asked.model, tally.asked, tally.tokens, limit * tally.asked)
    return _(
        "{cost} for the prompts, {most} with the longest answers", cost=dollars(sent), most=dollars(most)
    )


def _price(model: str, requests: int, sent: int, came: int) -> Decimal | None:
    used = ModelUsage(model, requests=max(1, requests), input=Figure(sent), output=Figure(came))
    estimated = estimate([used])
    return None if estimated is None else estimated.usd.get(model)
