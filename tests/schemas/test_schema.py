"""Schemas: what is sent of them, what fits them, and what is said of what does not."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
import typing
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

import pydantic
import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field

from metask_magic.errors import SchemaError
from metask_magic.language import choose
from metask_magic.schemas.schema import ANY_JSON, MisfitError, Schema

from ..english import english_sentences


class Person(BaseModel):
    name: str
    age: int = Field(ge=0)


@dataclasses.dataclass
class Point:
    """A place."""

    x: int
    y: int = 0


class Inner(typing.TypedDict):
    id: Annotated[int, Field(gt=0)]


class Row(typing.TypedDict, total=False):
    id: typing.Required[int]
    tags: list[str]
    inner: list[Inner] | None


class Modern(typing_extensions.TypedDict):
    id: int


class Tree(BaseModel):
    children: list[Tree] = []
    label: str = "x"


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    owner: Person | None = None


PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "mail": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name"],
}


def sent(kind: Any) -> dict[str, Any]:
    """The `json_schema` of the request's parameter."""
    response_format: Any = Schema.from_object(kind, "K").response_format
    assert set(response_format) == {"type", "json_schema"}
    assert response_format["type"] == "json_schema"
    assert set(response_format["json_schema"]) == {"name", "strict", "schema"}
    json_schema: dict[str, Any] = response_format["json_schema"]
    Draft202012Validator.check_schema(json_schema["schema"])
    assert json_schema["schema"]["type"] == "object"
    return json_schema


