"""The backend of a batch: replies in one piece, asked for once, over either kind of connection."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from metask_magic.errors import (
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    HostRefusedError,
    MetaskError,
    NameResolutionError,
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
from metask_magic.gateway.bulk import BulkBackend
from metask_magic.gateway.official import Connection
from metask_magic.keys import ApiKey
from metask_magic.messages.events import Event, Finished, Served, TextDelta, Usage, UsageReported
from metask_magic.messages.request import Message, Request

from ..gateway_server import (
    API_KEY,
    CUT,
    RESET,
    STALL,
    Answer,
    Gate,
    GatewayServer,
    Hangup,
    Page,
    Raw,
    Reasoning,
    Silent,
    Streamed,
    bad_parameter,
    html_page,
    model_not_found,
    no_credit,
    rate_limited,
    refused,
    server_error,
    wrong_key,
)

T = TypeVar("T")

WAIT = 30.0
REQUEST = Request("gpt-4o-mini", (Message("user", "Hi"),), stream=False)
STALLED_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"


@pytest.fixture(params=["aiohttp", "httpx2"], autouse=True)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The usual connections, and those for a proxy."""
    if request.param == "httpx2":
        monkeypatch.setattr("metask_magic.gateway.transport.proxy_for", lambda _: "http://proxy.example")
    return str(request.param)


def with_backend(base_url: str, use: Callable[[BulkBackend], Awaitable[T]], timeout: float = WAIT) -> T:
    async def run() -> T:
        connection = Connection(base_url, ApiKey(API_KEY, "the test"), timeout, max_retries=9)
        async with contextlib.aclosing(BulkBackend(connection)) as backend:
            return await use(backend)

    return asyncio.run(run())


async def read(backend: BulkBackend, request: Request = REQUEST) -> list[Event]:
    return [event async for event in backend.stream(request)]


def failure(base_url: str, timeout: float = WAIT) -> MetaskError:
    async def fail(backend: BulkBackend) -> MetaskError:
        with pytest.raises(MetaskError) as caught:
            await read(backend)
        return caught.value

    return with_backend(base_url, fail, timeout)


def test_which_connections_are_used(gateway: GatewayServer, transport: str) -> None:
    async def connections(backend: BulkBackend) -> str:
        await read(backend)
        client: Any = backend._client._official._client
        return type(client._client._transport).__name__

    name = {"aiohttp": "AiohttpTransport", "httpx2": "AsyncHTTPTransport"}[transport]
    assert with_backend(gateway.base_url, connections) == name


def test_a_reply_comes_in_one_piece(gateway: GatewayServer) -> None:
    gateway.script(Streamed([Reasoning("Hm"), "y", "es"], model="served"))
    request = Request("gpt-4o-mini", (Message("user", "Hi"),), {"seed": 7}, stream=False)
    events = with_backend(gateway.base_url, lambda backend: read(backend, request))
    assert [event for event in events if not isinstance(event, tuple) or event[0] != "Hm"] == [
        Served(None, "req_0001"),
        Served("served", None),
        TextDelta("yes"),
        Finished("stop"),
        UsageReported(Usage(11, 7, 18)),
    ]
    assert gateway.last.json == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Hi"}],
        "seed": 7,
    }
    assert gateway.last.key == API_KEY


def test_a_streamed_reply_comes_in_its_pieces(gateway: GatewayServer) -> None:
    gateway.script(Streamed(["y", "es"]))
    events = with_backend(gateway.base_url, lambda backend: read(backend, replace(REQUEST, stream=True)))
    assert [event for event in events if isinstance(event, TextDelta)] == [TextDelta("y"), TextDelta("es")]
    assert gateway.last.json["stream"] is True


def test_a_model_that_does_not_stream_answers_in_one_piece(gateway: GatewayServer) -> None:
    gateway.reject("stream")
    request = replace(REQUEST, stream=True)

    async def ask_twice(backend: BulkBackend) -> list[Event]:
        await read(backend, request)
        return await read(backend, request)

    events = with_backend(gateway.base_url, ask_twice)
    assert TextDelta("Hi") in events
    assert [chat.json.get("stream", False) for chat in gateway.chats] == [True, False, False]


def test_what_is_refused_in_either_way_is_refused(gateway: GatewayServer) -> None:
    gateway.reject("seed")
    with pytest.raises(BadRequestError):
        with_backend(
            gateway.base_url,
            lambda backend: read(backend, replace(REQUEST, params={"seed": 1}, stream=True)),
        )
    assert len(gateway.chats) == 2


@pytest.mark.parametrize("streamed", [True, False])
def test_a_refusal_is_not_asked_again(gateway: GatewayServer, streamed: bool) -> None:
    gateway.script(rate_limited())
    with pytest.raises(RateLimitError):
        with_backend(gateway.base_url, lambda backend: read(backend, replace(REQUEST, stream=streamed)))
    assert len(gateway.chats) == 1


