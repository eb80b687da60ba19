"""Settings: where values come from, and which are taken."""

from __future__ import annotations

import pytest
from traitlets import TraitError
from traitlets.config import Config

from metask_magic.errors import SettingError
from metask_magic.language import choose
from metask_magic.settings import Metask, is_loopback

from .english import english_sentences


def test_every_setting_has_a_help() -> None:
    assert [name for name, trait in Metask.class_traits(config=True).items() if not trait.help] == []


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
