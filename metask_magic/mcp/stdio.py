"""The pipes of a server that runs here: messages line by line, and the last that it wrote to stderr.

The library has such a transport too. This one runs the command under `supervisor.py`, which ends it whatever
becomes of the kernel; it keeps stderr from the notebook, and it takes in a message of many megabytes at the
cost of its length.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..language import _
from . import supervisor
from .environment import Given

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

LONGEST_MESSAGE = 1 << 26
"""Bytes of one message that is taken in; a server that sends a longer one is ended."""

LONGEST_AT_ONCE = 1 << 20  # bytes that are parsed on the loop: what is longer would hold up the others
TAIL_BYTES = 8192
TAIL_LINES = 5
FLUSH_SECONDS = 0.5
ENDING_SECONDS = TERMINATING_SECONDS = 4 * supervisor.GRACE_SECONDS

Streams = tuple[Any, Any]


class Said:
    """What a server said beside the protocol: its last lines on stderr, and the first that was no message."""

    def __init__(self) -> None:
        self.over = asyncio.Event()  # no message comes any more
        self._tail = b""
        self.stray = ""
        self.trouble: Callable[[], str] = str  # in the language of the moment; nothing at first

    def take(self, piece: bytes) -> None:
        """Take in a piece of stderr."""
        self._tail = (self._tail + piece[-TAIL_BYTES:])[-TAIL_BYTES:]

    def take_stray(self, line: bytes) -> None:
        """Take in a line of stdout that is no message."""
        self.stray = self.stray or line[:200].decode("utf-8", "replace").strip()

    @property
    def last_lines(self) -> list[str]:
        lines = self._tail.decode("utf-8", "replace").splitlines()
        return [line for line in lines if line.strip()][-TAIL_LINES:]


@asynccontextmanager
async def pipes(given: Given, folder: Path, said: Said) -> AsyncIterator[Streams]:
    """Start the command and yield streams of messages, from it and to it. At the end it is ended.

    Raises
    ------
    OSError
        Not even the supervisor could be started: there is no such folder, say.

    """
    import anyio

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(Path(supervisor.__file__))),
        *given.command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(given.environment),
        cwd=folder,
        limit=LONGEST_MESSAGE,
        start_new_session=True,  # what interrupts the kernel is not meant for it
    )
    incoming_end, incoming = anyio.create_memory_object_stream[Any](0)
    outgoing, outgoing_end = anyio.create_memory_object_stream[Any](0)
    writing = asyncio.create_task(_write(process, outgoing_end))
    reading = asyncio.create_task(_read(process, incoming_end, said))
    listening = asyncio.create_task(_listen(process, said))
    try:
        yield incoming, outgoing
    finally:
        incoming.close()
        outgoing.close()
        await asyncio.wait([writing], timeout=FLUSH_SECONDS)
        _close(process)
        if not await _has_ended(process, ENDING_SECONDS):  # it reads nothing, so not that it is to end
            process.terminate()
            await _has_ended(process, TERMINATING_SECONDS)
        await asyncio.wait([listening], timeout=FLUSH_SECONDS)  # its last words
        for task in (writing, reading, listening):
            task.cancel()
        await asyncio.gather(writing, reading, listening, return_exceptions=True)


async def _has_ended(process: asyncio.subprocess.Process, seconds: float) -> bool:
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _close(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None  # noqa: S101 -- for mypy: it is a pipe
    with suppress(OSError, RuntimeError):
        process.stdin.close()


async def _write(process: asyncio.subprocess.Process, outgoing: MemoryObjectReceiveStream[Any]) -> None:
    assert process.stdin is not None  # noqa: S101 -- for mypy: it is a pipe
    with suppress(OSError):
        async with outgoing:
            async for sent in outgoing:
                line = sent.message.model_dump_json(by_alias=True, exclude_unset=True)
                process.stdin.write(line.encode() + b"\n")
                await process.stdin.drain()


async def _listen(process: asyncio.subprocess.Process, said: Said) -> None:
    assert process.stderr is not None  # noqa: S101 -- for mypy: it is a pipe
    while piece := await process.stderr.read(1 << 16):
        said.take(piece)


async def _read(
    process: asyncio.subprocess.Process, incoming: MemoryObjectSendStream[Any], said: Said
) -> None:
    """Hand on each line that is a message. The stream's end fails whoever waits for an answer."""
    import anyio

    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async with incoming:
            async for line in _iter_lines(process, said):
                message = await _parsed(line)
                if message is None:
                    said.take_stray(line)
                else:
                    await incoming.send(message)
            said.over.set()
    await _rest(process)


async def _iter_lines(process: asyncio.subprocess.Process, said: Said) -> AsyncIterator[bytes]:
    assert process.stdout is not None  # noqa: S101 -- for mypy: it is a pipe
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:
            said.trouble = _too_long
            _close(process)
            return
        if not line:
            return
        if line.strip():
            yield line


def _too_long() -> str:
    return _("it sent a message of more than {size} MiB", size=LONGEST_MESSAGE >> 20)


async def _rest(process: asyncio.subprocess.Process) -> None:
    """Take in what nobody waits for: a server that cannot write would not end."""
    assert process.stdout is not None  # noqa: S101 -- for mypy: it is a pipe
    while await process.stdout.read(1 << 16):
        pass


async def _parsed(line: bytes) -> Any:
    """Return a line as a message; None where it is none."""
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    def parse() -> Any:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))

    try:
        return parse() if len(line) < LONGEST_AT_ONCE else await asyncio.to_thread(parse)
    except ValueError:
        return None
