"""`%metask usage` as a value: its figures, its notes, its data frame."""

from __future__ import annotations

import sys
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from metask_magic.errors import MetaskError, OptionError
from metask_magic.notebook import usage
from metask_magic.notebook.usage import UsageReport, summarize
from metask_magic.usage.ledger import Figure, Ledger, ModelUsage
from metask_magic.usage.prices import Estimate

PLAIN = ModelUsage(
    "gpt-4o", 2, input=Figure(1204), cached=Figure(300), output=Figure(96), reasoning=Figure(0), seconds=2.5
)
PARTLY = ModelUsage(
    "m\x1b[31m",
    3,
    failed=1,
    interrupted=1,
    unreported=2,
    input=Figure(10, 2),
    cached=Figure(0, 3),
    output=Figure(5, 2),
    reasoning=Figure(0, 3),
    seconds=9.04,
)


OTHER = replace(PLAIN, model="o1")


def made(*rows: ModelUsage, prices: dict[str, str] | None = None, budget: int | None = None) -> UsageReport:
    usd = None if prices is None else {model: Decimal(cost) for model, cost in prices.items()}
    total = sum(rows, ModelUsage(""))
    return UsageReport(rows, total, None if usd is None else Estimate("lists 1.0", usd), budget)


def lines(report: UsageReport) -> list[list[str]]:
    """The cells of the table, as far as blanks can tell."""
    table = str(report).split("\n\n")[0].splitlines()[1:]
    return [line.replace(" + ?", "+?").split() for line in table]


def test_one_model() -> None:
    assert lines(made(PLAIN)) == [
        ["model", "requests", "input", "cached", "output", "reasoning", "seconds"],
        ["gpt-4o", "2", "1,204", "300", "96", "0", "2.5"],
    ]


def test_several_models_have_a_total_and_unknown_stays_unknown() -> None:
    assert lines(made(PLAIN, PARTLY))[1:] == [
        ["gpt-4o", "2", "1,204", "300", "96", "0", "2.5"],
        ["m", "3", "1", "failed,", "1", "interrupted", "10+?", "?", "5+?", "?", "9.0"],
        ["total", "5", "1", "failed,", "1", "interrupted", "1,214+?", "300+?", "101+?", "?", "11.5"],
    ]


@pytest.mark.parametrize(
    ("rows", "prices", "costs"),
    [
        ((PLAIN,), {"gpt-4o": "1.5"}, ["cost", "$1.5000"]),
        ((PLAIN,), {"gpt-4o": "0.00001"}, ["cost", "$0.0001"]),
        ((PLAIN,), {}, ["cost", "2.5"]),
        ((PLAIN, PARTLY), {"gpt-4o": "1234.5"}, ["cost", "$1,234.5000", "9.0", "$1,234.5000+?"]),
        ((PARTLY,), {PARTLY.model: "0.5"}, ["cost", "$0.5000+?"]),
        ((PLAIN, OTHER), {"gpt-4o": "1", "o1": "2"}, ["cost", "$1.0000", "$2.0000", "$3.0000"]),
        ((PLAIN, OTHER), {"gpt-4o": "1"}, ["cost", "$1.0000", "2.5", "$1.0000+?"]),
        ((PARTLY,), {PARTLY.model: "0"}, ["cost", "?"]),
    ],
)
def test_costs(rows: tuple[ModelUsage, ...], prices: dict[str, str], costs: list[str]) -> None:
    assert [cells[-1] for cells in lines(made(*rows, prices=prices))] == costs


