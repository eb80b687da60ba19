"""The client: what it sends, when it tries again, how it ends, and that it never repeats the key."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import pytest

from metask_magic.errors import (
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    MetaskError,
    NotFoundError,
    PermissionDeniedError,
    ProxyError,
    RateLimitError,
    ReplyTimeoutError,
    ServerError,
    StreamCutError,
    StreamStalledError,
    TLSError,
    UnreadableReplyError,
)
from metask_magic.gateway import client as client_module
from metask_magic.gateway.client import GatewayClient
from metask_magic.gateway.official import Connection
from metask_magic.gateway.retries import LONGEST_WAIT
from metask_magic.keys import ApiKey
from metask_magic.messages.events import (
    Event,
    Finished,
    Notice,
    ReasoningDelta,
    Served,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReported,
)
from metask_magic.messages.request import Message, Request
from metask_magic.precedence import Precedence, Turn

from ..gateway_server import (
    API_KEY,
    CUT,
    RESET,
    STALL,
    Answer,
    Bytes,
    Chunk,
    Comment,
    Gate,
    GatewayServer,
    Hangup,
    Page,
    Raw,
    Reasoning,
    Silent,
    Streamed,
    ToolCall,
    bad_parameter,
    error_event,
    html_page,
    model_not_found,
    no_credit,
    rate_limited,
    refused,
    rejected_parameter,
    server_error,
    wrong_key,
)

WAIT = 30.0  # for what must happen, on the slowest machine
REQUEST = Request("gpt-4o-mini", (Message("user", "Hi"),))
PLAIN = Request("gpt-4o-mini", (Message("user", "Hi"),), stream=False)
OK = Streamed(["yes"])
CUT_REFUSAL = Raw(b"HTTP/1.1 500 Oh\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<html>")


@dataclass
class Asked:
    """What came of one request."""

    events: list[Event] = field(default_factory=list)
    error: MetaskError | None = None
    waits: list[float] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def notices(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Notice)]


def new_client(base_url: str, *, timeout: float = 30.0, retries: int = 2, **options: Any) -> GatewayClient:
    return GatewayClient(Connection(base_url, ApiKey(API_KEY, "the test"), timeout, retries), **options)


async def stream(client: GatewayClient, request: Request, asked: Asked) -> Asked:
    try:
        async for event in client.stream(request):
            asked.events.append(event)
    except MetaskError as error:
        asked.error = error
    return asked


def ask_all(base_url: str, *requests: Request, retries: int = 2, timeout: float = 30.0) -> list[Asked]:
    """Ask one after the other with one client, whose waiting is noted and takes no time."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def run() -> list[Asked]:
        client = new_client(base_url, timeout=timeout, retries=retries, sleep=sleep)
        async with contextlib.aclosing(client):
            return [await stream(client, request, Asked(waits=waits)) for request in requests]

    return asyncio.run(run())


def ask(gateway: GatewayServer, *answers: Answer, request: Request = REQUEST, **options: Any) -> Asked:
    gateway.script(*answers)
    (asked,) = ask_all(gateway.base_url, request, **options)
    return asked


def get_models(gateway: GatewayServer, *answers: Answer) -> tuple[list[dict[str, Any]], Asked]:
    """The list, and what failed."""
    gateway.script_models(*answers)

    async def run() -> tuple[list[dict[str, Any]], Asked]:
        async with contextlib.aclosing(new_client(gateway.base_url, timeout=1.0)) as client:
            try:
                return await client.get_models(), Asked()
            except MetaskError as error:
                return [], Asked(error=error)

    return asyncio.run(run())


# -- what is sent, what comes -----------------------------------------------------------------------


