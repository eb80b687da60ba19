"""`%%metask A B C` through a real kernel: each model its column, and none of them harms another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from ..gateway_server import CUT, STALL, Gate, GatewayServer, Page, Streamed, ToolCall, server_error
from ..kernel import Kernel, published
from .conftest import split, value

NOTEBOOK = {"cellId": "a-cell"}
MINI, SONNET, GEMINI = "gpt-4o-mini", "claude-3-5-sonnet-20241022", "gemini-1.5-pro"
THREE = f"%%metask {MINI} {SONNET} {GEMINI}"
SECONDS = re.compile(r"\d+\.\d\d s")
NO_RETRIES = "%config Metask.max_retries = 0"


@pytest.fixture
def several(asking: Kernel) -> Iterator[Kernel]:
    """A kernel that does not try again, with the settings as new afterwards."""
    asking.run(NO_RETRIES)
    yield asking
    asking.run(
        "%config Metask.max_retries = 2\n%config Metask.aliases = {}\n%config Metask.budget_tokens = None"
    )


def bodies(gateway: GatewayServer) -> dict[str, dict[str, Any]]:
    return {received.json["model"]: received.json for received in gateway.chats}


def record_of(cell: Any, kind: str = "text/markdown") -> str:
    """The record of a cell, its seconds made equal."""
    (output,) = cell.displays
    return SECONDS.sub("S s", output["data"][kind])


def row(model: str, reason: str = "stop", tokens: str = "7", first: str = "S s") -> str:
    return f"| {model} | {first} | S s | {tokens} | {reason} |"


TABLE = "| model | first token | total | tokens | finish reason |\n| --- | --- | --- | --- | --- |"


# -- what is asked --------------------------------------------------------------------------------------


def test_each_is_asked_the_same(several: Kernel, gateway: GatewayServer) -> None:
    several.run("hero = 'Ada'")
    several.run(f"{THREE} --temperature 0.5 -s 'Be brief.'\nTell of {{{{ hero }}}}.")
    same = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Tell of Ada."},
        ],
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert bodies(gateway) == {model: {"model": model, **same} for model in (MINI, SONNET, GEMINI)}


def test_all_at_once(several: Kernel, gateway: GatewayServer) -> None:
    gates = {model: Gate() for model in (MINI, SONNET, GEMINI)}
    for model, gate in gates.items():
        gateway.script(Streamed([f"{model} begins", gate, " and ends."]), model=model)
    cell = several.start_run(f"{THREE}\nHi", metadata=NOTEBOOK)
    for model, gate in gates.items():
        assert gate.reached.wait(30)
        cell.wait_for(published("comm_msg", containing=f"{model} begins"))
    assert gateway.most_at_once == 3
    for gate in gates.values():
        gate.open()
    assert cell.finish().reply["status"] == "ok"


@pytest.mark.parametrize(
    ("aliases", "line", "asked"),
    [
        ({"fast": MINI}, "fast gpt-4o", [MINI, "gpt-4o"]),
        ({"all": f"{MINI} {SONNET}"}, "all", [MINI, SONNET]),
        ({}, "claude-*", [SONNET, "claude-3-haiku-20240307"]),
        ({"google": "gemini-*"}, "google gpt-4o", [GEMINI, "gemini-2.0-flash", "gpt-4o"]),
    ],
)
def test_aliases_and_patterns(
    several: Kernel, gateway: GatewayServer, aliases: dict[str, str], line: str, asked: list[str]
) -> None:
    several.run(f"%config Metask.aliases = {aliases!r}")
    several.run(f"%%metask {line} -o r\nHi")
    assert value(several, "list(r)") == repr(asked)
    assert sorted(bodies(gateway)) == sorted(asked)


def test_a_pattern_is_shown_before_it_is_sent(several: Kernel, gateway: GatewayServer) -> None:
    shown = several.run("%%metask gpt-* --dry-run\nHi").displays[0]["data"]["text/plain"]
    assert shown.startswith(
        f"Not sent: POST {gateway.base_url}/chat/completions, for 2 models: gpt-4o, {MINI}"
    )
    assert not gateway.chats


def test_a_pattern_for_too_many_sends_nothing(several: Kernel, gateway: GatewayServer) -> None:
    gateway.models = [f"gpt-{at}" for at in range(13)]
    point_at_anew(several, gateway)
    error = several.run("%%metask gpt-*\nHi").error
    assert error is not None
    assert "gpt-* stands for 13 models: gpt-0, gpt-1, gpt-10, gpt-11, gpt-12, …" in error["evalue"]
    assert not gateway.chats


def point_at_anew(kernel: Kernel, gateway: GatewayServer) -> None:
    """Have the list of models be asked for again."""
    kernel.run("%config Metask.timeout = 59")


def test_a_conversation_has_one_answer(several: Kernel, gateway: GatewayServer) -> None:
    error = several.run(f"%%metask -c talk {MINI} {SONNET}\nHi").error
    assert error is not None
    assert error["ename"] == "OptionError"
    assert "2 models would give several" in error["evalue"]
    assert not gateway.chats


# -- what comes of it -----------------------------------------------------------------------------------


@pytest.mark.parametrize("metadata", [NOTEBOOK, None], ids=["notebook", "nobody"])
def test_the_record(several: Kernel, gateway: GatewayServer, metadata: dict[str, str] | None) -> None:
    gateway.script(Streamed(["```python\nx = 1"]), Streamed(["**Two**"]), model=MINI)
    gateway.script(Streamed(["*Sonnet*"], usage=None), model=SONNET)
    cell = several.run(f"%%metask {SONNET} {MINI} -o r\nHi", metadata=metadata)
    expected = (
        f"### {SONNET}\n\n*Sonnet*\n\n### {MINI}\n\n```python\nx = 1\n```\n\n"
        f"{TABLE}\n{row(SONNET, tokens='?')}\n{row(MINI)}"
    )
    assert record_of(cell) == record_of(cell, "text/plain") == expected
    assert cell.text("stderr") == ""
    (output,) = cell.displays
    assert [about["requested_model"] for about in output["metadata"]["metask"]] == [SONNET, MINI]
    shown = several.run("r").displays[0]["data"]
    assert shown == output["data"], "by themselves they show the very same"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (f"%%metask {GEMINI} {MINI}\nHi", ["_", "Out[{n}]"]),
        (f"%%metask {GEMINI} {MINI} -o both\nHi", ["both", "_"]),
        (f"%%metask {GEMINI} {MINI} --quiet -o both\nHi", ["both"]),
    ],
)
def test_the_replies_are_a_value(
    several: Kernel, gateway: GatewayServer, line: str, names: list[str]
) -> None:
    gateway.script(Streamed("later"), model=GEMINI)
    gateway.script(Streamed("first"), model=MINI)
    cell = several.run(line)
    assert len(cell.displays) == (0 if "--quiet" in line else 1)
    for name in names:
        name = name.format(n=cell.reply["execution_count"])
        assert value(several, f"type({name}).__name__, {{m: r.text for m, r in {name}.items()}}") == (
            f"('Replies', {{'{GEMINI}': 'later', '{MINI}': 'first'}})"
        )


def test_a_model_asked_twice(several: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed("a"), Streamed("b"), model=MINI)
    cell = several.run(f"%%metask {MINI} {MINI} -o r\nHi", metadata=NOTEBOOK)
    assert value(several, "list(r)") == f"['{MINI}', '{MINI} (2)']"
    assert value(several, "sorted(str(x) for x in r.values())") == "['a', 'b']"
    assert re.findall("### (.*)", record_of(cell)) == [MINI, f"{MINI} (2)"]
    opened = next(m for m in cell.messages if m.kind == "comm_open" and '"columns"' in m.text)
    assert opened.content["data"]["state"]["columns"] == [MINI, f"{MINI} (2)"]


# -- failures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metadata", [NOTEBOOK, None], ids=["notebook", "nobody"])
def test_a_404_among_three(several: Kernel, gateway: GatewayServer, metadata: dict[str, str] | None) -> None:
    cell = several.run(f"%%metask {MINI} gpt-4o-mni {SONNET} -o r\nHi", metadata=metadata)
    assert cell.reply["status"] == "ok"
    record = record_of(cell)
    assert f"### {MINI}\n\nHi\n\n### gpt-4o-mni\n\n> " in record
    failure = record.split("> ")[1].split("\n")[0]
    assert "gpt-4o-mni" in failure
    assert f"Did you mean {MINI} or" in failure
    assert record.endswith(
        f"\n\n### {SONNET}\n\nHi\n\n{TABLE}\n{row(MINI)}\n"
        f"{row('gpt-4o-mni', 'error', '?', '?')}\n{row(SONNET)}"
    )
    assert value(several, "[r.finish_reason for r in r.values()]") == "['stop', 'error', 'stop']"
    if metadata:
        live = next(m for m in cell.messages if m.kind == "comm_msg" and "error" in m.text)
        assert "Did you mean" in live.text


def test_the_list_for_the_nearest_name_keeps_nobody_waiting(several: Kernel, gateway: GatewayServer) -> None:
    listing, gate = Gate(), Gate()
    gateway.script_models(Streamed([listing]))
    gateway.script(Streamed(["So", gate, " far"]), model=MINI)
    point_at_anew(several, gateway)
    cell = several.start_run(f"%%metask gpt-4o-mni {MINI}\nHi", metadata=NOTEBOOK)
    assert listing.reached.wait(30)
    cell.wait_for(published("comm_msg", containing="So"))
    gate.open()
    cell.wait_for(published("comm_msg", containing=" far"))
    listing.open()
    assert cell.finish().reply["status"] == "ok"


@pytest.mark.parametrize(
    ("answer", "reason", "said"),
    [
        (Streamed(["So far", CUT]), "error", "The connection was cut"),
        (Streamed(["So far"], finish_reason=None, done=False), "incomplete", "without saying"),
    ],
)
def test_a_stream_that_breaks_off_among_three(
    several: Kernel, gateway: GatewayServer, answer: Streamed, reason: str, said: str
) -> None:
    gateway.script(answer, model=SONNET)
    cell = several.run(f"{THREE} -o r\nHi", metadata=NOTEBOOK)
    assert cell.reply["status"] == "ok"
    record = record_of(cell)
    assert f"### {SONNET}\n\nSo far\n\n> " in record
    assert said.lower() in record.lower()
    assert f"| {reason} |" in record
    assert value(several, "[r.text for r in r.values()]") == "['Hi', 'So far', 'Hi']"


def test_all_fail(several: Kernel, gateway: GatewayServer) -> None:
    gateway.script(server_error(), model=MINI)
    gateway.script(Streamed(["So far", CUT]), model=SONNET)
    cell = several.run(f"%%metask {MINI} {SONNET} -o r\nHi", metadata=NOTEBOOK)
    assert cell.error is not None
    assert cell.error["ename"] == "ServerError"
    shown = "\n".join(cell.error["traceback"])
    assert "All 2 models failed; this is what the first one met." in shown
    assert "The 6 characters that came are kept in _." in shown
    assert len(cell.error["traceback"]) < 8
    record = cell.displays[0]["data"]["text/markdown"]
    assert record.count("\n> ") == 2
    assert value(several, "type(_).__name__, _ is r, list(_)") == f"('Replies', True, ['{MINI}', '{SONNET}'])"
    assert value(several, "__import__('sys').last_value.reply is r") == "True"


def test_an_interrupt_ends_them_all(several: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["One", STALL]), model=MINI)
    gateway.script(Streamed(["Two", STALL]), model=SONNET)
    cell = several.start_run(f"{THREE} -o r\nThree", metadata=NOTEBOOK)
    for shown in ('"One"', '"Two"', '"status": "stop"'):
        cell.wait_for(published("comm_msg", containing=shown))
    several.interrupt()
    cell.finish()
    assert cell.error is not None
    assert cell.error["ename"] == "Interrupted"
    for received in gateway.chats:
        assert received.finished.is_set() or received.disconnected.wait(30)
    assert value(several, "[(r.text, r.finish_reason) for r in r.values()], _ is r") == (
        "([('One', 'interrupted'), ('Two', 'interrupted'), ('Three', 'stop')], True)"
    )
    assert "### claude-3-5-sonnet-20241022\n\nTwo\n\n" in cell.displays[0]["data"]["text/markdown"]


# -- with everything else -------------------------------------------------------------------------------

PERSON = """
from dataclasses import dataclass

