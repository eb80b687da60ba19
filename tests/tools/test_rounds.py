"""Rounds of tools: what is asked next, what is shown, and when it ends."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pytest

from metask_magic.asking.ask import ask
from metask_magic.asking.errands import Errands
from metask_magic.asking.loop import LoopThread
from metask_magic.chat.reply import Reply
from metask_magic.errors import BadRequestError, ServerError, ToolError
from metask_magic.language import choose
from metask_magic.messages.events import (
    Event,
    Finished,
    Notice,
    Step,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReported,
)
from metask_magic.messages.record import Record
from metask_magic.messages.request import ImagePart, Message, Request, ToolCall
from metask_magic.tools.offered import Occasion, ToolResult
from metask_magic.tools.rounds import IMAGES_LEFT_OUT, ToolBackend
from metask_magic.tools.tool import Tool

from ..fakes import PATIENCE

REQUEST = Request("m", (Message("user", "Hi"),), {"seed": 1})


class Rounds:
    """A backend that plays one round per request, and the last one again and again."""

    def __init__(self, *rounds: Sequence[Event | Exception]) -> None:
        self._rounds = list(rounds)
        self.requests: list[Request] = []

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        self.requests.append(request)
        for event in self._rounds.pop(0) if len(self._rounds) > 1 else self._rounds[0]:
            if isinstance(event, Exception):
                raise event
            yield event

    @property
    def added(self) -> tuple[Message, ...]:
        """What the last request has more than the first."""
        return self.requests[-1].messages[len(REQUEST.messages) :]


class Screen:
    """A sink that keeps what is shown."""

    def __init__(self) -> None:
        self.shown: list[Event] = []
        self.record: Record

    def open(self, stop: Callable[[int | None], None]) -> None:
        pass

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        self.shown.extend(news.get(0, ()))

    def close(self, records: Sequence[Record]) -> None:
        (self.record,) = records

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.shown if isinstance(event, TextDelta))


def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


async def later(n: int) -> int:
    """Double it."""
    await asyncio.sleep(0)
    return 2 * n


def fail() -> None:
    raise ValueError("no such thing")


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)
    time.sleep(PATIENCE)


TOOLS = [Tool.from_function(tool, tool.__name__) for tool in (weather, later, fail, interrupt)]


def asking(
    loop: LoopThread, inner: Rounds, screen: Screen | None = None, max_rounds: int = 10, **facts: Any
) -> Reply:
    errands = Errands()
    backend = ToolBackend(inner, facts.pop("tools", TOOLS), errands, max_rounds, **facts)
    return ask([(REQUEST, backend)], screen or Screen(), errands, loop).replies[0]


def calling(name: str, arguments: str = "{}", *, id: str = "c1", at: int = 0) -> ToolCallDelta:
    return ToolCallDelta(at, id, name, arguments)


CALLED = Finished("tool_calls")
DONE: list[Event | Exception] = [TextDelta("Fine."), Finished("stop")]
PARIS = calling("weather", '{"city": "Paris"}')
PARIS_CALL = ToolCall("c1", "weather", '{"city": "Paris"}')


def test_a_call(loop: LoopThread) -> None:
    inner, screen = Rounds([PARIS, CALLED], DONE), Screen()
    reply = asking(loop, inner, screen)
    assert (reply.text, reply.finish_reason, reply.tool_calls) == ("Fine.", "stop", (PARIS_CALL,))
    assert reply.steps == (Step('weather(city="Paris")', "sunny in Paris"),) == screen.record.steps
    assert inner.added == (
        Message("assistant", "", tool_calls=(PARIS_CALL,)),
        Message("tool", "sunny in Paris", tool_call_id="c1"),
    )
    assert reply.messages == (*inner.added, Message("assistant", "Fine."))
    assert inner.requests[1].params == {"seed": 1}
    assert [event for event in screen.shown if isinstance(event, Notice)] == [
        Notice('Calling weather(city="Paris") …')
    ]


def test_parallel_calls_are_made_in_order(loop: LoopThread) -> None:
    where: list[tuple[int, threading.Thread]] = []

    def note(n: int) -> int:
        where.append((n, threading.current_thread()))
        return -n

    calls = [calling("note", f'{{"n": {n}}}', id=f"c{n}", at=n) for n in (1, 0, 2)]
    inner = Rounds([*calls, CALLED], DONE)
    reply = asking(loop, inner, tools=[Tool.from_function(note, "note")])
    assert where == [(n, threading.current_thread()) for n in range(3)]
    assert [step.title for step in reply.steps] == ["note(n=0)", "note(n=1)", "note(n=2)"]
    assert [(m.tool_call_id, m.text) for m in inner.added[1:]] == [("c0", "0"), ("c1", "-1"), ("c2", "-2")]


@pytest.mark.parametrize(
    ("delta", "title", "says"),
    [
        (calling("fail"), "fail()", "Error: ValueError: no such thing"),
        (calling("wether"), "wether()", "no tool 'wether'. The tools are: weather, later, fail, interrupt."),
        (calling("weather"), "weather()", "- city: Missing required argument"),
        (calling("weather", '{"city"'), 'weather({"city")', "not JSON"),
        (calling("", ""), "()", "no tool ''"),
    ],
)
def test_what_fails_is_told_to_the_model(
    loop: LoopThread, delta: ToolCallDelta, title: str, says: str
) -> None:
    inner = Rounds([delta, CALLED], [PARIS, CALLED], DONE)
    reply = asking(loop, inner)
    failed, made = reply.steps
    assert (failed.title, failed.failed, made.failed, reply.text) == (title, True, False, "Fine.")
    assert says in failed.body
    told = inner.requests[1].messages[-1]
    assert (told.role, told.tool_call_id, told.text) == ("tool", "c1", failed.body)
    asked = inner.requests[1].messages[-2].tool_calls[0]
    assert asked.arguments == "{}", "what is no JSON is not sent back"


def test_the_user_reads_it_in_chinese_and_the_model_in_english(loop: LoopThread) -> None:
    choose("zh")
    inner, screen = Rounds([calling("wether"), CALLED], [PARIS, CALLED]), Screen()
    reply = asking(loop, inner, screen, max_rounds=2)
    told = [message.text for message in inner.added if message.role == "tool"]
    assert told == [
        "Error: there is no tool 'wether'. The tools are: weather, later, fail, interrupt.",
        "sunny in Paris",
    ]
    assert [step.body for step in reply.steps] == [
        "错误：没有工具 'wether'。可用的工具：weather、later、fail、interrupt。",
        "sunny in Paris",
    ]
    assert Notice('正在调用 weather(city="Paris") …') in screen.shown
    assert str(reply.error) == (
        "2 轮之后，模型仍在请求调用工具。用 `%config Metask.max_tool_rounds` 允许更多轮，或一次少问一些。"
    )


def test_an_asynchronous_tool(loop: LoopThread) -> None:
    inner = Rounds([calling("later", '{"n": 21}'), CALLED], DONE)
    assert asking(loop, inner).steps == (Step("later(n=21)", "42"),)


@pytest.mark.parametrize(
    ("reported", "made", "reason"),
    [
        ("tool_calls", True, "stop"),
        ("stop", True, "stop"),
        ("function_call", True, "stop"),
        ("length", False, "length"),
        ("content_filter", False, "content_filter"),
        (None, False, "incomplete"),
    ],
)
def test_calls_are_made_where_they_are_whole(
    loop: LoopThread, reported: str | None, made: bool, reason: str
) -> None:
    inner = Rounds([PARIS, *([Finished(reported)] if reported else [])], DONE)
    reply = asking(loop, inner)
    assert (bool(reply.steps), reply.finish_reason, reply.tool_calls) == (made, reason, (PARIS_CALL,))


def test_no_call_is_one_request(loop: LoopThread) -> None:
    inner = Rounds([TextDelta("a"), TextDelta("b"), Finished("stop")])
    reply = asking(loop, inner)
    assert (reply.text, reply.steps, len(inner.requests)) == ("ab", (), 1)
    assert reply.messages == (Message("assistant", "ab"),)


def test_texts_do_not_run_together(loop: LoopThread) -> None:
    inner = Rounds(
        [TextDelta(""), TextDelta("Let me "), TextDelta("see."), PARIS, CALLED],
        [PARIS, CALLED],
        [TextDelta(""), TextDelta("Fine"), TextDelta("."), Finished("stop")],
    )
    screen = Screen()
    reply = asking(loop, inner, screen)
    assert reply.text == screen.text == "Let me see.\n\nFine."
    assert [message.text for message in reply.messages if message.role == "assistant"] == [
        "Let me see.",
        "",
        "Fine.",
    ]


def test_calls_without_an_id_get_one(loop: LoopThread) -> None:
    nameless = [calling("weather", '{"city": "A"}', id=""), calling("later", '{"n": 1}', id="", at=1)]
    inner = Rounds([*nameless, CALLED], [nameless[0], CALLED], DONE)
    reply = asking(loop, inner)
    ids = ["call_1_1", "call_1_2", "call_2_1"]
    assert [call.id for call in reply.tool_calls] == ids
    assert [m.tool_call_id for m in inner.added if m.role == "tool"] == ids
    assert [call.id for m in inner.added for call in m.tool_calls] == ids


def test_usage_is_the_sum(loop: LoopThread) -> None:
    inner = Rounds(
        [PARIS, CALLED, UsageReported(Usage(1, 2, 3))],
        [PARIS, CALLED, UsageReported(Usage(10, 20))],
        [*DONE, UsageReported(Usage(100, 200, 300))],
    )
    assert asking(loop, inner).usage == Usage(111, 222, None)


@pytest.mark.parametrize(("allowed", "rounds"), [(0, "0 rounds"), (1, "1 round."), (3, "3 rounds")])
def test_it_ends(loop: LoopThread, allowed: int, rounds: str) -> None:
    inner = Rounds([TextDelta("On."), PARIS, CALLED])
    reply = asking(loop, inner, max_rounds=allowed)
    assert isinstance(reply.error, ToolError)
    assert f"still asked for tools after {rounds}" in str(reply.error)
    assert "max_tool_rounds" in reply.error.remedy
    assert (len(reply.steps), len(inner.requests)) == (allowed, allowed + 1)
    assert reply.text == "\n\n".join(["On."] * (allowed + 1))


def test_a_later_round_that_fails_keeps_what_came(loop: LoopThread) -> None:
    reply = asking(loop, Rounds([TextDelta("So:"), PARIS, CALLED], [ServerError("Down.")]))
    assert isinstance(reply.error, ServerError)
    assert (reply.text, len(reply.steps)) == ("So:", 1)


def test_an_interrupt_within_a_tool_ends_the_rounds(loop: LoopThread) -> None:
    handler = signal.getsignal(signal.SIGINT)
    calls = [PARIS, calling("interrupt", id="c2", at=1), calling("weather", "{}", id="c3", at=2)]
    inner = Rounds([TextDelta("So:"), *calls, CALLED], DONE)
    reply = asking(loop, inner)
    assert (reply.finish_reason, reply.text, len(inner.requests)) == ("interrupted", "So:", 1)
    assert [step.body for step in reply.steps] == ["sunny in Paris"]
    assert signal.getsignal(signal.SIGINT) is handler


class Stopping(Screen):
    """A screen on which somebody presses Stop as soon as a tool has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.ended: list[str] = []

    def open(self, stop: Callable[[int | None], None]) -> None:
        def press() -> None:
            self.begun.wait(PATIENCE)
            stop(0)

        threading.Thread(target=press, daemon=True).start()

    def sleep(self) -> str:
        """Wait."""
        self.begun.set()
        try:
            time.sleep(PATIENCE)
        except KeyboardInterrupt:
            self.ended.append("function")
            raise
        return "slept"

    async def sleep_later(self) -> str:
        """Wait."""
        self.begun.set()
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            self.ended.append("coroutine")
            raise
        return "slept"