def test_a_streamed_reply(gateway: GatewayServer) -> None:
    asked = ask(gateway, Streamed([Reasoning("Hm"), "y", "es", ToolCall(0, "{}", "c1", "f")], model="served"))
    assert asked.events == [
        Served(None, "req_0001"),
        Served("served", None),
        ReasoningDelta("Hm"),
        TextDelta("y"),
        TextDelta("es"),
        ToolCallDelta(0, "c1", "f", "{}"),
        Finished("stop"),
        UsageReported(Usage(11, 7, 18)),
    ]


def test_a_plain_reply(gateway: GatewayServer) -> None:
    asked = ask(gateway, Streamed([Reasoning("Hm"), "y", "es"], model="served"), request=PLAIN)
    assert asked.events == [
        Served(None, "req_0001"),
        Served("served", None),
        TextDelta("yes"),
        ReasoningDelta("Hm"),
        Finished("stop"),
        UsageReported(Usage(11, 7, 18)),
    ]
    assert "stream_options" not in gateway.last.json


def test_params_are_sent_as_they_are(gateway: GatewayServer) -> None:
    params: dict[str, Any] = {"temperature": 0, "stop": ["a", "b"], "seed": 7}
    ask(gateway, request=Request("gpt-4o-mini", (Message("system", "Be."), Message("user", "Hi")), params))
    assert gateway.last.json == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "system", "content": "Be."}, {"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        **params,
    }
    assert gateway.last.key == API_KEY


AMBIENT = {
    "OPENAI_API_KEY": "sk-ambient",
    "OPENAI_ADMIN_KEY": "sk-ambient",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "OPENAI_ORG_ID": "ambient",
    "OPENAI_PROJECT_ID": "ambient",
    "OPENAI_CUSTOM_HEADERS": "X-Ambient: ambient\nAuthorization: Bearer sk-ambient",
    "OPENAI_WEBHOOK_SECRET": "ambient",
    "OPENAI_API_TYPE": "azure",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
}


def test_the_environment_changes_nothing_that_is_sent(
    gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(gateway).text == "Hi"
    get_models(gateway)
    for name, value in AMBIENT.items():
        monkeypatch.setenv(name, value)
    assert ask(gateway).text == "Hi"
    get_models(gateway)
    chat, models, same_chat, same_models = (
        (sent.path, {**sent.headers}, sent.body) for sent in gateway.requests
    )
    assert (same_chat, same_models) == (chat, models)


WHOLE = {"model": "m", "choices": [{"index": 0, "message": {"content": "yes"}, "finish_reason": "length"}]}
UNENDED = {"choices": [{"message": {"content": "yes"}}]}


@pytest.mark.parametrize("request_", [REQUEST, PLAIN], ids=["streamed", "plain"])
@pytest.mark.parametrize(
    ("body", "events"),
    [
        (WHOLE, [Served("m", None), TextDelta("yes"), Finished("length")]),
        (UNENDED, [Served(None, None), TextDelta("yes"), Finished("stop")]),
    ],
)
def test_one_piece_of_json(
    gateway: GatewayServer, request_: Request, body: dict[str, Any], events: list[Event]
) -> None:
    assert ask(gateway, Page(body), request=request_).events == [Served(None, None), *events]


@pytest.mark.parametrize("request_", [REQUEST, PLAIN], ids=["streamed", "plain"])
@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        ({}, UnreadableReplyError, "application/json"),
        ([], UnreadableReplyError, "application/json"),
        (b"", UnreadableReplyError, "application/json"),
        (b"{", UnreadableReplyError, "application/json"),
        ({"choices": []}, UnreadableReplyError, "application/json"),
        ({"choices": 5}, UnreadableReplyError, "application/json"),
        ({"choices": "yes"}, UnreadableReplyError, "application/json"),
        ({"choices": [{"message": "yes"}]}, UnreadableReplyError, "application/json"),
        ({"error": {"message": "Oh."}}, ServerError, "Oh."),
    ],
)
def test_json_that_is_no_reply(
    gateway: GatewayServer, request_: Request, body: Any, kind: type[MetaskError], says: str
) -> None:
    error = ask(gateway, Page(body), request=request_).error
    assert type(error) is kind
    assert says in error.message


