"""What the first cell needs, imported while nobody waits: in a pause after the load, and never beside a cell.

A thread imports one module after another, each in some hundredths of a second, and stops between two of them
as soon as a cell begins; in a run without anybody, where cell follows cell, there is no pause to begin in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

QUIET_SECONDS = 0.3
"""How long nothing must have run."""

# In the order in which a first request needs them, those of other packages in small steps.
_MODULES = (
    *("metask_magic.notebook.session", "metask_magic.gateway.client"),
    *("httpcore2", "httpx2", "pydantic_core", "pydantic.fields", "attr", "yarl", "aiohttp"),
)
_AFTERWARDS = ("jinja2", "markdown_it", "nh3", "metask_magic.display.record")
_FOR_THE_VIEW = ("ipywidgets", "anywidget", "metask_magic.display.view")


class WarmUp:
    """Imports in the pauses of a shell, once; `register` it when the extension is loaded."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._condition = threading.Condition()
        self._running = _runs_a_cell(shell)
        self._ended = False
        self._thread: threading.Thread | None = None

    def register(self) -> None:
        """Wait for a pause from now on."""
        self._shell.events.register("pre_run_cell", self._begin_cell)
        self._shell.events.register("post_run_cell", self._end_cell)
        if not self._running:
            self._start()

    def unregister(self) -> None:
        """End it: nothing more is imported."""
        self._shell.events.unregister("pre_run_cell", self._begin_cell)
        self._shell.events.unregister("post_run_cell", self._end_cell)
        with self._condition:
            self._ended = True
            self._condition.notify_all()

    def _begin_cell(self, _info: Any = None) -> None:
        with self._condition:
            self._running = True
            self._condition.notify_all()

    def _end_cell(self, _result: Any = None) -> None:
        with self._condition:
            self._running = False
            self._condition.notify_all()
        self._start()

    def _start(self) -> None:
        if self._thread is None and not self._ended:
            self._thread = threading.Thread(target=self._run, name="metask-warm-up", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        if not self._await_pause():
            return
        for step in _steps(self._shell):
            if not self._await_pause(0.0):
                return
            try:
                step()
            except Exception:  # noqa: BLE001, S112 -- whoever needs it says what is wrong with it
                continue
        self._ended = True

    def _await_pause(self, seconds: float = QUIET_SECONDS) -> bool:
        """Wait until no cell runs, and none has begun for so long; return whether that is still of use."""
        with self._condition:
            while not self._ended:
                if self._running:
                    self._condition.wait()
                elif not self._condition.wait(seconds):  # woken by cells alone, and by the end
                    return True
                seconds = QUIET_SECONDS
        return False


def _runs_a_cell(shell: Any) -> bool:
    """Whether the extension is loaded by a cell; else a configuration loads it, before any."""
    return len(shell.user_ns.get("In", ())) > 1


def _steps(shell: Any) -> list[Callable[[], Any]]:
    """Return what to do, in small steps; nothing where nobody is looking."""
    from ..display.front_end import FrontEnd, detect
    from ..gateway.library import import_library

    front_end = detect(shell)
    if front_end is FrontEnd.NOBODY:
        return []
    later = (*_AFTERWARDS, *(_FOR_THE_VIEW if front_end is FrontEnd.NOTEBOOK else ()))
    first = [_importing(name) for name in _MODULES]
    return [*first, import_library, *(_importing(name) for name in later)]


def _importing(name: str) -> Callable[[], Any]:
    return lambda: import_module(name)
