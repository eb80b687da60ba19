"""Cells that are recorded with a key and a gateway, and replayed with neither, through real kernels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from ..gateway_server import (
    STALL,
    GatewayServer,
    Reasoning,
    Streamed,
    ToolCall,
    rate_limited,
    refused,
    server_error,
)
from ..kernel import ROOT, Execution, Kernel, clean_environment, published
from .conftest import point_at, value

NOTEBOOK = {"cellId": "a-cell"}
NOWHERE = "http://127.0.0.1:9/v1"
ADA = '{"name": "Ada", "age": 36}'

SETUP = """
import pandas, pydantic, matplotlib
matplotlib.use("agg")
import matplotlib.pyplot
class Person(pydantic.BaseModel):
    name: str
    age: int
def double(n: int) -> int:
    return 2 * n
table = pandas.DataFrame({"a": [1, 2]})
figure = matplotlib.pyplot.figure()
matplotlib.pyplot.close(figure)
"""


def called(name: str, **arguments: Any) -> Streamed:
    return Streamed([ToolCall(0, json.dumps(arguments), "c0", name)], finish_reason="tool_calls")


CELLS: dict[str, tuple[list[Any], str]] = {
    "text": ([Streamed(["Hel", "lo"], request_id="req-7", model="gpt-4o-2024")], "%%metask gpt-4o\nHi"),
    "reasoning": ([Streamed([Reasoning("Hm. "), "Well."])], "%%metask o1\nHi"),
    "after retries": ([rate_limited(retry_after=0), server_error(), Streamed("ok")], "%%metask o1\nRetry"),
    "nothing": ([Streamed([], finish_reason="content_filter")], "%%metask o1\nNothing"),
    "a line": (
        [Streamed("4")],
        "answer = %metask gpt-4o 2 + 2?\nprint(answer.usage, answer.elapsed)",
    ),
    "several models": ([Streamed("both")] * 2, "%%metask gpt-4o o1\nHello"),
    "one model twice": ([Streamed("one"), Streamed("two")], "%%metask gpt-4o gpt-4o\nTwice"),
    "another sample": ([Streamed("other")], "%%metask gpt-4o --sample 2\nHi"),
    "a conversation": ([Streamed("Ada.")], "%%metask gpt-4o -c talk\nWho?"),
    "its next turn": ([Streamed("In 1815.")], "%%metask gpt-4o -c talk\nWhen?"),
    "attachments": ([Streamed("A table.")], "%%metask gpt-4o -a table -a figure\nWhat is it?"),
    "a schema": ([Streamed(ADA)], "%%metask gpt-4o --schema Person -o ada\nWho?"),
    "its data": ([], "ada.data, ada.as_code()"),
    "a repaired answer": ([Streamed("{}"), Streamed(ADA)], "%%metask o1 --schema Person\nRepair"),
    "a refused schema": (
        [
            refused(400, "'response_format' of type 'json_schema' is not supported."),
            refused(400, "'response_format' is not supported."),
            Streamed(ADA),
        ],
        "%%metask gpt-4o-mini --schema Person\nWords",
    ),
    "what never fits": ([Streamed("{}"), Streamed("[]")], "%%metask o1 --schema Person\nNever"),
    "json": ([Streamed('{"a": 1}')], "%%metask gpt-4o -f json\nJSON"),
    "a tool": ([called("double", n=21), Streamed("42.")], "%%metask gpt-4o -T double -o r\nDouble 21"),
    "its figures": ([], "r.elapsed, r.first_token_after, r.usage, r.steps, r.request_id"),
    "in the background": ([Streamed("late")], "%metask gpt-4o --background -o pending Later\n"),
    "and waited for": ([], "pending.wait()"),
    "in one piece": ([Streamed("whole")], "%%metask gpt-4o --no-stream\nWhole"),
    "quiet": ([Streamed("hush")], "%%metask gpt-4o --quiet -o hushed\nHush"),
}


def saved(cell: Execution) -> list[Any]:
    """What a notebook keeps of a cell; the number of an execution is nothing of ours."""
    return [
        {name: said for name, said in output.items() if name != "execution_count"} for output in cell.outputs
    ]


@pytest.fixture
def recorded(
    gateway: GatewayServer, start_kernel: Callable[..., Kernel], tmp_path: Path
) -> Iterator[tuple[Path, dict[str, list[Any]]]]:
    """A file of recordings, and what a notebook kept of every cell, first run in a page."""
    file = tmp_path / "recordings.jsonl"
    kernel = start_kernel(METASK_RECORDINGS_PATH=str(file), METASK_RECORDING="auto")
    point_at(kernel, gateway)
    kernel.run(SETUP)
    kept = {}
    for number, (name, (answers, code)) in enumerate(CELLS.items()):
        gateway.script(*answers)
        cell = kernel.run(code, metadata={"cellId": f"cell-{number}"})
        if "--background" in code:
            value(kernel, "pending.wait().text")
        kept[name] = saved(cell)
    assert gateway.api_key not in file.read_text()
    yield file, kept
    gateway.reset()


@pytest.mark.parametrize("metadata", [None, NOTEBOOK], ids=["nobody", "notebook"])
@pytest.mark.parametrize("mode", [{}, {"METASK_RECORDING": "auto"}], ids=["default", "auto"])
def test_without_key_and_gateway_every_cell_is_the_same(
    recorded: tuple[Path, dict[str, list[Any]]],
    start_kernel: Callable[..., Kernel],
    metadata: dict[str, str] | None,
    mode: dict[str, str],
) -> None:
    file, kept = recorded
    before = file.read_bytes()
    kernel = start_kernel(METASK_RECORDINGS_PATH=str(file), METASK_BASE_URL=NOWHERE, **mode)
    kernel.run("%load_ext metask_magic")
    kernel.run(SETUP)
    for number, (name, (_, code)) in enumerate(CELLS.items()):
        cell = kernel.run(code, metadata=metadata and {"cellId": f"cell-{number}"})
        if "--background" in code:
            value(kernel, "pending.wait().text")
        if name == "its data":  # the script asks the address of here
            continue
        assert (name, saved(cell)) == (name, kept[name])
    assert file.read_bytes() == before
    assert "openai" not in value(kernel, "[m for m in __import__('sys').modules if m == 'openai']")
    (report,) = kernel.run("%metask usage").displays
    assert "Nothing has been asked" in report["data"]["text/plain"]


def write_notebook(path: Path, cells: list[str]) -> None:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    for cell in book.cells:
        cell.metadata.tags = ["raises-exception"] * ("Never" in cell.source)  # or nbval counts it a failure
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)


@pytest.mark.nightly
def test_a_notebook_passes_nbval_without_a_key(
    gateway: GatewayServer, tmp_path: Path, start_kernel: Callable[..., Kernel]
) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    cells = ["%load_ext metask_magic", SETUP, *(code for _, code in CELLS.values())]
    answers = [answer for some, _ in CELLS.values() for answer in some]
    gateway.script(*answers)
    path = folder / "book.ipynb"
    write_notebook(path, cells)
    environment = clean_environment(os.environ) | {"PYTHONPATH": str(ROOT)}
    asking = {
        "METASK_API_KEY": gateway.api_key,
        "METASK_BASE_URL": gateway.base_url,
        "METASK_RECORDING": "auto",
    }
    execute = ["-m", "nbconvert", "--to=notebook", "--execute", "--inplace", "--allow-errors", "book.ipynb"]
    done = subprocess.run(
        [sys.executable, *execute], cwd=folder, env=environment | asking, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".metask/.gitattributes").read_text() == "recordings.jsonl merge=union\n"
    assert gateway.api_key not in (tmp_path / ".metask/recordings.jsonl").read_text() + path.read_text()
    first = nbformat.read(path, 4)
    assert sum("error" in str(cell.outputs) for cell in first.cells) >= 1, "of the schema that never fits"
    asked = len(gateway.chats)
    offline = environment | {"METASK_BASE_URL": gateway.base_url}
    options = ["-m", "pytest", "-q", "--nbval", "-p", "no:cacheprovider", "book.ipynb"]
    done = subprocess.run([sys.executable, *options], cwd=folder, env=offline, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    done = subprocess.run([sys.executable, *execute], cwd=folder, env=offline, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    again = nbformat.read(path, 4)
    assert [cell.outputs for cell in again.cells] == [cell.outputs for cell in first.cells]
    assert len(gateway.chats) == asked


# -- in another language -------------------------------------------------------------------------------

CUT, NOTHING = Streamed("So", finish_reason="length"), Streamed([])
SPOKEN: dict[str, tuple[list[Any], str]] = {
    "cut off": ([CUT], "%%metask gpt-4o --max-tokens 3\nCut"),
    "with no text": ([Streamed([], finish_reason="content_filter")], "%%metask gpt-4o\nFiltered"),
    "several models": ([CUT, NOTHING], "%%metask gpt-4o o1\nBoth"),
    "several models again": ([], "_"),
    "a tool": ([called("double", m=21), Streamed("No.")], "%%metask gpt-4o -T double\nDouble"),
    "a repaired answer": ([Streamed("{}"), Streamed(ADA)], "%%metask o1 --schema Person\nRepair"),
    "what never fits": ([Streamed("{}"), Streamed("[]")], "%%metask o1 --schema Person\nNever"),
    "in the background": ([CUT], "%metask gpt-4o --max-tokens 3 --background -o pending Later\n"),
    "printed": ([CUT, NOTHING], "%config Metask.display = 'text'\n%metask gpt-4o o1 Printed"),
    "as before": ([], "%config Metask.display = 'auto'"),
}


@pytest.mark.parametrize(("made", "replayed", "word"), [("zh", "en", "截断"), ("en", "zh", "Cut off")])
def test_what_is_said_of_a_reply_is_replayed_in_its_language(
    recording_kernel: Kernel, gateway: GatewayServer, made: str, replayed: str, word: str
) -> None:
    recording_kernel.run(SETUP)
    kept: dict[str, list[list[Any]]] = {}
    for language in (made, replayed):
        recording_kernel.run(f"%config Metask.language = {language!r}")
        for number, (name, (answers, code)) in enumerate(SPOKEN.items()):
            if language == made:
                gateway.script(*answers)
            cell = recording_kernel.run(code, metadata={"cellId": f"cell-{number}"})
            if "--background" in code:
                value(recording_kernel, "pending.wait().text")
            kept.setdefault(name, []).append(saved(cell))
    assert [name for name, (first, again) in kept.items() if first != again] == []
    for name in ("cut off", "several models", "several models again", "in the background", "printed"):
        assert word in str(kept[name])


# -- what else a cell does with recordings -------------------------------------------------------------


@pytest.fixture
def recording_kernel(gateway: GatewayServer, start_kernel: Callable[..., Kernel], tmp_path: Path) -> Kernel:
    kernel = start_kernel(METASK_RECORDINGS_PATH=str(tmp_path / "r.jsonl"), METASK_RECORDING="auto")
    point_at(kernel, gateway)
    return kernel


def shown(cell: Execution) -> str:
    return str(cell.displays[0]["data"]["text/plain"])


def test_fresh_asks_again_and_records(recording_kernel: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed("one"), Streamed("two"))
    said = [shown(recording_kernel.run(f"%metask gpt-4o {flag} Hi")) for flag in ("", "", "--fresh", "")]
    assert said == ["one", "one", "two", "two"]
    assert "1 recording in" in shown(recording_kernel.run("%metask recordings"))
    assert "1 line dropped" in recording_kernel.run("%metask recordings compact").text()


def test_by_default_nothing_is_recorded(recording_kernel: Kernel, tmp_path: Path) -> None:
    recording_kernel.run("del os.environ['METASK_RECORDING']")
    recording_kernel.run("%%metask gpt-4o --fresh\nHi")
    assert not (tmp_path / "r.jsonl").exists()
    assert "off (the default)" in shown(recording_kernel.run("%metask"))


def test_an_interrupted_reply_is_not_recorded(
    recording_kernel: Kernel, gateway: GatewayServer, tmp_path: Path
) -> None:
    gateway.script(Streamed(["so far", STALL]))
    cell = recording_kernel.start_run("%%metask gpt-4o\nHi", metadata=NOTEBOOK)
    cell.wait_for(published("comm_msg", containing="so far"))
    recording_kernel.interrupt()
    cell.finish()
    assert not (tmp_path / "r.jsonl").exists()


def test_a_prompt_with_the_key_is_not_recorded(
    recording_kernel: Kernel, gateway: GatewayServer, tmp_path: Path
) -> None:
    cell = recording_kernel.run("%%metask gpt-4o --quiet -o r\nIs {{ os.environ['METASK_API_KEY'] }} safe?")
    assert cell.error is None
    assert (
        value(recording_kernel, "'Not recorded: The key' in r.notes[0], len(r.text) > 10") == "(True, True)"
    )
    cell = recording_kernel.run("%%metask gpt-4o\nHi")
    assert gateway.api_key not in (tmp_path / "r.jsonl").read_text()


def test_what_cannot_be_written_is_said_beside_the_reply(recording_kernel: Kernel, tmp_path: Path) -> None:
    recording_kernel.run(f"%config Metask.recordings_path = '{tmp_path}/file/r.jsonl'")
    (tmp_path / "file").write_text("")
    cell = recording_kernel.run("%%metask gpt-4o\nHi", metadata=NOTEBOOK)
    assert (cell.error, shown(cell)) == (None, "Hi")
    assert "Not recorded: " in cell.text("stderr")


def test_a_miss_says_what_differs(
    recording_kernel: Kernel, start_kernel: Callable[..., Kernel], tmp_path: Path
) -> None:
    recording_kernel.run("%%metask gpt-4o --temperature 0.5\nTell me a story")
    kernel = start_kernel(METASK_RECORDINGS_PATH=str(tmp_path / "r.jsonl"))
    kernel.run("%load_ext metask_magic")
    assert "replay (there is no key, but a file of recordings); 1 recording in" in shown(
        kernel.run("%metask")
    )
    error = kernel.run("%%metask gpt-4o --temperature 0.7\nTell me a storm").error or {}
    assert error["ename"] == "RecordingMissError"
    told = "\n".join(error["traceback"])
    for line in ("temperature: 0.7 here, 0.5 recorded", "- Tell me a story", "+ Tell me a storm", "--fresh"):
        assert line in told
    assert kernel.run("%%metask gpt-4o --fresh\nHi").error["ename"] == "MissingKeyError"  # type: ignore[index]


def test_tab_and_help_know_recordings(recording_kernel: Kernel) -> None:
    assert recording_kernel.complete("%metask recordings ver", 22)[0] == ["verify"]
    assert "recordings" in shown(recording_kernel.run("%metask help"))
