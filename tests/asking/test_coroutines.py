"""Coroutines run in a thread whose own loop waits for it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from metask_magic.asking import coroutines

COLOUR: ContextVar[str] = ContextVar("COLOUR", default="none")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    coroutines.close()


async def answer() -> int:
    await asyncio.sleep(0)
    return 42


async def fail() -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError("oops")


async def nested() -> int:
    return coroutines.run(answer())


async def use_asyncio() -> None:
    await asyncio.gather(asyncio.sleep(0), asyncio.to_thread(lambda: None))
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0))


class Later:
    """Awaitable, and no coroutine."""

    def __await__(self) -> Any:
        return answer().__await__()


def alone(work: Callable[[], Any]) -> Any:
    return work()


def within_a_loop(work: Callable[[], Any]) -> Any:
    """As in a cell of a notebook: the kernel's loop runs a task that runs the cell."""

    async def cell() -> Any:
        task = asyncio.current_task()
        result = work()
        assert asyncio.current_task() is task
        await asyncio.sleep(0)
        assert asyncio.get_running_loop() is not None
        return result

    return asyncio.run(cell())


def within_a_callback(work: Callable[[], Any]) -> Any:
    """A loop runs, but no task: a callback does the work."""
    done: list[Any] = []

    async def wait() -> None:
        loop = asyncio.get_running_loop()
        called = asyncio.Event()

        def call() -> None:
            done.append(work())
            called.set()

        loop.call_soon(call)
        await called.wait()

    asyncio.run(wait())
    return done[0]


def within_an_eager_task(work: Callable[[], Any]) -> Any:
    async def main() -> Any:
        asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory", None))

        async def cell() -> Any:
            return work()

        return await asyncio.create_task(cell())

    return asyncio.run(main())


WHERE = [alone, within_a_loop, within_a_callback, within_an_eager_task]


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize(("make", "result"), [(answer, 42), (nested, 42), (Later, 42), (use_asyncio, None)])
def test_result(where: Callable[..., Any], make: Callable[[], Awaitable[Any]], result: object) -> None:
    assert where(lambda: coroutines.run(make())) == result


@pytest.mark.parametrize("where", [alone, within_a_loop])
def test_exception(where: Callable[..., Any]) -> None:
    def work() -> None:
        with pytest.raises(ZeroDivisionError, match="oops"):
            coroutines.run(fail())

    where(work)


@pytest.mark.parametrize("where", [alone, within_a_loop])
def test_in_the_callers_thread_and_context(where: Callable[..., Any]) -> None:
    async def look() -> tuple[object, str]:
        return threading.current_thread(), COLOUR.get()

    token = COLOUR.set("red")
    try:
        assert where(lambda: coroutines.run(look())) == (threading.current_thread(), "red")
    finally:
        COLOUR.reset(token)


def test_one_loop_serves_all_calls() -> None:
    async def make() -> asyncio.Queue[int]:
        queue: asyncio.Queue[int] = asyncio.Queue()
        background = asyncio.create_task(put(queue))
        assert not background.done()
        return queue

    async def put(queue: asyncio.Queue[int]) -> None:
        await asyncio.sleep(0)
        await queue.put(7)

    async def get(queue: asyncio.Queue[int]) -> int:
        return await queue.get()

    queue = coroutines.run(make())
    assert coroutines.run(get(queue)) == 7


def test_each_thread_has_its_own() -> None:
    async def loop_id() -> int:
        return id(asyncio.get_running_loop())

    found: list[int] = []

    def elsewhere() -> None:
        found.append(coroutines.run(loop_id()))
        coroutines.close()

    mine = coroutines.run(loop_id())
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found != [mine]
    assert coroutines.run(loop_id()) == mine


def test_closed_in_order_and_usable_again() -> None:
    log: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            log.append("generator closed")

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("task cancelled")

    async def start() -> Any:
        generator = numbers()
        await anext(generator)
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        return generator, task

    kept = coroutines.run(start())
    within_a_loop(coroutines.close)
    assert log == ["task cancelled", "generator closed"]
    coroutines.close()
    assert coroutines.run(answer()) == 42
    del kept


@pytest.mark.parametrize("where", [alone, within_a_loop])
def test_interrupt_cancels_and_cleans_up(where: Callable[..., Any]) -> None:
    log: list[str] = []

    async def wait(begin: Callable[[], None]) -> None:
        try:
            begin()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            log.append("cleaned up")

    def work() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # `asyncio.run` has set one of its own
        with pytest.raises(KeyboardInterrupt):
            coroutines.run(wait(lambda: signal.raise_signal(signal.SIGINT)))
        with pytest.raises(KeyboardInterrupt):
            coroutines.run(wait(interrupt_soon))
        assert coroutines.run(answer()) == 42

    def interrupt_soon() -> None:
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)

    where(work)
    assert log == ["cleaned up"] * 2
