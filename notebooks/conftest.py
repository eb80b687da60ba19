"""The notebooks are tested offline: their replies are replayed from `.metask/recordings.jsonl`."""

from __future__ import annotations

import os

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item):  # type: ignore[no-untyped-def]  # a generator of pytest's own
    """Set the mode while nbval runs a cell, and only then: it starts the kernel with the first one."""
    before = os.environ.get("METASK_RECORDING")
    os.environ["METASK_RECORDING"] = "replay"
    try:
        return (yield)
    finally:
        os.environ.pop("METASK_RECORDING")
        if before is not None:
            os.environ["METASK_RECORDING"] = before