# -- trying again -----------------------------------------------------------------------------------

RETRIES: dict[str, tuple[list[Answer], list[float], list[str]]] = {
    "429, a number": (
        [rate_limited(7), OK],
        [7.0],
        ["Rate limited: trying again in 7.0 s (1 of 2)."],
    ),
    "429, twice": ([rate_limited(1), rate_limited(0), OK], [1.0, 0.0], ["1.0 s (1 of 2)", "0.0 s (2 of 2)"]),
    "429, as long as can be": ([rate_limited(LONGEST_WAIT), OK], [LONGEST_WAIT], ["120.0 s"]),
    "429, no number": ([rate_limited(), rate_limited("soon"), OK], [0.5, 1.0], ["0.5 s", "1.0 s"]),
    "408": ([refused(408), OK], [0.5], ["The connection failed: "]),
    "500": ([server_error(), OK], [0.5], ["The gateway failed: trying again in 0.5 s (1 of 2)."]),
    "502, a page": ([html_page(502), OK], [0.5], ["The gateway failed"]),
    "503, then 504": ([server_error(503), server_error(504), OK], [0.5, 1.0], ["(1 of 2)", "(2 of 2)"]),
    "529": ([server_error(529), OK], [0.5], ["The gateway failed"]),
    "hang-up": ([Hangup(), OK], [0.5], ["The connection failed"]),
    "half a refusal": ([CUT_REFUSAL, OK], [0.5], ["The connection failed"]),
    "a refusal no one can unpack": (
        [Page(b"no gzip", 500, {"Content-Encoding": "gzip"}), OK],
        [0.5],
        ["The connection failed"],
    ),
}


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metask_magic.gateway.retries.random.uniform", lambda low, high: high)


@pytest.mark.parametrize("request_", [REQUEST, PLAIN], ids=["streamed", "plain"])
@pytest.mark.parametrize(("answers", "waits", "notices"), RETRIES.values(), ids=RETRIES)
def test_what_is_tried_again(
    gateway: GatewayServer, request_: Request, answers: list[Answer], waits: list[float], notices: list[str]
) -> None:
    asked = ask(gateway, *answers, request=request_)
    assert (asked.text, asked.error) == ("yes", None)
    assert asked.waits == waits
    assert len(asked.notices) == len(notices)
    assert all(part in notice for part, notice in zip(notices, asked.notices, strict=True))
    assert len({sent.body for sent in gateway.chats}) == 1, "the same is asked again"


FINAL: dict[str, tuple[Answer, type[MetaskError]]] = {
    "400": (bad_parameter("top_p"), BadRequestError),
    "401": (refused(401), AuthenticationError),
    "403": (no_credit(), PermissionDeniedError),
    "404": (model_not_found("x"), NotFoundError),
    "422": (rejected_parameter("seed"), BadRequestError),
    "429, no quota": (refused(429, code="insufficient_quota"), RateLimitError),
    "429, too long": (rate_limited(LONGEST_WAIT + 1), RateLimitError),
    "503, too long": (refused(503, headers={"Retry-After": "3600"}), ServerError),
    "501": (server_error(501), ServerError),
    "200, a page": (html_page(200), UnreadableReplyError),
    "error first": (Streamed([error_event()], None, False), ServerError),
    "error after text": (Streamed(["so far", error_event()], None, False), ServerError),
    "cut at once": (Streamed([CUT]), StreamCutError),
    "cut after text": (Streamed(["so far", CUT]), StreamCutError),
    "cut by length": (Streamed(["so far"], None, False, framing="length"), StreamCutError),
    "reset after text": (Streamed(["so far", RESET]), StreamCutError),
    "no gzip": (Page(b"no gzip", 200, {"Content-Encoding": "gzip"}), StreamCutError),
}