@dataclass
class Person:
    name: str

def shout(word: str) -> str:
    "Say it loud."
    return word.upper()
"""


def test_a_schema_for_each(several: Kernel, gateway: GatewayServer) -> None:
    several.run(PERSON)
    gateway.script(Streamed(['{"name": 1}']), Streamed(['{"name": "Ada"}']), model=MINI)
    gateway.script(Streamed(['{"name": "Eve"}']), model=SONNET)
    cell = several.run(f"%%metask {MINI} {SONNET} --schema Person -o r\nWho?", metadata=NOTEBOOK)
    assert value(several, "[x.data.name for x in r.values()], [len(x.steps) for x in r.values()]") == (
        "(['Ada', 'Eve'], [1, 0])"
    )
    first, second = record_of(cell).split(f"### {SONNET}")
    assert "> - ✗ `" in first
    assert '"Ada"' in first
    assert second.startswith('\n\n```json\n{\n  "name": "Eve"\n}\n```')


def test_tools_for_each(several: Kernel, gateway: GatewayServer) -> None:
    several.run(PERSON)
    for model, word in ((MINI, "one"), (SONNET, "two")):
        call = ToolCall(id="c", name="shout", arguments=f'{{"word": "{word}"}}')
        gateway.script(Streamed([call], finish_reason="tool_calls"), Streamed([f"{word}!"]), model=model)
    cell = several.run(f"%%metask {MINI} {SONNET} -T shout -o r\nShout", metadata=NOTEBOOK)
    first, second = record_of(cell).split(f"### {SONNET}")
    assert '> - `shout(word="one")` → `ONE`\n\none!' in first
    assert '> - `shout(word="two")` → `TWO`\n\ntwo!' in second
    live = [m.content["data"]["content"] for m in cell.messages if m.kind == "comm_msg" and "steps" in m.text]
    steps = [step for content in live for step in content.get("steps", [])]
    assert {(column, step["title"]) for column, _, step in steps} == {
        (0, 'shout(word="one")'),
        (1, 'shout(word="two")'),
    }


def test_what_they_used_is_counted(several: Kernel, gateway: GatewayServer) -> None:
    several.run("%metask usage --reset")
    gateway.script(Streamed(["So far", CUT]), model=GEMINI)
    several.run(f"{THREE}\nHi")
    several.run("u = %metask usage")
    assert value(several, "sorted((m.model, m.requests, m.failed) for m in u.rows)") == repr(
        [(SONNET, 1, 0), (GEMINI, 1, 1), (MINI, 1, 0)]
    )
    assert value(several, "u.total.tokens, u.total.unreported") == "(36, 1)"


def test_the_budget_holds_for_all(several: Kernel, gateway: GatewayServer) -> None:
    several.run(f"%metask usage --reset\n%metask {MINI} Hi\n%config Metask.budget_tokens = 10")
    gateway.reset()
    cell = several.run(f"{THREE}\nHi")
    assert cell.error is not None
    assert cell.error["ename"] == "BudgetError"
    assert not gateway.chats


def test_no_key_shows_in_any_of_it(several: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Page({"error": {"message": f"Bad key {gateway.api_key}."}}, 401), model=SONNET)
    several.run(f"secret = {split(gateway.api_key)}")
    cell = several.run(f"%%metask {MINI} {SONNET}\nHi", metadata=NOTEBOOK)
    assert cell.reply["status"] == "ok"
    assert not several.has_sent(gateway.api_key)
