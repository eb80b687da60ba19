"""Functions as tools: what the model is told of them, and what comes of a call."""

from __future__ import annotations

import asyncio
import enum
import functools
import json
import math
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from typing import TypedDict as OldTypedDict

import numpy as np
import pytest
from pydantic import AfterValidator, BaseModel, Field
from typing_extensions import TypedDict

from metask_magic.asking import coroutines
from metask_magic.errors import ToolError
from metask_magic.language import using
from metask_magic.tools.offered import ToolResult
from metask_magic.tools.tool import RESULT_LIMIT, Tool, declined

from ..chinese import left_in_english


class Unit(enum.Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


class Place(BaseModel):
    city: str
    zip_code: str | None = None


@dataclass
class Spot:
    x: float
    y: float


class Options(TypedDict, total=False):
    limit: int


class OldOptions(OldTypedDict):
    limit: int


class Opaque:
    def __repr__(self) -> str:
        return "<opaque>"


def tool(function: Any, name: str = "f") -> Tool:
    return Tool.from_function(function, name, to_text=lambda value: f"text of {value!r}")


def parameters(function: Any) -> Any:
    described: Any = tool(function).to_json()["function"]
    return described["parameters"]


def simple(city: str) -> None: ...
def several(n: int, x: float = 1.5, *, flag: bool = False) -> None: ...
def untyped(a, b=2):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, RUF100
    ...


def literal(unit: Literal["c", "f"] = "c") -> None: ...
def enumerated(unit: Unit) -> None: ...
def bounded(n: Annotated[int, Field(ge=1, le=5, description="How many.")] = 3) -> None: ...
def field_default(n: int = Field(default=3, gt=0)) -> None: ...
def lists(names: list[str], pairs: dict[str, int]) -> None: ...
def optional(day: date | None = None) -> None: ...
def awkward(schema: int, model_x: int, self_: int, _u: int = 0) -> None: ...
def compound(where: Place, spot: Spot, options: Options, unit: Unit = Unit.CELSIUS) -> None: ...
def opaque_default(x: int = Opaque()) -> None: ...  # type: ignore[assignment]


INTEGER, STRING = {"type": "integer"}, {"type": "string"}


@pytest.mark.parametrize(
    ("function", "properties", "required"),
    [
        (simple, {"city": STRING}, ["city"]),
        (
            several,
            {
                "n": INTEGER,
                "x": {"type": "number", "default": 1.5},
                "flag": {"type": "boolean", "default": False},
            },
            ["n"],
        ),
        (untyped, {"a": {}, "b": {"default": 2}}, ["a"]),
        (literal, {"unit": {"type": "string", "enum": ["c", "f"], "default": "c"}}, None),
        (
            bounded,
            {"n": {"type": "integer", "minimum": 1, "maximum": 5, "default": 3, "description": "How many."}},
            None,
        ),
        (field_default, {"n": {"type": "integer", "exclusiveMinimum": 0, "default": 3}}, None),
        (
            lists,
            {
                "names": {"type": "array", "items": STRING},
                "pairs": {"type": "object", "additionalProperties": INTEGER},
            },
            ["names", "pairs"],
        ),
        (
            optional,
            {"day": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None}},
            None,
        ),
        (
            awkward,
            {
                "schema": INTEGER,
                "model_x": INTEGER,
                "self_": INTEGER,
                "_u": {"type": "integer", "default": 0},
            },
            ["schema", "model_x", "self_"],
        ),
        (opaque_default, {"x": INTEGER}, None),
    ],
)
def test_parameters(function: Any, properties: dict[str, Any], required: list[str] | None) -> None:
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    assert parameters(function) == schema | ({"required": required} if required else {})


def test_types_of_ones_own_are_described() -> None:
    schema = parameters(compound)
    assert set(schema["$defs"]) == {"Place", "Spot", "Options", "Unit"}
    assert schema["properties"]["where"] == {"$ref": "#/$defs/Place"}
    assert schema["$defs"]["Unit"]["enum"] == ["c", "f"]


def test_no_parameters() -> None:
    def now() -> str:
        return "noon"

    assert tool(now).to_json() == {
        "type": "function",
        "function": {
            "name": "f",
            "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
        },
    }


