"""Every example that the help, the messages, the docstrings and the prose give is run as it is written."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping

import pytest

from metask_magic.notebook import chat_commands, recordings, tool_commands
from metask_magic.notebook.commands import help_table

from ..examples import PACKAGE, documents, expand, iter_blocks, strings_of
from ..gateway_server import GatewayServer
from ..kernel import Kernel
from ..mcp.conftest import HOSTILE
from .conftest import split

# What is written, in its order, and what somebody might write there; first what is more than a word.
STANDS_FOR: Mapping[str, str] = {
    "tools load PATH": "tools load mcp.json",
    "tools add NAME": "tools add other",
    "COMMAND": "cat",
    "URL": "https://example.org/mcp",
    "HEADER=VARIABLE": "X-Home=HOME",
    "VARIABLE": "HOME",
    "load PATH NAME": "load kept.jsonl other",
    "load PATH": "load kept.jsonl",
    '"…"': '"o3-mini"',
    "-p {name}": "-p stop",
    "{text}": "END",
    "{tokens}": "36",
    "{seconds:g}": "120",
    "{address}": '"https://napi.origintask.cn/v1"',
    "{parameter}": "temperature",
    "{file}": "kept/recordings.jsonl",
    "{word}": "story",
    "{name}": "story",
    "{server}": "story",
    "{keep}": "1",
    "MODEL": "gpt-4o-mini",
    "PATTERN": "gpt",
    "NAME": "story",
    "NEW": "other",
    "PATH": "answer.py",
    "N": "1",
    "options": "--raw",
    "选项": "--raw",
    "prompt": "Hello!",
    "提示词": "你好！",
    "question": "Why?",
    "…": "",
}

# What only names a command, of which something is said; and usages, which are taken from their tables.
NO_EXAMPLES = {
    "{command}",
    "%metask MODEL",
    "%%metask --map",
    "%metask chats save",
    "%metask tools add",
    "%metask tools {name}",
    "%metask tools {word}",
    "%metask tools {usage}",
    "%metask chats trim",
    "%metask chats {name}",
    "%metask chats {word}",
    "%metask chats {usage}",
    "%metask recordings {usage}",
    "%metask recordings {name}",
    "%metask recordings {word}",
    "%metask {name}",
}

_STRINGS = [string for path in sorted(PACKAGE.rglob("*.py")) for string in strings_of(path)]
_WRITTEN = [
    re.compile(r"`(%%?(?:metask|config Metask|load_ext|unload_ext)\b[^`]*)`"),
    re.compile(r"(?:For example|It is|On one line): (.+?)\.?$", re.MULTILINE),
    re.compile(r"Type (%.+)"),
    re.compile(r"\A(%metask tools add .+)\Z"),
    re.compile(r"(-p [\w{}]+=(?:\[.*?\]|\"[^\"]*\"|[\w.]+))"),
    re.compile(r"ask in one line: (.+)"),
    re.compile(r"(%config Metask\.\w+ = \"…\")"),
]


def iter_forms() -> Iterator[str]:
    """Yield whatever is written as an example, as it is written."""
    for form, _ in help_table().rows:
        yield from re.split(r", (?=%)", form)
    for name, commands in (
        ("chats", chat_commands.COMMANDS),
        ("recordings", recordings.COMMANDS),
        ("tools", tool_commands.COMMANDS),
    ):
        for command in commands.values():
            yield from (f"%metask {name} {usage}" for usage in re.split(r", or (?:.*: )?", command.usage))
    for text in [*documents().values(), *_STRINGS]:
        for written in _WRITTEN:
            yield from written.findall(text)


def iter_cells() -> Iterator[str]:
    """Yield what is written as a whole cell: in docstrings, and in Markdown of the notebooks."""
    for path, document in documents().items():
        blocks = (
            iter_blocks(document) if path.startswith("notebooks/") else ()
        )  # tests/manual runs the others
        yield from (cell for block in blocks if block.language != "sh" for cell in block.cells)
    for string in _STRINGS:
        yield from re.findall(r"^(%%metask.*\n.+)$", string, re.MULTILINE)


def concrete(form: str) -> str:
    """Return the cell that an example without brackets stands for."""
    for written, meant in STANDS_FOR.items():
        form = re.sub(rf"(?<!\w){re.escape(written)}(?!\w)", meant, form)
    line = " ".join((f"%%metask gpt-4o-mini {form}" if form.startswith("-") else form).split())
    asks = line.startswith("%%") and not line.endswith("?")
    return f"{line}\nWhat of {{{{ {'row.column' if '--map' in line else 'hero'} }}}}?" if asks else line


FORMS = {*iter_forms()}
EXAMPLES = sorted(
    {*(concrete(plain) for form in FORMS - NO_EXAMPLES for plain in expand(form)), *iter_cells()}
)


def test_every_example_is_understood() -> None:
    """What stands in braces, a name that a message fills in, needs something it stands for."""
    assert [example for example in EXAMPLES if re.search(r"(?<!\{)\{[^{}]+\}(?!\})", example)] == []
    assert NO_EXAMPLES <= FORMS
    assert [written for written in STANDS_FOR if not any(written in form for form in FORMS)] == []


# A session as somebody has it who follows the examples: a conversation, a saved one, a reply, a recording.
PREPARED = """
%unload_ext metask_magic
%load_ext metask_magic
%config Metask.base_url = {base_url!r}
%config Metask.recording = "auto"
%config Metask.recordings_path = "recordings.jsonl"
story = %metask gpt-4o-mini -c story --quiet Hello!
%metask chats fork story kept
%metask chats save kept kept.jsonl
%metask chats forget kept
%metask tools add story -- {server}
%config Metask.recording = "off"
%config Metask.max_tokens = 2
"""


@pytest.fixture(scope="module")
def somebody(kernel: Kernel, _gateway_of_the_session: GatewayServer) -> Kernel:
    """A kernel with a key, a few names and an exception to explain."""
    key = split(_gateway_of_the_session.api_key)
    kernel.run(f"import os\nos.environ['METASK_API_KEY'] = {key}\nhero = 'Ada'\ndf = [{{'column': 1}}]")
    assert kernel.run("1 / 0").error is not None
    return kernel


@pytest.fixture
def prepared(somebody: Kernel, gateway: GatewayServer) -> Kernel:
    for name in ("answer.py", "kept.jsonl"):
        (somebody.cwd / name).unlink(missing_ok=True)
    (somebody.cwd / "mcp.json").write_text('{"mcpServers": {"files": {"command": "cat"}}}', encoding="utf-8")
    cell = somebody.run(PREPARED.format(base_url=gateway.base_url, server=shlex.join(HOSTILE)))
    assert cell.error is None
    return somebody


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(prepared: Kernel, gateway: GatewayServer, example: str) -> None:
    asked_before = len(gateway.chats)
    *_, recorded = (prepared.cwd / "recordings.jsonl").read_text(encoding="utf-8").splitlines()
    code = re.sub(r"\bKEY\b", json.loads(recorded)["key"], example)
    cell = prepared.run(code, inputs=[gateway.api_key, "n"])
    assert cell.error is None
    if re.match(r"%%metask(?! local|\?)|%metask (--raw )?gpt|%metask explain", code):
        assert len(gateway.chats) > asked_before
