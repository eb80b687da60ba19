"""Exported scripts, really run: what reaches the gateway, what they print, how they fail."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from metask_magic.messages.request import Request
from metask_magic.scripts.export import LANGUAGES, NO_KEY, to_code

from ..gateway_server import (
    EMPTY_CHOICES,
    NULL_CONTENT,
    USAGE,
    Gate,
    GatewayServer,
    Part,
    Reasoning,
    Streamed,
    ToolCall,
    bad_parameter,
    wrong_key,
)
from ..kernel import clean_environment
from .export_cases import CASES, HOSTILE, asking

pytestmark = pytest.mark.kernel

EXPORTED = Path(__file__).with_name("exported")
PROCESSES = Path("/proc")
LONGEST = 120.0  # seconds, on the slowest machine we can think of

COMMANDS = {"python": [sys.executable], "node": ["node"], "curl": ["bash"]}
SUFFIXES = {"python": ".py", "node": ".mjs", "curl": ".sh"}
NEEDED = {"python": (), "node": ("node", "npm"), "curl": ("bash", "curl")}

# Half of a surrogate pair is no UTF-8, and Python's library does not send it.
TEXTS = [text for text in HOSTILE if "\\ud" not in ascii(text)]


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a Node script finds the official package."""
    folder = tmp_path_factory.mktemp("exported")
    shutil.copytree(EXPORTED, folder, dirs_exist_ok=True)
    if shutil.which("npm"):
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    missing = [program for program in NEEDED[name] if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} is not installed: the script of {name} is not run")
    return name


class Scripts:
    """Runs the scripts of one language against the gateway."""

    def __init__(self, language: str, folder: Path, gateway: GatewayServer) -> None:
        self.language = language
        self._folder = folder
        self._gateway = gateway
        self.keys = {"METASK_API_KEY": gateway.api_key}

    def run(self, request: Request) -> subprocess.CompletedProcess[str]:
        with self.start(request) as running:
            output, errors = running.communicate(timeout=LONGEST)
        return subprocess.CompletedProcess(running.args, running.returncode, output.decode(), errors.decode())

    @contextmanager
    def start(self, request: Request) -> Iterator[subprocess.Popen[bytes]]:
        path = self._folder / f"script{SUFFIXES[self.language]}"
        code = to_code(request, self._gateway.base_url, self.language)
        path.write_text(code, encoding="utf-8", newline="\n")
        running = subprocess.Popen(
            [*COMMANDS[self.language], str(path)],
            env=clean_environment(os.environ) | {"PYTHONUTF8": "1"} | self.keys,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with running:
            try:
                yield running
            finally:
                running.kill()

    def text(self, output: str) -> str:
        """The reply's text in what the script printed; curl prints the answer as it comes."""
        if self.language != "curl":
            assert output.endswith("\n")
            return output[:-1]
        if not output.startswith(("data: ", ":")):
            return str(json.loads(output)["choices"][0]["message"]["content"])
        events = [line.removeprefix("data: ") for line in output.split("\n") if line.startswith("data: {")]
        choices = [choice for event in events for choice in json.loads(event).get("choices") or []]
        return "".join(choice["delta"].get("content") or "" for choice in choices)


@pytest.fixture
def scripts(language: str, workshop: Path, gateway: GatewayServer) -> Scripts:
    return Scripts(language, workshop, gateway)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.sends_wrong_requests
def test_the_same_request(scripts: Scripts, gateway: GatewayServer, case: str) -> None:
    gateway.script(Streamed(["The ", "answer: ", "是 😀\n", "– done."]))
    done = scripts.run(CASES[case])
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert scripts.text(done.stdout) == "The answer: 是 😀\n– done."
    (received,) = gateway.requests
    assert received.json == CASES[case].to_json()
    assert received.is_chat
    assert received.headers["authorization"] == f"Bearer {gateway.api_key}"
    assert received.headers["content-type"] == "application/json"


@pytest.mark.sends_wrong_requests
def test_the_same_texts(scripts: Scripts, gateway: GatewayServer) -> None:
    turns = tuple(message for text in TEXTS for message in asking(text).messages)
    request = Request("gpt-4o-mini", turns, {"stop": [*TEXTS]}, stream=False)
    gateway.script(Streamed(["Yes."]))
    assert scripts.text(scripts.run(request).stdout) == "Yes."
    assert gateway.last.json == request.to_json()


ODD: list[Part] = [EMPTY_CHOICES, NULL_CONTENT, "", Reasoning("hm"), "a", EMPTY_CHOICES, "b", NULL_CONTENT]


def test_odd_streams(scripts: Scripts, gateway: GatewayServer) -> None:
    gateway.script(Streamed(ODD, usage=USAGE))
    done = scripts.run(CASES["hello"])
    assert (done.returncode, done.stderr, scripts.text(done.stdout)) == (0, "", "ab")


CALLS: list[Part] = [
    "Let me see.",
    ToolCall(0, id="c0", name="get_weather"),
    ToolCall(0, '{"city": '),
    ToolCall(1, "{}", id="c1", name="get_weather"),
    ToolCall(0, '"Rome"}'),
]


@pytest.mark.parametrize("case", ["tools", "whole with tools"])
def test_calls(scripts: Scripts, gateway: GatewayServer, case: str) -> None:
    gateway.script(Streamed(CALLS, finish_reason="tool_calls"))
    done = scripts.run(CASES[case])
    assert done.returncode == 0, done.stderr
    if scripts.language == "curl":
        assert "get_weather" in done.stdout
    else:
        assert done.stdout == 'Let me see.\nget_weather({"city": "Rome"})\nget_weather({})\n'


def test_deltas_are_printed_as_they_come(scripts: Scripts, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed(["first", gate, "last"]))
    with scripts.start(CASES["hello"]) as running:
        assert running.stdout is not None
        assert "first" in read_until(running, "first")
        assert gate.reached.wait(LONGEST)
        assert gateway.api_key not in command_lines()
        gate.open()
        rest, _ = running.communicate(timeout=LONGEST)
    assert b"last" in rest
    assert running.returncode == 0


def read_until(running: subprocess.Popen[bytes], text: str) -> str:
    assert running.stdout is not None
    output = b""
    with selectors.DefaultSelector() as selector:
        selector.register(running.stdout, selectors.EVENT_READ)
        while text.encode() not in output and selector.select(LONGEST):
            piece = os.read(running.stdout.fileno(), 65536)
            if not piece:
                break
            output += piece
    return output.decode()


def command_lines() -> str:
    """The command lines of all processes, as anyone on the machine can read them."""
    lines = []
    for path in PROCESSES.glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().decode(errors="replace"))
        except OSError:  # it has ended
            continue
    return "\n".join(lines)


