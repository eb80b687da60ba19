"""`%metask usage` and the budget, through a real kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ..gateway_server import CUT, STALL, GatewayServer, Streamed, server_error
from ..kernel import Kernel, published
from .conftest import value

NOTEBOOK = {"cellId": "a-cell"}
FIGURES = "(r.total.requests, r.total.failed, r.total.interrupted, r.total.unreported, r.total.tokens)"


@pytest.fixture
def counting(asking: Kernel) -> Iterator[Kernel]:
    """A kernel whose count has just started, and that has no budget afterwards."""
    asking.run("%metask usage --reset")
    yield asking
    asking.run("%config Metask.budget_tokens = None")


def figures(kernel: Kernel) -> str:
    kernel.run("r = %metask usage")
    return value(kernel, FIGURES)


def test_the_report(counting: Kernel, gateway: GatewayServer) -> None:
    told = {"prompt_tokens": 1204, "completion_tokens": 96, "total_tokens": 1300}
    gateway.script(Streamed("Hi", usage=told), Streamed("Hi"), Streamed("Hi", usage=None))
    for model in ("gpt-4o", "gpt-4o-mini", "gpt-4o-mini"):
        counting.run(f"%%metask {model}\nHi", metadata=NOTEBOOK)
    (output,) = counting.run("%metask usage", metadata=NOTEBOOK).displays
    shown = output["data"]["text/plain"]
    assert shown.splitlines()[0] == "3 requests, at least 1,318 tokens"
    assert "1,204" in shown
    assert "11 + ?" in shown
    assert "estimated from public list prices by genai-prices" in shown
    assert output["data"]["text/html"].count("<svg role") == 2
    assert value(counting, "[(m.model, m.requests) for m in _.rows]") == (
        "[('gpt-4o', 1), ('gpt-4o-mini', 2)]"
    )
    assert sum(sent["total_tokens"] for sent in gateway.usage_sent) == 1318


@pytest.mark.parametrize(
    ("cell", "counted"),
    [
        ("%%metask gpt-4o\nHi", "(1, 0, 0, 0, 18)"),
        ("%%metask gpt-4o --no-stream\nHi", "(1, 0, 0, 0, 18)"),
        ("%%metask gpt-4o --dry-run\nHi", "(0, 0, 0, 0, 0)"),
        ("%%metask gpt-4o\n{{ nothing_of_this_name }}", "(0, 0, 0, 0, 0)"),
        ("%%metask gpt-99\nHi", "(1, 1, 0, 0, 0)"),
        ("%metask models", "(0, 0, 0, 0, 0)"),
    ],
)
def test_what_is_counted(counting: Kernel, cell: str, counted: str) -> None:
    counting.run(cell)
    assert figures(counting) == counted


def test_faults_are_counted_once(counting: Kernel, gateway: GatewayServer) -> None:
    gateway.script(server_error(), Streamed("Hi"), Streamed(["Hi", CUT]))
    counting.run("%%metask gpt-4o\nHi")
    counting.run("%%metask gpt-4o\nHi")
    assert figures(counting) == "(2, 1, 0, 1, 18)"


def test_an_interrupted_cell_is_counted(counting: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["so far", STALL]))
    cell = counting.start_run("%%metask gpt-4o\nHi", metadata=NOTEBOOK)
    cell.wait_for(published("comm_msg", containing="so far"))
    counting.interrupt()
    cell.finish()
    assert figures(counting) == "(1, 0, 1, 1, 0)"


def test_the_count_starts_over(counting: Kernel) -> None:
    counting.run("%%metask gpt-4o\nHi")
    said = counting.run("%metask usage --reset").text()
    assert said == "The count starts over; it was at 1 request, 18 tokens.\n"
    (output,) = counting.run("%metask usage").displays
    assert output["data"] == {"text/plain": "Nothing has been asked in this session."}


def test_past_the_budget_nothing_is_sent(counting: Kernel, gateway: GatewayServer) -> None:
    counting.run("%config Metask.budget_tokens = 18")
    assert counting.run("%%metask gpt-4o\nHi").error is None
    error = counting.run("%%metask gpt-4o\nHi").error or {}
    assert error["ename"] == "BudgetError"
    assert "has used 18 of its 18 tokens (Metask.budget_tokens)." in error["evalue"]
    assert len(gateway.chats) == 1
    counting.run("%metask usage --reset")
    assert counting.run("%%metask gpt-4o\nHi").error is None
    counting.run("%config Metask.budget_tokens = 19")
    assert counting.run("%%metask gpt-4o\nHi").error is None


def test_the_status_card_says_how_much(counting: Kernel) -> None:
    assert "tokens so far" not in counting.run("%metask").displays[0]["data"]["text/plain"]
    counting.run("%%metask gpt-4o\nHi")
    counting.run("%config Metask.budget_tokens = 1000")
    shown = counting.run("%metask").displays[0]["data"]["text/plain"]
    assert "tokens so far  1 request, 18 tokens of a budget of 1,000" in shown


def test_the_count_ends_with_the_extension(counting: Kernel) -> None:
    counting.run("%%metask gpt-4o\nHi")
    counting.run("%unload_ext metask_magic\n%load_ext metask_magic")
    assert figures(counting) == "(0, 0, 0, 0, 0)"


def test_the_local_model_counts(start_kernel: Callable[..., Kernel]) -> None:
    kernel = start_kernel(OPENAI_API_KEY="sk-made-up")
    kernel.run("%load_ext metask_magic\n")
    kernel.run("%%metask local --max-tokens 5\nHi", timeout=300)
    kernel.run("r = %metask usage")
    assert value(kernel, "[(m.model, m.requests, m.unreported, m.output.known) for m in r.rows]") == (
        "[('local', 1, 0, 5)]"
    )


def test_loading_imports_no_ledger_and_no_prices(fresh_kernel: Kernel) -> None:
    fresh_kernel.run("%load_ext metask_magic\nimport sys")
    named = "[m for m in sys.modules if 'genai_prices' in m or 'ledger' in m or 'pydantic' in m]"
    assert value(fresh_kernel, named) == "[]"