def google(city: str, days: int = 1) -> None:
    """Tell the weather.

    Args:
        city: The city's name,
            in English.
        days (int): How many.

    Note:
        Beware of rain.
    """


def numpy_style(city: str, days: int = 1) -> None:
    """Tell the weather.

    Parameters
    ----------
    city : str
        The city's name,
        in English.
    days : int, optional
        How many.

    """


def sphinx(city: str, days: int = 1) -> None:
    """Tell the weather.

    :param city: The city's name,
        in English.
    :param int days: How many.
    :param other: Nobody knows it.
    """


@pytest.mark.parametrize("function", [google, numpy_style, sphinx])
def test_docstring(function: Any) -> None:
    described: Any = tool(function).to_json()["function"]
    assert described["description"].startswith("Tell the weather.\n\n")
    properties = described["parameters"]["properties"]
    assert {name: shown["description"] for name, shown in properties.items()} == {
        "city": "The city's name, in English.",
        "days": "How many.",
    }


def test_nothing_of_a_docstring_is_lost_and_a_field_says_it_first() -> None:
    def f(n: Annotated[int, Field(description="Field.")]) -> None:
        """Do it.

        Args:
            n: Docstring.

        Note:
            Beware.
        """

    assert "Beware." in tool(f).signature.description
    assert parameters(f)["properties"]["n"]["description"] == "Field."


class Station:
    """A weather station."""

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, hour: int) -> str:
        """Read it."""
        return f"{self.name} at {hour}"

    async def read_later(self, hour: int) -> str:
        """Read it."""
        await asyncio.sleep(0)
        return f"{self.name} at {hour}"

    def __call__(self, hour: int) -> str:
        return f"{self.name} at {hour}"

    @classmethod
    def first(cls, hour: int) -> str:
        """Read it."""
        return f"Oslo at {hour}"

    @staticmethod
    def any(hour: int) -> str:
        """Read it."""
        return f"Oslo at {hour}"


def read(name: str, hour: int) -> str:
    """Read it."""
    return f"{name} at {hour}"


async def read_later(name: str, hour: int) -> str:
    """Read it."""
    await asyncio.sleep(0)
    return f"{name} at {hour}"


@functools.wraps(read)
def decorated(*args: Any, **kwargs: Any) -> str:
    return read(*args, **kwargs)


OSLO = Station("Oslo")


@pytest.fixture(autouse=True, scope="module")
def _loop_closed() -> Iterator[None]:
    yield
    coroutines.close()


@pytest.mark.parametrize(
    ("function", "description"),
    [
        (OSLO.read, "Read it."),
        (OSLO.read_later, "Read it."),
        (OSLO, "A weather station."),
        (Station.first, "Read it."),
        (Station.any, "Read it."),
        (functools.partial(read, "Oslo"), "Read it."),
        (functools.partial(read, name="Oslo"), "Read it."),
        (functools.partial(read_later, "Oslo"), "Read it."),
        (functools.partial(OSLO.read), "Read it."),
        (functools.lru_cache(functools.partial(read, "Oslo")), "Read it."),
    ],
)
def test_callables(function: Callable[..., Any], description: str) -> None:
    made = tool(function)
    assert parameters(function)["properties"] == {"hour": INTEGER}
    assert made.call('{"hour": "7"}') == ToolResult("Oslo at 7")
    assert made.signature.description == description


def test_decorated() -> None:
    assert parameters(decorated)["required"] == ["name", "hour"]
    assert tool(decorated).call('{"name": "Rome", "hour": 1}') == ToolResult("Rome at 1")


