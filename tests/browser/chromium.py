"""The system's Chromium: where it is, and how it is started so that it talks to nobody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ViewportSize, expect, sync_playwright

VARIABLE = "METASK_CHROMIUM"
VIEWPORT: ViewportSize = {"width": 1280, "height": 900}
WAIT = 60_000  # milliseconds, for what must come, on the slowest machine
NAMES = ("chromium", "chromium-browser", "google-chrome")

_ARGUMENTS = (
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    # No name and no address but the loopback leads anywhere. Unlike Playwright's routes this holds for what
    # is never reported as a request (prefetching of names, say), and it leaves the cache on.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def find_chromium(environment: Mapping[str, str] = os.environ) -> str:
    """Return the path of a Chromium; without one the test is skipped, or fails where `CI` is set."""
    named = environment.get(VARIABLE, "")
    for name in (named,) if named else NAMES:
        if path := shutil.which(name):
            return path
    reason = f"no Chromium: none of {', '.join(NAMES)} is on PATH, and {VARIABLE} is {named!r}"
    if environment.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def launch_chromium(executable: str, profile: Path, *, scale: float = 1) -> Iterator[BrowserContext]:
    """Run a Chromium without a window, with a profile on disk; `scale` is pixels for each of the page.

    A profile on disk keeps compiled code: a page of JupyterLab costs half as much from the second on.
    """
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=executable,
            args=list(_ARGUMENTS),
            viewport=VIEWPORT,
            device_scale_factor=scale,
        )
        context.set_default_timeout(WAIT)
        expect.set_options(timeout=WAIT)
        try:
            yield context
        finally:
            context.close()