@pytest.mark.parametrize("case", ["hello", "whole"])
def test_a_refusal(scripts: Scripts, gateway: GatewayServer, case: str) -> None:
    gateway.script(bad_parameter("temperature", "The temperature is too high."))
    done = scripts.run(CASES[case])
    assert done.returncode != 0
    assert "The temperature is too high." in done.stdout + done.stderr
    assert gateway.api_key not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"METASK_API_KEY": "sk-one"}, "sk-one"),
        ({"OPENAI_API_KEY": "sk-two"}, "sk-two"),
        ({"METASK_API_KEY": "sk-one", "OPENAI_API_KEY": "sk-two"}, "sk-one"),
        ({"METASK_API_KEY": "", "OPENAI_API_KEY": "sk-two"}, "sk-two"),
    ],
)
def test_the_key(scripts: Scripts, gateway: GatewayServer, keys: dict[str, str], expected: str) -> None:
    scripts.keys = keys
    gateway.script(wrong_key("…"))
    assert scripts.run(CASES["whole"]).returncode != 0
    assert gateway.last.key == expected


@pytest.mark.parametrize("keys", [{}, {"METASK_API_KEY": ""}])
def test_no_key(scripts: Scripts, gateway: GatewayServer, keys: dict[str, str]) -> None:
    scripts.keys = keys
    done = scripts.run(CASES["hello"])
    assert (done.returncode, done.stdout, done.stderr.strip()) == (1, "", NO_KEY)
    assert gateway.requests == []


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (EXPORTED / "package-lock.json").read_text(encoding="utf-8")