def closed(**properties: Any) -> dict[str, Any]:
    """An object as strict mode wants it."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def untitled(schema: Any) -> Any:
    """Without the titles that Pydantic makes of names."""
    if isinstance(schema, list):
        return [untitled(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: untitled(inner)
        for name, inner in schema.items()
        if not (name == "title" and isinstance(inner, str))
    }


INTEGER, STRING, NULL = {"type": "integer"}, {"type": "string"}, {"type": "null"}
NODE = closed(children={"type": "array", "items": {"$ref": "#/$defs/Tree"}}, label=STRING)

STRICT: dict[str, tuple[Any, dict[str, Any]]] = {
    "model": (Person, closed(name=STRING, age={"type": "integer", "minimum": 0})),
    "dataclass": (Point, closed(x=INTEGER, y=INTEGER) | {"description": "A place."}),
    "TypedDict of typing": (
        Row,
        closed(
            id=INTEGER,
            tags={"anyOf": [{"type": "array", "items": STRING}, NULL]},
            inner={"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Inner"}}, NULL]},
        )
        | {"$defs": {"Inner": closed(id={"type": "integer", "exclusiveMinimum": 0})}},
    ),
    "TypedDict of typing_extensions": (Modern, closed(id=INTEGER)),
    "list": (list[int], closed(value={"type": "array", "items": INTEGER})),
    "list of models": (
        list[Point],
        closed(value={"type": "array", "items": {"$ref": "#/$defs/Point"}})
        | {"$defs": {"Point": closed(x=INTEGER, y=INTEGER) | {"description": "A place."}}},
    ),
    "enum": (Color, closed(value={"enum": ["red", "blue"], "type": "string"})),
    "literal of two types": (
        Literal["a", 1],
        closed(value={"enum": ["a", 1], "type": ["string", "integer"]}),
    ),
    "optional": (int | None, closed(value={"anyOf": [INTEGER, NULL]})),
    "recursive": (Tree, NODE | {"$defs": {"Tree": NODE}}),
    "alternatives told apart": (
        Annotated[Cat | Dog, Field(discriminator="kind")],
        closed(value={"anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]})
        | {
            "$defs": {
                "Cat": closed(kind={"const": "cat", "type": "string"}, lives=INTEGER),
                "Dog": closed(
                    kind={"const": "dog", "type": "string"},
                    owner={"anyOf": [{"$ref": "#/$defs/Person"}, NULL]},
                ),
                "Person": closed(name=STRING, age={"type": "integer", "minimum": 0}),
            }
        },
    ),
    "JSON Schema": (
        PERSON,
        closed(name=STRING, mail={"anyOf": [STRING, NULL]}, age={"anyOf": [INTEGER, NULL]}),
    ),
    "older draft": (
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {"n": {"type": "integer"}},
            "type": "object",
            "properties": {"n": {"$ref": "#/definitions/n"}},
            "required": ["n"],
        },
        closed(n={"$ref": "#/$defs/n"}) | {"$defs": {"n": INTEGER}},
    ),
    "types left out": (
        {"properties": {"a": {"items": {"enum": [1, 2]}}}, "required": ["a"]},
        closed(a={"type": "array", "items": {"enum": [1, 2], "type": "integer"}}),
    ),
    "a reference with siblings": (
        {
            "$defs": {"n": {"type": "integer", "description": "old"}},
            "type": "object",
            "properties": {
                "n": {"$ref": "#/$defs/n", "description": "new", "default": 1},
                "m": {"$ref": "#/$defs/n", "description": "another", "default": 1},
            },
        },
        closed(n={"type": "integer", "description": "new"}, m={"type": "integer", "description": "another"})
        | {"$defs": {"n": {"type": "integer", "description": "old"}}},
    ),
    "what strict mode does not know": (
        {
            "type": "object",
            "properties": {
                "a": {"type": "string", "minLength": 1, "description": "A word.", "default": "x"},
                "b": {"type": "string", "format": "date", "pattern": "^2"},
                "c": {"type": "string", "format": "color", "pattern": "^(?!x)"},
                "d": {"allOf": [{"type": "integer"}], "default": 1, "deprecated": True},
                "e": {"oneOf": [{"type": "integer"}, {"type": "boolean"}]},
            },
            "required": ["b", "c", "e"],
        },
        closed(
            a={"type": "string", "description": "A word. (minLength: 1)"},
            b={"type": "string", "format": "date", "pattern": "^2"},
            c={"type": "string", "description": '(format: "color"; pattern: "^(?!x)")'},
            d=INTEGER,
            e={"anyOf": [INTEGER, {"type": "boolean"}]},
        ),
    ),
    "a reference to the root": (
        {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, NULL]}}, "required": ["next"]},
        closed(next={"anyOf": [{"$ref": "#"}, NULL]}),
    ),
}


@pytest.mark.parametrize(("kind", "expected"), STRICT.values(), ids=STRICT)
def test_what_strict_mode_takes(kind: Any, expected: dict[str, Any]) -> None:
    json_schema = sent(kind)
    assert json_schema["strict"] is True
    assert untitled(json_schema["schema"]) == expected


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    a: int


LENIENT: dict[str, Any] = {
    "open dict": dict[str, int],
    "dict": dict,
    "anything": list[Any],
    "tuple": tuple[int, str],
    "extra fields": Open,
    "not": {"type": "object", "properties": {"a": {"not": {"type": "null"}}}},
    "several allOf": {"allOf": [{"type": "object"}, {"required": ["a"]}]},
    "empty": {},
    "object without properties": {"type": "object"},
    "required but not described": {"type": "object", "properties": {}, "required": ["a"]},
    "a list of itself": {"anyOf": [INTEGER, {"type": "array", "items": {"$ref": "#"}}]},
}


@pytest.mark.parametrize("kind", LENIENT.values(), ids=LENIENT)
def test_what_strict_mode_cannot_say_is_sent_as_it_is(kind: Any) -> None:
    assert sent(kind)["strict"] is False


def test_a_reference_with_siblings_that_leads_back_loses_them() -> None:
    class Link(BaseModel):
        next: Link = Field(description="The next one.")

    Link.model_rebuild()
    assert sent(Link)["strict"] is True


VALID: list[tuple[Any, str, Any]] = [
    (Person, '{"name": "Ada", "age": 36}', Person(name="Ada", age=36)),
    (Person, 'Here:\n```json\n{"name": "Ada", "age": 36}\n```', Person(name="Ada", age=36)),
    (Point, '{"x": 1, "y": 2}', Point(1, 2)),
    (Point, '{"x": 1}', Point(1)),
    (Row, '{"id": 1, "tags": null, "inner": null}', {"id": 1, "inner": None}),
    (Row, '{"id": 1, "tags": ["a"], "inner": [{"id": 2}]}', {"id": 1, "tags": ["a"], "inner": [{"id": 2}]}),
    (Tree, '{"children": [{"children": [], "label": "y"}], "label": "x"}', Tree(children=[Tree(label="y")])),
    (Tree, '{"children": [{"children": null, "label": null}], "label": "x"}', Tree(children=[Tree()])),
    (list[int], '{"value": [1, 2]}', [1, 2]),
    (list[int], "[1, 2]", [1, 2]),
    (tuple[int, str], '{"value": [1, "a"]}', (1, "a")),
    (date, '{"value": "2024-05-06"}', date(2024, 5, 6)),
    (Color, '{"value": "red"}', Color.RED),
    (Literal["a", "b"], '"a"', "a"),
    (int | None, '{"value": null}', None),
    (dict[str, int], '{"value": 1}', {"value": 1}),
    (PERSON, '{"name": "Ada", "mail": null, "age": 3}', {"name": "Ada", "age": 3}),
    ({}, '{"value": {"any": "thing"}}', {"any": "thing"}),
]


@pytest.mark.parametrize(("kind", "text", "data"), VALID)
def test_a_text_that_fits(kind: Any, text: str, data: Any) -> None:
    assert Schema.from_object(kind, "K").validate(text) == data


class Team(BaseModel):
    people: list[Person]

    @pydantic.field_validator("people")
    @classmethod
    def _not_empty(cls, people: list[Person]) -> list[Person]:
        if not people:
            raise ValueError("nobody is there")
        return people


MISFITS: dict[str, tuple[Any, str, list[str]]] = {
    "in depth": (
        Team,
        '{"people": [{"name": "Ada", "age": "x"}, {"age": 1}]}',
        [
            'people.0.age: Input should be a valid integer, unable to parse string as an integer (got "x")',
            "people.1.name: Field required",
        ],
    ),
    "a validator": (Team, '{"people": []}', ["people: Value error, nobody is there (got [])"]),
    "at the root": (
        list[int],
        '{"value": {}}',
        ["the answer: Input should be a valid array (got {})"],
    ),
    "null where it must be": (
        Person,
        '{"name": null, "age": 1}',
        ["name: Input should be a valid string (got null)"],
    ),
    "not JSON": (Person, "I'd rather not.", ['it is not JSON: "I\'d rather not."']),
    "JSON Schema": (
        PERSON,
        '{"age": "x"}',
        ["'name' is a required property", "age: 'x' is not of type 'integer'"],
    ),
    "a format": ({"type": "string", "format": "date"}, '"x"', ["'x' is not a 'date'"]),
    "alternatives": (
        {"anyOf": [PERSON, {"type": "null"}]},
        '{"name": 1}',
        ["name: 1 is not of type 'string'"],
    ),
    "a long value": (Person, json.dumps({"name": ["y" * 99], "age": 1}), ["…)"]),
    "escapes": (PERSON, json.dumps({"name": "A", "age": "\x1b[31m\u202e"}), [r"'\x1b[31m\u202e'"]),
}


@pytest.mark.parametrize(("kind", "text", "errors"), MISFITS.values(), ids=MISFITS)
def test_a_text_that_does_not_fit(kind: Any, text: str, errors: list[str]) -> None:
    with pytest.raises(MisfitError) as caught:
        Schema.from_object(kind, "K").validate(text)
    assert len(caught.value.errors) == len(errors)
    for said, expected in zip(caught.value.errors, errors, strict=True):
        assert expected in said
        assert said.isprintable()
    count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
    assert caught.value.message.startswith(
        f"The answer does not fit K: {count}:\n    {caught.value.errors[0]}"
    )


@pytest.mark.parametrize(("kind", "text", "errors"), MISFITS.values(), ids=MISFITS)
def test_a_model_is_told_in_english_whatever_the_user_speaks(kind: Any, text: str, errors: list[str]) -> None:
    def misfit() -> MisfitError:
        with pytest.raises(MisfitError) as caught:
            Schema.from_object(kind, "K").validate(text)
        return caught.value

    english = misfit()
    choose("zh")
    chinese = misfit()
    assert chinese.english == english.english == english.errors
    assert chinese.message.startswith(f"回答不符合 K（{len(errors)} 处错误）：\n    {chinese.errors[0]}")


@pytest.mark.parametrize(
    ("kind", "text", "error"),
    [
        (Person, "no", '不是 JSON："no"'),
        (Person, "[] []", "其中有 2 个 JSON 值"),
        (Person, "{", "不是 JSON：Expecting property name enclosed in double quotes（第 1 行，第 2 列）"),
        (Person, '{"a": NaN}', "不是 JSON：NaN 不是 JSON 的值"),
        (PERSON, '{"name": 1}', "name: 1 is not of type 'string'"),
        (list[int], "{}", "回答: Input should be a valid array（得到 {}）"),
    ],
)
def test_what_does_not_fit_in_chinese(kind: Any, text: str, error: str) -> None:
    choose("zh")
    with pytest.raises(MisfitError) as caught:
        Schema.from_object(kind, "K").validate(text)
    assert caught.value.errors[0] == error


def test_not_all_of_many_errors_are_listed() -> None:
    with pytest.raises(MisfitError) as caught:
        Schema.from_object(list[int], "K").validate(json.dumps(["x"] * 9))
    assert caught.value.errors[5:] == ("and 4 more",)
    choose("zh")
    with pytest.raises(MisfitError, match=r"\n    另有 4 处$"):
        Schema.from_object(list[int], "K").validate(json.dumps(["x"] * 9))
    choose("en")
    assert caught.value.summary == "The answer does not fit K: 9 errors"


def test_a_validator_that_fails_is_told_from_an_answer_that_does() -> None:
    class Broken(BaseModel):
        a: int

        @pydantic.field_validator("a")
        @classmethod
        def _divide(cls, a: int) -> float:
            return 1 / a

    with pytest.raises(SchemaError, match=r"raised ZeroDivisionError: .*validators of Broken") as caught:
        Schema.from_object(Broken, "Broken").validate('{"a": 0}')
    assert not isinstance(caught.value, MisfitError)


class Plain:
    pass


def annotated_with_nothing_known(a: int) -> int:
    return a


def undefined() -> type:
    @dataclasses.dataclass
    class Undefined:
        a: Nowhere  # type: ignore[name-defined]  # noqa: F821

    return Undefined


NO_SCHEMA: dict[str, tuple[Any, str]] = {
    "number": (5, "K is an instance of int, which is no schema."),
    "text": ("Person", "K is an instance of str"),
    "None": (None, "K is an instance of NoneType"),
    "instance": (Person(name="Ada", age=1), "K is an instance of Person"),
    "function": (annotated_with_nothing_known, "K is a function"),
    "class of no known kind": (Plain, "K is no schema: Unable to generate"),
    "annotation of nothing": (undefined(), "K is no schema: "),
    "dict of other things": ({"name": "str"}, "K is a dict, but no JSON Schema: it has none of its keywords"),
    "type that does not exist": ({"type": "text"}, "K is no valid JSON Schema: type: 'text' is not valid"),
    "wrong properties": ({"properties": ["a"]}, "K is no valid JSON Schema: properties: ['a'] is not"),
    "reference to nothing": ({"$ref": "#/$defs/x"}, "it refers to #/$defs/x, which it does not have"),
    "reference elsewhere": ({"$ref": "https://example.com/x"}, "it refers to https://example.com/x"),
    "values that are not JSON": ({"enum": [Plain]}, "K is no JSON Schema: Object of type type"),
}


@pytest.mark.parametrize(("kind", "says"), NO_SCHEMA.values(), ids=NO_SCHEMA)
def test_what_is_no_schema(kind: Any, says: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Schema.from_object(kind, "K")
    assert says in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize("kind", [kind for kind, _says in NO_SCHEMA.values()], ids=NO_SCHEMA)
def test_what_is_no_schema_in_chinese(kind: Any) -> None:
    choose("zh")
    with pytest.raises(SchemaError) as caught:
        Schema.from_object(kind, "K")
    ours, _colon, _theirs = caught.value.message.partition("：")
    assert english_sentences(f"{ours}\n{caught.value.remedy}") == []
    assert re.search("不是|引用", ours)


@pytest.mark.parametrize(
    ("name", "expected"), [("Person", "Person"), ("a.b[c]", "a_b_c_"), ("人", "_"), ("x" * 99, "x" * 64)]
)
def test_the_name_the_api_gets(name: str, expected: str) -> None:
    response_format: Any = Schema.from_object(Person, name).response_format
    assert response_format["json_schema"]["name"] == expected
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", expected)


@pytest.mark.parametrize(("text", "data"), [('{"a": 1}', {"a": 1}), ("```json\n[1]\n```", [1]), ("3", 3)])
def test_any_json(text: str, data: Any) -> None:
    assert ANY_JSON.response_format == {"type": "json_object"}
    assert ANY_JSON.validate(text) == data


def test_any_json_is_json() -> None:
    with pytest.raises(MisfitError, match="does not fit JSON: 1 error:"):
        ANY_JSON.validate("Hello")


def schemas() -> st.SearchStrategy[Any]:
    """Small JSON Schemas, each with values that fit it, and whether null is one of them.

    A value comes as it is, and as the model writes it in strict mode, where it leaves nothing out.
    """
    leaves: st.SearchStrategy[Any] = st.sampled_from([
        ({"type": "integer"}, st.integers(-(2**60), 2**60).map(_twice), False),
        ({"type": "string"}, st.text().map(_twice), False),
        ({"type": "boolean"}, st.booleans().map(_twice), False),
        ({"type": "null"}, st.none().map(_twice), True),
        ({"enum": ["a", 1, None]}, st.sampled_from(["a", 1, None]).map(_twice), True),
    ])  # fmt: skip

    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        named = st.dictionaries(st.text(min_size=1, max_size=4), st.tuples(inner, st.booleans()), max_size=3)
        return st.one_of(inner.map(_listed), named.map(_named), st.tuples(inner, leaves).map(_either))

    return st.recursive(leaves, grow, max_leaves=5)


def _twice(value: Any) -> Any:
    return value, value


def _listed(inner: Any) -> Any:
    schema, values, _ = inner
    pairs = st.lists(values, max_size=3).map(lambda found: ([v for v, _ in found], [w for _, w in found]))
    return {"type": "array", "items": schema}, pairs, False


def _either(inner: Any) -> Any:
    (first, firsts, null), (second, seconds, also_null) = inner
    return {"anyOf": [first, second]}, firsts | seconds, null or also_null


def _named(fields: Mapping[str, Any]) -> Any:
    left_out = st.just((None, None))
    optional = {name for name, ((_, _, null), needed) in fields.items() if not (needed or null)}
    schema = {
        "type": "object",
        "properties": {name: schema for name, ((schema, _, _), _) in fields.items()},
        "required": [name for name, (_, needed) in fields.items() if needed],
    }
    values = {name: pairs for name, ((_, pairs, _), _) in fields.items()}
    drawn = st.fixed_dictionaries(values | {name: values[name] | left_out for name in optional})

    def split(found: Mapping[str, Any]) -> Any:
        value = {name: v for name, (v, _) in found.items() if not (name in optional and v is None)}
        return value, {name: w for name, (_, w) in found.items()}

    return schema, drawn.map(split), False


@given(st.data())
def test_every_value_comes_back(data: st.DataObject) -> None:
    described, pairs, _ = data.draw(schemas())
    value, written = data.draw(pairs)
    schema = Schema.from_object(described, "K")
    json_schema: Any = schema.response_format["json_schema"]
    is_object = described.get("type") == "object"
    assert json_schema["strict"] is True
    Draft202012Validator(json_schema["schema"]).validate(written if is_object else {"value": written})
    for text in (written if is_object else {"value": written}, value if is_object else {"value": value}):
        assert schema.validate(json.dumps(text)) == value
