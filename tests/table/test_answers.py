"""Answers to rows as columns: texts, a schema's fields, errors, facts."""

from __future__ import annotations

import dataclasses
from datetime import date
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from metask_magic.batch.batch import RowResult
from metask_magic.chat.reply import Reply
from metask_magic.errors import MetaskError, OptionError
from metask_magic.language import choose
from metask_magic.messages.events import Usage
from metask_magic.schemas.schema import ANY_JSON, Schema
from metask_magic.table.answers import RowAnswers, fields_of
from metask_magic.table.rows import Row

from ..english import english_sentences

REPLY = Reply("hi", "m", "stop", model="m-1", usage=Usage(1, 2, 3), elapsed=0.12345, request_id="r")


class Colour(Enum):
    RED = "red"


class Inner(BaseModel):
    x: int


class Model(BaseModel):
    day: date
    colour: Colour
    inner: Inner
    other: int = Field(alias="anders")


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


CLASSES: dict[str, tuple[Any, tuple[str, ...], str, dict[str, Any]]] = {
    "Pydantic": (
        Model,
        ("day", "colour", "inner", "anders"),
        '{"day": "2026-01-02", "colour": "red", "inner": {"x": 1}, "anders": 5}',
        {"day": "2026-01-02", "colour": "red", "inner": {"x": 1}, "anders": 5},
    ),
    "dataclass": (Point, ("x", "y"), '{"x": 1, "y": 2}', {"x": 1, "y": 2}),
    "list": (list[int], ("value",), '{"value": [1]}', {"value": [1]}),
    "literal": (Literal["a", "b"], ("value",), '{"value": "a"}', {"value": "a"}),
    "JSON Schema": (
        {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}},
        ("a", "b"),
        '{"a": 1}',
        {"a": 1, "b": None},
    ),
    "any object": (dict[str, int], (), '{"k": 1}', {"reply": '{"k": 1}'}),
}


@pytest.mark.parametrize(("kind", "fields", "text", "cells"), CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("parsed", [True, False])
def test_a_schemas_fields(
    kind: Any, fields: tuple[str, ...], text: str, cells: dict[str, Any], parsed: bool
) -> None:
    schema = Schema.from_object(kind, "it")
    assert fields_of(schema) == fields
    data = schema.validate(text) if parsed else None  # what was answered before may come as text alone
    answers = RowAnswers(schema)
    reply = dataclasses.replace(REPLY, text=text, data=data)
    columns = answers.to_columns({0: RowResult(0, reply, None, False)}, {}, 1)
    assert tuple(columns) == answers.names == (*cells, "reply_error", "reply_meta")
    assert {name: columns[name][0] for name in cells} == cells
    assert columns["reply_error"] == [None]


def test_texts_errors_and_what_was_not_asked() -> None:
    failed = RowResult(1, None, MetaskError("It broke.", "Mend it."), False)
    cut = RowResult(2, dataclasses.replace(REPLY, text="hal"), MetaskError("Cut."), False)
    columns = RowAnswers(None).to_columns({0: RowResult(0, REPLY, None, True), 1: failed, 2: cut}, {}, 4)
    assert columns["reply"] == ["hi", None, "hal", None]
    assert columns["reply_error"] == [None, "It broke.", "Cut.", "not asked"]
    assert columns["reply_meta"][0] == {
        "model": "m-1",
        "finish_reason": "stop",
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "elapsed": 0.123,
        "request_id": "r",
    }
    assert [meta is None for meta in columns["reply_meta"]] == [False, True, False, True]


def test_a_text_that_no_longer_fits_is_an_error_of_its_row() -> None:
    schema = Schema.from_object(Point, "Point")
    columns = RowAnswers(schema).to_columns({0: RowResult(0, REPLY, None, True)}, {}, 1)
    assert columns["x"] == [None]
    assert "does not fit Point" in columns["reply_error"][0]


def test_errors_are_in_the_users_language_and_the_status_in_none() -> None:
    choose("zh")
    answers = RowAnswers(Schema.from_object(Point, "Point"))
    columns = answers.to_columns({0: RowResult(0, REPLY, None, True)}, {}, 2)
    assert columns["reply_error"] == ['回答不符合 Point（1 处错误）：\n    不是 JSON："hi"', "not asked"]


def test_rows_that_are_kept_stay_as_they_are() -> None:
    kept = Row({"text": "t", "reply": "old", "reply_error": None, "reply_meta": {"a": 1}})
    columns = RowAnswers(None).to_columns({1: RowResult(1, REPLY, None, False)}, {0: kept}, 2)
    assert columns["reply"] == ["old", "hi"]
    assert columns["reply_meta"][0] == {"a": 1}


def test_any_json_is_text() -> None:
    assert RowAnswers(ANY_JSON).names == ("reply", "reply_error", "reply_meta")


@pytest.mark.parametrize(
    ("schema", "columns", "taken"),
    [
        (None, ["text", "reply"], "reply"),
        (None, [("reply_meta", ""), ("a", "b")], "reply_meta"),
        (Schema.from_object(Point, "Point"), ["x", "reply", "reply_error"], "x and reply_error"),
    ],
)
def test_a_column_that_is_taken(schema: Schema | None, columns: list[Any], taken: str) -> None:
    with pytest.raises(OptionError, match=f"df already has {taken}:"):
        RowAnswers(schema).check_free(columns, "df")
    choose("zh")
    with pytest.raises(OptionError, match=f"^df 已经有 {taken.replace(' and ', ' 和 ')} 列：") as caught:
        RowAnswers(schema).check_free(columns, "df")
    assert english_sentences(str(caught.value)) == []
    RowAnswers(schema).check_free(["text", 0, ()], "df")
