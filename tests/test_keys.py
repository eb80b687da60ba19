"""The key: where it comes from, and that it cannot be seen."""

from __future__ import annotations

import copy
import pickle
import sys
from types import ModuleType, SimpleNamespace

import pytest
from traitlets import TraitError
from traitlets.config import Config

from metask_magic.errors import MissingKeyError, SettingError
from metask_magic.keys import ApiKey
from metask_magic.language import choose
from metask_magic.settings import DEFAULT_BASE_URL, Metask

from .english import english_sentences

KEY = "sk-made-up-value"


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.mark.parametrize(
    "shown",
    [
        lambda key: repr(key),
        lambda key: str(key),
        lambda key: f"{key}",
        lambda key: repr([key]),
        lambda key: repr(copy.deepcopy(key)),
        lambda key: repr(getattr(key, "__dict__", "")),
        lambda key: Metask(config=Config({"Metask": {"api_key": KEY}})).class_get_help(),
        lambda key: repr(Metask(api_key=KEY)._trait_values),
    ],
)
def test_a_key_cannot_be_shown(shown: object) -> None:
    assert callable(shown)
    assert KEY not in shown(ApiKey(KEY, "a test"))


def test_a_key_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(ApiKey(KEY, "a test"))


def test_a_key_in_the_configuration_is_covered() -> None:
    config = Config({"Metask": {"api_key": KEY}})
    settings = Metask(config=config)
    assert KEY not in repr(settings.config)
    assert settings.find_key().reveal() == KEY


def test_a_key_of_the_wrong_type_is_not_repeated() -> None:
    with pytest.raises(TraitError) as caught:
        Metask(api_key=KEY.encode())
    assert KEY not in str(caught.value)


SOURCES = [
    ({"METASK_API_KEY": "sk-m", "OPENAI_API_KEY": "sk-o"}, "sk-set", "sk-set", "Metask.api_key"),
    ({"METASK_API_KEY": "sk-m", "OPENAI_API_KEY": "sk-o"}, None, "sk-m", "METASK_API_KEY"),
    ({"OPENAI_API_KEY": "sk-o\n"}, None, "sk-o", "OPENAI_API_KEY"),
    ({"METASK_API_KEY": "  ", "OPENAI_API_KEY": "sk-o"}, "", "sk-o", "OPENAI_API_KEY"),
]


@pytest.mark.parametrize(("environment", "set_to", "value", "source"), SOURCES)
def test_the_first_source_with_a_key_wins(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], set_to: str | None, value: str, source: str
) -> None:
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    key = Metask(api_key=set_to).find_key()
    assert (key.reveal(), key.source) == (value, source)


def test_the_keyring_comes_after_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = ModuleType("keyring")
    errors = ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]
    keyring.errors = errors  # type: ignore[attr-defined]
    keyring.get_password = lambda service, user: f"{service} for {user}".replace(" ", "-")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    assert Metask().find_key().reveal() == f"metask-magic-for-{DEFAULT_BASE_URL}"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-o")
    assert Metask().find_key().source == "OPENAI_API_KEY"


def test_colab_secrets_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(name: str) -> str:
        if name == "METASK_API_KEY":
            raise userdata.SecretNotFoundError
        return "sk-colab"

    userdata = SimpleNamespace(
        get=get,
        SecretNotFoundError=type("SecretNotFoundError", (Exception,), {}),
        NotebookAccessError=type("NotebookAccessError", (Exception,), {}),
    )
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace(userdata=userdata))
    assert Metask().find_key() == ApiKey("sk-colab", "Colab's secrets")


def test_no_key_says_how_to_get_one() -> None:
    with pytest.raises(MissingKeyError, match="metask login"):
        Metask().find_key()


@pytest.mark.parametrize("bad", ["sk one two", "sk-\N{EN DASH}", "sk-a\nsk-b", "sk-\x00"])
def test_what_cannot_be_a_key_is_refused_before_it_is_sent(bad: str) -> None:
    with pytest.raises(SettingError, match=r"Metask\.api_key has a blank") as caught:
        Metask(api_key=bad).find_key()
    assert bad not in str(caught.value)


def test_a_key_says_in_chinese_where_it_came_from() -> None:
    key = ApiKey("sk one", "the system keyring")
    choose("zh")
    assert (repr(key), key.source) == ("<密钥，来源：系统密钥环>", "系统密钥环")
    with pytest.raises(SettingError) as caught:
        Metask(api_key=key).find_key()
    assert caught.value.message == "密钥（来源：系统密钥环）含有空白，或密钥中不会有的字符。"
    with pytest.raises(MissingKeyError) as missing:
        Metask().find_key()
    assert missing.value.message == "没有网关的密钥。"
    assert english_sentences(str(missing.value)) == []
