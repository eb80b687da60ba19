"""Playing one scripted answer on one connection."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from typing import NoReturn, Protocol

from aiohttp import web

from .answers import Answer, Endless, Fault, Gate, Hangup, Page, Raw, Silent, Streamed
from .received import Received
from .wire import Step, completion, iter_stream, usage_in

NEVER_REACHED = 1 << 30  # the Content-Length of a body that is shorter than promised
MOST_BUFFERED = 1 << 20
AS_GOOD_AS_ENDLESS = 1 << 27  # bytes: a client that reads for ever takes no machine down


class Body(Protocol):
    """The way a body goes out; its head is sent first, by itself."""

    async def begin(self) -> None: ...
    async def write(self, data: bytes) -> None: ...
    async def end(self) -> web.StreamResponse: ...


class ChunkedBody:
    """A body in chunked encoding, whose end is a chunk of its own; the connection may live on."""

    def __init__(self, request: web.Request, headers: Mapping[str, str]) -> None:
        self._request = request
        self._response = web.StreamResponse(headers=headers)

    async def begin(self) -> None:
        writer = await self._response.prepare(self._request)
        assert writer is not None
        # Else the head waits for the first chunk, and an answer that stalls at once is one without a head.
        writer.send_headers()

    async def write(self, data: bytes) -> None:
        await self._response.write(data)

    async def end(self) -> web.StreamResponse:
        await self._response.write_eof()
        return self._response


class BareBody:
    """A body of bare bytes, ended by the end of the connection."""

    def __init__(self, request: web.Request, headers: Mapping[str, str]) -> None:
        self._transport = transport_of(request)
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    async def begin(self) -> None:
        self._transport.write(f"HTTP/1.1 200 OK\r\n{self._head}\r\n".encode())

    async def write(self, data: bytes) -> None:
        self._transport.write(data)

    async def end(self) -> NoReturn:
        self._transport.close()
        await gone()


async def play(answer: Answer, request: web.Request, received: Received) -> web.StreamResponse:
    """Send the answer; `received.finished` is set as soon as the script has run to its end."""
    match answer:
        case Streamed() if received.json.get("stream"):
            return await _stream(answer, request, received)
        case Streamed():
            return await _plain(answer, request, received)
        case Page():
            received.finished.set()
            return web.Response(
                body=answer.to_bytes(),
                status=answer.status,
                headers=answer.headers,
                content_type=answer.content_type,
            )
        case Raw(data):
            transport_of(request).write(data)
            return await _break_off(Fault.CUT, request, received)
        case Endless():
            await _write_for_ever(answer, transport_of(request))
            return await _break_off(Fault.CUT, request, received)
        case Hangup():
            return await _break_off(Fault.CUT, request, received)
        case Silent():
            return await _break_off(Fault.STALL, request, received)


async def _stream(answer: Streamed, request: web.Request, received: Received) -> web.StreamResponse:
    headers = {"Content-Type": answer.content_type, "x-request-id": answer.request_id or received.request_id}
    body = _body(answer, request, headers)
    await body.begin()
    await _write_steps(iter_stream(answer, received.json), body, answer.chunks_per_second, request, received)
    received.finished.set()
    return await body.end()


def _body(answer: Streamed, request: web.Request, headers: dict[str, str]) -> Body:
    if answer.framing == "chunked":
        return ChunkedBody(request, headers)
    if answer.framing == "length":
        headers["Content-Length"] = str(NEVER_REACHED)
    return BareBody(request, headers | {"Connection": "close"})


async def _write_steps(
    steps: Iterable[Step], body: Body, rate: float | None, request: web.Request, received: Received
) -> None:
    started, written = time.perf_counter(), 0
    for step in steps:
        if isinstance(step, bytes):
            await body.write(step)
            _note_usage(step, received)
            written += 1
            # Also without a rate: the other connections want their turn.
            due = started + written / rate if rate else 0.0
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        elif isinstance(step, Gate):
            await step.passed()
        else:
            await _break_off(step, request, received)


async def _plain(answer: Streamed, request: web.Request, received: Received) -> web.StreamResponse:
    body = completion(answer, received.json)
    for part in answer.parts:
        if isinstance(part, Gate):
            await part.passed()
        elif isinstance(part, Fault):
            if part is Fault.CUT:
                length = {"Content-Type": "application/json", "Content-Length": f"{len(body)}"}
                half = BareBody(request, length)
                await half.begin()
                await half.write(body[: len(body) // 2])
            await _break_off(part, request, received)
    _note_usage(body, received)
    received.finished.set()
    headers = {"x-request-id": answer.request_id or received.request_id}
    return web.Response(body=body, content_type="application/json", headers=headers)


async def _write_for_ever(answer: Endless, transport: asyncio.Transport) -> None:
    transport.write(answer.begin)
    left = AS_GOOD_AS_ENDLESS
    while left > 0:
        full = transport.get_write_buffer_size() > MOST_BUFFERED
        if not full:
            transport.write(answer.piece)
            left -= len(answer.piece)
        await asyncio.sleep(0.001 if full else 0)


def _note_usage(written: bytes, received: Received) -> None:
    usage = usage_in(written) if b'"usage":{' in written else None
    if usage is not None:
        received.usage_sent.append(usage)


async def _break_off(fault: Fault, request: web.Request, received: Received) -> NoReturn:
    if fault is not Fault.STALL:
        received.finished.set()
    if fault is Fault.CUT:
        transport_of(request).close()
    elif fault is Fault.RESET:
        reset(transport_of(request))
    await gone()


def transport_of(request: web.Request) -> asyncio.Transport:
    """The request's connection; ConnectionResetError where the client has left already."""
    transport = request.transport
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionResetError("the client has gone")
    return transport


def reset(transport: asyncio.Transport) -> None:
    """End the connection with RST instead of FIN."""
    raw = transport.get_extra_info("socket")
    # Linger for no time at all: closing the socket then resets the connection.
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def gone() -> NoReturn:
    """Wait until the connection is gone: aiohttp cancels the handler then."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")
