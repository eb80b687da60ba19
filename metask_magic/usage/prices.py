"""Prices: what the tokens may have cost, estimated from public lists that the library brings along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .ledger import ModelUsage

INSTALL_EXTRA = '`pip install "metask-magic[prices]"`'  # English: a command


@dataclass(frozen=True, slots=True)
class Estimate:
    """US dollars by model as requested, where a list price is known; `source` is the library and its version.

    What was not reported costs nothing here, and input is dear where it was not reported as cached.
    """

    source: str
    usd: Mapping[str, Decimal]


def estimate(slices: Sequence[ModelUsage]) -> Estimate | None:
    """Estimate the cost of requests, slice by slice (`Ledger.slices`); None without the extra `prices`."""
    try:
        import genai_prices
    except ImportError:
        return None
    usd: dict[str, Decimal] = {}
    unpriced: set[str] = set()
    for part in slices:
        try:
            usd[part.model] = usd.get(part.model, Decimal(0)) + _price(part)
        except (LookupError, ValueError):  # no list has this model; more tokens cached than there were
            unpriced.add(part.model)
    priced = {model: cost for model, cost in usd.items() if model not in unpriced}
    return Estimate(f"genai-prices {genai_prices.__version__}", priced)


def _price(part: ModelUsage) -> Decimal:
    """The price of an average request times their number: one as long as their sum may cost another rate."""
    from genai_prices import Usage, calc_price

    input_, cached, output = (
        Decimal(figure.known) / part.requests for figure in (part.input, part.cached, part.output)
    )
    usage = Usage(input_tokens=input_, cache_read_tokens=cached, output_tokens=output)
    return calc_price(usage, model_ref=part.model).total_price * part.requests