def unknown_hint(x: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def opaque(x: Opaque) -> None: ...
def old(x: OldOptions) -> None: ...
def starred(*xs: int) -> None: ...
def keywords(**xs: int) -> None: ...
def positional(x: int, /) -> None: ...
def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


NO_TOOLS: list[tuple[Any, str, str]] = [
    (3, "f", "`f` is no function but a value of the type int"),
    (Place, "f", "`f` is a class"),
    (lambda x: x, "f", "`f` is a lambda"),
    (simple, "wetter für", "cannot be the name of a tool"),
    (simple, "x" * 65, "cannot be the name of a tool"),
    (simple, "", "cannot be the name of a tool"),
    (simple, "f\n", "cannot be the name of a tool"),
    (starred, "f", r"has the parameter `\*xs: "),
    (keywords, "f", r"has the parameter `\*\*xs: "),
    (positional, "f", "can only pass values by name"),
    (math.sqrt, "f", "can only pass values by name"),
    (dict.fromkeys, "f", "can only pass values by name"),
    (math.log, "f", "does not know the parameters"),
    (generator, "f", "yields its results"),
    (async_generator, "f", "yields its results"),
    (unknown_hint, "f", "The type hints of `f` cannot be read: name 'Nowhere' is not defined"),
    (opaque, "f", "The parameter `x` of `f` is a .*Opaque, which no JSON can stand for"),
]


@pytest.mark.parametrize(("function", "name", "says"), NO_TOOLS)
def test_no_tools(function: Any, name: str, says: str) -> None:
    with pytest.raises(ToolError, match=says) as raised:
        tool(function, name)
    assert raised.value.remedy


@pytest.mark.parametrize(("function", "name"), [(function, name) for function, name, _ in NO_TOOLS])
def test_no_tools_in_chinese(function: Any, name: str) -> None:
    with using("zh"), pytest.raises(ToolError) as raised:
        tool(function, name)
    assert left_in_english(raised.value) == []


def add(a: int, b: int = 1) -> int:
    return a + b


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Pydantic takes it there")
def test_advice_of_pydantic_is_passed_on() -> None:
    with pytest.raises(ToolError, match=r"`x` of `f` cannot be used\. .*typing_extensions\.TypedDict"):
        tool(old)


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ("{", ["the arguments are not JSON", "{"]),
        ("", ["- a: Missing required argument"]),
        ("{}", ["- a: Missing required argument"]),
        ("[1, 2]", ["must be a JSON object, not [1, 2]"]),
        ('"x"', ["must be a JSON object"]),
        ('"[1, 2]"', ["must be a JSON object"]),
        ('"{}"', ["- a: Missing required argument"]),
        ("[" * 100_000, ["not JSON"]),
        ('{"a": "x"}', ["- a: Input should be a valid integer", "(given: 'x')"]),
        (
            '{"a": 1, "c": 2, "b": null}',
            ["- b: Input should be", "- c: Unexpected keyword argument (given: 2)"],
        ),
    ],
)
def test_bad_arguments(arguments: str, lines: list[str]) -> None:
    result = tool(add).call(arguments)
    assert result.failed
    assert result.text.startswith("Error: the arguments ")
    assert [line for line in lines if line not in result.text] == []
    assert len(result.text) < 1000
    assert result.shown == result.text


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("[1, 2]", "错误：参数必须是 JSON 对象，而不是 [1, 2]"),
        (
            "{",
            "错误：参数不是 JSON（Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1)）：{",
        ),
        ("{}", "错误：参数不符合要求。\n- a：Missing required argument"),
        ('{"a": 1, "c": 2}', "错误：参数不符合要求。\n- c：Unexpected keyword argument（收到：2）"),
    ],
)
def test_bad_arguments_in_chinese(arguments: str, shown: str) -> None:
    """The user reads it so; the model is told the same as ever."""
    told = tool(add).call(arguments).text
    with using("zh"):
        result = tool(add).call(arguments)
    assert (result.text, result.shown) == (told, shown)


def test_arguments_are_of_the_types_the_function_names() -> None:
    def seen(where: Place, spot: Spot, day: date, unit: Unit, pair: tuple[int, int], rest: Any) -> str:
        return repr((where, spot, day, unit, pair, rest))

    arguments = {
        "where": {"city": "Oslo"},
        "spot": {"x": 1, "y": 2},
        "day": "2026-01-02",
        "unit": "f",
        "pair": [1, 2],
        "rest": {"a": [None]},
    }
    expected = (
        Place(city="Oslo"),
        Spot(1.0, 2.0),
        date(2026, 1, 2),
        Unit.FAHRENHEIT,
        (1, 2),
        {"a": [None]},
    )
    assert tool(seen).call(json.dumps(arguments)).text == repr(expected)


