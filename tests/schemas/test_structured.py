"""Structured output: what passes through, what is asked again, and what is given up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel

from metask_magic.asking.errands import Errands
from metask_magic.chat.reply import Reply, ReplyBuilder
from metask_magic.errors import BadRequestError, ContextLengthError, MetaskError, SchemaError, ServerError
from metask_magic.language import choose
from metask_magic.messages.events import (
    Continued,
    Event,
    Finished,
    Notice,
    Parsed,
    ReasoningDelta,
    Served,
    Step,
    Stepped,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReported,
)
from metask_magic.messages.formats import INSTRUCTIONS
from metask_magic.messages.request import Message, Request
from metask_magic.schemas.schema import ANY_JSON, Schema
from metask_magic.schemas.structured import Refused, StructuredBackend

from ..english import english_sentences

T = TypeVar("T")


class Person(BaseModel):
    name: str
    age: int


GOOD, BAD, WORSE = '{"name": "Ada", "age": 36}', '{"name": "Ada", "age": "old"}', "{}"
ADA = Person(name="Ada", age=36)
SCHEMA = Schema.from_object(Person, "Person")
USER = Message("user", "Who?")
REQUEST = Request("m", (USER,), {"seed": 7}, response_format=SCHEMA.response_format, format="json")


def said(text: str, reason: str | None = "stop") -> list[Event | Exception]:
    """A round of a backend."""
    return [
        TextDelta(text[:5]),
        TextDelta(text[5:]),
        UsageReported(Usage(1, 2, 3)),
        *([Finished(reason)] if reason else []),
    ]


class Inner:
    """A backend that plays one round per request."""

    def __init__(self, *rounds: list[Event | Exception] | Exception) -> None:
        self.rounds = [round if isinstance(round, list) else [round] for round in rounds]
        self.requests: list[Request] = []

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        self.requests.append(request)
        for event in self.rounds[len(self.requests) - 1]:
            if isinstance(event, Exception):
                raise event
            yield event


class AtOnce(Errands):
    """Makes the calls where they are wanted."""

    calls = 0

    async def call(self, function: Callable[[], T]) -> T:
        self.calls += 1
        return function()


class Asked:
    """What came of a request."""

    def __init__(
        self,
        inner: Inner,
        *,
        schema: Schema = SCHEMA,
        request: Request = REQUEST,
        repairs: int = 1,
        refused: Refused | None = None,
        recorded: Callable[[Request], bool] = lambda _: False,
    ) -> None:
        self.errands = AtOnce()
        self.events: list[Event] = []
        self.error: MetaskError | None = None
        builder = ReplyBuilder(request)

        async def run() -> None:
            backend = StructuredBackend(inner, schema, repairs, self.errands, refused, recorded)
            async for event in backend.stream(request):
                self.events.append(event)
                builder.feed(event)

        try:
            asyncio.run(run())
            builder.finish()
        except MetaskError as error:
            self.error = error
            builder.fail(error)
        self.reply: Reply = builder.build()

    def of(self, *kinds: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kinds)]


def test_an_answer_that_fits_passes_through() -> None:
    events: list[Event | Exception] = [Served("m-1", "r"), ReasoningDelta("hm"), *said(GOOD)]
    asked = Asked(inner := Inner(events))
    assert asked.events == [*events, Parsed(ADA)]
    assert inner.requests == [REQUEST]
    assert (asked.reply.data, asked.reply.text, asked.reply.finish_reason) == (ADA, GOOD, "stop")
    assert asked.errands.calls == 1


def test_the_schema_is_sent_whatever_the_request_says() -> None:
    inner = Inner(said(GOOD))
    Asked(inner, request=Request("m", (USER,)))
    assert inner.requests[0].response_format == SCHEMA.response_format


def test_an_answer_that_does_not_fit_is_sent_back_with_its_errors() -> None:
    asked = Asked(inner := Inner(said(BAD), said(GOOD)))
    assert inner.requests[0] == REQUEST
    answer, correction = inner.requests[1].messages[1:]
    assert answer == Message("assistant", BAD)
    assert correction.role == "user"
    assert 'age: Input should be a valid integer, unable to parse string as an integer (got "old")' in (
        correction.text
    )
    (step,) = asked.reply.steps
    assert step.title == "The answer does not fit Person: 1 error"
    assert step.body.startswith(BAD)
    assert "age: Input should be" in step.body
    assert step.failed
    assert asked.of(Notice) == [Notice("The answer does not fit Person: 1 error: asking once more (1 of 1).")]
    assert asked.of(Continued) == [Continued((answer, correction), keep_text=False)]
    assert (asked.reply.text, asked.reply.data, asked.reply.error) == (GOOD, ADA, None)
    assert asked.reply.usage == Usage(2, 4, 6)


def test_no_text_stays_of_what_was_sent_back() -> None:
    asked = Asked(Inner(said(BAD), said(WORSE), said(GOOD)), repairs=2)
    assert asked.reply.text == GOOD
    assert len(asked.reply.steps) == 2


@pytest.mark.parametrize("repairs", [0, 1, 3])
def test_repairs_end(repairs: int) -> None:
    inner = Inner(*[said(BAD)] * repairs, said(WORSE))
    asked = Asked(inner, repairs=repairs)
    assert len(inner.requests) == repairs + 1
    assert [len(request.messages) for request in inner.requests] == [1 + 2 * at for at in range(repairs + 1)]
    assert type(asked.error) is SchemaError
    assert "The answer does not fit Person: 2 errors:\n    name: Field required" in asked.error.message
    assert "Metask.max_repairs" in asked.error.remedy
    assert (asked.reply.text, asked.reply.data) == (WORSE, None)
    assert len(asked.reply.steps) == repairs


ENDINGS = {
    "length": (said(GOOD[:20], "length"), "cut at its greatest length", "--max-tokens"),
    "another name of it": (said(GOOD[:20], "max_tokens"), "cut at its greatest length", "--max-tokens"),
    "filter": (said("", "content_filter"), "content filter", "Ask otherwise"),
    "nothing": (said(" \n"), "answered with nothing", "another model"),
    "cut": (said(GOOD[:20], None), "ended without saying", "Run the cell again"),
}


@pytest.mark.parametrize(("events", "says", "remedy"), ENDINGS.values(), ids=ENDINGS)
def test_endings_that_no_repair_helps(events: list[Event | Exception], says: str, remedy: str) -> None:
    asked = Asked(inner := Inner(events), repairs=9)
    assert type(asked.error) is SchemaError
    assert says in asked.error.message
    assert remedy in asked.error.remedy
    assert len(inner.requests) == 1
    assert asked.of(Parsed) == []


@pytest.mark.parametrize(("events", "says", "remedy"), ENDINGS.values(), ids=ENDINGS)
def test_endings_in_chinese(events: list[Event | Exception], says: str, remedy: str) -> None:
    choose("zh")
    error = Asked(Inner(events), repairs=9).error
    assert error is not None
    lines = "\n".join(error.lines()).splitlines()
    ours = [line for line in lines if not line.startswith("    ")]  # Python says what is wrong with JSON
    assert english_sentences("\n".join(ours)) == []
    assert says not in error.message


def test_in_chinese_the_model_is_told_the_same() -> None:
    """A recording of either is found by the other."""
    Asked(english := Inner(said(BAD), said("no"), said(GOOD)), repairs=2)
    choose("zh")
    asked = Asked(chinese := Inner(said(BAD), said("no"), said(GOOD)), repairs=2)
    assert chinese.requests == english.requests
    assert [step.title for step in asked.reply.steps] == ["回答不符合 Person（1 处错误）"] * 2
    assert asked.of(Notice)[1] == Notice("回答不符合 Person（1 处错误），再问一次（第 2 次，最多 2 次）。")


def test_giving_up_in_chinese() -> None:
    choose("zh")
    error = Asked(Inner(said(WORSE)), repairs=0).error
    assert error is not None
    assert error.remedy == "已放弃：查看回复的文字，调大 Metask.max_repairs，或换一个模型。"
    error = Asked(Inner(said(BAD), said(WORSE)), repairs=1).error
    assert error is not None
    assert error.remedy.startswith("2 次回答之后已放弃：")


def test_a_whole_answer_fits_although_the_stream_did_not_say_its_end() -> None:
    asked = Asked(Inner(said(GOOD, None)))
    assert (asked.reply.data, asked.reply.finish_reason) == (ADA, "incomplete")


def test_a_call_of_tools_is_no_answer() -> None:
    events: list[Event | Exception] = [ToolCallDelta(0, "c", "f", "{}"), Finished("tool_calls")]
    asked = Asked(Inner(events))
    assert asked.events == events
    assert asked.errands.calls == 0


def test_the_last_round_of_tools_is_the_answer() -> None:
    """A backend of tools stands inside: its messages belong to what is asked again."""
    called = (Message("assistant", "Let me see."), Message("tool", "36", tool_call_id="c"))

    def tools(answer: str) -> list[Event | Exception]:
        return [
            TextDelta("Let me see {}."),
            Finished("tool_calls"),
            Stepped(Step("age()", "36")),
            Continued(called),
            *said(answer),
        ]

    asked = Asked(inner := Inner(tools(BAD), said(GOOD)))
    assert asked.reply.data == ADA
    assert asked.reply.text == GOOD
    assert inner.requests[1].messages[:4] == (USER, *called, Message("assistant", BAD))


def test_a_failure_of_the_inner_backend_is_its_own() -> None:
    failure = ServerError("Down.")
    assert Asked(Inner([TextDelta("so far"), failure])).error is failure


def test_a_validator_that_fails_is_not_repaired() -> None:
    def fail(value: Any) -> Any:
        return 1 / 0

    schema = Schema("Broken", {"type": "json_object"}, {}, fail)
    asked = Asked(inner := Inner(said(GOOD)), schema=schema, repairs=5)
    assert asked.error is not None
    assert "ZeroDivisionError" in asked.error.message
    assert len(inner.requests) == 1


REFUSALS = [
    "The gateway did not accept the request (400): Invalid parameter: 'response_format' of type "
    "'json_schema' is not supported with this model.",
    "The gateway did not accept the request (400): This response_format type is unavailable now",
    'The gateway did not accept the request (422): [{"loc": ["body", "response_format"]}]',
    "The gateway did not accept the request (400): Structured outputs are not supported.",
    "The gateway did not accept the request (400): Invalid schema for JSON Schema mode",
]


def refusal(message: str = REFUSALS[0]) -> BadRequestError:
    return BadRequestError(message, "`--dry-run` shows the exact request.", status=400)


@pytest.mark.parametrize("message", REFUSALS)
def test_where_the_schema_is_refused_it_is_put_into_words(message: str) -> None:
    asked = Asked(inner := Inner(refusal(message), said(f"```json\n{GOOD}\n```")))
    told = inner.requests[1]
    assert asked.reply.data == ADA
    assert told.response_format == {"type": "json_object"}
    assert told.messages[1:] == (USER,)
    assert told.messages[0].role == "system"
    assert told.messages[0].text.startswith(INSTRUCTIONS["json"])
    assert json.dumps(SCHEMA.json_schema) in told.messages[0].text
    assert asked.of(Notice) == [
        Notice("m does not take this JSON Schema: asking for JSON, the schema in words.")
    ]


def test_where_both_are_refused_words_alone_remain() -> None:
    request = Request("m", (Message("system", "Be kind."), USER))
    asked = Asked(inner := Inner(refusal(), refusal(), said(GOOD)), request=request)
    assert [request.response_format for request in inner.requests] == [
        SCHEMA.response_format, {"type": "json_object"}, None
    ]  # fmt: skip
    assert inner.requests[1].messages == inner.requests[2].messages
    assert inner.requests[2].messages[0].text.startswith("Be kind.\n\nAnswer with one JSON value alone")
    assert len(asked.of(Notice)) == 2
    assert asked.reply.data == ADA


def test_a_repair_goes_the_way_that_was_accepted() -> None:
    asked = Asked(inner := Inner(refusal(), said(BAD), said(GOOD)))
    assert asked.reply.data == ADA
    assert inner.requests[2].response_format == {"type": "json_object"}
    assert [message.role for message in inner.requests[2].messages] == ["system", "user", "assistant", "user"]


def test_what_was_refused_is_not_tried_again() -> None:
    refused: Refused = set()
    Asked(Inner(refusal(), said(GOOD)), refused=refused)
    asked = Asked(inner := Inner(said(GOOD)), refused=refused)
    assert [request.response_format for request in inner.requests] == [{"type": "json_object"}]
    assert asked.of(Notice) == []
    other = Schema.from_object(list[int], "Numbers")
    Asked(inner := Inner(said("[1]")), schema=other, refused=refused)
    assert inner.requests[0].response_format == other.response_format, "another schema may be taken"
    Asked(inner := Inner(said(GOOD)), request=Request("n", (USER,)), refused=refused)
    assert inner.requests[0].response_format == SCHEMA.response_format, "and so may another model"


@pytest.mark.parametrize(
    ("events", "asked_times"),
    [
        ([BadRequestError("temperature is too high", "Change or drop the parameter temperature.")], 1),
        ([ContextLengthError("The prompt with its response_format is too long.")], 1),
        ([ServerError("response_format failed")], 1),
        ([TextDelta("so far"), refusal()], 1),
        ([Notice("Starting."), refusal()], 3),
    ],
)
def test_only_a_refused_format_is_a_reason_to_ask_otherwise(
    events: list[Event | Exception], asked_times: int
) -> None:
    inner = Inner(events, events, events)
    asked = Asked(inner)
    assert asked.error is events[-1]
    assert len(inner.requests) == asked_times


@pytest.mark.parametrize("format", ["json_schema", "json_object", None])
@pytest.mark.parametrize("refused", [None, {("m", json.dumps(SCHEMA.response_format, sort_keys=True))}])
def test_the_way_whose_answer_is_recorded_is_taken(format: str | None, refused: Refused | None) -> None:
    """A replay takes the way that the first time ended on, whatever was refused before or since."""

    def recorded(request: Request) -> bool:
        return (request.response_format or {}).get("type") == format

    asked = Asked(inner := Inner(said(GOOD)), refused=refused, recorded=recorded)
    assert [recorded(request) for request in inner.requests] == [True]
    assert asked.reply.data == ADA


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ((USER,), True),
        ((Message("user", "A list, as json."),), False),
        ((Message("system", "Speak JSON."), USER), False),
    ],
)
@pytest.mark.parametrize("refused", [False, True])
def test_any_json_is_asked_for_by_name(messages: tuple[Message, ...], told: bool, refused: bool) -> None:
    inner = Inner(*[refusal()] * refused, said("[1]"))
    asked = Asked(inner, schema=ANY_JSON, request=Request("m", messages))
    expected = (Message("system", INSTRUCTIONS["json"]), *messages) if told else messages
    assert [request.messages for request in inner.requests] == [expected] * (1 + refused)
    assert inner.requests[-1].response_format == (None if refused else {"type": "json_object"})
    assert asked.reply.data == [1]


def test_an_interrupt_in_a_validator_waits_for_the_end() -> None:
    class Interrupted(Errands):
        async def call(self, function: Callable[[], T]) -> T:
            return None  # type: ignore[return-value]  # what an errand returns whose call was interrupted

    async def run() -> list[Event]:
        events: list[Event] = []

        async def consume() -> None:
            async for event in StructuredBackend(Inner(said(GOOD)), SCHEMA, 1, Interrupted()).stream(REQUEST):
                events.append(event)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(consume(), 0.05)
        return events

    assert not any(isinstance(event, Parsed) for event in asyncio.run(run()))
