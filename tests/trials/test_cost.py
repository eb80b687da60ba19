"""What answers cost, where gateways report their tokens, some of them, or none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from metask_magic.chat.reply import Reply
from metask_magic.messages.events import Usage
from metask_magic.trials.cost import cost_of

WHOLE = Usage(1_000, 100, 1_100)
PRICE = Decimal("0.15") / 1000 + Decimal("0.6") / 10_000  # of gpt-4o-mini for one such reply, by list


@pytest.mark.parametrize(
    ("usages", "tokens", "reported", "per_1000"),
    [
        ([WHOLE] * 4, "4,400", 4, PRICE * 1000),
        ([WHOLE, None, None], "1,100 + ?", 1, PRICE * 1000),
        ([WHOLE, Usage(1_000, None, None)], "2,100 + ?", 1, PRICE * 1000),
        ([None], "?", 0, None),
        ([], "0", 0, None),
    ],
)
def test_what_is_not_reported_is_not_priced(
    usages: list[Usage | None], tokens: str, reported: int, per_1000: Decimal | None
) -> None:
    replies = [Reply("x", "gpt-4o-mini", "stop", usage=usage) for usage in usages]
    cost = cost_of("gpt-4o-mini", replies)
    assert (str(cost.tokens), cost.replies, cost.reported) == (tokens, len(usages), reported)
    assert cost.usd_per_1000 == per_1000
    assert cost.is_least is (reported < len(usages))


def test_a_model_without_a_price() -> None:
    cost = cost_of("nobody/knows", [Reply("x", "nobody/knows", "stop", usage=WHOLE)])
    assert (cost.usd, cost.usd_per_1000) == (None, None)
    assert cost.source is not None
