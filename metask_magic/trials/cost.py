"""What answers used: their tokens as reported, and what these cost by public list prices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ..chat.reply import Reply
from ..usage.ledger import Figure, Ledger, ModelUsage
from ..usage.prices import estimate

THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Cost:
    """What a number of replies used.

    Attributes
    ----------
    replies, reported
        How many there are, and how many of them came with all their tokens.
    tokens
        Sent and received, as far as they were reported.
    usd
        What those cost by list prices that were reported; None where no price is known.
    source
        Where the prices are from; None without the extra `prices`.

    """

    replies: int
    reported: int
    tokens: Figure
    usd: Decimal | None
    source: str | None

    @property
    def usd_per_1000(self) -> Decimal | None:
        """US dollars for a thousand replies like those that were reported; rows that are alike are one."""
        return None if self.usd is None or not self.reported else self.usd / self.reported * THOUSAND

    @property
    def is_least(self) -> bool:
        """Whether more was used than was reported."""
        return self.reported < self.replies


def cost_of(model: str, replies: Iterable[Reply]) -> Cost:
    """Return what replies of a model used."""
    used = [_used(model, reply) for reply in replies]
    known = Ledger()
    for each in used:
        if not each.unreported:
            known.add(each)
    rest = (each for each in used if each.unreported)
    total, estimated = sum((*known.slices(), *rest), ModelUsage(model)), estimate(known.slices())
    return Cost(
        total.requests,
        total.requests - total.unreported,
        Figure(total.tokens, total.unreported),
        None if estimated is None else estimated.usd.get(model),
        None if estimated is None else estimated.source,
    )


def _used(model: str, reply: Reply) -> ModelUsage:
    usage = reply.usage
    sent, came, cached = (
        Figure(missing=1) if tokens is None or tokens < 0 else Figure(tokens)
        for tokens in (
            (None, None, None)
            if usage is None
            else (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens)
        )
    )
    unreported = int(bool(sent.missing or came.missing))
    return ModelUsage(model, requests=1, unreported=unreported, input=sent, cached=cached, output=came)
