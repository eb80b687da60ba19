"""The asyncio loop in its own thread."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import CancelledError

import pytest

from metask_magic.asking.loop import LoopThread

from ..fakes import PATIENCE


class Stalled:
    """A coroutine that never ends by itself, and tells when it has begun and when it was cancelled."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.cancelled = threading.Event()

    async def run(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


async def thread_name() -> str:
    return threading.current_thread().name


async def fail() -> None:
    raise ZeroDivisionError


def test_nothing_starts_before_it_is_used() -> None:
    before = threading.active_count()
    LoopThread()
    assert threading.active_count() == before


def test_run(loop: LoopThread) -> None:
    assert loop.run(thread_name()) == "metask-network"
    with pytest.raises(ZeroDivisionError):
        loop.run(fail())


def test_one_thread_for_all(loop: LoopThread) -> None:
    before = threading.active_count()
    futures = [loop.submit(thread_name()) for _ in range(5)]
    assert {future.result(PATIENCE) for future in futures} == {"metask-network"}
    assert threading.active_count() == before + 1


def test_a_call_is_made_there_with_its_arguments(loop: LoopThread) -> None:
    made: list[tuple[str, int]] = []
    came = threading.Event()

    def make(number: int) -> None:
        made.append((threading.current_thread().name, number))
        came.set()

    loop.call(make, 7)
    assert came.wait(PATIENCE)
    assert made == [("metask-network", 7)]


def test_cancelled_there(loop: LoopThread) -> None:
    stalled = Stalled()
    future = loop.submit(stalled.run())
    assert stalled.begun.wait(PATIENCE)
    future.cancel()
    assert stalled.cancelled.wait(PATIENCE)


def test_stop_cancels_and_ends_the_thread(loop: LoopThread) -> None:
    before = threading.active_count()
    stalled = Stalled()
    future = loop.submit(stalled.run())
    assert stalled.begun.wait(PATIENCE)
    loop.stop()
    assert stalled.cancelled.is_set()
    assert threading.active_count() == before
    with pytest.raises(CancelledError):
        future.result(PATIENCE)


def test_stop_twice_and_start_again(loop: LoopThread) -> None:
    loop.stop()
    assert loop.run(thread_name()) == "metask-network"
    loop.stop()
    loop.stop()
    assert loop.run(thread_name()) == "metask-network"


FORK = """
import os, sys
from metask_magic.asking.loop import network
async def answer(): return 42
network.run(answer())
child = os.fork()
if child == 0:
    os._exit(network.run(answer()))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_usable_in_a_forked_child() -> None:
    assert subprocess.run([sys.executable, "-c", FORK], timeout=PATIENCE, check=False).returncode == 42
