"""What README, the notebooks' prose and our messages name is there: options, settings, commands, files."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Collection, Mapping
from typing import get_args

import pytest

import metask_magic
from metask_magic import errors
from metask_magic.asking.background import BackgroundReply
from metask_magic.chat.reply import Reply
from metask_magic.messages.kinds import Format
from metask_magic.notebook.chat_commands import COMMANDS as CHAT_COMMANDS
from metask_magic.notebook.commands import help_table
from metask_magic.notebook.magics import COMMANDS
from metask_magic.notebook.option_parser import declared_options
from metask_magic.prompt.filters import FILTERS
from metask_magic.settings import Metask

from .examples import PACKAGE, documents, iter_blocks, iter_spans, spans_after, strings_of
from .kernel import ROOT

DOCUMENTS = documents()
README = DOCUMENTS["README.md"]
STRINGS = [
    string
    for path in sorted(PACKAGE.rglob("*.py"))
    if "display" not in path.parts
    and path
    not in (PACKAGE / "scripts/export.py", PACKAGE / "hatch_build.py")  # style sheets, others' options
    for string in strings_of(path)
]

SETTINGS = Metask.class_own_traits(config=True)
_USAGE = " ".join(
    [*(one.usage for one in CHAT_COMMANDS.values()), *(" ".join(one) for one in COMMANDS.values())]
)
OPTIONS = {*declared_options(), *re.findall(r"--\w[\w-]+", _USAGE)}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# How it is written where it is meant, and which there are.
NAMED: Mapping[str, tuple[str, Collection[str]]] = {
    "options": (r"(?<![\w-])(--[a-zA-Z][\w-]+|(?<=[ `(])-[a-zA-Z]\b)", OPTIONS),
    "settings": (r"\bMetask\.(\w+)", SETTINGS),
    "variables": (r"\bMETASK_(\w+)", [name.upper() for name in SETTINGS]),
    "commands": (r"(?<!%)%metask (?!alone\b|local\b)([a-z]+)(?=$|[\s`])", COMMANDS),
    "chats": (r"%metask chats ([a-z]+)", COMMANDS["chats"]),
    "recordings": (r"%metask recordings ([a-z]+)", COMMANDS["recordings"]),
    "tools": (r"%metask tools ([a-z]+)", COMMANDS["tools"]),
    "extras": (r"metask-magic\[(\w+)\]", PROJECT["optional-dependencies"]),
    "functions": (r"\bmetask_magic\.(\w+)\(", ["map", "retry_failed", "trial"]),
    "benchmarks": (
        r"python -m tests\.benchmarks\.(\w+)",
        [p.stem for p in (ROOT / "tests/benchmarks").glob("*.py")],
    ),
}
OTHERS = re.compile(r"\b(?:pip install|python -m|jupyter nbconvert|pytest) [^`\n]*")
"""Commands that are not ours, with their options."""


def said_in(document: str) -> str:
    """Return the code spans and the examples of a document."""
    blocks = [block.code for block in iter_blocks(document) if block.language != "sh"]
    return "\n".join([*(f"`{span}`" for span in iter_spans(document)), *blocks])


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize("where", [*DOCUMENTS, "metask_magic"])
def test_what_is_named_is_there(where: str, kind: str) -> None:
    text = said_in(DOCUMENTS[where]) if where in DOCUMENTS else "\n".join(STRINGS)
    written, known = NAMED[kind]
    named = set(re.findall(written, OTHERS.sub("", text) if kind == "options" else text))
    assert sorted(named - {*known}) == []


# What is listed after these words, and all there are, or some.
LISTS: Mapping[str, tuple[str, Collection[str]]] = {
    "formats": ("`-f` takes", get_args(Format)),
    "filters": ("Jinja's filters work, and", FILTERS),
    "chats": ("`%metask chats` lists the conversations;", COMMANDS["chats"]),
}


@pytest.mark.parametrize(("words", "known"), LISTS.values(), ids=LISTS)
def test_a_list_is_complete(words: str, known: Collection[str]) -> None:
    assert {name.partition("(")[0] for name in spans_after(words, README)} == {*known}


@pytest.mark.parametrize("words", ["A reply has", "as values there are"])
def test_a_reply_has_what_is_said(words: str) -> None:
    named = [name.removesuffix("()") for name in spans_after(words, README)]
    assert [
        name for name in named if not hasattr(Reply, name) and name not in Reply.__dataclass_fields__
    ] == []


def test_a_reply_on_the_way_has_what_is_said() -> None:
    (remark,) = re.findall(r"# so far; also (.*), await later\n", README)
    assert all(hasattr(BackgroundReply, name) for name in re.findall(r"\.(\w+)", remark))
    assert hasattr(BackgroundReply, "__await__")


@pytest.mark.parametrize("where", [*DOCUMENTS])
def test_keyword_arguments(where: str) -> None:
    for name, arguments in re.findall(r"\bmetask_magic\.(\w+)\((.*)\)", said_in(DOCUMENTS[where])):
        known = inspect.signature(getattr(metask_magic, name)).parameters
        assert {*re.findall(r"(\w+)=", arguments)} <= {*known}


@pytest.mark.parametrize("where", [*DOCUMENTS])
def test_links_lead_somewhere(where: str) -> None:
    text = DOCUMENTS[where]
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not ((ROOT / where).parent / link).exists()] == []
    assert [path for path in re.findall(r"`(notebooks/\w*\.\w+)`", text) if not (ROOT / path).exists()] == []


def rows(heading: str) -> list[list[str]]:
    """Return the cells of README's table below a heading, without its head."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_settings_are_all_there_with_their_defaults() -> None:
    told = {name: row[1].strip("`") for row in rows("Settings") for name in re.findall(r"\w+", row[0])}
    defaults = {name: trait.default() for name, trait in SETTINGS.items()}
    assert told == {
        name: "" if value in (None, "", {}) else f"{value:g}" if type(value) is float else str(value)
        for name, value in defaults.items()
    }


def test_the_errors_are_there() -> None:
    named = {name for row in rows("When something fails") for name in re.findall(r"`([A-Z]\w+)`", row[0])}
    assert len(named) > 20
    assert [name for name in named if not issubclass(vars(errors).get(name, int), errors.MetaskError)] == []


def test_the_help_has_every_command() -> None:
    forms = " ".join(form for form, _ in help_table().rows)
    assert {*re.findall(r"(?<!%)%metask ([a-z]+)(?!\w| prompt)", forms)} == {*COMMANDS} - {"help"}
