"""What README, the manual, the notebooks and our messages name is there: options, settings, files, links."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import pytest

import metask_magic
from metask_magic.notebook.chat_commands import COMMANDS as CHAT_COMMANDS
from metask_magic.notebook.commands import help_table
from metask_magic.notebook.magics import COMMANDS
from metask_magic.notebook.option_parser import declared_options
from metask_magic.settings import Metask

from .examples import PACKAGE, anchor, documents, iter_blocks, iter_headings, iter_spans, strings_of
from .kernel import ROOT

DOCUMENTS = documents()
STRINGS = [
    string
    for path in sorted(PACKAGE.rglob("*.py"))
    if "display" not in path.parts
    and path not in (PACKAGE / "scripts" / "export.py", PACKAGE / "hatch_build.py")  # curl's options, npm's
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
REQUEST = {"temperature", "max_tokens"}
"""Parameters of the API, which our functions pass on."""

OTHERS = re.compile(r"\b(?:pip install|python -m|jupyter nbconvert|pytest) [^`\n]*")
"""Commands that are not ours, with their options."""


@cache
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


@pytest.mark.parametrize("where", [*DOCUMENTS])
def test_keyword_arguments(where: str) -> None:
    for name, arguments in re.findall(r"\bmetask_magic\.(\w+)\((.*)\)", said_in(DOCUMENTS[where])):
        known = inspect.signature(getattr(metask_magic, name)).parameters
        assert {*re.findall(r"(\w+)=", arguments)} - REQUEST <= {*known}


@pytest.mark.parametrize("where", [*DOCUMENTS])
def test_links_lead_somewhere(where: str) -> None:
    text = DOCUMENTS[where]
    links = re.findall(r"\]\((?!https?:)([^)]+)", text)
    assert [link for link in links if not leads_somewhere(ROOT / where, link)] == []
    assert [path for path in re.findall(r"`(notebooks/\w*\.\w+)`", text) if not (ROOT / path).exists()] == []


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, wanted = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not wanted or not target.exists():
        return target.exists()
    return wanted in {anchor(text) for _, text in iter_headings(target.read_text(encoding="utf-8"))}


def test_the_help_has_every_command() -> None:
    forms = " ".join(form for form, _ in help_table().rows)
    assert {*re.findall(r"(?<!%)%metask ([a-z]+)(?!\w| prompt)", forms)} == {*COMMANDS} - {"help"}
