"""`%metask tools add`, read: a command or an address, and what is given by the names of variables."""

from __future__ import annotations

from typing import Any

import pytest

from metask_magic.errors import OptionError
from metask_magic.notebook.option_words import iter_words
from metask_magic.notebook.tool_commands import read_server

URL = "https://example.org/mcp"


@pytest.mark.parametrize(
    ("line", "facts"),
    [
        ("files -- npx server ./data", {"command": ("npx", "server", "./data")}),
        ("files -- run --env NAME -- x", {"command": ("run", "--env", "NAME", "--", "x")}),
        ("files --env KEY -- run", {"command": ("run",), "env": {"KEY": "${KEY}"}}),
        (
            "files --env KEY=MINE --env LEVEL -- run",
            {"command": ("run",), "env": {"KEY": "${MINE}", "LEVEL": "${LEVEL}"}},
        ),
        (f"docs {URL}", {"url": URL}),
        (f"docs {URL}  # a remark", {"url": URL}),
        (
            f"docs {URL} --header-env Authorization=DOCS_TOKEN",
            {"url": URL, "headers": {"Authorization": "${DOCS_TOKEN}"}},
        ),
        (
            f"docs --header-env 'Authorization=Bearer ${{DOCS_TOKEN}}' {URL}",
            {"url": URL, "headers": {"Authorization": "Bearer ${DOCS_TOKEN}"}},
        ),
    ],
)
def test_a_server(line: str, facts: dict[str, Any]) -> None:
    server = read_server([*iter_words(line)])
    empty: dict[str, Any] = {"command": (), "url": "", "env": {}, "headers": {}}
    assert {name: getattr(server, name) for name in empty} == empty | facts


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("files npx server", r"^npx is no option .* A command stands after two hyphens"),
        (
            f"docs {URL} --header Authorization=made-up-93",
            r"^--header is no option .* Type %metask",
        ),
        (f"docs {URL} --token=made-up-93", r"^--token is no option"),
        (f"docs {URL} --header-env Authorization", r"^--header-env is not whole"),
        (f"docs {URL} --env", r"^--env is not whole"),
        ("files --env KEY=made-up-93 -- run", r"^--env KEY=… does not name a variable"),
        ("files --env 'KEY=made-up-93 ${X}' -- run", r"^--env KEY=… does not name a variable"),
        (f"docs {URL} --header-env 'A=Bearer made-up-93'", r"^--header-env A=… does not name a variable"),
    ],
)
def test_what_is_none(line: str, says: str) -> None:
    with pytest.raises(OptionError, match=says) as failure:
        read_server([*iter_words(line)])
    assert "made-up-93" not in str(failure.value)
