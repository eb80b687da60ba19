"""The kernel harness, by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .kernel import Kernel, published

SLEEP = "import time\nprint('asleep', flush=True)\ntime.sleep(600)"

CELLS = [
    ("print('a'); print('b')", [("stream", "a\nb\n")]),
    ("import sys; print('a'); print('b', file=sys.stderr)", [("stream", "a\n"), ("stream", "b\n")]),
    ("6 * 7", [("execute_result", "42")]),
    ("display(1); display(2)", [("display_data", "1"), ("display_data", "2")]),
    ("h = display(1, display_id=True); print(2); h.update(3)", [("display_data", "3"), ("stream", "2\n")]),
    ("from IPython.display import clear_output\nprint(1); clear_output(); print(2)", [("stream", "2\n")]),
    ("print(1); clear_output(wait=True)", [("stream", "1\n")]),
    ("print(1); clear_output(wait=True); display(2)", [("display_data", "2")]),
    ("h = display(1, display_id=True); clear_output(); h.update(3)", []),
]


@pytest.mark.parametrize(("code", "expected"), CELLS, ids=[code for code, _ in CELLS])
def test_outputs_are_those_of_a_notebook(kernel: Kernel, code: str, expected: list[tuple[str, str]]) -> None:
    execution = kernel.run(code)
    outputs = execution.outputs
    shown = [output.get("text") or output["data"]["text/plain"] for output in outputs]
    assert list(zip([output["output_type"] for output in outputs], shown, strict=True)) == expected
    assert execution.reply["status"] == "ok"
    assert execution.error is None


def test_a_later_cell_updates_an_earlier_one(kernel: Kernel) -> None:
    first = kernel.run("handle = display('old', display_id=True)")
    kernel.run("handle.update('new')")
    assert [output["data"]["text/plain"] for output in first.displays] == ["'new'"]


def test_an_error_is_an_output(kernel: Kernel) -> None:
    execution = kernel.run("1 / 0")
    assert execution.error is not None
    assert execution.error["ename"] == "ZeroDivisionError"
    assert execution.reply["status"] == "error"


@pytest.mark.parametrize("metadata", [None, {"cellId": "a1b2"}])
def test_the_request_says_who_is_looking(kernel: Kernel, metadata: dict[str, str] | None) -> None:
    code = "print(get_ipython().kernel.get_parent()['metadata'].get('cellId'))"
    assert kernel.run(code, metadata=metadata).text() == f"{(metadata or {}).get('cellId')}\n"


def test_interrupt(kernel: Kernel) -> None:
    running = kernel.start_run(SLEEP)
    running.wait_for(published("stream", "asleep"))
    assert not running.idle
    kernel.interrupt()
    execution = running.finish()
    assert execution.error is not None
    assert execution.error["ename"] == "KeyboardInterrupt"
    assert kernel.run("1").reply["status"] == "ok"


def test_input_is_answered(kernel: Kernel) -> None:
    code = "from getpass import getpass\nprint(input('name? '), getpass('word? '))"
    assert kernel.run(code, inputs=["Ada", "secret"]).text() == "Ada secret\n"


def test_other_requests(kernel: Kernel) -> None:
    kernel.run("unmistakable = 1")
    reply = kernel.ask("complete_request", {"code": "unmistak", "cursor_pos": 8})
    assert reply["matches"] == ["unmistakable"]


def test_what_was_sent_is_known_whatever_way_it_took(kernel: Kernel) -> None:
    kernel.run("print('way-' 'one'); display({'a': 'way-' 'two'}); 1 / 0  # way-three")
    kernel.run("import os; os.write(2, b'way-' b'four')")
    kernel.run(
        "from comm import create_comm\n"
        "create_comm(target_name='t', data={'a': 'way-' 'five'}, buffers=[b'way-' b'six'])"
    )
    for way in ("one", "two", "three", "four", "five", "six"):
        assert kernel.has_sent(f"way-{way}")


def test_restart_forgets_and_goes_on(fresh_kernel: Kernel) -> None:
    fresh_kernel.run("x = 1; print('before the restart')")
    fresh_kernel.restart()
    error = fresh_kernel.run("x").error
    assert error is not None
    assert error["ename"] == "NameError"
    assert fresh_kernel.has_sent("before the restart")


def test_environment_is_clean_but_for_what_is_given(
    monkeypatch: pytest.MonkeyPatch, start_kernel: Callable[..., Kernel]
) -> None:
    for name in ("OPENAI_API_KEY", "METASK_MODEL", "https_proxy"):
        monkeypatch.setenv(name, "from outside")
    kernel = start_kernel(METASK_MODEL="given")
    code = "import os; print([os.environ.get(n) for n in ('OPENAI_API_KEY', 'METASK_MODEL', 'https_proxy')])"
    assert kernel.run(code).text() == "[None, 'given', None]\n"
    assert kernel.run("import metask_magic, os; print(os.getcwd())").text() == f"{kernel.cwd}\n"


def test_kill_and_death_are_noticed(fresh_kernel: Kernel) -> None:
    running = fresh_kernel.start_run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(RuntimeError, match="the kernel died"):
        running.finish()
    fresh_kernel.kill()
    assert not fresh_kernel.is_alive
