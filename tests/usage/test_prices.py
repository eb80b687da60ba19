"""Prices: an estimate where a list has one, and nothing invented where none has."""

from __future__ import annotations

import socket
import sys
from decimal import Decimal

import genai_prices
import pytest

from metask_magic.usage.ledger import Figure, Ledger, ModelUsage
from metask_magic.usage.prices import estimate


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a price must not be fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def used(model: str, input_: int = 0, output: int = 0, cached: int = 0) -> ModelUsage:
    return ModelUsage(model, 1, input=Figure(input_), output=Figure(output), cached=Figure(cached))


def dollars(*requests: ModelUsage) -> dict[str, Decimal]:
    ledger = Ledger()
    for request in requests:
        ledger.add(request)
    found = estimate(ledger.slices())
    assert found is not None
    return {model: round(cost, 12) for model, cost in found.usd.items()}


def listed(model: str, **tokens: int) -> Decimal:
    return genai_prices.calc_price(genai_prices.Usage(**tokens), model_ref=model).total_price


MODELS = ["gpt-4o-mini", "claude-3-5-sonnet-20241022", "gemini-1.5-pro", "gemini-2.0-flash"]


@pytest.mark.parametrize("model", MODELS)
def test_a_request_costs_what_the_list_says(model: str) -> None:
    expected = listed(model, input_tokens=1204, cache_read_tokens=300, output_tokens=310)
    assert dollars(used(model, 1204, 310, 300)) == {model: expected}
    assert expected > 0


def test_cached_tokens_are_cheaper() -> None:
    assert dollars(used("gpt-4o", 1000, 10, 900))["gpt-4o"] < dollars(used("gpt-4o", 1000, 10))["gpt-4o"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("lengths", [[100_000] * 10, [300, 5000, 300_000, 7], [128_000, 128_001]])
def test_each_request_pays_the_rate_of_its_own_length(model: str, lengths: list[int]) -> None:
    expected = sum(listed(model, input_tokens=length, output_tokens=50) for length in lengths)
    assert dollars(*(used(model, length, 50) for length in lengths)) == {model: expected}


def test_a_sum_would_have_paid_another_rate() -> None:
    assert listed("gemini-1.5-pro", input_tokens=1_000_000) > 10 * listed(
        "gemini-1.5-pro", input_tokens=100_000
    )


@pytest.mark.parametrize("model", ["local", "gpt-99", "qwen-unheard-of", "vendor/x"])
def test_no_price_is_made_up(model: str) -> None:
    assert dollars(used(model, 10, 10), used("gpt-4o", 10, 10)).keys() == {"gpt-4o"}


def test_nonsense_has_no_price() -> None:
    assert dollars(used("gpt-4o", 10, 10), used("gpt-4o", 2000, 10, 3000)) == {}


def test_the_source_is_named() -> None:
    found = estimate(())
    assert found is not None
    assert found.source == f"genai-prices {genai_prices.__version__}"


def test_without_the_library_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert estimate([used("gpt-4o", 10, 10)]) is None
