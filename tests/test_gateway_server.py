"""The scripted gateway, tried with the official client and with bare sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from .gateway_server import (
    API_KEY,
    CUT,
    EMPTY_CHOICES,
    HALF_EVENT,
    MALFORMED,
    MODELS,
    NULL_CONTENT,
    RESET,
    STALL,
    USAGE,
    Answer,
    Chunk,
    Comment,
    Event,
    Gate,
    GatewayServer,
    Hangup,
    Page,
    Raw,
    Reasoning,
    Silent,
    Streamed,
    ToolCall,
    Trouble,
    bad_parameter,
    error_event,
    html_page,
    no_credit,
    rate_limited,
    server_error,
)

pytestmark = pytest.mark.kernel

MESSAGES: list[Any] = [{"role": "user", "content": "How do you do?"}]
ASK: dict[str, Any] = {"model": "gpt-4o-mini", "messages": MESSAGES}
WAIT = 30.0


@pytest.fixture
def client(gateway: GatewayServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=gateway.base_url, api_key=gateway.api_key, max_retries=0) as client:
        yield client


def read(client: openai.OpenAI, **options: Any) -> tuple[str, str]:
    """The text that came, and how it ended: the finish reason, or the name of the exception."""
    text, end = "", "silence"
    try:
        with client.chat.completions.create(**ASK, **options, stream=True) as stream:
            for chunk in stream:
                for choice in chunk.choices or ():
                    text += choice.delta.content or ""
                    end = choice.finish_reason or end
    except (openai.OpenAIError, json.JSONDecodeError) as error:
        end = type(error).__name__
    return text, end


STREAMS: list[tuple[Answer, str, str]] = [
    (Streamed(["a", "b"]), "ab", "stop"),
    (Streamed("ab", finish_reason="length"), "ab", "length"),
    (Streamed(["a", NULL_CONTENT, EMPTY_CHOICES, Comment(), "b"]), "ab", "stop"),
    (Streamed([Reasoning("hm"), "a"], role_chunk=False), "a", "stop"),
    (Streamed(["a", Chunk({"choices": None}), "b"]), "ab", "stop"),
    (Streamed(["a"], finish_reason=None), "a", "silence"),
    (Streamed(["a"], finish_reason=None, done=False), "a", "silence"),
    (Streamed(["a", HALF_EVENT], finish_reason=None, done=False), "a", "silence"),
    (Streamed(["a"], finish_reason=None, done=False, framing="close"), "a", "silence"),
    (Streamed(["a"], done=False, framing="length"), "a", "APIConnectionError"),
    (Streamed(["a", CUT, "b"]), "a", "APIConnectionError"),
    (Streamed(["a", RESET, "b"]), "a", "APIConnectionError"),
    (Streamed(["a", MALFORMED, "b"]), "a", "JSONDecodeError"),
    (Streamed(["a", error_event(), "b"]), "a", "APIError"),
    (Streamed(["a", Event({"message": "no"}, name="error"), "b"]), "ab", "stop"),
    (html_page(200), "", "silence"),
    (Page({"status": "maintenance"}), "", "silence"),
    (Raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), "", "silence"),
    (Raw(b"SSH-2.0-OpenSSH_9.7\r\n"), "", "APIConnectionError"),
    (Hangup(), "", "APIConnectionError"),
    (bad_parameter("temperature"), "", "BadRequestError"),
    (no_credit(), "", "PermissionDeniedError"),
    (rate_limited(3), "", "RateLimitError"),
    (server_error(), "", "InternalServerError"),
    (html_page(), "", "InternalServerError"),
]


@pytest.mark.parametrize(("answer", "text", "end"), STREAMS)
def test_stream_goes_as_scripted(
    gateway: GatewayServer, client: openai.OpenAI, answer: Answer, text: str, end: str
) -> None:
    gateway.script(answer)
    assert read(client) == (text, end)


REPORTED = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


@pytest.mark.parametrize(
    ("answer", "stream", "told"),
    [
        (Streamed(["a"], usage=REPORTED), True, [REPORTED]),
        (Streamed(["a"], usage=REPORTED), False, [REPORTED]),
        (Streamed(["a", Chunk({"choices": [], "usage": USAGE})], usage=REPORTED), True, [REPORTED]),
        (Streamed(["a", Chunk({"choices": [], "usage": USAGE}), CUT], usage=REPORTED), True, [USAGE]),
        (Streamed(["a", CUT], usage=REPORTED), True, []),
        (Streamed(["a"], usage=None), True, []),
        (server_error(), True, []),
    ],
)
def test_it_knows_what_usage_it_reported(
    gateway: GatewayServer, client: openai.OpenAI, answer: Answer, stream: bool, told: list[Any]
) -> None:
    gateway.script(answer)
    if stream:
        read(client, stream_options={"include_usage": True})
    else:
        client.chat.completions.create(**ASK)
    assert gateway.last.finished.wait(WAIT)
    assert gateway.usage_sent == told


PLAIN: list[tuple[Answer, str]] = [
    (Streamed(["a", Comment(), "b"]), "ab"),
    (Streamed(["a", CUT]), "APIConnectionError"),
    (Streamed(["a", RESET]), "APIConnectionError"),
    (rate_limited("Wed, 21 Oct 2026 07:28:00 GMT"), "RateLimitError"),
]


@pytest.mark.parametrize(("answer", "expected"), PLAIN)
def test_plain_request_is_answered_from_the_same_script(
    gateway: GatewayServer, client: openai.OpenAI, answer: Answer, expected: str
) -> None:
    gateway.script(answer)
    try:
        said = client.chat.completions.create(**ASK).choices[0].message.content
    except openai.OpenAIError as error:
        said = type(error).__name__
    assert said == expected


def test_tool_calls_streamed_and_plain(gateway: GatewayServer, client: openai.OpenAI) -> None:
    pieces = [ToolCall(0, '{"ci', id="call_1", name="weather"), ToolCall(0, 'ty":"Ulm"}')]
    gateway.script(*[Streamed(pieces, finish_reason="tool_calls")] * 2)
    choice = client.chat.completions.create(**ASK).choices[0].to_dict()
    (call,) = choice["message"]["tool_calls"]
    assert call == {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city":"Ulm"}'},
    }
    with client.chat.completions.create(**ASK, stream=True) as stream:
        deltas = [c.choices[0].delta for c in stream]
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    assert [call.id for call in calls] == ["call_1", None]
    assert [call.function.arguments for call in calls if call.function] == ['{"ci', 'ty":"Ulm"}']


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("usage", [USAGE, None])
def test_usage_comes_only_when_asked_for_and_there(
    gateway: GatewayServer, client: openai.OpenAI, asked: bool, usage: Any
) -> None:
    gateway.script(Streamed("a", usage=usage))
    options: Any = {"stream_options": {"include_usage": True}} if asked else {}
    with client.chat.completions.create(**ASK, **options, stream=True) as stream:
        reported = [chunk.usage.to_dict() for chunk in stream if chunk.usage]
    assert reported == ([USAGE] if asked and usage else [])


def test_gate_holds_the_stream(gateway: GatewayServer, client: openai.OpenAI) -> None:
    gate = Gate()
    gateway.script(Streamed(["one ", gate, "two"], role_chunk=False))
    with client.chat.completions.create(**ASK, stream=True) as stream:
        assert next(stream).choices[0].delta.content == "one "
        assert gate.reached.wait(WAIT)
        assert not gateway.last.finished.is_set()
        gate.open()
        assert next(stream).choices[0].delta.content == "two"
        assert [chunk.choices[0].finish_reason for chunk in stream] == ["stop"]
    assert gateway.last.finished.wait(WAIT)
    assert not gateway.last.disconnected.is_set()


@pytest.mark.parametrize("answer", [Streamed(["a", STALL]), Streamed([STALL], role_chunk=False)])
def test_the_client_leaves_a_stalled_stream(
    gateway: GatewayServer, client: openai.OpenAI, answer: Streamed
) -> None:
    gateway.script(answer)
    stream = client.chat.completions.create(**ASK, stream=True)
    assert not gateway.last.disconnected.is_set()
    stream.close()
    assert gateway.last.disconnected.wait(WAIT)
    assert not gateway.last.finished.is_set()


def test_the_client_leaves_silence(gateway: GatewayServer, client: openai.OpenAI) -> None:
    gateway.script(Silent())
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(**ASK, timeout=1.0)
    assert gateway.last.disconnected.wait(WAIT)


def test_default_is_an_echo_and_can_be_changed(gateway: GatewayServer, client: openai.OpenAI) -> None:
    assert read(client) == ("How do you do?", "stop")
    gateway.answer_with(lambda received: Streamed([received.json["model"]]))
    assert read(client) == ("gpt-4o-mini", "stop")
    assert [received.last_user_text for received in gateway.chats] == ["How do you do?"] * 2


def test_retry_after_a_429(gateway: GatewayServer, client: openai.OpenAI) -> None:
    gateway.script(rate_limited(milliseconds=1), Streamed(["ok"]))
    assert read(client.with_options(max_retries=1)) == ("ok", "stop")
    assert len(gateway.wait_for_requests(2)) == 2
    with pytest.raises(TimeoutError, match="2 requests came"):
        gateway.wait_for_requests(3, timeout=0)


def test_answers_for_one_model_wait_for_it(gateway: GatewayServer, client: openai.OpenAI) -> None:
    gateway.script(Streamed(["mine"]), model="o1")
    gateway.script(Streamed(["any"]))
    assert gateway.unused == 2
    assert read(client) == ("any", "stop")
    reply = client.chat.completions.create(model="o1", messages=MESSAGES)
    assert reply.choices[0].message.content == "mine"
    assert gateway.unused == 0


def test_rejected_parameter_is_refused_until_left_out(gateway: GatewayServer, client: openai.OpenAI) -> None:
    gateway.reject("stream_options")
    gateway.script(Streamed(["ok"]))
    assert read(client, stream_options={"include_usage": True}) == ("", "UnprocessableEntityError")
    assert read(client) == ("ok", "stop")


def test_models(gateway: GatewayServer, client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == list(MODELS)
    gateway.models = ["only-one"]
    assert [model.id for model in client.models.list()] == ["only-one"]
    gateway.script_models(html_page(502))
    with pytest.raises(openai.InternalServerError):
        client.models.list()
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(**ASK)
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("key", ["sk-wrong-but-secret", "x"])
def test_wrong_key_is_refused_and_echoed(gateway: GatewayServer, client: openai.OpenAI, key: str) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        client.with_options(api_key=key).chat.completions.create(**ASK)
    assert caught.value.code == "invalid_api_key"
    assert key in caught.value.message
    assert gateway.last.key == key


WRONG = [
    ({"model": "gpt-4o"}, "'messages' is a required property"),
    (ASK | {"temperature": 3}, "$.temperature: 3 is greater than the maximum of 2"),
    (ASK | {"messages": []}, "$.messages"),
    (ASK | {"messages": [{"role": "teacher", "content": "x"}]}, "$.messages[0]"),
    (ASK | {"messages": [{"role": "user", "content": None}]}, "$.messages[0].content"),
    (ASK | {"tools": [{"type": "function"}]}, "$.tools[0]"),
    (ASK | {"stop": ["a", "b", "c", "d", "e"]}, "$.stop"),
    (ASK | {"stream_options": {"include_usage": True}}, "$.stream_options"),
    (None, "$: None is not of type 'object'"),
]


@pytest.mark.sends_wrong_requests
@pytest.mark.parametrize(("body", "violation"), WRONG)
def test_wrong_request_is_noticed(gateway: GatewayServer, body: Any, violation: str) -> None:
    headers = {"Authorization": f"Bearer {gateway.api_key}"}
    httpx2.post(f"{gateway.base_url}/chat/completions", content=json.dumps(body), headers=headers)
    assert len(gateway.violations) == 1
    assert violation in gateway.violations[0]


RIGHT: list[dict[str, Any]] = [
    {"stop": None, "max_tokens": None, "seed": 7, "temperature": 0, "top_p": 1},
    {"stop": "\n", "response_format": {"type": "json_object"}, "metadata": None},
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
    {"messages": [{"role": "tool", "tool_call_id": "call_1", "content": "4"}]},
]


@pytest.mark.parametrize("options", RIGHT)
def test_right_request_is_accepted(
    gateway: GatewayServer, client: openai.OpenAI, options: dict[str, Any]
) -> None:
    client.chat.completions.create(**{**ASK, **options})
    assert gateway.violations == []


def ask_bare(gateway: GatewayServer) -> socket.socket:
    body = json.dumps(ASK | {"stream": True}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.api_key}\r\n"
    connection = socket.create_connection(("127.0.0.1", int(gateway.base_url.split(":")[2].split("/")[0])))
    connection.settimeout(WAIT)
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_cut_on_the_wire_is_a_body_without_its_end(gateway: GatewayServer) -> None:
    gateway.script(Streamed(["abc", CUT]))
    with ask_bare(gateway) as connection:
        answer = read_all(connection)
    assert b'"content":"abc"' in answer
    assert not answer.endswith(b"0\r\n\r\n")


def test_reset_on_the_wire_is_a_reset(gateway: GatewayServer) -> None:
    gateway.script(Streamed(["abc", RESET]))
    with ask_bare(gateway) as connection, pytest.raises(ConnectionResetError):
        read_all(connection)


def test_reset_of_the_server_cuts_and_forgets(gateway: GatewayServer) -> None:
    gateway.script(Streamed(["abc", STALL]), Streamed(["left over"]))
    with ask_bare(gateway) as connection:
        gateway.wait_for_requests(1)
        gateway.reset()
        read_all(connection)
    assert (gateway.requests, gateway.unused, gateway.most_at_once) == ([], 0, 0)


def test_ten_thousand_chunks(gateway: GatewayServer) -> None:
    gateway.script(Streamed(["word "] * 10_000))
    headers = {"Authorization": f"Bearer {gateway.api_key}"}
    url, body = f"{gateway.base_url}/chat/completions", {**ASK, "stream": True}
    with httpx2.stream("POST", url, json=body, headers=headers) as response:
        assert sum("word " in line for line in response.iter_lines()) == 10_000


def test_five_hundred_and_twelve_at_once(gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.answer_with(lambda _: Streamed(["a", gate, "b"]))
    connections = [ask_bare(gateway) for _ in range(512)]
    gateway.wait_for_requests(512)
    gate.open()
    assert all(connection.recv(65536).startswith(b"HTTP/1.1 200 OK") for connection in connections)
    assert all(received.finished.wait(WAIT) for received in gateway.requests)
    assert gateway.most_at_once == 512
    for connection in connections:
        connection.close()


def test_rate_spreads_the_chunks(gateway: GatewayServer) -> None:
    gateway.script(Streamed("abcdef", chunks_per_second=50))

    async def read_times() -> list[float]:
        client = openai.AsyncOpenAI(base_url=gateway.base_url, api_key=gateway.api_key)
        async with client, await client.chat.completions.create(**ASK, stream=True) as stream:
            return [asyncio.get_running_loop().time() async for _ in stream]

    times = asyncio.run(read_times())
    assert times[-1] - times[0] > 0.1


KINDS = {"stop": "ok", "InternalServerError": "failed", "APIConnectionError": "cut"}


def test_trouble_limits_the_rate(gateway: GatewayServer, client: openai.OpenAI) -> None:
    now = 0.0
    trouble = Trouble(2, burst=3, clock=lambda: now)
    gateway.answer_with(trouble)
    assert [read(client)[1] for _ in range(4)] == ["stop"] * 3 + ["RateLimitError"]
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(**ASK)
    assert caught.value.response.headers["retry-after"] == "1"
    now = 1.0
    assert [read(client)[1] for _ in range(3)] == ["stop"] * 2 + ["RateLimitError"]
    assert trouble.given == {"ok": 5, "limited": 3}


def test_trouble_is_the_same_for_the_same_seed(gateway: GatewayServer, client: openai.OpenAI) -> None:
    runs = []
    for seed in (1, 1, 2):
        gateway.answer_with(trouble := Trouble(failing=0.3, cut=0.3, seed=seed))
        runs.append([read(client)[1] for _ in range(40)])
        assert trouble.given == Counter(map(KINDS.get, runs[-1]))
    assert runs[0] == runs[1] != runs[2]


def test_certificate_is_trusted_by_those_who_know_the_authority(tls_gateway: GatewayServer) -> None:
    asked = {"base_url": tls_gateway.base_url, "api_key": tls_gateway.api_key, "max_retries": 0}
    with openai.OpenAI(**asked) as client:  # type: ignore[arg-type]
        assert read(client) == ("", "APIConnectionError")
    trusting = httpx2.Client(verify=ssl.create_default_context(cafile=tls_gateway.ca))
    with openai.OpenAI(**asked, http_client=trusting) as client:  # type: ignore[arg-type]
        assert read(client) == ("How do you do?", "stop")


def test_as_a_process_with_a_script_of_json() -> None:
    script = [{"parts": ["a", {"reasoning": "hm"}, {"repeat": 3, "text": "b"}]}, {"status": 503, "body": {}}]
    command = [sys.executable, "-m", "tests.gateway_server", "--script", json.dumps(script)]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["api_key"] == API_KEY
        with openai.OpenAI(**said, max_retries=0) as client:
            assert [read(client) for _ in range(3)] == [
                ("abbb", "stop"),
                ("", "InternalServerError"),
                ("abbb", "stop"),
            ]
        process.stdin.close()
        assert process.wait(WAIT) == 0
