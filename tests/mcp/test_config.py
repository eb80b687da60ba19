"""`mcp.json`: the shapes that are read, and those that are refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metask_magic.errors import OptionError
from metask_magic.language import using
from metask_magic.mcp.config import read_config

from ..chinese import left_in_english


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


REFUSED: list[tuple[Any, str]] = [
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
]


@pytest.mark.parametrize(("data", "says"), REFUSED)
def test_what_is_refused(tmp_path: Path, data: Any, says: str) -> None:
    with pytest.raises(OptionError, match=says) as failure:
        read_config(written(tmp_path, data))
    assert "made-up-93" not in str(failure.value)


@pytest.mark.parametrize("data", [data for data, _ in REFUSED])
def test_what_is_refused_in_chinese(tmp_path: Path, data: Any) -> None:
    with using("zh"), pytest.raises(OptionError) as failure:
        read_config(written(tmp_path, data))
    assert left_in_english(failure.value) == []


def test_said_in_chinese(tmp_path: Path) -> None:
    key = written(tmp_path, {"mcpServers": {"one": {"command": "x", "env": {"API_KEY": "made-up-93"}}}})
    with using("zh"), pytest.raises(OptionError) as failure:
        read_config(key)
    assert str(failure.value) == (
        f'服务器 one 的 API_KEY 以明文写在 {key} 中。把它放进环境变量，并在文件中引用："${{API_KEY}}"'
    )
    old = {"mcpServers": {"off": {"disabled": True}, "old": {"type": "sse"}}}
    with using("zh"):
        _, left_out = read_config(written(tmp_path, old))
    assert left_out == [
        "已跳过 off：文件中将它停用了。",
        "已跳过 old：它使用的 sse 传输方式已不在现行协议中。",
    ]
