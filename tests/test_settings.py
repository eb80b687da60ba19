"""Settings: where values and the key come from, and that a key cannot be seen."""

from __future__ import annotations

import copy
import pickle
import sys
from types import ModuleType, SimpleNamespace

import pytest
from traitlets import TraitError
from traitlets.config import Config

from metask_magic.errors import MissingKeyError, SettingError
from metask_magic.language import choose
from metask_magic.settings import DEFAULT_BASE_URL, ApiKey, Metask, is_loopback

from .english import english_sentences

KEY = "sk-made-up-value"


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


def test_every_setting_has_a_help() -> None:
    assert [name for name, trait in Metask.class_traits(config=True).items() if not trait.help] == []


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


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("METASK_MODEL", "o1", "model", "o1"),
        ("METASK_TEMPERATURE", "0.5", "temperature", 0.5),
        ("METASK_MAX_TOKENS", "7", "max_tokens", 7),
        ("METASK_BUDGET_TOKENS", "10000", "budget_tokens", 10_000),
        ("METASK_MAX_CONCURRENCY", "8", "max_concurrency", 8),
        ("METASK_REQUESTS_PER_MINUTE", "600", "requests_per_minute", 600),
        ("METASK_ALLOW_HTTP", "true", "allow_http", True),
        ("METASK_BASE_URL", "https://example.org/v1/", "base_url", "https://example.org/v1"),
        ("METASK_DISPLAY", "text", "display", "text"),
        ("METASK_RECORDING", "replay", "recording", "replay"),
        ("METASK_RECORDING", "off", "recording", "off"),
        ("METASK_RECORDINGS_PATH", "x.jsonl", "recordings_path", "x.jsonl"),
    ],
)
def test_the_environment_sets_what_is_not_set(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, name: str, value: object
) -> None:
    settings = Metask()
    default = getattr(settings, name)
    monkeypatch.setenv(variable, text)
    settings.read_environment()
    assert getattr(settings, name) == value
    monkeypatch.delenv(variable)
    settings.read_environment()
    assert getattr(settings, name) == default


def test_what_is_set_explicitly_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Metask()
    settings.model = "gemini-1.5-pro"
    monkeypatch.setenv("METASK_MODEL", "o1")
    settings.read_environment()
    assert settings.model == "gemini-1.5-pro"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("temperature", 3, "0 to 2"),
        ("timeout", 0, "above 0"),
        ("budget_tokens", 0, "budget_tokens takes a number above 0"),
        ("requests_per_minute", 0, "requests_per_minute takes a number above 0"),
        ("max_concurrency", 0, "max_concurrency"),
        ("base_url", "napi.origintask.cn", "https://"),
        ("base_url", "https://a b.org/v1", "https://"),
        ("base_url", "https://me:s3cret@example.org/v1", "without a user name"),
        ("display", "html", "markdown"),
        ("max_tokens", "many", "int"),
    ],
)
def test_a_wrong_value_says_what_is_allowed(name: str, value: object, allowed: str) -> None:
    with pytest.raises(TraitError, match=allowed):
        setattr(Metask(), name, value)


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASK_TEMPERATURE", "hot")
    with pytest.raises(SettingError, match="METASK_TEMPERATURE cannot be 'hot'"):
        Metask().read_environment()


def test_a_misspelt_setting_is_answered_with_the_nearest() -> None:
    with pytest.warns(UserWarning, match=r"modle.*Did you mean.*model"):
        Metask(config=Config({"Metask": {"modle": "o1"}}))


def test_a_misspelt_variable_is_answered_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASK_MODLE", "o1")
    monkeypatch.setenv("METASK_ZZZ", "1")
    assert Metask().unknown_variables() == {"METASK_MODLE": "METASK_MODEL", "METASK_ZZZ": None}


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://127.0.0.1.example.org/v1", False),
        ("http://10.0.0.1/v1", False),
        ("https://napi.origintask.cn/v1", False),
    ],
)
def test_loopback(url: str, own: bool) -> None:
    assert is_loopback(url) is own


@pytest.mark.parametrize(
    ("url", "allow_http", "refused"),
    [
        ("http://example.org/v1", False, True),
        ("http://example.org/v1", True, False),
        ("http://127.0.0.1:1/v1", False, False),
        ("https://example.org/v1", False, False),
    ],
)
def test_a_key_does_not_travel_in_the_clear(url: str, allow_http: bool, refused: bool) -> None:
    settings = Metask(base_url=url, allow_http=allow_http)
    if refused:
        with pytest.raises(SettingError, match="unencrypted"):
            settings.check_transport()
    else:
        settings.check_transport()


# -- in Chinese ------------------------------------------------------------------------------------------


def test_the_help_in_chinese() -> None:
    choose("zh")
    said = Metask().class_get_help()
    assert "单元格没有指定模型时使用的模型。" in said
    assert english_sentences(said.replace("Choices: any of", "")) == [], "but for what traitlets says"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("temperature", 3, "Metask.temperature 必须是 0 到 2 的数或 None，而不是 3.0。"),
        ("timeout", 0, "Metask.timeout 必须是大于 0 的秒数，而不是 0.0。"),
        ("budget_tokens", 0, "Metask.budget_tokens 必须是大于 0 的数或 None，而不是 0。"),
        (
            "base_url",
            "a b",
            "Metask.base_url 必须是形如 https://napi.origintask.cn/v1 的地址，而不是 'a b'。",
        ),
        ("base_url", "https://me:s3cret@example.org/v1", "Metask.base_url 的地址不能含有用户名和密码。"),
        ("api_key", 1, "Metask.api_key 必须是字符串。"),
    ],
)
def test_a_wrong_value_in_chinese(name: str, value: object, said: str) -> None:
    choose("zh")
    with pytest.raises(TraitError) as caught:
        setattr(Metask(), name, value)
    assert str(caught.value) == said


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
