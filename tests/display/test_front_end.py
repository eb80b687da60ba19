"""Who is looking, and what they get."""

from __future__ import annotations

import sys
from itertools import product
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from metask_magic.display.front_end import FrontEnd, choose_sink, detect
from metask_magic.display.terminal import TerminalSink
from metask_magic.messages.events import ReasoningDelta

NOTEBOOK, NOBODY, TERMINAL = FrontEnd.NOTEBOOK, FrontEnd.NOBODY, FrontEnd.TERMINAL


def shell(parent: dict[str, Any]) -> SimpleNamespace:
    """A shell in a kernel that was sent this execute request."""
    return SimpleNamespace(kernel=SimpleNamespace(get_parent={"shell": parent}.__getitem__))


def asked_by(message_id: str, *, allow_stdin: bool, **metadata: str) -> dict[str, Any]:
    header, content = {"msg_id": message_id}, {"allow_stdin": allow_stdin}
    return {"header": header, "content": content, "metadata": metadata}


@pytest.mark.parametrize(
    ("asker", "front_end"),
    [
        (SimpleNamespace(), TERMINAL),
        (SimpleNamespace(kernel=None), TERMINAL),
        (shell({"metadata": {"cellId": "c1"}}), NOTEBOOK),
        (shell({"metadata": {"cellId": ""}}), NOTEBOOK),
        (shell({"metadata": {"deletedCells": []}}), NOBODY),
        (shell({"metadata": {}}), NOBODY),
        (shell({"metadata": None}), NOBODY),
        (shell({}), NOBODY),
        (shell(asked_by("73be_2467_2", allow_stdin=True)), TERMINAL),  # jupyter console
        (shell(asked_by("73be_2467_2", allow_stdin=False)), NOBODY),  # nbclient
        (shell(asked_by("5d0c7a4e-8a5c-4b0e-9d9f-0c1d2e3f4a5b", allow_stdin=True)), NOBODY),  # nbclassic
        (shell(asked_by("73be_2467_2", allow_stdin=True, cellId="c1")), NOTEBOOK),
    ],
)
def test_detect(asker: SimpleNamespace, front_end: FrontEnd) -> None:
    assert detect(asker) is front_end


@pytest.mark.parametrize(
    ("asker", "front_end"), [(shell({"metadata": {}}), NOTEBOOK), (SimpleNamespace(), TERMINAL)]
)
def test_colab(asker: SimpleNamespace, front_end: FrontEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert detect(asker) is front_end


@pytest.mark.parametrize("variables", [{"SERVER_SOFTWARE": "voila/0.5.13"}, {"VOILA_PREHEAT": "True"}])
def test_voila_has_a_page(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it runs cells as nbclient does, and what is pressed in the page comes without any cell."""
    asker = shell({"metadata": {}})
    assert detect(asker) is NOBODY
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert detect(asker) is NOTEBOOK


@pytest.mark.parametrize(
    ("display", "front_end", "sink"),
    [
        ("auto", NOTEBOOK, "WidgetSink"),
        ("auto", NOBODY, "PublishSink"),
        ("auto", TERMINAL, "TerminalSink"),
        *(("widget", front_end, "WidgetSink") for front_end in FrontEnd),
        *(("markdown", front_end, "PublishSink") for front_end in FrontEnd),
        *(("text", front_end, "TerminalSink") for front_end in FrontEnd),
    ],
)
def test_choose_sink(display: str, front_end: FrontEnd, sink: str) -> None:
    chosen = choose_sink(front_end, display, ["m"], quiet=False, show_reasoning=True)
    assert type(chosen).__name__ == sink


@pytest.mark.parametrize(
    ("front_end", "display"), [*product(FrontEnd, ["auto", "widget", "markdown", "text"])]
)
def test_quiet(front_end: FrontEnd, display: str) -> None:
    chosen = choose_sink(front_end, display, ["m"], quiet=True, show_reasoning=True)
    assert type(chosen).__name__ == "SilentSink"


@pytest.mark.parametrize("show_reasoning", [True, False])
def test_reasoning_is_passed_on(show_reasoning: bool, capsys: pytest.CaptureFixture[str]) -> None:
    sink = choose_sink(TERMINAL, "auto", ["m"], quiet=False, show_reasoning=show_reasoning)
    assert isinstance(sink, TerminalSink)
    sink.show({0: [ReasoningDelta("Hm.")]})
    assert ("Hm." in capsys.readouterr().out) is show_reasoning
