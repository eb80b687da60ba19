"""What a server declares of a tool, and the names that a model knows tools by."""

from __future__ import annotations

import re

import pytest

from metask_magic.language import using
from metask_magic.mcp.arguments import bind
from metask_magic.mcp.declared import Declared, function_name
from metask_magic.tools.signature import BadArgumentsError


@pytest.mark.parametrize(
    ("hints", "may", "only_reads", "may_be_repeated"),
    [
        ({}, "nothing declared", False, False),
        ({"readOnlyHint": True}, "only reads", True, True),
        ({"readOnlyHint": True, "openWorldHint": True}, "only reads, reaches outside", True, True),
        ({"readOnlyHint": False}, "writes, may destroy", False, False),
        ({"destructiveHint": False}, "writes, destroys nothing", False, False),
        ({"readOnlyHint": False, "idempotentHint": True}, "writes, may destroy", False, True),
        ({"idempotentHint": True}, "nothing declared", False, True),
    ],
)
def test_what_it_may_do(hints: dict[str, bool], may: str, only_reads: bool, may_be_repeated: bool) -> None:
    declared = Declared("one", hints=hints)
    assert (declared.may, declared.only_reads, declared.may_be_repeated) == (may, only_reads, may_be_repeated)


@pytest.mark.parametrize(
    ("hints", "may"),
    [
        ({}, "未声明"),
        ({"readOnlyHint": True, "openWorldHint": True}, "只读，会访问外部"),
        ({"readOnlyHint": False}, "会写入，可能破坏数据"),
        ({"destructiveHint": False}, "会写入，不会破坏数据"),
    ],
)
def test_what_it_may_do_in_chinese(hints: dict[str, bool], may: str) -> None:
    with using("zh"):
        assert Declared("one", hints=hints).may == may


@pytest.mark.parametrize(
    "other",
    [
        Declared("two", "About.", {"type": "object"}, {"readOnlyHint": True}),
        Declared("one", "About!", {"type": "object"}, {"readOnlyHint": True}),
        Declared("one", "About.", {"type": "string"}, {"readOnlyHint": True}),
        Declared("one", "About.", {"type": "object"}, {"readOnlyHint": False}),
    ],
)
def test_whatever_changes_is_seen(other: Declared) -> None:
    one = Declared("one", "About.", {"type": "object"}, {"readOnlyHint": True})
    assert one.fingerprint != other.fingerprint
    assert Declared.from_json(one.to_json()).fingerprint == one.fingerprint


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        ({}, {"type": "object", "properties": {}}),
        ({"type": "object", "$schema": "made-up"}, {"type": "object", "properties": {}}),
        ({"type": "object", "properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
    ],
)
def test_parameters_as_every_gateway_takes_them(parameters: dict[str, object], sent: object) -> None:
    function = Declared("one", parameters=parameters).to_function("server_one")["function"]  # type: ignore[arg-type]
    assert function == {"name": "server_one", "parameters": sent}


@pytest.mark.parametrize("tool", ["read_file", "a/b.c", "<img>", "x" * 80, "長い名前", ""])
def test_names_are_those_of_the_api(tool: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", function_name("files", tool))
    assert function_name("files", "x" * 80) != function_name("files", "x" * 81)


CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.mark.parametrize(
    ("arguments", "parameters", "bound"),
    [
        ("", {}, {}),
        ('{"city": "Oslo"}', CITY, {"city": "Oslo"}),
        ('"{\\"city\\": \\"Oslo\\"}"', CITY, {"city": "Oslo"}),
        ('{"a": 1}', {"type": "nonsense"}, {"a": 1}),
        ('{"a": 1}', {"$ref": "http://127.0.0.1:9/never-fetched"}, {"a": 1}),
    ],
)
def test_arguments_that_fit(arguments: str, parameters: dict[str, object], bound: object) -> None:
    assert bind(arguments, parameters) == bound


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("{", "the arguments are not JSON"),
        ("[1]", "the arguments must be a JSON object, not [1]"),
        ("{}", "the arguments do not fit.\n- arguments: 'city' is a required property"),
        ('{"city": 3}', "the arguments do not fit.\n- city: 3 is not of type 'string'"),
    ],
)
def test_arguments_that_do_not_fit(arguments: str, says: str) -> None:
    with pytest.raises(BadArgumentsError, match=f"^{re.escape(says)}"):
        bind(arguments, CITY)
