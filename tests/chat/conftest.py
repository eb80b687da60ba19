"""A loop of the network's own, for one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from metask_magic.chat.loop import LoopThread


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    loop = LoopThread()
    yield loop
    loop.stop()
