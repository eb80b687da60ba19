"""A real ipykernel in a process of its own, driven as a notebook drives it, every message kept."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

Channel = Literal["shell", "iopub", "control", "stdin"]
Json: TypeAlias = dict[str, Any]

ROOT = Path(__file__).parents[1]
STARTING = 120.0  # seconds, on the slowest machine we can think of


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what would change the behaviour under test: settings, keys, proxies, a person's language."""

    def matters(name: str) -> bool:
        return name.upper().startswith(("METASK_", "OPENAI_")) or name.upper().endswith("_PROXY")

    kept = {name: value for name, value in environment.items() if not matters(name)}
    return {**kept, "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class KernelMessage:
    """One message the kernel sent."""

    channel: Channel
    kind: str
    parent_id: str
    content: Json
    metadata: Json
    buffers: tuple[bytes, ...]

    @classmethod
    def from_raw(cls, channel: Channel, raw: Json) -> Self:
        parent_id = raw["parent_header"].get("msg_id", "")
        buffers = tuple(bytes(buffer) for buffer in raw["buffers"])
        return cls(channel, raw["header"]["msg_type"], parent_id, raw["content"], raw["metadata"], buffers)

    @property
    def text(self) -> str:
        """All of it, for searching."""
        said = json.dumps([self.kind, self.content, self.metadata], ensure_ascii=False, default=str)
        return "\n".join([said, *(buffer.decode("utf-8", "replace") for buffer in self.buffers)])


Predicate: TypeAlias = Callable[[KernelMessage], bool]


class Execution:
    """A cell that was run. Its outputs go on living: a later cell may update one of its displays."""

    def __init__(self, log: Sequence[KernelMessage], request_id: str) -> None:
        self._log = log
        self._sent_at = len(log)
        self.request_id = request_id

    @property
    def messages(self) -> list[KernelMessage]:
        """What the kernel published for this cell, in order."""
        return [m for m in self._since() if m.channel == "iopub" and m.parent_id == self.request_id]

    @property
    def reply(self) -> Json:
        """The content of the reply; empty while the cell runs."""
        replies = [m for m in self._since() if m.kind == "execute_reply" and m.parent_id == self.request_id]
        return replies[0].content if replies else {}

    @property
    def idle(self) -> bool:
        return any(m.kind == "status" and m.content["execution_state"] == "idle" for m in self.messages)

    @property
    def outputs(self) -> list[Json]:
        """The cell's outputs as nbformat has them, after all updates and clearings so far."""
        cell = _Cell()
        for message in self._since():
            if message.channel == "iopub" and message.parent_id == self.request_id:
                cell.take(message)
            elif message.kind == "update_display_data":
                cell.update(message.content)
        return cell.outputs

    def _since(self) -> Sequence[KernelMessage]:
        """What the kernel has sent since this was: looking at all of it takes longer with every cell."""
        return self._log[self._sent_at :]

    @property
    def displays(self) -> list[Json]:
        """The outputs with a bundle: displays, and the cell's value."""
        return [output for output in self.outputs if "data" in output]

    @property
    def error(self) -> Json | None:
        return next((output for output in self.outputs if output["output_type"] == "error"), None)

    def text(self, stream: str = "stdout") -> str:
        """What the cell printed."""
        return "".join(output["text"] for output in self.outputs if output.get("name") == stream)


class _Cell:
    """The output area of a notebook cell."""

    def __init__(self) -> None:
        self.outputs: list[Json] = []
        self._display_ids: dict[str, list[Json]] = {}
        self._clear_next = False

    def take(self, message: KernelMessage) -> None:
        content = message.content
        if message.kind == "clear_output":
            self._clear_next = content["wait"]
            if not content["wait"]:
                self._clear()
        elif message.kind == "update_display_data":
            self.update(content)
        elif message.kind in ("stream", "display_data", "execute_result", "error"):
            if self._clear_next:
                self._clear()
            self._append(message.kind, content)

    def update(self, content: Json) -> None:
        for output in self._display_ids.get(content["transient"]["display_id"], []):
            output.update(data=content["data"], metadata=content["metadata"])

    def _append(self, kind: str, content: Json) -> None:
        last = self.outputs[-1] if self.outputs else {}
        if kind == "stream" and last.get("name") == content["name"]:
            last["text"] += content["text"]
            return
        output = {"output_type": kind, **content}
        display_id = output.pop("transient", {}).get("display_id")
        if display_id is not None:
            self._display_ids.setdefault(display_id, []).append(output)
        self.outputs.append(output)

    def _clear(self) -> None:
        self.outputs.clear()
        self._display_ids.clear()
        self._clear_next = False


class RunningExecution(Execution):
    """A cell that may still run."""

    def __init__(self, kernel: Kernel, request_id: str) -> None:
        super().__init__(kernel.log, request_id)
        self._kernel = kernel

    def wait_for(self, predicate: Predicate, timeout: float = 60.0) -> KernelMessage:
        """Wait for a message of this cell; one that has come already counts."""
        return self._kernel.wait_for(lambda m: m.parent_id == self.request_id and predicate(m), timeout)

    def finish(self, timeout: float = 60.0) -> Execution:
        """Wait until the cell has its reply and the kernel is idle again."""
        self._kernel.pump_until(lambda: self.idle and bool(self.reply), timeout, "the end of the cell")
        return self


def published(kind: str, containing: str = "") -> Predicate:
    """Matches a published message of this kind with this text somewhere in it."""
    return lambda m: m.channel == "iopub" and m.kind == kind and containing in m.text


def _reply_to(request_id: str) -> Predicate:
    return lambda m: m.channel in ("shell", "control") and m.parent_id == request_id


class _Interpreter(KernelSpecManager):
    """Knows one kernel, that of an interpreter: none needs to be installed."""

    def __init__(self, python: str) -> None:
        super().__init__()
        self._python = python

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        command = [self._python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, name=kernel_name, display_name="Python", language="python")


class Kernel:
    """A running kernel; a context manager that shuts it down."""

    def __init__(
        self, directory: Path, env: Mapping[str, str] | None = None, python: str = sys.executable
    ) -> None:
        """Prepare a kernel that works in `directory/work` and keeps all its own files in `directory`."""
        self.cwd = directory / "work"
        self.cwd.mkdir(parents=True)
        self.log: list[KernelMessage] = []
        self._searched: dict[str, int] = {}  # by text: how many messages are known not to hold it
        self._inputs: list[str] = []
        self._env = _environment(directory, env or {})
        self._process_log = directory / "process.log"
        # One for all sockets, and ended by us: jupyter_client leaves its own to the garbage collector.
        self._context = zmq.Context()
        self._manager = KernelManager(
            context=self._context,
            kernel_spec_manager=_Interpreter(python),
            connection_file=str(directory / "connection.json"),
        )

    @classmethod
    def start(
        cls, directory: Path, env: Mapping[str, str] | None = None, python: str = sys.executable
    ) -> Self:
        """Start a kernel of an interpreter; `env` adds to a clean environment."""
        kernel = cls(directory, env, python)
        with kernel._process_log.open("ab") as output:
            kernel._manager.start_kernel(env=kernel._env, cwd=str(kernel.cwd), stdout=output, stderr=output)
        try:
            kernel._connect()
        except BaseException:
            kernel.kill()
            raise
        return kernel

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()

    # Cells

    def run(
        self,
        code: str,
        *,
        metadata: Json | None = None,
        inputs: Sequence[str] | None = None,
        timeout: float = 60.0,
    ) -> Execution:
        """Run a cell to its end.

        `inputs` answer its `input()` and `getpass()` calls, and what they leave over is never answered;
        with None, questions are refused.
        """
        return self.start_run(code, metadata=metadata, inputs=inputs).finish(timeout)

    def start_run(
        self,
        code: str,
        *,
        metadata: Json | None = None,
        inputs: Sequence[str] | None = None,
        stop_on_error: bool = False,
    ) -> RunningExecution:
        """Send a cell. `metadata={"cellId": …}` is what notebook front ends send, None what nbclient does."""
        self._inputs = list(inputs or ())
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": inputs is not None,
            "stop_on_error": stop_on_error,
        }
        return RunningExecution(self, self.send("execute_request", content, metadata=metadata))

    # Other messages

    def complete(self, code: str, cursor: int) -> tuple[list[str], int, int]:
        """Press Tab at `cursor`, in code points; return the matches and the range they replace."""
        reply = self.ask("complete_request", {"code": code, "cursor_pos": cursor})
        return reply["matches"], reply["cursor_start"], reply["cursor_end"]

    def send(
        self,
        kind: str,
        content: Json,
        *,
        metadata: Json | None = None,
        channel: Channel = "shell",
        buffers: Sequence[bytes] = (),
        subshell: str | None = None,
    ) -> str:
        """Send any message (a comm's, say), to a subshell if need be; returns its id."""
        message = self._client.session.msg(kind, content, metadata=metadata)
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self._client.session.send(self._sockets[channel], message, buffers=list(buffers))
        return str(message["header"]["msg_id"])

    def ask(self, kind: str, content: Json, *, channel: Channel = "shell", timeout: float = 60.0) -> Json:
        """Send a request (`complete_request`, say) and return the content of its reply."""
        request_id = self.send(kind, content, channel=channel)
        return self.wait_for(_reply_to(request_id), timeout).content

    def wait_for(self, predicate: Predicate, timeout: float = 60.0) -> KernelMessage:
        """Wait for any message; one that has come already counts."""
        found: list[KernelMessage] = []
        seen = 0

        def look() -> bool:
            nonlocal seen
            new, seen = self.log[seen:], len(self.log)
            found.extend(filter(predicate, new))
            return bool(found)

        self.pump_until(look, timeout, "a message")
        return found[0]

    def pump_until(self, done: Callable[[], bool], timeout: float, awaited: str) -> None:
        """Take in messages until `done`."""
        deadline = time.monotonic() + timeout
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{awaited} did not come in {timeout:.0f} s")
            if not self._pump(min(left, 1.0)) and not self._manager.is_alive():
                raise RuntimeError(f"the kernel died: {self.process_output[-2000:]}")

    # The process

    def interrupt(self) -> None:
        """What the ■ button does."""
        self._manager.interrupt_kernel()

    def restart(self) -> None:
        """What the ↻ button does."""
        self._client.stop_channels()
        with self._process_log.open("ab") as output:
            self._manager.restart_kernel(stdout=output, stderr=output)
        self._connect()

    def shutdown(self) -> None:
        """Ask the kernel to end, and wait for it."""
        self._end(now=False)

    def kill(self) -> None:
        """End the kernel without a chance to clean up (SIGKILL)."""
        self._end(now=True)

    @property
    def is_alive(self) -> bool:
        return bool(self._manager.is_alive())

    @property
    def process_output(self) -> str:
        """What the process wrote to its own standard output and error, past the notebook."""
        return self._process_log.read_text(encoding="utf-8", errors="replace")

    def has_sent(self, text: str) -> bool:
        """Whether the kernel ever sent this in a message, or its process wrote it: a key, say."""
        for message in self.log[self._searched.get(text, 0) :]:
            if text in message.text:
                return True
            self._searched[text] = self._searched.get(text, 0) + 1
        return text in self.process_output

    def _connect(self) -> None:
        # With the manager's session: a copy would count its messages anew and use ids a second time.
        session = self._manager.session
        self._client: BlockingKernelClient = self._manager.client(context=self._context, session=session)
        self._sockets: dict[Channel, Any] = {
            "shell": self._client.shell_channel.socket,
            "iopub": self._client.iopub_channel.socket,
            "control": self._client.control_channel.socket,
            "stdin": self._client.stdin_channel.socket,
        }
        self._poller = zmq.Poller()
        for socket in self._sockets.values():
            self._poller.register(socket, zmq.POLLIN)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        """Ask until an answer is published too: a subscription takes a while to reach the kernel."""
        deadline = time.monotonic() + STARTING
        while True:
            request_id = self.send("kernel_info_request", {})
            idle = Execution(self.log, request_id)
            self.wait_for(_reply_to(request_id), STARTING)
            self._pump(0.2)
            if idle.idle:
                return
            if time.monotonic() > deadline:
                raise TimeoutError("the kernel publishes nothing")

    def _pump(self, timeout: float) -> bool:
        """Take in all that is there, waiting for something; tells whether there was anything."""
        ready = dict(self._poller.poll(int(timeout * 1000)))
        for channel, socket in self._sockets.items():
            while socket in ready and socket.poll(0):
                _, frames = self._client.session.feed_identities(socket.recv_multipart())
                message = KernelMessage.from_raw(channel, self._client.session.deserialize(frames))
                self.log.append(message)
                if message.kind == "input_request" and self._inputs:
                    self.send("input_reply", {"value": self._inputs.pop(0)}, channel="stdin")
        return bool(ready)

    def _end(self, *, now: bool) -> None:
        self._client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=now)
        self._context.destroy(linger=0)


def _environment(directory: Path, env: Mapping[str, str]) -> dict[str, str]:
    """A clean environment in which the kernel reads and writes no one's configuration."""
    isolated = {
        "IPYTHONDIR": str(directory / "ipython"),
        "JUPYTER_CONFIG_DIR": str(directory / "jupyter-config"),
        "JUPYTER_DATA_DIR": str(directory / "jupyter-data"),
        "JUPYTER_RUNTIME_DIR": str(directory / "jupyter-runtime"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
    }
    return clean_environment(os.environ) | isolated | dict(env)