@pytest.mark.parametrize(("name", "kind"), [("sleep", "function"), ("sleep_later", "coroutine")])
def test_the_column_s_stop_ends_a_running_tool(loop: LoopThread, name: str, kind: str) -> None:
    """And nothing else: the cell is not interrupted, and a later interrupt is one."""
    screen = Stopping()
    errands, tool = Errands(), Tool.from_function(getattr(screen, name), name)
    backend = ToolBackend(Rounds([TextDelta("So:"), calling(name), CALLED], DONE), [tool], errands, 10)
    outcome = ask([(REQUEST, backend)], screen, errands, loop)
    assert screen.ended == [kind]
    assert (outcome.interrupted, outcome.replies[0].finish_reason) == (False, "interrupted")
    assert outcome.replies[0].text == "So:"
    assert asking(loop, Rounds([calling("interrupt"), CALLED], DONE)).finish_reason == "interrupted"


def test_a_function_that_cannot_be_stopped_is_told(loop: LoopThread) -> None:
    """In a thread that no interrupt reaches, it goes on to its end."""
    go_on = threading.Event()
    screen = Stopping()

    def hold() -> str:
        """Wait."""
        screen.begun.set()
        go_on.wait(PATIENCE)
        return "held"

    errands = Errands()
    backend = ToolBackend(
        Rounds([calling("hold"), CALLED], DONE), [Tool.from_function(hold, "hold")], errands, 10
    )
    outcomes: list[Any] = []
    asker = threading.Thread(target=lambda: outcomes.append(ask([(REQUEST, backend)], screen, errands, loop)))
    asker.start()
    while not errands.left_behind:
        time.sleep(0.001)
    go_on.set()
    asker.join(PATIENCE)
    (reply,) = outcomes[0].replies
    assert reply.finish_reason == "interrupted"
    assert [step.body for step in reply.steps] == [
        "Stopped, but the function could not be: it goes on to its end."
    ]