def returning(value: Any) -> Callable[[], Any]:
    def f() -> Any:
        return value

    return f


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as\nit is", "as\nit is"),
        ("", ""),
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        ({"b": 1, "a": [None, "é"]}, '{"b":1,"a":[null,"é"]}'),
        ((1, {2}), "[1,[2]]"),
        (Place(city="Oslo"), '{"city":"Oslo","zip_code":null}'),
        (Spot(1, 2), '{"x":1,"y":2}'),
        ([Place(city="Oslo")], '[{"city":"Oslo","zip_code":null}]'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (Unit.CELSIUS, '"c"'),
        (Path("a"), '"a"'),
        (Decimal("1.50"), '"1.50"'),
        (np.float64(1.5), "1.5"),
        (np.int64(5), "text of np.int64(5)"),
        ({"n": np.int64(5), "of": Opaque()}, '{"n":5,"of":"text of <opaque>"}'),
        (Opaque(), "text of <opaque>"),
        ("half \ud800", "half ?"),
    ],
    ids=repr,
)
def test_results(value: Any, text: str) -> None:
    assert tool(returning(value)).call("{}") == ToolResult(text)


def test_a_value_that_holds_itself() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert tool(returning(endless)).call("{}") == ToolResult("text of [[...]]")


def test_a_long_result_is_cut_and_says_so() -> None:
    text = tool(returning("x" * 1_234_567)).call("{}").text
    assert text == "x" * RESULT_LIMIT + "\n… (cut here: 1,234,567 characters in all)"


def raising(error: BaseException) -> Callable[[], None]:
    def f() -> None:
        raise error

    return f


def raising_later(error: BaseException) -> Callable[[], Awaitable[None]]:
    async def f() -> None:
        raise error

    return f


@pytest.mark.parametrize("make", [raising, raising_later])
@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("no such city"), "Error: ValueError: no such city"),
        (KeyError("x"), "Error: KeyError: 'x'"),
        (ZeroDivisionError(), "Error: ZeroDivisionError: "),
        (asyncio.CancelledError(), "Error: CancelledError: "),
    ],
)
def test_what_it_raises_is_told(make: Callable[..., Any], error: BaseException, text: str) -> None:
    assert tool(make(error)).call("{}") == ToolResult(text, failed=True)


def test_exit_ends_the_tool_alone() -> None:
    assert tool(raising(SystemExit(3))).call("{}") == ToolResult("Error: SystemExit: 3", failed=True)


def test_a_result_that_cannot_be_written() -> None:
    broken = Tool.from_function(returning(Opaque()), "f", to_text=lambda _: str(1 / 0))
    assert broken.call("{}") == ToolResult("Error: ZeroDivisionError: division by zero", failed=True)


def checked(n: Annotated[int, AfterValidator(lambda n: n // 0)]) -> None: ...


def test_a_validator_of_the_users_that_breaks() -> None:
    assert tool(checked).call('{"n": 1}').text.startswith("Error: ZeroDivisionError")


@pytest.mark.parametrize("make", [raising, raising_later])
def test_an_interrupt_passes(make: Callable[..., Any]) -> None:
    with pytest.raises(KeyboardInterrupt):
        tool(make(KeyboardInterrupt())).call("{}")


def test_allowed_or_not() -> None:
    made: list[int] = []

    def f(n: int) -> None:
        made.append(n)

    asked: list[str] = []

    def refuse() -> bool:
        asked.append("asked")
        return False

    assert tool(f).call('{"n": 1}', refuse) == declined()
    assert tool(f).call('{"n": "x"}', refuse).text.startswith("Error: ")
    assert tool(f).call('{"n": 2}', lambda: True) == ToolResult("null")
    assert (made, asked) == ([2], ["asked"])


def test_a_refusal_in_chinese() -> None:
    with using("zh"):
        result = tool(simple).call('{"city": "Oslo"}', lambda: False)
    assert (result.text, result.shown) == ("The user declined this call.", "用户拒绝了这次调用。")
