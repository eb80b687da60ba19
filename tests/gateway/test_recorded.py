"""Replay, ask, record: what each mode does, and that a replay cannot be told from the first time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from metask_magic.chat.reply import Reply, ReplyBuilder
from metask_magic.errors import MetaskError, RecordingError, RecordingMissError
from metask_magic.gateway.recorded import CONDUCTS, Conduct, RecordedBackend
from metask_magic.gateway.recording_miss import CLOSELY
from metask_magic.gateway.recordings import Recordings
from metask_magic.language import Language, choose, current
from metask_magic.messages.events import (
    Backend,
    Event,
    Finished,
    Noted,
    Notice,
    ReasoningDelta,
    Served,
    Spoken,
    TextDelta,
    Timed,
    ToolCallDelta,
    Usage,
    UsageReported,
)
from metask_magic.messages.request import ImagePart, Message, Request

from ..english import english_sentences
from ..fakes import Script
from .recordings import recording, request

HELLO = (Served("m-1", "req-1"), TextDelta("Hel"), TextDelta("lo"), Finished("stop"))
KEY = "sk-secret"


def ticking() -> Callable[[], float]:
    """A clock that is a quarter of a second later each time it is read."""
    ticks: Iterator[int] = count()
    return lambda: next(ticks) / 4


class Asked:
    """An inner backend that counts how often it was made and asked."""

    def __init__(self, *answers: Backend) -> None:
        self.made = 0
        self.requests: list[Request] = []
        self._answers = list(answers)

    async def __call__(self) -> Backend:
        self.made += 1
        return self

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        self.requests.append(request)
        async for event in self._answers.pop(0).stream(request):
            yield event


@pytest.fixture
def store(tmp_path: Path) -> Recordings:
    return Recordings(tmp_path / "recordings.jsonl")


def hide(text: str) -> str:
    return text.replace(KEY, "[key]")


def ask(
    store: Recordings,
    inner: Asked,
    mode: str | Conduct = "auto",
    asked: Request | None = None,
    **options: Any,
) -> tuple[list[Event], Reply]:
    """Ask once; return the events, and the reply they fold into, failed where asking raised `MetaskError`."""
    conduct = CONDUCTS[mode] if isinstance(mode, str) else mode
    backend = RecordedBackend(inner, store, conduct, hide=hide, clock=ticking(), **options)
    asked = asked or request()
    events: list[Event] = []
    builder = ReplyBuilder(asked)

    async def take_all() -> None:
        async for event in backend.stream(asked):
            events.append(event)
            builder.feed(event)

    try:
        asyncio.run(take_all())
        builder.finish()
    except MetaskError as error:
        builder.fail(error)
    return events, builder.build()


REPLIES: dict[str, Sequence[Event]] = {
    "text": HELLO,
    "reasoning and figures": (
        Served(None, "req-1"),
        Served("m-1", None),
        ReasoningDelta("Let "),
        ReasoningDelta("me see."),
        TextDelta("Hi"),
        UsageReported(Usage(1)),
        UsageReported(Usage(11, 7, 18, 5, 3)),
        Finished("max_tokens"),
    ),
    "calls": (
        Served("m-1", "req-1"),
        ToolCallDelta(1, "c1", "f", '{"a'),
        ToolCallDelta(3, "", "g", "{}"),
        ToolCallDelta(1, "c1", "f", '": 1}'),
        Finished("tool_calls"),
    ),
    "nothing": (Served(None, None), UsageReported(Usage()), Finished("content_filter")),
}


@pytest.mark.parametrize("events", REPLIES.values(), ids=REPLIES)
def test_a_replay_is_the_same_reply(store: Recordings, events: Sequence[Event]) -> None:
    inner = Asked(Script(Notice("Trying again."), *events))
    first, asked = ask(store, inner)
    assert first == [Notice("Trying again."), *events, first[-1]]
    second, replayed = ask(store, inner)
    assert inner.made == 1
    assert (replayed, replayed.to_record()) == (asked, asked.to_record())
    assert not [event for event in second if isinstance(event, Notice)]
    assert (asked.elapsed, asked.first_token_after) == (first[-1].elapsed, first[-1].first_token_after)  # type: ignore[union-attr]
    assert second[-1] == first[-1]


def test_times_are_those_of_the_first_time(store: Recordings) -> None:
    events, _ = ask(store, Asked(Script(*HELLO)))
    assert events[-1] == Timed(0.5, 0.25)


@pytest.mark.parametrize(
    ("mode", "recorded", "text", "asked", "kept"),
    [
        ("off", False, "Hello", 1, None),
        ("off", True, "Hello", 1, "old"),
        ("auto", False, "Hello", 1, "Hello"),
        ("auto", True, "old", 0, "old"),
        ("record", False, "Hello", 1, "Hello"),
        ("record", True, "Hello", 1, "Hello"),
        ("replay", True, "old", 0, "old"),
        ("replay", False, "", 0, None),
        (Conduct(replays=True, asks=True, records=False), False, "Hello", 1, None),
        (Conduct(replays=True, asks=True, records=False), True, "old", 0, "old"),
    ],
)
def test_the_modes(
    store: Recordings, mode: str | Conduct, recorded: bool, text: str, asked: int, kept: str | None
) -> None:
    if recorded:
        store.append(recording(text="old"))
    inner = Asked(Script(*HELLO))
    _, reply = ask(store, inner, mode)
    assert (reply.text, inner.made, len(inner.requests)) == (text, asked, asked)
    found = store.find(recording().key)
    assert (found and found.reply.text) == kept
    assert isinstance(reply.error, RecordingMissError) == (not text)


def test_samples_are_answers_of_their_own(store: Recordings) -> None:
    inner = Asked(Script(*HELLO), Script(TextDelta("Hi"), Finished("stop")))
    for sample, text in ((1, "Hello"), (2, "Hi"), (2, "Hi"), (1, "Hello")):
        _, reply = ask(store, inner, sample=sample)
        assert reply.text == text
    assert len(inner.requests) == 2


@pytest.mark.parametrize(
    "script",
    [
        Script(TextDelta("Hel")),
        Script(MetaskError("It failed.")),
        Script(TextDelta("Hel"), MetaskError("It failed.")),
        Script(*HELLO, MetaskError("It failed.")),
    ],
)
def test_what_is_not_whole_is_not_recorded(store: Recordings, script: Script) -> None:
    ask(store, Asked(script))
    assert store.all() == ()


def test_what_is_interrupted_is_not_recorded(store: Recordings) -> None:
    script = Script(TextDelta("Hel"), None)
    backend = RecordedBackend(Asked(script), store, CONDUCTS["auto"])

    async def interrupted() -> None:
        async def take_all() -> None:
            async for _ in backend.stream(request()):
                pass

        task = asyncio.ensure_future(take_all())
        await asyncio.to_thread(script.stalled.wait, 30)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(interrupted())
    assert script.closed.is_set()
    assert store.all() == ()


def test_two_who_ask_the_same_at_once_ask_once(store: Recordings) -> None:
    inner = Asked(Script(*HELLO))

    async def take(backend: RecordedBackend) -> str:
        return "".join([e.text async for e in backend.stream(request()) if isinstance(e, TextDelta)])

    async def both() -> list[str]:
        return await asyncio.gather(
            *(take(RecordedBackend(inner, store, CONDUCTS["auto"])) for _ in range(3))
        )

    assert asyncio.run(both()) == ["Hello"] * 3
    assert len(inner.requests) == 1


def test_whether_it_would_be_replayed(store: Recordings) -> None:
    store.append(recording())
    for mode, expected in (("off", False), ("auto", True), ("record", False), ("replay", True)):
        backend = RecordedBackend(Asked(), store, CONDUCTS[mode])
        assert backend.has(request()) is expected
        assert backend.has(request("other")) is False


# -- in another language -------------------------------------------------------------------------------


CUT: Sequence[Event] = (Served("m-1", "req-1"), TextDelta("Hel"), Finished("length"))


@pytest.mark.parametrize(("made", "replayed"), [("zh", "en"), ("en", "zh")])
def test_a_replay_speaks_the_language_of_the_recording(
    store: Recordings, made: Language, replayed: Language
) -> None:
    choose(made)
    _, first = ask(store, Asked(Script(*CUT)))
    choose(replayed)
    events, again = ask(store, Asked())
    assert events[0] == Spoken(made)
    assert again.language == made
    assert (again.notice, again.to_record()) == (first.notice, first.to_record())
    assert ("截断" in again.notice) == (made == "zh")
    assert current() == replayed


def test_what_else_is_said_while_it_is_replayed_is_said_in_its_language(store: Recordings) -> None:
    choose("zh")
    ask(store, Asked(Script(*CUT)))
    choose("en")
    backend = RecordedBackend(Asked(), store, CONDUCTS["replay"])

    async def spoken() -> list[Language]:
        return [current() async for _event in backend.stream(request())]

    assert {*asyncio.run(spoken())} == {"zh"}


def test_a_key_depends_on_no_language_and_an_english_line_names_none(store: Recordings) -> None:
    keys = set()
    for language in ("zh", "en"):
        choose(language)
        ask(store, Asked(Script(*HELLO)), "record")
        found = store.find(recording().key)
        assert found is not None
        keys.add(found.key)
    chinese, english = store.path.read_text().splitlines()
    assert len(keys) == 1
    assert json.loads(chinese)["reply"]["language"] == "zh"
    assert "language" not in json.loads(english)["reply"]


@pytest.mark.parametrize("said", ["xx", None, 7])
def test_a_language_that_is_not_known_is_english(store: Recordings, said: object) -> None:
    line = recording(language="zh").to_line().replace(b'"zh"', json.dumps(said).encode())
    store.path.write_bytes(line)
    found = store.find(recording().key)
    assert found is not None
    assert found.reply.language == "en"


# -- what cannot be recorded ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (request(f"My key is {KEY}!"), "Hello"),
        (request("Hi", params={"x": {KEY: 1}}), "Hello"),
        (request("Hi", tools=({"description": f'"{KEY}'},)), "Hello"),
        (request("Hi"), f"Your key is {KEY}."),
    ],
)
def test_a_key_is_not_recorded(store: Recordings, asked: Request, text: str) -> None:
    events, reply = ask(store, Asked(Script(TextDelta(text), Finished("stop"))), asked=asked)
    assert (reply.text, reply.finish_reason, reply.error) == (text, "stop", None)
    assert isinstance(events[-2], Noted)
    assert "Not recorded: The key for the gateway is in the prompt" in reply.to_record().note
    assert KEY not in reply.to_record().note
    assert not store.path.exists()


def test_a_parameter_that_is_not_recorded_may_hold_a_key(store: Recordings) -> None:
    _, reply = ask(store, Asked(Script(*HELLO)), asked=request(params={"user": KEY}))
    assert reply.notes == ()
    assert KEY not in store.path.read_text()


def test_a_reply_that_cannot_be_written_is_not_lost(store: Recordings) -> None:
    store.path.mkdir()
    _, reply = ask(store, Asked(Script(*HELLO)), "record")
    assert (reply.text, reply.finish_reason) == ("Hello", "stop")
    (note,) = reply.notes
    assert "cannot be written (Is a directory)" in note


def test_a_request_that_is_no_json(store: Recordings) -> None:
    inner = Asked()
    _, reply = ask(store, inner, asked=request(params={"x": float("nan")}))
    assert isinstance(reply.error, RecordingError)
    assert inner.made == 0


# -- a miss --------------------------------------------------------------------------------------------

STORY = "Tell me a short story\nabout Ada\nand her machine."


def missed(store: Recordings, asked: Request, **options: Any) -> RecordingMissError:
    _, reply = ask(store, Asked(), "replay", asked, **options)
    assert isinstance(reply.error, RecordingMissError)
    return reply.error


@pytest.mark.parametrize(
    ("asked", "sample", "says"),
    [
        (request(STORY, "other"), 1, ['model: "other" here, "m" recorded']),
        (request(STORY), 3, ["sample: 3 here, 1 recorded"]),
        (request(STORY, params={"seed": 7}), 1, ["seed: 7 here, not set recorded"]),
        (
            request(STORY.replace("Ada", "Eve")),
            1,
            ["the messages (- recorded, + here):", "- about Ada", "+ about Eve", "  and her machine."],
        ),
        (
            request(STORY, response_format={"type": "json_object"}),
            1,
            ["response_format:", '+  "type": "json_'],
        ),
        (request(STORY, tools=({"type": "function"},)), 1, ["tools:", '+   "type": "function"']),
        (
            Request("m", (Message("user", (ImagePart("image/png", b"x"),)), Message("user", STORY))),
            1,
            ["+ [image 2d711642]"],
        ),
    ],
)
def test_a_miss_shows_the_nearest(store: Recordings, asked: Request, sample: int, says: list[str]) -> None:
    for prompt in ("Who is Ada?", STORY, "Tell me a joke."):
        store.append(recording(prompt))
    error = missed(store, asked, sample=sample)
    assert f"The nearest of 3 is {recording(STORY).key[:8]}. It differs in" in error.message
    for line in says:
        assert f"\n  {line}" in error.message.replace("\n    ", "\n  ")
    assert "METASK_RECORDING=auto" in error.remedy
    assert "--fresh" in error.remedy


def test_a_parameter_of_the_recording(store: Recordings) -> None:
    inner = Asked(Script(*HELLO))
    ask(store, inner, asked=request(params={"temperature": 0.5, "seed": 1}))
    said = missed(store, request(params={"temperature": 0.7, "seed": 1})).message
    assert "temperature: 0.7 here, 0.5 recorded" in said
    assert "seed" not in said


@pytest.mark.parametrize("order", [("m", "other"), ("other", "m")])
def test_of_the_same_prompts_the_one_for_the_same_model_is_nearest(
    store: Recordings, order: tuple[str, str]
) -> None:
    for model in order:
        store.append(recording(STORY, model=model))
    assert recording(STORY).key[:8] in missed(store, request(STORY, params={"seed": 1})).message


def test_a_miss_with_nothing_recorded_or_nothing_readable(store: Recordings) -> None:
    assert "holds no recordings" in missed(store, request()).message
    store.path.write_text("torn\n")
    assert "Lines that could not be read: 1 (" in missed(store, request()).message


def test_a_miss_in_chinese(store: Recordings) -> None:
    choose("zh")
    store.append(recording(STORY))
    store.path.write_bytes(store.path.read_bytes() + b"torn\n")
    error = missed(store, request(STORY.replace("Ada", "Eve"), "other", params={"seed": 7}))
    said = error.message
    for line in STORY.splitlines():
        said = said.replace(line, "").replace(line.replace("Ada", "Eve"), "")
    assert english_sentences(f"{said}\n{error.remedy}") == []
    assert f"1 条录制中最接近的是 {recording(STORY).key[:8]}。不同之处：" in said
    assert '\n  model："other"（当前），"m"（录制）\n  seed：7（当前），未设置（录制）\n' in said
    assert store.complaints == ("recordings.jsonl 第 2 行不完整，或不是录制。",)


def test_what_a_miss_quotes_is_short_and_harmless(store: Recordings) -> None:
    store.append(recording("\x1b[2J" + "long " * 2000 + "\n".join(map(str, range(100)))))
    said = missed(store, request("\x1b[2J" + "long " * 2000)).message
    assert "\x1b" not in said
    assert len(said) < 4000
    assert said.endswith("…")


def test_of_many_recordings_the_longest_are_not_the_nearest(store: Recordings) -> None:
    """First those with the greatest share of the same words are chosen, then they are compared closely."""
    store.append(recording("one two three"))
    for number in range(CLOSELY):
        store.append(recording(f"one two {' '.join(f'w{number}-{at}' for at in range(50))}"))
    assert recording("one two three").key[:8] in missed(store, request("one two four")).message