def test_images_follow_the_results(loop: LoopThread) -> None:
    inner = Rounds([calling("draw"), CALLED], DONE)
    reply = asking(loop, inner, tools=[Drawing()])
    tool, images = inner.added[1:]
    assert (tool.text, tool.images, images.role, len(images.images)) == ("drawn", (), "user", 1)
    assert reply.messages[:-1] == inner.added
    assert reply.notes == ()


def test_images_that_a_model_does_not_take_are_left_out(loop: LoopThread) -> None:
    inner = Rounds([calling("draw"), CALLED], [BadRequestError("No image_url here.")], DONE)
    reply = asking(loop, inner, tools=[Drawing()])
    assert (reply.text, reply.notes) == ("Fine.", (IMAGES_LEFT_OUT,))
    assert [message.images for message in inner.added] == [()] * 3
    assert reply.messages[:-1] == inner.added
    choose("zh")
    again = Rounds([calling("draw"), CALLED], [BadRequestError("No image_url here.")], DONE)
    assert asking(loop, again, tools=[Drawing()]).notes == ("已去掉工具返回的图片：模型或其网关不接受图片。",)


class Drawing:
    """A tool whose result has an image."""

    name = "draw"

    def to_json(self) -> dict[str, Any]:
        return {}

    async def run(self, call: ToolCall, occasion: Occasion) -> AsyncIterator[ToolResult]:
        yield ToolResult("drawn", images=(ImagePart("image/png", b"PNG", "it"),))


def test_confirmed_one_by_one(loop: LoopThread) -> None:
    asked: list[ToolCall] = []

    def confirm(call: ToolCall) -> bool:
        assert threading.current_thread() is threading.main_thread()
        asked.append(call)
        return len(asked) > 1

    inner = Rounds([PARIS, calling("unknown", id="c2", at=1), CALLED], [PARIS, CALLED], DONE)
    reply = asking(loop, inner, confirm=confirm)
    assert asked == [PARIS_CALL] * 2, "what cannot be called is not asked for"
    assert [step.body for step in reply.steps if "unknown" not in step.title] == [
        "The user declined this call.",
        "sunny in Paris",
    ]
    assert reply.steps[0].failed


def test_a_question_nobody_can_answer_ends_it(loop: LoopThread) -> None:
    def confirm(call: ToolCall) -> bool:
        raise ToolError("There is nobody to ask.")

    reply = asking(loop, Rounds([PARIS, CALLED], DONE), confirm=confirm)
    assert isinstance(reply.error, ToolError)
    assert reply.steps == ()
