"""`--schema` and `-f json` through a real kernel: what the gateway is asked, and what the cell's value is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..gateway_server import GatewayServer, Streamed, refused, rejected_parameter
from ..kernel import Kernel, published
from .conftest import value

DEFINITIONS = """
import dataclasses, typing, threading
from pydantic import BaseModel, Field, field_validator

class Person(BaseModel):
    name: str
    age: int = Field(ge=0)

    @field_validator("name")
    @classmethod
    def _called_in(cls, name):
        global called_in
        called_in = threading.current_thread().name
        return name

@dataclasses.dataclass
class Point:
    x: int
    y: int = 0

class Row(typing.TypedDict):
    id: int

Numbers = list[int]
shape = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
a_number, a_person, Persona = 5, Person(name="Ada", age=1), list[Person]
"""


@pytest.fixture(autouse=True)
def _defined(asking: Kernel) -> None:
    assert asking.run(DEFINITIONS).error is None


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


PERSON = {
    "title": "Person",
    **closed(name={"title": "Name", "type": "string"}, age={"title": "Age", "type": "integer", "minimum": 0}),
}
GOOD, BAD = '{"name": "Ada", "age": 36}', '{"name": "Ada", "age": -1}'

KINDS = {
    "Pydantic model": ("Person", PERSON, GOOD, "Person(name='Ada', age=36)"),
    "dataclass": (
        "Point",
        {
            "title": "Point",
            **closed(x={"title": "X", "type": "integer"}, y={"title": "Y", "type": "integer"}),
        },
        '{"x": 1, "y": 2}',
        "Point(x=1, y=2)",
    ),
    "TypedDict": (
        "Row",
        {"title": "Row", **closed(id={"title": "Id", "type": "integer"})},
        '{"id": 7}',
        "{'id': 7}",
    ),
    "type": (
        "Numbers",
        closed(value={"type": "array", "items": {"type": "integer"}}),
        '{"value": [1, 2]}',
        "[1, 2]",
    ),
    "JSON Schema": ("shape", closed(a={"type": "integer"}), '{"a": 1}', "{'a': 1}"),
}


@pytest.mark.parametrize(("name", "schema", "answer", "data"), KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("line", ["", "--no-stream"])
def test_the_data_of_a_reply(
    asking: Kernel,
    gateway: GatewayServer,
    name: str,
    schema: dict[str, Any],
    answer: str,
    data: str,
    line: str,
) -> None:
    gateway.script(Streamed([answer[:3], answer[3:]]))
    cell = asking.run(f"%%metask gpt-4o-mini --schema {name} -o r {line}\nWho?")
    assert cell.error is None
    assert gateway.last.json["messages"] == [{"role": "user", "content": "Who?"}]
    assert gateway.last.json["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": name, "strict": True, "schema": schema},
    }
    assert value(asking, "r.data") == data
    assert value(asking, "r.text, r.format, r.finish_reason, _ is r") == f"({answer!r}, 'json', 'stop', True)"


def test_validators_run_where_cells_do(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed([GOOD]))
    asking.run("%%metask gpt-4o-mini --schema Person\nWho?")
    assert value(asking, "called_in") == "'MainThread'"


def test_any_json(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(['{"a": [1]}']))
    asking.run("%%metask gpt-4o-mini -f json -o r\nGive me something.")
    assert gateway.last.json["response_format"] == {"type": "json_object"}
    assert gateway.last.json["messages"][0] == {
        "role": "system",
        "content": "Answer with one JSON value alone: no Markdown, no explanation.",
    }
    assert value(asking, "r.data") == "{'a': [1]}"


def test_a_dry_run_shows_the_schema(asking: Kernel, gateway: GatewayServer) -> None:
    (output,) = asking.run("%%metask gpt-4o-mini --schema Person --dry-run\nWho?").displays
    assert '"strict": true' in output["data"]["text/plain"]
    assert not gateway.requests


def test_an_answer_that_does_not_fit_is_repaired(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed([BAD]), Streamed([GOOD]))
    cell = asking.run("%%metask gpt-4o-mini --schema Person -o r\nWho?")
    assert cell.error is None
    assert cell.text("stderr") == ""
    user, answer, correction = gateway.last.json["messages"]
    assert (user["content"], answer) == ("Who?", {"role": "assistant", "content": BAD})
    assert "age: Input should be greater than or equal to 0 (got -1)" in correction["content"]
    assert value(asking, "r.data, r.text, len(r.steps)") == f"(Person(name='Ada', age=36), {GOOD!r}, 1)"
    (output,) = cell.displays
    wrong, right = output["data"]["text/plain"].split("\n\n", 1)
    assert wrong.startswith("✗ The answer does not fit Person: 1 error → ")
    assert right == GOOD


def test_an_answer_that_never_fits_is_an_error_and_kept(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed([BAD]), Streamed([BAD]))
    cell = asking.run("%%metask gpt-4o-mini --schema Person -o r\nWho?")
    assert cell.error is not None
    assert cell.error["ename"] == "SchemaError"
    shown = "\n".join(cell.error["traceback"])
    assert "The answer does not fit Person: 1 error:" in shown
    assert "age: Input should be greater than or equal to 0 (got -1)" in shown
    assert "Metask.max_repairs" in shown
    assert "File " not in shown
    assert value(asking, "_ is r, r.text, r.data, r.finish_reason") == f"(True, {BAD!r}, None, 'error')"


@pytest.mark.parametrize("options", ["--schema Person", "-f json"])
def test_invalid_json_twice_is_an_error_and_kept(
    asking: Kernel, gateway: GatewayServer, options: str
) -> None:
    gateway.script(Streamed(['{"name": ']), Streamed(["No, ", "never."]))
    cell = asking.run(f"%%metask gpt-4o-mini {options} -o r\nWho?")
    assert cell.error is not None
    assert cell.error["ename"] == "SchemaError"
    assert 'it is not JSON: "No, never."' in cell.error["evalue"]
    assert "Given up after 2 answers" in cell.error["evalue"]
    assert gateway.last.json["messages"][-2]["content"] == '{"name":'
    assert value(asking, "r.text, r.data, [s.failed for s in r.steps]") == "('No, never.', None, [True])"


def test_the_number_of_repairs_is_a_setting(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed([BAD]))
    cell = asking.run("%config Metask.max_repairs = 0\n%metask gpt-4o-mini --schema Person Who?")
    asking.run("%config Metask.max_repairs = 1")
    assert cell.error is not None
    assert len(gateway.chats) == 1


def test_a_gateway_that_takes_no_schema_is_told_in_words_and_remembered(
    asking: Kernel, gateway: GatewayServer
) -> None:
    gateway.script(
        refused(400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported."),
        rejected_parameter("response_format"),
        Streamed([f"Here:\n```json\n{GOOD}\n```"]),
        Streamed([GOOD]),
    )
    cell = asking.run("%%metask gpt-4o-mini --schema Person -o r\nWho?")
    assert value(asking, "r.data") == "Person(name='Ada', age=36)"
    assert cell.text("stderr") == ""
    formats = [request.json.get("response_format", {}).get("type") for request in gateway.chats]
    assert formats == ["json_schema", "json_object", None]
    system, user = gateway.last.json["messages"]
    assert json.loads(system["content"].partition("\n")[2]) == PERSON
    assert user == {"role": "user", "content": "Who?"}
    asking.run("%%metask gpt-4o-mini --schema Person\nWho?")
    assert len(gateway.chats) == 4


MISTAKES = {
    "undefined": ("--schema Persn", "OptionError", "The schema `Persn` is not defined. Did you mean Person"),
    "no schema": ("--schema a_number", "SchemaError", "a_number is an instance of int, which is no schema"),
    "an instance": ("--schema a_person", "SchemaError", "give the class itself"),
    "another format": ("--schema Person -f html", "OptionError", "answered in JSON, not as html"),
}


@pytest.mark.parametrize(("options", "error", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_explained_before_anything_is_sent(
    asking: Kernel, gateway: GatewayServer, options: str, error: str, says: str
) -> None:
    cell = asking.run(f"%%metask gpt-4o-mini {options}\nWho?")
    assert cell.error is not None
    assert cell.error["ename"] == error
    assert says in cell.error["evalue"]
    assert not gateway.chats


def test_a_cut_answer_is_not_asked_for_again(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed([GOOD[:9]], finish_reason="length"))
    cell = asking.run("%%metask gpt-4o-mini --schema Person -o r\nWho?")
    assert cell.error is not None
    assert "--max-tokens" in cell.error["evalue"]
    assert value(asking, "r.text") == repr(GOOD[:9])
    assert len(gateway.chats) == 1


SLOW = """
class Slow(BaseModel):
    a: int

    @field_validator("a")
    @classmethod
    def _think(cls, a):
        print("thinking", flush=True)
        __import__("time").sleep(600)
"""


def test_an_interrupt_ends_a_validator(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run(SLOW)
    gateway.script(Streamed(['{"a": 1}']))
    cell = asking.start_run("%%metask gpt-4o-mini --schema Slow -o r\nWho?")
    cell.wait_for(published("stream", containing="thinking"))
    asking.interrupt()
    finished = cell.finish()
    assert finished.error is not None
    assert finished.error["ename"] == "Interrupted"
    assert value(asking, "r.text, r.data, r.finish_reason") == "('{\"a\": 1}', None, 'interrupted')"