@pytest.mark.parametrize(("answer", "kind"), FINAL.values(), ids=FINAL)
def test_what_is_not_tried_again(gateway: GatewayServer, answer: Answer, kind: type[MetaskError]) -> None:
    asked = ask(gateway, answer, OK)
    assert type(asked.error) is kind
    assert (asked.waits, asked.notices) == ([], [])
    assert asked.text in ("", "so far")
    assert len(gateway.chats) == 1


def test_what_has_begun_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def attempt(*_: object) -> AsyncIterator[Event]:
        yield TextDelta("so far")
        raise ServerError("Oh.", status=503)  # of a kind that is tried again before the first event

    monkeypatch.setattr(GatewayClient, "_ask", attempt)
    (asked,) = ask_all("http://127.0.0.1:9/v1", REQUEST)
    assert (asked.text, type(asked.error), asked.waits) == ("so far", ServerError, [])


def test_a_slow_gateway_is_not_asked_again(gateway: GatewayServer) -> None:
    asked = ask(gateway, Silent(), timeout=1.0)
    assert (type(asked.error), asked.waits, asked.events) == (ReplyTimeoutError, [], [])
    assert len(gateway.chats) == 1


def test_a_stall_is_told(gateway: GatewayServer) -> None:
    asked = ask(gateway, Streamed(["so far", STALL]), timeout=1.0)
    assert (asked.text, type(asked.error), asked.waits) == ("so far", StreamStalledError, [])


@pytest.mark.parametrize("retries", [0, 1, 3])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [(server_error(), ServerError), (rate_limited(1), RateLimitError), (Hangup(), ConnectionFailedError)],
)
def test_it_gives_up(gateway: GatewayServer, answer: Answer, kind: type[MetaskError], retries: int) -> None:
    asked = ask(gateway, *[answer] * 9, retries=retries)
    assert type(asked.error) is kind
    assert len(asked.waits) == len(asked.notices) == retries
    assert len(gateway.chats) == retries + 1


