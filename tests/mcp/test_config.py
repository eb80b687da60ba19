"""`mcp.json`: the shapes that are read, and those that are refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metask_magic.errors import OptionError
from metask_magic.mcp.config import read_config


def written(tmp_path: Path, data: Any) -> Path:
    path = tmp_path / "mcp.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def test_the_shape_of_the_field(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {
            "mcpServers": {
                "files": {
                    "command": "npx",
                    "args": ["server"],
                    "env": {"LEVEL": 3, "TOKEN": "${TOKEN}"},
                },
                "docs": {"type": "http", "url": "https://example.org/mcp", "headers": {"X-Key": "${KEY}"}},
                "off": {"command": "x", "disabled": True},
                "old": {"type": "sse", "url": "https://example.org/sse"},
            }
        },
    )
    (files, docs), left_out = read_config(path)
    assert (files.name, files.command) == ("files", ("npx", "server"))
    assert (dict(files.env), files.given) == ({"LEVEL": "3", "TOKEN": "${TOKEN}"}, "LEVEL, TOKEN")
    assert (docs.url, dict(docs.headers)) == ("https://example.org/mcp", {"X-Key": "${KEY}"})
    assert [line.split()[0] for line in left_out] == ["off", "old"]


def test_the_name_that_vs_code_gives_it(tmp_path: Path) -> None:
    ((server,), _) = read_config(written(tmp_path, {"servers": {"one": {"command": "run"}}}))
    assert server.command == ("run",)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("{", "is no JSON"),
        ([], "has no mcpServers"),
        ({"mcp": {}}, "has no mcpServers"),
        ({"mcpServers": {"one": []}}, "The server one of .* is no object"),
        ({"mcpServers": {"one": {"command": 3}}}, "has not the shape of one"),
        ({"mcpServers": {"one": {"command": "x", "args": "y"}}}, "has not the shape of one"),
        ({"mcpServers": {"one": {}}}, "needs a command, or an address"),
        ({"mcpServers": {"a b": {"command": "x"}}}, "a b cannot be the name of a server"),
        ({"mcpServers": {"one": {"url": "ftp://example.org"}}}, "The address of the server one is none"),
        (
            {"mcpServers": {"one": {"command": "x", "env": {"API_KEY": "made-up-93"}}}},
            "API_KEY of the server one stands in .* as it is",
        ),
        (
            {"mcpServers": {"one": {"command": "x", "args": ["--api-key", "made-up-93"]}}},
            "--api-key of the server one stands in .* as it is",
        ),
        (
            {"mcpServers": {"one": {"command": "x", "args": ["--token=made-up-93", "y"]}}},
            "--token of the server one stands in .* as it is",
        ),
        (
            {"mcpServers": {"one": {"command": "x", "env": {"A_KEY": "${input:key}"}}}},
            "The server one of .* wants something typed in",
        ),
        (
            {"mcpServers": {"one": {"url": "https://x.org", "headers": {"Authorization": "made-up-93"}}}},
            "Authorization of the server one stands in .* as it is",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, data: Any, says: str) -> None:
    with pytest.raises(OptionError, match=says) as failure:
        read_config(written(tmp_path, data))
    assert "made-up-93" not in str(failure.value)
