"""What never ends: the client stops reading, says so, keeps what came, and hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc

import pytest

from metask_magic.errors import MetaskError
from metask_magic.gateway import bounds
from metask_magic.gateway.bulk import BulkBackend
from metask_magic.messages.request import Request

from ..gateway_server import Endless, GatewayServer
from .test_client import PLAIN, REQUEST, WAIT, Asked, ask, new_client
from .test_decode import choice, text

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
REFUSED = b"HTTP/1.1 500 Oh\r\nContent-Type: text/plain\r\n\r\n"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.invalid/\r\n\r\n"
SO_FAR = text("So far")

# The answer, the text that is kept, and what is said of it.
ENDLESS: dict[str, tuple[Endless, str, str]] = {
    "a line": (Endless(STREAM + SO_FAR + b"data: ", b"x" * 999), "So far", "sent a line of more than 10 kB"),
    "a line of no field": (Endless(STREAM + SO_FAR, b"x" * 999), "So far", "sent a line of more than 10 kB"),
    "an event": (
        Endless(STREAM + SO_FAR, b"data: " + b"x" * 99 + b"\n"),
        "So far",
        "sent an event of more than 10 kB",
    ),
    "a reply": (
        Endless(STREAM, text("x" * 1000)),
        "x" * 10_000,
        "sent a reply of more than 10,000 characters",
    ),
    "reasoning": (
        Endless(STREAM + SO_FAR, choice(reasoning="x" * 1000)),
        "So far",
        "sent a reply of more than 10,000 characters",
    ),
    "a reply in one piece": (
        Endless(JSON + b'{"choices": [{"message": {"content": "', b"x" * 999),
        "",
        "sent a reply in one piece of more than 2.0 MB",
    ),
    "blanks": (Endless(JSON, b"\n" * 999), "", "sent a reply in one piece of more than 2.0 MB"),
    "a page": (Endless(JSON + b"<html>", b"<p>x</p>" * 99), "", "sent a reply in one piece of more than"),
    "an error": (Endless(REFUSED + b"Oh. ", b"x" * 999), "", "The gateway failed (500)"),
    "a redirect": (Endless(MOVED, b"x" * 999), "", "redirects (302) to https://elsewhere.invalid/"),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test reaches at once, if not within the first piece of a network."""
    for user in ("decode.LONGEST_LINE", "decode.LONGEST_EVENT", "decode.LONGEST_REPLY"):
        monkeypatch.setattr(f"metask_magic.gateway.{user}", 10_000)
    for user in ("body.LONGEST_REPLY", "transport.LONGEST_REFUSAL", "transport.LONGEST_REPLY"):
        monkeypatch.setattr(f"metask_magic.gateway.{user}", 2_000_000)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("request_", [REQUEST, PLAIN], ids=["streamed", "plain"])
@pytest.mark.parametrize(("answer", "kept", "says"), ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends(
    gateway: GatewayServer, request_: Request, answer: Endless, kept: str, says: str
) -> None:
    asked = ask(gateway, answer, request=request_, retries=0)
    assert asked.text == kept
    assert says in str(asked.error)
    assert len(str(asked.error)) < 600
    assert gateway.last.disconnected.wait(WAIT)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["a reply in one piece", "an error", "a redirect"])
def test_rows_too(gateway: GatewayServer, name: str) -> None:
    answer, _, says = ENDLESS[name]
    gateway.script(answer)

    async def fail() -> None:
        async with contextlib.aclosing(BulkBackend(new_client(gateway.base_url).connection)) as backend:
            _ = [event async for event in backend.stream(PLAIN)]

    with pytest.raises(MetaskError) as caught:
        asyncio.run(fail())
    assert says in str(caught.value)
    assert gateway.last.disconnected.wait(WAIT)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Endless(JSON + b'{"data": [', b'{"id": "a"}, ' * 99), "instead of a reply: “{"),
        (Endless(REFUSED, b"Oh. " * 99), "The gateway failed (500)"),
    ],
)
def test_the_list_of_models_too(gateway: GatewayServer, answer: Endless, says: str) -> None:
    gateway.script_models(answer)

    async def fail() -> None:
        async with contextlib.aclosing(new_client(gateway.base_url)) as client:
            await client.get_models()

    with pytest.raises(MetaskError) as caught:
        asyncio.run(fail())
    assert says in str(caught.value)
    assert gateway.last.disconnected.wait(WAIT)


def test_memory_holds_it(gateway: GatewayServer) -> None:
    """With the bounds as they are: pieces of the size that a network gives."""
    tracemalloc.start()
    try:
        asked: Asked = ask(gateway, Endless(STREAM + SO_FAR + b"data: ", b"x" * 65_536))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "sent a line of more than 16.8 MB" in str(asked.error)
    assert most < 5 * bounds.LONGEST_LINE