def test_the_wait_doubles_up_to_a_limit_and_is_spread(
    gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(gateway, *[server_error()] * 8, retries=7).waits == [0.5, 1, 2, 4, 8, 8, 8]
    monkeypatch.setattr("metask_magic.gateway.retries.random.uniform", lambda low, high: low)
    assert ask(gateway, *[server_error()] * 8, retries=2).waits == [0.375, 0.75]


# -- stream_options ---------------------------------------------------------------------------------

REJECTIONS: dict[str, Answer] = {
    "FastAPI": rejected_parameter("stream_options"),
    "OpenAI": refused(400, "Unknown parameter: 'stream_options'.", param="stream_options"),
    "other": Page(b"include_usage is not supported", 400, content_type="text/plain"),
}


@pytest.mark.parametrize("rejection", REJECTIONS.values(), ids=REJECTIONS)
def test_a_gateway_without_usage_in_streams_is_remembered(gateway: GatewayServer, rejection: Answer) -> None:
    gateway.script(rejection)
    first, second = ask_all(gateway.base_url, REQUEST, REQUEST, retries=0)
    assert (first.text, second.text) == ("Hi", "Hi")
    assert (first.error, first.notices, first.waits) == (None, [], [])
    assert ["stream_options" in sent.json for sent in gateway.chats] == [True, False, False]


@pytest.mark.parametrize(
    ("answers", "sent"),
    [
        ([REJECTIONS["FastAPI"]] * 2, [True, False]),
        ([bad_parameter("top_p")], [True]),
        ([refused(500, "stream_options")], [True]),
    ],
    ids=["again", "another parameter", "another status"],
)
def test_stream_options_are_dropped_once_and_for_their_own_sake(
    gateway: GatewayServer, answers: Sequence[Answer], sent: list[bool]
) -> None:
    asked = ask(gateway, *answers, retries=0)
    assert isinstance(asked.error, BadRequestError | ServerError)
    assert ["stream_options" in request.json for request in gateway.chats] == sent


# -- connections ------------------------------------------------------------------------------------


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts connected to so far."""
    made: list[str] = []
    connect = anyio.connect_tcp

    async def counting(*args: Any, **options: Any) -> Any:
        made.append(str(options.get("remote_host") or args[0]))
        return await connect(*args, **options)

    monkeypatch.setattr(anyio, "connect_tcp", counting)
    return made


@pytest.mark.parametrize(
    ("answer", "made"),
    [
        (OK, 1),
        (Streamed(["yes"], done=False), 1),
        (server_error(), 1),
        (Streamed(["yes"], framing="close"), 2),
        (Streamed(["yes", CUT]), 2),
        (Streamed([error_event()]), 2),
    ],
    ids=["reply", "no DONE", "refusal", "closed", "cut", "broken off"],
)
def test_a_connection_is_used_again(
    gateway: GatewayServer, connections: list[str], answer: Answer, made: int
) -> None:
    gateway.script(answer)
    assert ask_all(gateway.base_url, REQUEST, REQUEST, retries=0)[1].text == "Hi"
    assert len(connections) == made


@pytest.mark.parametrize("after", [STALL, Comment(), CUT, RESET, Bytes(b"data: no\n\n")])
def test_after_done_nothing_matters(
    gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch, after: Any
) -> None:
    monkeypatch.setattr(client_module, "DRAIN_SECONDS", 0.05)
    asked = ask(gateway, Streamed(["yes", Bytes(b"data: [DONE]\n\n"), after], None))
    assert (asked.text, asked.error) == ("yes", None)
    assert asked.events[-1] == Finished("stop")
    (sent,) = gateway.requests
    assert after is not STALL or sent.disconnected.wait(WAIT)


@pytest.mark.parametrize(
    ("answer", "has_text"),
    [(Silent(), False), (Streamed([STALL]), False), (Streamed(["so far", STALL]), True)],
    ids=["no answer", "no text", "some text"],
)
def test_cancelling_closes_the_connection(gateway: GatewayServer, answer: Answer, has_text: bool) -> None:
    gateway.script(answer)

    async def run() -> None:
        text_came = asyncio.Event()

        async def consume() -> None:
            async for event in client.stream(REQUEST):
                if isinstance(event, TextDelta):
                    text_came.set()

        async with contextlib.aclosing(new_client(gateway.base_url)) as client:
            task = asyncio.create_task(consume())
            (sent,) = await asyncio.to_thread(gateway.wait_for_requests, 1, WAIT)
            if has_text:
                await text_came.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(sent.disconnected.wait, WAIT)
            assert (await stream(client, REQUEST, Asked())).text == "Hi", "the client goes on"

    asyncio.run(run())


def test_leaving_a_stream_closes_the_connection(gateway: GatewayServer) -> None:
    gateway.script(Streamed(["so far", STALL]))

    async def run() -> None:
        async with contextlib.aclosing(new_client(gateway.base_url)) as client:
            async with contextlib.aclosing(cast(AsyncGenerator[Event], client.stream(REQUEST))) as events:
                while not isinstance(await anext(events), TextDelta):
                    pass
            assert await asyncio.to_thread(gateway.last.disconnected.wait, WAIT)

    asyncio.run(run())


# -- what the environment does to connections ---------------------------------------------------------

ENVIRONMENTS = {
    "no such scheme": ("HTTPS_PROXY", "ftp://me:s3cret@proxy.invalid:1", ProxyError, "not a valid one"),
    "no such port": ("HTTPS_PROXY", "http://me:s3cret@proxy.invalid:port", ProxyError, "not a valid one"),
    "password in the port": ("ALL_PROXY", "http://me:s3cret/x@proxy.invalid", ProxyError, "not a valid one"),
    "SOCKS": ("ALL_PROXY", "socks5://me:s3cret@proxy.invalid:1", ProxyError, "httpx2[socks]"),
    "no certificates": ("SSL_CERT_FILE", "/nowhere/s3cret.pem", TLSError, "SSL_CERT_FILE"),
    "other certificates": ("SSL_CERT_FILE", __file__, TLSError, "SSL_CERT_FILE"),
}


@pytest.mark.parametrize(("variable", "value", "kind", "says"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_an_environment_that_lets_nothing_through(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, kind: type[MetaskError], says: str
) -> None:
    monkeypatch.setenv(variable, value)
    (asked,) = ask_all("https://gateway.invalid/v1", REQUEST)
    assert type(asked.error) is kind
    assert says in str(asked.error)
    assert "s3cret" not in repr(vars(asked.error)) + everything_of(asked)
    assert asked.waits == []


def test_a_certificate_nobody_signed(tls_gateway: GatewayServer) -> None:
    (asked,) = ask_all(tls_gateway.base_url, REQUEST)
    assert type(asked.error) is TLSError
    assert asked.waits == []


# -- the key ------------------------------------------------------------------------------------------


def everything_of(asked: Asked) -> str:
    """All that could be shown of an answer: the error, its fields, its traceback with the locals."""
    error = asked.error
    trace = traceback.TracebackException.from_exception(error, capture_locals=True) if error else None
    facts = [event for event in asked.events if not isinstance(event, TextDelta)]
    return "".join(
        [repr(facts), repr(error and vars(error)), repr(error), *(trace.format() if trace else ())]
    )


HOSTILE: dict[str, Answer] = {
    "message": wrong_key(API_KEY),
    "code": refused(400, code=API_KEY),
    "parameter": bad_parameter(API_KEY),
    "request id": refused(400, headers={"x-request-id": API_KEY}),
    "at the cut": refused(400, "x" * 380 + API_KEY),
    "at the cut, but for one": refused(400, "x" * (400 - len(API_KEY)) + API_KEY + "x"),
    "with invisible signs": refused(400, f"{API_KEY[:9]}\u200b{API_KEY[9:]}"),
    "with colours": refused(400, f"{API_KEY[:9]}\x1b[31m{API_KEY[9:]}"),
    "escaped": Page("".join(f"\\u{ord(c):04x}" for c in API_KEY).join(['{"detail":"', '"}']).encode(), 400),
    "status line": Raw(f"HTTP/1.1 999 {API_KEY}\r\n\r\n".encode()),
    "no HTTP": Raw(f"{API_KEY}\r\n\r\n".encode()),
    "error in the stream": Streamed([error_event(API_KEY, code=API_KEY)]),
    "error at the cut": Streamed([error_event("x" * 380 + API_KEY)]),
    "request id of a cut reply": Streamed(["so far", CUT], request_id=API_KEY),
    "request id and model of a reply": Streamed(["so far"], request_id=API_KEY, model=f"m {API_KEY}"),
    "content type": Page(b"<html>", content_type=f"text/{API_KEY}"),
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
def test_the_key_is_never_repeated(gateway: GatewayServer, answer: Answer) -> None:
    asked = ask(gateway, answer, retries=0)
    assert API_KEY[:8] not in everything_of(asked)
    assert asked.error or "[key]" in everything_of(asked)


def test_nothing_else_is_taken_for_the_key(gateway: GatewayServer) -> None:
    asked = ask(gateway, refused(400, "sk-made and sk… are not it"), retries=0)
    assert "sk-made and sk… are not it" in str(asked.error)


@pytest.mark.parametrize(
    ("answer", "request_id"),
    [
        (refused(400, headers={"x-request-id": "r9"}), "r9"),
        (refused(400, headers={"x-request-id": "r9" + "x" * 5000}), "r9" + "x" * 397 + "…"),
        (refused(400), None),
        (Streamed(["so far", error_event()]), "req_0001"),
        (Streamed(["so far", CUT]), "req_0001"),
    ],
)
def test_the_request_is_named(gateway: GatewayServer, answer: Answer, request_id: str | None) -> None:
    error = ask(gateway, answer, retries=0).error
    assert error
    assert error.request_id == request_id


# -- the models ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "ids"),
    [
        ([], []),
        ([{"id": "a", "created": 1}, {"id": "b"}], ["a", "b"]),
        ([None, "a", 5, [], {}, {"id": ""}, {"id": None}, {"name": "a"}, {"id": "b"}], ["b"]),
    ],
)
def test_the_models(gateway: GatewayServer, entries: list[Any], ids: list[str]) -> None:
    listed, _ = get_models(gateway, Page({"object": "list", "data": entries}))
    assert [entry["id"] for entry in listed] == ids
    assert all(entry in entries for entry in listed), "as they came"


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (Page({"data": None}), UnreadableReplyError, "application/json"),
        (Page({"data": {"id": "a"}}), UnreadableReplyError, "application/json"),
        (Page([{"id": "a"}]), UnreadableReplyError, "application/json"),
        (Page(b"{"), UnreadableReplyError, "application/json"),
        (Page(b"[" * 100_000), UnreadableReplyError, "application/json"),
        (html_page(200), UnreadableReplyError, "text/html"),
        (Page(b"<html>", content_type=f"text/{API_KEY}"), UnreadableReplyError, "text/[key]"),
        (wrong_key(API_KEY), AuthenticationError, "[key]"),
        (no_credit(), PermissionDeniedError, "the list of models (403)"),
        (server_error(), ServerError, "(500)"),
        (html_page(502), ServerError, "(502)"),
        (rate_limited(3), RateLimitError, "Wait 3 s"),
        (CUT_REFUSAL, ConnectionFailedError, "failed"),
        (Hangup(), ConnectionFailedError, "failed"),
        (Silent(), ReplyTimeoutError, "within 1 s"),
    ],
)
def test_no_models(gateway: GatewayServer, answer: Answer, kind: type[MetaskError], says: str) -> None:
    _, asked = get_models(gateway, answer)
    assert type(asked.error) is kind
    assert says in str(asked.error)
    assert API_KEY[:8] not in everything_of(asked)
    assert len(gateway.requests) == 1


@pytest.mark.parametrize("lost", [CUT, RESET])
def test_a_reply_that_said_why_it_stopped_is_whole(gateway: GatewayServer, lost: Any) -> None:
    """Some gateways lose the end of the stream, which holds nothing of the reply."""
    chunk = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    asked = ask(gateway, Streamed(["all of it", Chunk(chunk), lost]))
    assert (asked.text, asked.error) == ("all of it", None)
    assert Finished("stop") in asked.events


def test_a_client_retires_when_its_last_reply_has_ended(gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed(["y", gate, "es"]))

    async def run() -> Asked:
        client = new_client(gateway.base_url)
        asked = Asked()
        asking = asyncio.create_task(stream(client, REQUEST, asked))
        await asyncio.to_thread(gate.reached.wait, 30)
        retiring = asyncio.create_task(client.retire())
        await asyncio.sleep(0)
        assert not retiring.done()
        gate.open()
        await asking
        await retiring
        return asked

    asked = asyncio.run(run())
    assert (asked.text, asked.error) == ("yes", None)


def test_others_are_let_go_on_when_the_request_has_gone_out(
    gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails where the connections tell otherwise of what they have sent."""
    turns: list[Turn] = []

    class Watched(Precedence):
        def take(self) -> Turn:
            turns.append(super().take())
            return turns[-1]

    monkeypatch.setattr("metask_magic.gateway.official.first_requests", Watched())
    monkeypatch.setattr("metask_magic.gateway.official.SENDING_SECONDS", 3600.0)
    assert ask(gateway, OK).error is None
    (turn,) = turns
    assert turn.until <= time.monotonic()
