"""Events folded into a reply, and what the reply says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from metask_magic.chat.reply import CodeBlock, Reply, ReplyBuilder
from metask_magic.errors import MetaskError
from metask_magic.language import choose
from metask_magic.messages.events import (
    Continued,
    Event,
    Finished,
    Noted,
    Notice,
    Parsed,
    ReasoningDelta,
    RefusalDelta,
    Served,
    Step,
    Stepped,
    TextDelta,
    Timed,
    ToolCallDelta,
    Usage,
    UsageReported,
)
from metask_magic.messages.request import Message, Request, ToolCall

from ..english import english_sentences

REQUEST = Request("asked", (Message("user", "Hi"),), {"seed": 1})
FAILURE = MetaskError("It failed.")


def ticking() -> Callable[[], float]:
    """A clock that is a second later each time it is read: 0 when asked."""
    seconds: Iterator[int] = count()
    return lambda: float(next(seconds))


def builder(*events: Event) -> ReplyBuilder:
    built = ReplyBuilder(REQUEST, ticking())
    for event in events:
        built.feed(event)
    return built


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], {"text": "", "model": None, "usage": None, "request_id": None, "first_token_after": None}),
        ([TextDelta("a"), TextDelta(""), TextDelta("b")], {"text": "ab", "reasoning": ""}),
        ([ReasoningDelta("a"), TextDelta("x"), ReasoningDelta("b")], {"text": "x", "reasoning": "ab"}),
        ([Served("m", None), Served(None, "r")], {"model": "m", "request_id": "r"}),
        ([Served("m", "r"), Served("n", "s")], {"model": "n", "request_id": "s"}),
        ([UsageReported(Usage(1)), UsageReported(Usage(2))], {"usage": Usage(2)}),
        ([Notice("Wait.")], {"text": "", "reasoning": "", "first_token_after": None}),
        (
            [
                ToolCallDelta(1, "c1", "g", ""),
                ToolCallDelta(0, "c0", "f", '{"a"'),
                ToolCallDelta(0, "", "", ": 1}"),
                ToolCallDelta(1, "other", "other", "{}"),
            ],
            {"tool_calls": (ToolCall("c0", "f", '{"a": 1}'), ToolCall("c1", "g", "{}"))},
        ),
    ],
)
def test_folded(events: list[Event], expected: dict[str, Any]) -> None:
    reply = builder(*events).build()
    assert {name: getattr(reply, name) for name in expected} == expected
    assert (reply.requested_model, reply.params) == ("asked", {"seed": 1})


@pytest.mark.parametrize(
    ("events", "first", "elapsed"),
    [
        ([], None, 1.0),
        ([Served("m", "r"), TextDelta("a"), TextDelta("b")], 1.0, 2.0),
        ([ReasoningDelta("a"), TextDelta("b")], 1.0, 2.0),
    ],
)
def test_seconds(events: list[Event], first: float | None, elapsed: float) -> None:
    built = builder(*events)
    built.finish()
    assert [(r.first_token_after, r.elapsed) for r in (built.build(), built.build())] == [
        (first, elapsed)
    ] * 2


@pytest.mark.parametrize(
    ("reported", "reason"),
    [
        (None, "incomplete"),
        *((known, known) for known in ("stop", "length", "tool_calls", "content_filter")),
        *((name, "length") for name in ("max_tokens", "MAX_TOKENS", "model_length", "max_length")),
        *((name, "stop") for name in ("end_turn", "eos", "STOP", "", "a word of its own")),
        *((name, "incomplete") for name in ("interrupted", "error", "insufficient_system_resource")),
    ],
)
def test_finish_reason(reported: str | None, reason: str) -> None:
    built = builder(*([] if reported is None else [Finished(reported)]))
    built.finish()
    assert (built.build().finish_reason, built.build().native_finish_reason) == (reason, reported)


ENDINGS: dict[str, Callable[[ReplyBuilder], None]] = {
    "stop": ReplyBuilder.finish,
    "interrupted": ReplyBuilder.interrupt,
    "error": lambda built: built.fail(FAILURE),
}
LATE = (TextDelta("late"), Served("late", "late"), UsageReported(Usage(9)), Finished("length"))


@pytest.mark.parametrize("ending", ENDINGS)
def test_first_ending_counts(ending: str) -> None:
    built = builder(TextDelta("a"), Finished("stop"))
    ENDINGS[ending](built)
    ended = built.build()
    for event in (*LATE, ReasoningDelta("late"), ToolCallDelta(0, "late", "late", "late")):
        built.feed(event)
    for end in ENDINGS.values():
        end(built)
    assert built.build() == ended
    assert (ended.text, ended.finish_reason) == ("a", ending)
    assert built.build().error is (FAILURE if ending == "error" else None)


def test_built_before_the_end() -> None:
    built = builder(TextDelta("a"))
    assert built.build().finish_reason == "interrupted"
    built.feed(TextDelta("b"))
    built.feed(Finished("stop"))
    built.finish()
    assert (built.build().text, built.build().finish_reason) == ("ab", "stop")


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("no code, `inline` only", []),
        ("```python\nx = 1\n```", [("python", "x = 1\n")]),
        ("```\na\n```\ntext\n~~~sh -e\nb\n~~~", [("", "a\n"), ("sh", "b\n")]),
        ("````md\n```py\nx\n```\n````", [("md", "```py\nx\n```\n")]),
        ("~~~\n```\n~~~", [("", "```\n")]),
        ("```py\nx = 1", [("py", "x = 1")]),
        ("```py", [("py", "")]),
        ("1. Do\n\n   ```py\n   if x:\n       y\n   ```\n2. Done", [("py", "if x:\n    y\n")]),
        ("- a\n  - b\n    ```\n    c\n    ```", [("", "c\n")]),
        ("> ```py\n> x\n> ```", [("py", "x\n")]),
        ("    ```\n    indented: no fence", []),
    ],
)
def test_code_blocks(text: str, blocks: list[tuple[str, str]]) -> None:
    assert reply_of(text).code_blocks == tuple(CodeBlock(*block) for block in blocks)


def reply_of(text: str, **facts: Any) -> Reply:
    return Reply(**{"text": text, "requested_model": "asked", "finish_reason": "stop"} | facts)


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (reply_of("a" * 1234), "<Reply from asked: 1,234 characters, stop>"),
        (reply_of("a", model="served"), "<Reply from served: 1 characters, stop>"),
        (reply_of("", usage=Usage(1)), "<Reply from asked: 0 characters, stop (empty)>"),
        (reply_of("", usage=Usage(1, 2000)), "<Reply from asked: 0 characters, 2,000 tokens, stop (empty)>"),
        (reply_of("a", finish_reason="error"), "<Reply from asked: 1 characters, error>"),
        (
            reply_of("a", finish_reason="length", native_finish_reason="MAX_TOKENS"),
            "<Reply from asked: 1 characters, length (MAX_TOKENS)>",
        ),
    ],
)
def test_repr(reply: Reply, shown: str) -> None:
    assert repr(reply) == shown
    assert str(reply) == reply.text


def test_repr_in_chinese() -> None:
    choose("zh")
    assert repr(reply_of("a" * 1234)) == "<asked 的回复：1,234 个字符，stop>"
    assert repr(reply_of("a", usage=Usage(1, 2000))) == "<asked 的回复：1 个字符，2,000 个 token，stop>"


def test_what_cannot_be_exported_in_chinese() -> None:
    choose("zh")
    for reply in (reply_of("a"), reply_of("a", requested_model="local")):
        with pytest.raises(MetaskError) as caught:
            reply.as_code()
        assert english_sentences(str(caught.value)) == []


@pytest.mark.parametrize(
    ("reply", "provenance"),
    [
        (reply_of("a"), {"requested_model": "asked", "finish_reason": "stop"}),
        (
            reply_of("a", model="m", usage=Usage(1), request_id="r", params={"seed": 0}),
            {
                "model": "m",
                "requested_model": "asked",
                "params": {"seed": 0},
                "usage": {"prompt_tokens": 1},
                "finish_reason": "stop",
                "request_id": "r",
            },
        ),
        (reply_of("a", usage=Usage()), {"requested_model": "asked", "finish_reason": "stop"}),
    ],
    ids=["bare", "full", "empty usage"],
)
def test_provenance(reply: Reply, provenance: dict[str, Any]) -> None:
    assert reply.to_record().metadata == provenance


@pytest.mark.parametrize(
    ("facts", "notice", "ending"),
    [
        ({}, "", "stop"),
        ({"finish_reason": "error"}, "", "error"),
        ({"finish_reason": "interrupted"}, "Stopped before its end.", "interrupted"),
        (
            {"finish_reason": "length", "params": {"max_completion_tokens": 9}},
            "Cut off at the limit of 9 tokens: raise --max-tokens, or ask it to go on.",
            "length",
        ),
        (
            {"refusal": "a", "native_finish_reason": "stop"},
            "The model refused to answer: ask otherwise, or ask another model.",
            "stop (refused)",
        ),
        (
            {"finish_reason": "tool_calls", "tool_calls": (ToolCall("c", "f", "{}"),)},
            "The model asks to call f, and nobody did: `tool_calls` of the reply has it.",
            "tool_calls",
        ),
        (
            {
                "tool_calls": (ToolCall("c", "f", "{}"),),
                "messages": (Message("assistant", "a"),),
                "finish_reason": "tool_calls",
            },
            "",
            "tool_calls",
        ),
    ],
)
def test_record(facts: dict[str, Any], notice: str, ending: str) -> None:
    reply = reply_of("a", reasoning="r", notes=("n",), **facts)
    record = reply.to_record()
    assert (record.model, record.text, record.reasoning, record.note) == ("asked", "a", "r", "n")
    assert (record.notice, record.ending, record.finish_reason) == (notice, ending, reply.finish_reason)
    assert (reply.notice, str(reply)) == (notice, "a")


def test_the_provider_s_own_word_is_kept_where_it_is_another() -> None:
    for reported, kept in (("stop", None), ("STOP", "STOP"), ("MAX_TOKENS", "MAX_TOKENS")):
        built = builder(TextDelta("a"), Finished(reported))
        built.finish()
        assert built.build().to_record().metadata.get("native_finish_reason") == kept


def test_a_refusal_is_text_and_known_as_one() -> None:
    built = builder(TextDelta("I "), RefusalDelta("I "), TextDelta("won't."), RefusalDelta("won't."))
    assert (built.build().text, built.build().refusal) == ("I won't.", "I won't.")
    assert built.build().to_record().metadata["refusal"] == "I won't."
    built.feed(KEPT)
    assert built.build().refusal == ""


ASKED = Message("assistant", "Let me see.", tool_calls=(ToolCall("c1", "f", "{}"),))
TOLD = Message("tool", "7", tool_call_id="c1")
CALL = ToolCallDelta(0, "c1", "f", "{}")
ROUND = (TextDelta("Let me see."), CALL, Finished("tool_calls"))
KEPT, DROPPED = Continued((ASKED, TOLD)), Continued((ASKED, TOLD), keep_text=False)
ANSWER = (TextDelta(" Seven. "), Finished("stop"))
STEP, FAILED = Step("f()", "7"), Step("f()", "Error", failed=True)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (
            [*ROUND, KEPT, *ANSWER],
            {
                "text": "Let me see. Seven. ",
                "finish_reason": "stop",
                "tool_calls": (ToolCall("c1", "f", "{}"),),
                "messages": (ASKED, TOLD, Message("assistant", "Seven.")),
            },
        ),
        (
            [*ROUND, DROPPED, *ANSWER],
            {"text": " Seven. ", "messages": (Message("assistant", "Seven."),)},
        ),
        (
            [TextDelta("a"), KEPT, TextDelta("b"), DROPPED, TextDelta("c"), KEPT, TextDelta("d")],
            {"text": "cd", "messages": (*(ASKED, TOLD) * 2, Message("assistant", "d"))},
        ),
        (
            [CALL, KEPT, CALL, KEPT, ToolCallDelta(0, "c2", "g", "")],
            {
                "tool_calls": (*[ToolCall("c1", "f", "{}")] * 2, ToolCall("c2", "g", "")),
                "messages": (
                    *(ASKED, TOLD) * 2,
                    Message("assistant", "", tool_calls=(ToolCall("c2", "g", ""),)),
                ),
            },
        ),
        ([*ROUND, KEPT], {"text": "Let me see.", "finish_reason": "incomplete"}),
        ([ReasoningDelta("a"), KEPT, ReasoningDelta("b")], {"reasoning": "ab"}),
        ([Served("m", "r1"), KEPT, Served(None, "r2")], {"model": "m", "request_id": "r2"}),
        ([Stepped(FAILED), KEPT, Stepped(STEP)], {"steps": (FAILED, STEP)}),
        ([Parsed({"a": 1})], {"data": {"a": 1}}),
        ([Parsed({"a": 1}), KEPT, Parsed([2])], {"data": [2]}),
        ([TextDelta(" a ")], {"text": " a ", "messages": (Message("assistant", "a"),), "data": None}),
    ],
)
def test_rounds(events: list[Event], expected: dict[str, Any]) -> None:
    built = builder(*events)
    built.finish()
    reply = built.build()
    assert {name: getattr(reply, name) for name in expected} == expected


def reported(*figures: int | None) -> UsageReported:
    return UsageReported(Usage(*figures))


@pytest.mark.parametrize(
    ("events", "usage"),
    [
        ([reported(1, 2, 3), KEPT, reported(10, 20, 30)], Usage(11, 22, 33)),
        ([reported(1, 2), KEPT, reported(10, None, 30)], Usage(11, None, None)),
        ([reported(1), KEPT, reported(2), DROPPED, reported(3)], Usage(6)),
        ([reported(1), reported(5), KEPT, reported(2)], Usage(7)),
        ([reported(1), KEPT], Usage()),
        ([KEPT, reported(2)], Usage()),
        ([reported(1), KEPT, KEPT, reported(2)], Usage()),
        ([KEPT], Usage()),
        ([], None),
    ],
)
def test_usage_of_rounds(events: list[Event], usage: Usage | None) -> None:
    assert builder(*events).build().usage == usage


def test_steps_are_in_the_record() -> None:
    record = builder(Stepped(STEP), Stepped(FAILED)).build().to_record()
    assert record.steps == (STEP, FAILED)
    assert record.metadata["steps"] == [
        {"title": "f()", "body": "7"},
        {"title": "f()", "body": "Error", "failed": True},
    ]


@pytest.mark.parametrize(
    ("events", "times"),
    [
        ([TextDelta("a"), Timed(7.5, 0.5)], (7.5, 0.5)),
        ([TextDelta("a"), Timed(7.5, 0.5), KEPT, TextDelta("b"), Timed(2.0, 1.0)], (9.5, 0.5)),
        ([CALL, Timed(7.5, None), KEPT, TextDelta("b"), Timed(2.0, 1.0)], (9.5, 8.5)),
        ([CALL, Timed(7.5, None), KEPT, CALL, Timed(2.0, None)], (9.5, None)),
        ([TextDelta("a"), Timed(7.5, 0.5), KEPT, Stepped(STEP), Parsed(1), Noted("n")], (7.5, 0.5)),
        ([TextDelta("a"), Timed(7.5, 0.5), KEPT, TextDelta("b")], (2.0, 1.0)),
        ([CALL, Timed(7.5, None), KEPT, Served("m", None)], (1.0, None)),
    ],
)
def test_times_that_were_kept_win(events: list[Event], times: tuple[float, float | None]) -> None:
    built = builder(*events)
    built.finish()
    reply = built.build()
    assert (reply.elapsed, reply.first_token_after) == times


def test_notes_stay_beside_the_reply() -> None:
    built = builder(TextDelta("a"), Noted("Not recorded."), Noted("Really."))
    built.finish()
    reply = built.build()
    assert (reply.text, reply.notes) == ("a", ("Not recorded.", "Really."))
    record = reply.to_record()
    assert record.note == "Not recorded.\nReally."
    assert record.message == f"{record.notice}\nNot recorded.\nReally."