@pytest.mark.parametrize(
    ("report", "said", "not_said"),
    [
        (made(PLAIN), ['`pip install "metask-magic[prices]"`'], ["est. cost", "A ? stands", "unreported"]),
        (made(PARTLY), ["A ? stands for tokens that the gateway did not report."], ["est. cost"]),
        (
            made(PLAIN, prices={"gpt-4o": "1"}),
            ["estimated from public list prices by lists 1.0; the gateway's prices may differ."],
            ["No list has a price", "pip install"],
        ),
        (made(PLAIN, prices={}), ["No list has a price where none stands."], []),
    ],
)
def test_notes(report: UsageReport, said: list[str], not_said: list[str]) -> None:
    bundle = report._repr_mimebundle_(include=None, exclude=None)
    page = bundle["text/html"].replace("&quot;", '"').replace("&#x27;", "'").replace("&nbsp;", " ")
    for shown in (bundle["text/plain"], page):
        assert [text for text in said if text not in shown] == []
        assert [text for text in not_said if text in shown] == []


@pytest.mark.parametrize(
    ("total", "budget", "line"),
    [
        (ModelUsage(""), None, "0 requests, 0 tokens"),
        (ModelUsage("", 1, input=Figure(3)), None, "1 request, 3 tokens"),
        (PLAIN, 10_000, "2 requests, 1,300 tokens of a budget of 10,000"),
        (PARTLY, None, "3 requests, at least 15 tokens"),
    ],
)
def test_the_line_of_the_status_card(total: ModelUsage, budget: int | None, line: str) -> None:
    assert summarize(total, budget) == line


def test_nothing_asked() -> None:
    report = usage.report(Ledger())
    assert report._repr_mimebundle_() == {"text/plain": "Nothing has been asked in this session."}
    assert repr(report) == "Nothing has been asked in this session."


def test_reset_says_what_it_forgets(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger()
    ledger.add(PLAIN)
    assert usage.run(ledger, "--reset") is None
    assert capsys.readouterr().out == "The count starts over; it was at 2 requests, 1,300 tokens.\n"
    assert ledger.rows() == ()


def test_another_word_is_refused() -> None:
    with pytest.raises(OptionError, match=r"cannot read '--rest'\. It takes `--reset`"):
        usage.run(Ledger(), "--rest")


COLUMNS = {
    "model": ["gpt-4o", "m\x1b[31m"],
    "requests": [2, 3],
    "failed": [0, 1],
    "interrupted": [0, 1],
    "unreported": [0, 2],
    "seconds": [2.5, 9.04],
    "input_tokens": [1204, 10],
    "input_unreported": [0, 2],
    "cached_tokens": [300, None],
    "cached_unreported": [0, 3],
    "output_tokens": [96, 5],
    "output_unreported": [0, 2],
    "reasoning_tokens": [0, None],
    "reasoning_unreported": [0, 3],
    "estimated_usd": [0.5, None],
}


def absent(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize(("missing", "library"), [((), "pandas"), (("pandas",), "polars")])
def test_a_data_frame(monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], library: str) -> None:
    absent(monkeypatch, *missing)
    frame = made(PLAIN, PARTLY, prices={"gpt-4o": "0.5"}).to_dataframe()
    assert type(frame).__module__.partition(".")[0] == library
    assert list(frame.columns) == list(COLUMNS)
    for name, column in COLUMNS.items():
        found = [None if value != value else value for value in frame[name].to_list()]  # NaN is not itself
        assert found == column


def test_no_library_for_data_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    absent(monkeypatch, "pandas", "polars")
    with pytest.raises(MetaskError, match=r"Neither pandas nor polars.*`pip install pandas`"):
        made(PLAIN).to_dataframe()


def test_without_the_extra_no_cost_is_in_the_frame() -> None:
    frame: Any = made(PLAIN).to_dataframe()
    assert "estimated_usd" not in frame.columns


@pytest.mark.parametrize(
    ("used", "told"),
    [
        (replace(PLAIN, failed=1), "1 failed"),
        (replace(PLAIN, interrupted=1), "1 interrupted"),
        (replace(PLAIN, failed=1, interrupted=1), "1 failed, 1 interrupted"),
    ],
)
def test_what_failed_or_was_interrupted_is_counted(used: ModelUsage, told: str) -> None:
    assert f" {told} " in str(made(used))
