"""The user's own coroutines, run to their end in the cell's thread.

A cell runs inside the kernel's asyncio loop, which waits for it: a coroutine cannot run there. It gets a
loop of our own in the same thread, while the kernel's is put aside.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from .loop import cancel_all

T = TypeVar("T")

_own = threading.local()


def run(awaitable: Awaitable[T]) -> T:
    """Run to its end in this thread, whether a loop runs here or not, and return or raise what it does.

    One loop serves all calls of a thread until `close`, so that what one has made (an HTTP client, a
    connection) the next can use. It sees the context variables of the caller. An interrupt that raises
    here cancels the awaitable, which may clean up.
    """
    with _outer_loop_aside():
        loop = _loop_of_thread()
        if loop.is_running():  # a tool asks a model whose tool is a coroutine as well
            with asyncio.Runner() as runner:
                return _run_on(runner.get_loop(), awaitable)
        return _run_on(loop, awaitable)


def close() -> None:
    """Cancel what still runs on this thread's loop, close its asynchronous generators, and end it."""
    loop: asyncio.AbstractEventLoop | None = getattr(_own, "loop", None)
    if loop is None or loop.is_running():
        return
    del _own.loop
    with _outer_loop_aside():
        try:
            loop.run_until_complete(cancel_all())
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()


def _loop_of_thread() -> asyncio.AbstractEventLoop:
    loop: asyncio.AbstractEventLoop | None = getattr(_own, "loop", None)
    if loop is None or loop.is_closed():
        loop = _own.loop = asyncio.new_event_loop()
    return loop


def _run_on(loop: asyncio.AbstractEventLoop, awaitable: Awaitable[T]) -> T:
    task = loop.create_task(_awaited(awaitable))
    try:
        return loop.run_until_complete(task)
    except KeyboardInterrupt:
        if not task.done():  # else it was the one that raised
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):  # the interrupt is what is told
                loop.run_until_complete(task)
        raise


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


@contextmanager
def _outer_loop_aside() -> Iterator[None]:
    """Make it seem that no loop runs in this thread.

    asyncio refuses to run a loop within another, which guards against waiting for oneself. Here the outer
    one waits for the cell in any case. The task goes first and comes back last: since Python 3.14 it
    belongs to the loop that runs.
    """
    outer = asyncio._get_running_loop()
    if outer is None:
        yield
        return
    task = asyncio.current_task(outer)
    if task is not None:
        asyncio.tasks._leave_task(outer, task)
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(outer)
        if task is not None:
            asyncio.tasks._enter_task(outer, task)
