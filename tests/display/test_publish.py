"""Where nobody watches, the record is all there is."""

from __future__ import annotations

from typing import Any

import pytest

from metask_magic.display.publish import PublishSink
from metask_magic.display.silent import SilentSink
from metask_magic.messages.events import Notice, ReasoningDelta, TextDelta
from metask_magic.messages.kinds import FinishReason
from metask_magic.messages.record import Record

TABLE = (
    "| model | first token | total | tokens | finish reason |\n"
    "| --- | --- | --- | --- | --- |\n"
    "| m | ? | ? | ? | stop |\n"
    "| m | ? | ? | ? | stop |"
)

Displayed = list[tuple[Any, dict[str, Any]]]


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> Displayed:
    calls: Displayed = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **options: calls.append((bundle, options)))
    return calls


def record(text: str, note: str = "") -> Record:
    return Record("m", text, "stop", note=note, metadata={"model": "m"})


@pytest.mark.parametrize(
    ("texts", "markdown", "metadata"),
    [
        (["a"], "a", {"model": "m"}),
        (["a", "b"], f"### m\n\na\n\n### m\n\nb\n\n{TABLE}", [{"model": "m"}, {"model": "m"}]),
        (
            ["", ""],
            f"### m\n\n*(nothing came)*\n\n### m\n\n*(nothing came)*\n\n{TABLE}",
            [{"model": "m"}] * 2,
        ),
        ([""], "", {"model": "m"}),
    ],
)
def test_published_once_at_the_end(
    displayed: Displayed, texts: list[str], markdown: str, metadata: object
) -> None:
    sink = PublishSink()
    sink.open(lambda _column: None)
    sink.show({0: [TextDelta("a"), ReasoningDelta("x")]})
    assert displayed == []
    sink.close([record(text) for text in texts])
    bundle = {"text/markdown": markdown, "text/plain": markdown}
    assert displayed == [(bundle, {"raw": True, "metadata": {"metask": metadata}, "display_id": None})]


@pytest.mark.parametrize("endings", [[], ["error"], ["interrupted"]])
def test_nothing_to_publish(displayed: Displayed, endings: list[FinishReason]) -> None:
    PublishSink().close([Record("m", "", ending) for ending in endings])
    assert displayed == []


def test_notes_are_said_and_notices_are_not(displayed: Displayed, capsys: pytest.CaptureFixture[str]) -> None:
    sink = PublishSink()
    sink.show({0: [TextDelta("a"), Notice("Trying again.")]})
    sink.close([record("a", "Not whole.")])
    assert capsys.readouterr() == ("", "Not whole.\n")


def test_of_several_the_record_says_it(displayed: Displayed, capsys: pytest.CaptureFixture[str]) -> None:
    PublishSink().close([record("a", "Not whole."), record("b")])
    assert "a\n\n> Not whole.\n\n### m" in displayed[0][0]["text/markdown"]
    assert capsys.readouterr() == ("", "")


def test_quiet_is_silent(displayed: Displayed, capsys: pytest.CaptureFixture[str]) -> None:
    sink = SilentSink()
    sink.open(lambda _column: None)
    sink.show({0: [TextDelta("a"), Notice("n")]})
    sink.close([record("a", "note")])
    assert displayed == []
    assert capsys.readouterr() == ("", "")
