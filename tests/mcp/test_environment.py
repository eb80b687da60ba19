"""What a server is given of the environment, and that no value of it is seen again."""

from __future__ import annotations

import pytest

from metask_magic.errors import SettingError
from metask_magic.language import using
from metask_magic.mcp.environment import resolve
from metask_magic.mcp.servers import Server


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", 'made-up "secret"')
    monkeypatch.setenv("LEVEL", "debug")
    monkeypatch.setenv("HEADER", "Bearer made-up-token")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${TOKEN}", 'made-up "secret"'),
        ("${env:LEVEL}", "debug"),
        ("a-${LEVEL}-b", "a-debug-b"),
        ("${NOWHERE:-there}", "there"),
        ("${NOWHERE:-}", ""),
        ("$LEVEL", "$LEVEL"),
        ("${1 + 1}", "${1 + 1}"),
    ],
)
def test_a_variable_is_looked_up(written: str, meant: str) -> None:
    given = resolve(Server("one", ("run", written), env={"NAME": written}, headers={"X": written}))
    assert given.command == ("run", meant)
    assert given.environment["NAME"] == given.headers["X"] == meant


def test_one_that_is_not_there() -> None:
    with pytest.raises(SettingError, match="is to be given NOWHERE, which the environment does not have"):
        resolve(Server("one", ("run",), env={"NAME": "${NOWHERE}"}))


def test_one_that_is_not_there_in_chinese() -> None:
    with using("zh"), pytest.raises(SettingError, match=r"^服务器 one 需要 NOWHERE，但没有这个环境变量。"):
        resolve(Server("one", ("run",), env={"NAME": "${NOWHERE}"}))


def test_keys_are_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASK_API_KEY", "made-up")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    given = resolve(Server("one", ("run",))).environment
    assert {"PATH", "https_proxy"} <= given.keys()
    assert not {"METASK_API_KEY", "TOKEN", "LEVEL"} & given.keys()


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('It is made-up "secret".', "It is [TOKEN]."),
        (r'{"is": "made-up \"secret\""}', '{"is": "[TOKEN]"}'),
        ("Bearer made-up-token", "[HEADER]"),
        ("made-up-token", "[HEADER]"),
        ("debug", "debug"),
        ("the key", "[key]"),
    ],
)
def test_values_are_hidden(text: str, hidden: str) -> None:
    server = Server("one", ("run",), env={"A": "${TOKEN}", "B": "${LEVEL}", "C": "${HEADER}"})
    assert resolve(server, lambda said: said.replace("the key", "[key]")).hide(text) == hidden
