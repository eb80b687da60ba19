"""The cell's line through a real kernel: it means what it says, and nothing is sent where it is not meant."""

from __future__ import annotations

import pytest

from ..gateway_server import GatewayServer
from ..kernel import Kernel
from .conftest import value


def test_a_comment_is_no_model(asking: Kernel, gateway: GatewayServer) -> None:
    cell = asking.run("%%metask gpt-4o-mini -o story   # the reply becomes `story`\nTell # me.")
    assert cell.error is None
    assert [received.json["model"] for received in gateway.chats] == ["gpt-4o-mini"]
    assert gateway.last.json["messages"][0]["content"] == "Tell # me."
    assert value(asking, "story.text") == "'Tell # me.'"


def test_a_line_magic_keeps_its_number_signs(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("answer = %metask gpt-4o-mini What is C#? # really")
    assert gateway.last.json["messages"][0]["content"] == "What is C#? # really"


@pytest.mark.parametrize(
    ("line", "name", "sent"),
    [
        ('-p stop=["a"]', "stop", ["a"]),
        ('-p response_format={"type": "json_object"}', "response_format", {"type": "json_object"}),
        ("-p stop='[\"a\"]'", "stop", ["a"]),
        ('-p stop="END"', "stop", "END"),
    ],
)
def test_json_arrives_as_written(
    asking: Kernel, gateway: GatewayServer, line: str, name: str, sent: object
) -> None:
    for code in (f"%%metask gpt-4o-mini {line}\nSay JSON.", f"%metask {line} gpt-4o-mini Say JSON."):
        assert asking.run(code).error is None
        assert gateway.last.json[name] == sent


REFUSED = {
    "an option that is not": ("%%metask gpt-4o-mini --schem P\nHi", "Did you mean --schema?"),
    "several answers": ("%%metask gpt-4o-mini -p n=2\nHi", "a reply holds one"),
    "a contradiction": ("%%metask gpt-4o-mini -p max_tokens=5 --max-tokens 6\nHi", "the same thing twice"),
    "no model's name": ("%%metask gpt-4o-mini ？\nHi", "cannot be the name of a model"),
    "a sign for a model": ("%metask # Hi", "cannot be the name of a model"),
}


@pytest.mark.parametrize(("code", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_not_sent(asking: Kernel, gateway: GatewayServer, code: str, says: str) -> None:
    cell = asking.run(code)
    assert cell.error is not None
    assert cell.error["ename"] == "OptionError"
    assert says in "\n".join(cell.error["traceback"])
    assert not gateway.chats


@pytest.mark.parametrize(
    "code",
    [
        "%%metask gpt-4o-mini -T nofn\nHi",
        "%%metask gpt-4o-mini --schema opn\nHi",
        "%%metask gpt-4o-mini -a opne\nHi",
        "%%metask gpt-4o-mini --map Inn\nHi {{ x }}",
        "%%metask gpt-4o-mini\nHi {{ opne }} {{ exitt }} {{ Outt }}",
    ],
)
def test_nobody_s_names_are_offered(asking: Kernel, gateway: GatewayServer, code: str) -> None:
    error = asking.run(code).error
    assert error is not None
    shown = "\n".join(error["traceback"])
    assert not any(f"Did you mean {name}" in shown for name in ("open", "exit", "In", "Out", "quit", "print"))
    assert not gateway.chats


def test_a_function_of_the_user_is_offered(asking: Kernel) -> None:
    asking.run("def no_function(): pass\nnofun = 5")
    error = asking.run("%%metask gpt-4o-mini -T nofunction\nHi").error
    assert error is not None
    assert "Did you mean no_function?" in error["evalue"]


def test_login_where_nobody_can_type(fresh_kernel: Kernel) -> None:
    fresh_kernel.run("%load_ext metask_magic")
    error = fresh_kernel.run("%metask login").error
    assert error is not None
    assert error["ename"] == "SettingError"
    assert "nobody can type here" in error["evalue"]
    assert "METASK_API_KEY" in error["evalue"]
    assert "File " not in "\n".join(error["traceback"])


def test_a_value_without_text_is_told_and_sent(asking: Kernel, gateway: GatewayServer) -> None:
    cell = asking.run("rows = (x for x in 'ab')")
    cell = asking.run("%%metask gpt-4o-mini\nWhat of {{ rows }}?")
    assert cell.text("stderr").startswith("rows is a generator, of which a model gets <generator object")
    assert gateway.last.json["messages"][0]["content"].startswith("What of <generator object")