def test_the_request_is_the_library_s_own(gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes past the library, but nothing of it differs."""
    monkeypatch.setenv("OPENAI_ORG_ID", "ambient")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Ambient: ambient")
    request = Request("gpt-4o-mini", (Message("user", "Größe ✓"),), {"stop": ["a"]}, stream=False)

    async def ask_both(backend: BulkBackend) -> None:
        await read(backend, request)
        _ = [event async for event in backend._client.stream(request)]

    with_backend(gateway.base_url, ask_both)
    straight, librarys = gateway.chats
    assert straight.body == librarys.body
    counted = ("x-stainless-retry-count", "x-stainless-read-timeout")
    assert {**straight.headers} == {k: v for k, v in librarys.headers.items() if k not in counted}


FAILURES: dict[str, tuple[Answer, type[MetaskError]]] = {
    "400": (bad_parameter("top_p"), BadRequestError),
    "401": (wrong_key(API_KEY), AuthenticationError),
    "403": (no_credit(), PermissionDeniedError),
    "404": (model_not_found("x"), NotFoundError),
    "429": (rate_limited(7), RateLimitError),
    "500": (server_error(), ServerError),
    "502, a page": (html_page(502), ServerError),
    "503": (server_error(503), ServerError),
    "200, a page": (html_page(200), UnreadableReplyError),
    "no reply": (Page({}), UnreadableReplyError),
    "an error within": (Page({"error": {"message": "Oh."}}), ServerError),
    "hang-up": (Hangup(), ConnectionFailedError),
    "no HTTP": (Raw(b"SSH-2.0-OpenSSH_9.7\r\n"), ConnectionFailedError),
    "cut": (Streamed(["so far", CUT]), StreamCutError),
    "reset": (Streamed([RESET]), ConnectionFailedError),
    "half a refusal": (
        Raw(b"HTTP/1.1 500 Oh\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<html>"),
        ConnectionFailedError,
    ),
}


@pytest.mark.parametrize(("answer", "kind"), FAILURES.values(), ids=FAILURES)
def test_a_failure_is_told_and_nothing_tried_again(
    gateway: GatewayServer, answer: Answer, kind: type[MetaskError]
) -> None:
    gateway.script(answer, Streamed(["too late"]))
    error = failure(gateway.base_url)
    assert type(error) is kind
    assert API_KEY[:8] not in str(error)
    assert len(gateway.chats) == 1


def test_what_the_gateway_said_is_kept(gateway: GatewayServer) -> None:
    gateway.script(refused(429, code="slow", headers={"Retry-After": "7", "x-request-id": "r9"}))
    error = failure(gateway.base_url)
    assert isinstance(error, RateLimitError)
    assert (error.retry_after, error.code, error.request_id) == (7.0, "slow", "r9")


def test_silence_is_a_timeout(gateway: GatewayServer) -> None:
    gateway.script(Silent(), Streamed([STALL]))
    assert type(failure(gateway.base_url, timeout=1.0)) is ReplyTimeoutError
    assert type(failure(gateway.base_url, timeout=1.0)) is ReplyTimeoutError


def test_a_body_that_stalls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def stall() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(STALLED_HEAD)
                while connection.recv(65536):
                    pass

        server = threading.Thread(target=stall)
        server.start()
        error = failure(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", timeout=1.0)
        assert type(error) is StreamStalledError
        server.join(WAIT)


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert type(failure(f"http://127.0.0.1:{port}/v1")) is HostRefusedError


def test_no_such_name() -> None:
    assert type(failure("https://gateway.invalid/v1")) is NameResolutionError


def test_a_certificate_nobody_signed(tls_gateway: GatewayServer) -> None:
    assert type(failure(tls_gateway.base_url)) is TLSError


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s3cret@127.0.0.1:9")
    error = failure("https://gateway.invalid/v1")
    assert type(error) is ProxyError
    assert "s3cret" not in str(error)


def test_a_proxy_that_only_httpx_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.invalid:1")
    assert "httpx2[socks]" in str(failure("https://gateway.invalid/v1"))


def test_proxies_are_not_asked_for_this_machine(
    gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    assert TextDelta("Hi") in with_backend(gateway.base_url, read)


def test_hundreds_at_once(gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.answer_with(lambda _: Streamed([gate, "yes"]))

    async def ask(backend: BulkBackend) -> list[list[Event]]:
        asked = [asyncio.create_task(read(backend)) for _ in range(300)]
        await asyncio.to_thread(gateway.wait_for_requests, 300, WAIT)
        gate.open()
        return await asyncio.gather(*asked)

    assert all(TextDelta("yes") in events for events in with_backend(gateway.base_url, ask))
    assert gateway.most_at_once == 300


def test_leaving_closes_the_connection(gateway: GatewayServer) -> None:
    gateway.script(Streamed([STALL]))

    async def leave(backend: BulkBackend) -> None:
        task = asyncio.create_task(read(backend))
        (sent,) = await asyncio.to_thread(gateway.wait_for_requests, 1, WAIT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(sent.disconnected.wait, WAIT)
        assert TextDelta("Hi") in await read(backend), "the backend goes on"

    with_backend(gateway.base_url, leave)
