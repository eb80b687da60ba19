"""The first cell's modules are imported in a pause: never beside a cell, nor where nobody is looking."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metask_magic.notebook import warm_up
from metask_magic.notebook.warm_up import WarmUp

from ..kernel import Kernel
from .conftest import value

pytestmark = pytest.mark.kernel

NOTEBOOK = {"cellId": "a"}
WARM = "[name for name in ('openai', 'anywidget', 'metask_magic.notebook.session') if name in sys.modules]"
ALL = ["openai", "anywidget", "metask_magic.notebook.session"]


class Events:
    """The events of a shell."""

    def __init__(self) -> None:
        self.callbacks: dict[str, list[Callable[..., Any]]] = {"pre_run_cell": [], "post_run_cell": []}

    def register(self, event: str, callback: Callable[..., Any]) -> None:
        self.callbacks[event].append(callback)

    def unregister(self, event: str, callback: Callable[..., Any]) -> None:
        self.callbacks[event].remove(callback)

    def trigger(self, event: str) -> None:
        for callback in self.callbacks[event]:
            callback(None)


class Shell:
    """As much of a shell as a warm-up looks at."""

    def __init__(self, cells: int) -> None:
        self.user_ns = {"In": [""] * cells}
        self.events = Events()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Steps that only count; the first waits at a gate."""
    done: list[str] = []
    monkeypatch.setattr(warm_up, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(warm_up, "_steps", lambda _: [lambda n=n: done.append(n) for n in "abc"])
    return done


def ended(warming: WarmUp) -> bool:
    thread = warming._thread
    if thread is not None:
        thread.join(10)
    return thread is not None and not thread.is_alive()


def test_it_waits_for_the_end_of_the_cell_that_loads(steps: list[str]) -> None:
    shell = Shell(2)
    warming = WarmUp(shell)
    warming.register()
    assert warming._thread is None
    shell.events.trigger("post_run_cell")
    assert ended(warming)
    assert steps == ["a", "b", "c"]


def test_a_configuration_loads_it_before_any_cell(steps: list[str]) -> None:
    warming = WarmUp(Shell(1))
    warming.register()
    assert ended(warming)
    assert steps == ["a", "b", "c"]


def test_it_gives_way_between_two_steps(steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell(2)
    reached, go_on = threading.Event(), threading.Event()

    def first() -> None:
        reached.set()
        assert go_on.wait(10)

    monkeypatch.setattr(warm_up, "_steps", lambda _: [first, lambda: steps.append("b")])
    warming = WarmUp(shell)
    warming.register()
    shell.events.trigger("post_run_cell")
    assert reached.wait(10)
    shell.events.trigger("pre_run_cell")
    go_on.set()
    assert warming._thread is not None
    warming._thread.join(0.2)
    assert warming._thread.is_alive(), "it waits for the cell"
    assert steps == []
    shell.events.trigger("post_run_cell")
    assert ended(warming)
    assert steps == ["b"]


def test_unloading_ends_it(steps: list[str]) -> None:
    shell = Shell(2)
    warming = WarmUp(shell)
    warming.register()
    warming.unregister()
    shell.events.trigger("post_run_cell")
    assert warming._thread is None
    assert shell.events.callbacks == {"pre_run_cell": [], "post_run_cell": []}


def test_what_cannot_be_imported_is_left_to_who_needs_it(
    steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing() -> None:
        raise ImportError("not built")

    monkeypatch.setattr(warm_up, "_steps", lambda _: [failing, lambda: steps.append("b")])
    warming = WarmUp(Shell(1))
    warming.register()
    assert ended(warming)
    assert steps == ["b"]


def test_in_a_pause_of_a_notebook(fresh_kernel: Kernel) -> None:
    busy = f"import sys, time\n%load_ext metask_magic\ntime.sleep(1)\nprint({WARM})"
    assert fresh_kernel.run(busy, metadata=NOTEBOOK).text() == "[]\n", "nothing while the cell runs"
    for _ in range(100):
        threading.Event().wait(0.5)  # a pause, as a person makes one
        if fresh_kernel.run(f"print({WARM})", metadata=NOTEBOOK).text() == f"{ALL}\n":
            break
    else:
        raise AssertionError("it never came")
    assert "Traceback" not in fresh_kernel.process_output


def test_where_nobody_is_looking(fresh_kernel: Kernel) -> None:
    fresh_kernel.run("import sys, threading\n%load_ext metask_magic")
    threading.Event().wait(1.0)
    assert value(fresh_kernel, WARM) == "[]"


@pytest.mark.parametrize("then", ["", "\nimport time; time.sleep(0.5)"])
def test_at_the_exit_nothing_is_said(then: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "IPython",
            "--no-banner",
            "--colors=NoColor",
            "-c",
            f"%load_ext metask_magic{then}",
        ],
        capture_output=True,
        text=True,
        env={"IPYTHONDIR": str(tmp_path), "PATH": ""},
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
