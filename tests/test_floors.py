"""The house: imports go down the floors only, and some libraries have one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

import metask_magic

HOUSE = Path(metask_magic.__file__).parent
MODULES = sorted(HOUSE.rglob("*.py"))

BASE = {"settings", "keys", "errors", "words", "language", "precedence"}

# What each room may import of the house, from the top floor down; `metask_magic` itself only names its rooms.
MAY_IMPORT = {
    "notebook": {
        *{
            "notebook",
            "trials",
            "table",
            "mcp",
            "prompt",
            "answering",
            "gateway",
            "display",
            "tools",
            "schemas",
            "usage",
        },
        *{"asking", "chat", "scripts", "messages", *BASE},
    },
    "trials": {
        *{"trials", "table", "gateway", "display", "batch", "schemas", "usage"},
        *{"asking", "chat", "messages", "errors", "words", "language"},
    },
    "table": {
        *{"table", "cluster", "prompt", "answering", "gateway", "display", "batch", "schemas", "usage"},
        *{"asking", "chat", "messages", *BASE},
    },
    "cluster": {
        *{"cluster", "answering", "batch", "schemas", "usage", "asking", "chat", "messages", *BASE},
    },
    "mcp": {"mcp", "prompt", "gateway", "tools", "asking", "messages", *BASE},
    "prompt": {"prompt", "tools", "schemas", "messages", *BASE},
    "answering": {"answering", "gateway", "schemas", "asking", "chat", "scripts", "messages", *BASE},
    "gateway": {"gateway", "messages", *BASE},
    "display": {"display", "messages", "errors", "words", "language"},
    "batch": {"batch", "asking", "chat", "messages", "errors", "words", "language"},
    "tools": {"tools", "asking", "messages", "errors", "words", "language"},
    "schemas": {"schemas", "asking", "messages", "errors", "words", "language"},
    "usage": {"usage", "messages", "errors", "words", "language"},
    "asking": {"asking", "chat", "messages", "errors", "words", "language", "precedence"},
    "chat": {"chat", "scripts", "messages", "errors", "words", "language"},
    "scripts": {"scripts", "messages", "errors", "words", "language"},
    "messages": {"messages", "words", "language"},
    "settings": {"keys", "errors", "language"},
    "keys": {"errors", "language"},
    "errors": {"words", "language"},
    "precedence": set(),
    "words": {"language"},
    "language": set(),
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports_of(path: Path) -> Sequence[str]:
    """Return every imported module by its full name."""
    return [*_iter_imports(path)]


def _iter_imports(path: Path) -> Iterator[str]:
    package = ["metask_magic", *path.relative_to(HOUSE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def allowed(imported: str, rooms: set[str]) -> bool:
    own = imported.removeprefix("metask_magic.")
    return any(own == room or own.startswith(f"{room}.") or room.startswith(f"{own}.") for room in rooms)


def test_no_room_stands_above_itself() -> None:
    below: set[str] = set()
    for room, may_import in reversed(MAY_IMPORT.items()):
        assert may_import - {room} <= below
        below.add(room)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_down(path: Path) -> None:
    room = module_name(path).partition(".")[0]
    if room in {"", "__init__"}:
        return
    own = [name for name in imports_of(path) if name.startswith("metask_magic.")]
    assert [name for name in own if not allowed(name, MAY_IMPORT[room])] == []


@pytest.mark.parametrize(
    ("library", "modules"),
    [
        ("openai", {"gateway.official"}),
        ("distributed", {"cluster.connection", "cluster.worker"}),
        ("dask", {"table.partitions"}),
        (
            "mcp",
            {
                "mcp.connection",
                "mcp.library",
                "mcp.prompts",
                "mcp.resources",
                "mcp.running",
                "mcp.stdio",
                "mcp.tool",
            },
        ),
    ],
)
def test_one_place_for_a_library(library: str, modules: set[str]) -> None:
    importers = {
        module_name(path)
        for path in MODULES
        if any(name.partition(".")[0] == library for name in imports_of(path))
    }
    assert importers == modules
