"""Settings: the traits of `Metask`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from traitlets import (
    All,
    Bool,
    Dict,
    Enum,
    Float,
    HasTraits,
    Int,
    TraitError,
    TraitType,
    Unicode,
    observe,
    validate,
)
from traitlets.config import Config, Configurable

from . import language as languages
from .errors import SettingError
from .keys import PRINTABLE, ApiKey, Key, find
from .language import N_, _

DEFAULT_BASE_URL = "https://napi.origintask.cn/v1"
PREFIX = "METASK_"


class Metask(Configurable):
    """Settings of metask-magic.

    Set them with `%config Metask.model = "…"`, in `ipython_config.py` as `c.Metask.model = "…"`, or by an
    environment variable such as `METASK_MODEL`. The first two win over the third.
    """

    model = Unicode("gpt-4o-mini", help=N_("The model that is asked where a cell names none.")).tag(
        config=True
    )
    base_url = Unicode(
        DEFAULT_BASE_URL,
        help=N_("Address of the OpenAI-compatible API, up to and including its version (`…/v1`)."),
    ).tag(config=True)
    api_key = Key(
        help=N_(
            "The key to send. Better kept out of notebooks: METASK_API_KEY or OPENAI_API_KEY in the "
            "environment, or `%metask login`. It is never displayed."
        ),
    ).tag(config=True)
    system = Unicode("", help=N_("The system message of every cell that gives none.")).tag(config=True)
    temperature = Float(
        None, allow_none=True, help=N_("Sampling temperature, 0 to 2; None leaves it to the model.")
    ).tag(config=True)
    max_tokens = Int(
        None, allow_none=True, help=N_("Longest reply in tokens; None leaves it to the model.")
    ).tag(config=True)
    budget_tokens = Int(
        None,
        allow_none=True,
        help=N_(
            "Tokens, sent and received, after which this session asks nothing more; None sets no limit. "
            "Only what gateways report is counted (`%metask usage`); what is under way is not stopped."
        ),
    ).tag(config=True)
    timeout = Float(
        300.0,
        help=N_(
            "Longest silence in seconds, before a reply begins or within it. Not the time of a whole reply."
        ),
    ).tag(config=True)
    max_retries = Int(
        2, help=N_("How often a request is tried again after 429, 5xx or a lost connection.")
    ).tag(config=True)
    max_concurrency = Int(
        32,
        min=1,
        help=N_(
            "How many rows of a table (`--map`) are asked about at the same time, at most, by one model "
            "or several together."
        ),
    ).tag(config=True)
    requests_per_minute = Int(
        None,
        allow_none=True,
        help=N_(
            "How many rows of a table are asked about in a minute, at most; None sets no limit, and "
            "only the gateway's own (429) is kept to."
        ),
    ).tag(config=True)
    max_repairs = Int(
        1,
        min=0,
        help=N_(
            "How often an answer that does not fit its schema is sent back to the model with its errors."
        ),
    ).tag(config=True)
    max_tool_rounds = Int(
        10, min=1, help=N_("How often a model may ask for tools in one reply before that is given up.")
    ).tag(config=True)
    server_timeout = Float(
        60.0,
        help=N_(
            "How many seconds a server of tools may take to start, or to be reached. A call of a tool "
            "may take any time: ■ and Stop end it."
        ),
    ).tag(config=True)
    aliases = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help=N_('Names of your own for models: {"fast": "gpt-4o-mini", "all": "gpt-4o claude-*"}.'),
    ).tag(config=True)
    display = Enum(
        ["auto", "widget", "markdown", "text"],
        "auto",
        help=N_(
            "How replies are shown: `widget` streams into a live view, `markdown` shows the finished "
            "reply only, `text` prints as it comes; `auto` takes what the front end can do."
        ),
    ).tag(config=True)
    language = Enum(
        ["auto", "en", "zh"],
        "auto",
        help=N_(
            "The language of messages: `en` English, `zh` simplified Chinese; `auto` goes by LC_ALL, "
            "LC_MESSAGES or LANG. Options, names and what is sent to a model stay as they are."
        ),
    ).tag(config=True)
    show_reasoning = Bool(True, help=N_("Whether a model's reasoning is shown while it comes.")).tag(
        config=True
    )
    keep_reasoning = Bool(
        False, help=N_("Whether the record of a reply keeps the model's reasoning, folded above its text.")
    ).tag(config=True)
    byline = Bool(
        False,
        help=N_(
            "Whether the record of a reply ends with a line of who answered and how long it took; a "
            "reply as plain text (`-f text`) stays alone, and several models have a table."
        ),
    ).tag(config=True)
    recording = Enum(
        ["off", "auto", "record", "replay"],
        None,
        allow_none=True,
        help=N_(
            "What is done with recordings of replies: `off` nothing; `auto` replays what is recorded, "
            "asks and records what is not; `record` asks and records anew; `replay` asks nothing. None "
            "means `replay` where there is no key but a file of recordings, else `off`."
        ),
    ).tag(config=True)
    recordings_path = Unicode(
        "",
        help=N_(
            "The file of recordings; empty for `.metask/recordings.jsonl` in the working directory or "
            "above it."
        ),
    ).tag(config=True)
    allow_http = Bool(
        False, help=N_("Whether the key may travel unencrypted to a host that is not this machine.")
    ).tag(config=True)
    local_model = Unicode(
        "",
        help=N_("Path of the GGUF file that the model name `local` runs; empty for the packaged small one."),
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        self._explicit: set[str] = set()
        self._applied: dict[str, str] = {}
        self._applying = False
        super().__init__(**kwargs)

    @classmethod
    def class_get_trait_help(
        cls, trait: TraitType[Any, Any], inst: HasTraits | None = None, helptext: str | None = None
    ) -> str:
        """Return what `%config Metask` shows of a setting, in the current language."""
        return super().class_get_trait_help(trait, inst, helptext or _(trait.help))

    # -- values ---------------------------------------------------------------------------------------

    @validate("base_url")
    def _check_base_url(self, proposal: Mapping[str, Any]) -> str:
        url = str(proposal["value"]).strip().rstrip("/")
        parts = urlsplit(url)
        if "@" in parts.netloc:  # the value is not repeated: it may hold a password
            raise TraitError(_("Metask.base_url takes an address without a user name and password."))
        if parts.scheme not in {"http", "https"} or not parts.hostname or not PRINTABLE.fullmatch(url):
            raise TraitError(
                _(
                    "Metask.base_url takes an address such as {example}, not {url!r}.",
                    example=DEFAULT_BASE_URL,
                    url=url,
                )
            )
        return url

    @validate("temperature")
    def _check_temperature(self, proposal: Mapping[str, Any]) -> float | None:
        value: float | None = proposal["value"]
        if value is not None and not 0 <= value <= 2:
            raise TraitError(
                _("Metask.temperature takes a number from 0 to 2, or None, not {value}.", value=value)
            )
        return value

    @validate("budget_tokens", "requests_per_minute")
    def _check_above_zero(self, proposal: Mapping[str, Any]) -> int | None:
        value: int | None = proposal["value"]
        if value is not None and value <= 0:
            name = proposal["trait"].name
            raise TraitError(
                _("Metask.{name} takes a number above 0, or None, not {value}.", name=name, value=value)
            )
        return value

    @validate("timeout", "server_timeout")
    def _check_timeout(self, proposal: Mapping[str, Any]) -> float:
        value: float = proposal["value"]
        if value <= 0:
            name = proposal["trait"].name
            raise TraitError(_("Metask.{name} takes seconds above 0, not {value}.", name=name, value=value))
        return value

    @observe("language")
    def _speak(self, change: Mapping[str, Any]) -> None:
        languages.choose(change["new"])

    # -- the environment ------------------------------------------------------------------------------

    @observe(All)
    def _remember_explicit(self, change: Mapping[str, Any]) -> None:
        if not self._applying:
            self._explicit.add(str(change["name"]))

    def read_environment(self) -> None:
        """Take over what `METASK_*` variables say now, where nothing was set more explicitly.

        Raises
        ------
        SettingError
            A variable has a value its setting cannot have.

        """
        for name, trait in sorted(self.traits(config=True).items()):
            variable = PREFIX + name.upper()
            said = os.environ.get(variable, "")
            if name in self._explicit or name == "api_key" or said == self._applied.get(name, ""):
                continue
            try:
                with self._applying_environment():
                    setattr(self, name, trait.from_string(said) if said else trait.default(self))
            except (TraitError, ValueError) as error:
                raise SettingError(
                    _("{variable} cannot be {value!r}: {error}", variable=variable, value=said, error=error),
                    _("Correct or unset it."),
                ) from None
            self._applied[name] = said

    @contextmanager
    def _applying_environment(self) -> Iterator[None]:
        self._applying = True
        try:
            yield
        finally:
            self._applying = False

    def params(self) -> dict[str, Any]:
        """Return the parameters that every request has unless it says otherwise."""
        defaults = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return {name: value for name, value in defaults.items() if value is not None}

    def unknown_variables(self) -> dict[str, str | None]:
        """Return `METASK_*` variables that no setting reads, with the nearest one that exists."""
        known = [name.upper() for name in self.trait_names(config=True)]
        said = [name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX)]
        nearest = {name: difflib.get_close_matches(name, known, 1) for name in said if name not in known}
        return {PREFIX + name: PREFIX + near[0] if near else None for name, near in nearest.items()}

    # -- the key --------------------------------------------------------------------------------------

    def _load_config(self, cfg: Config, section_names: Any = None, traits: Any = None) -> None:
        # The configuration outlives this call and can be displayed: the key in it must not be readable.
        for section in self._find_my_config(cfg), cfg.get("Metask"):
            if section and isinstance(section.get("api_key"), str):
                section["api_key"] = ApiKey(section["api_key"], "Metask.api_key")
        super()._load_config(cfg, section_names, traits)

    def find_key(self) -> ApiKey:
        """Return the key to send, from the first source that has one; the errors are those of `keys.find`."""
        return find(self.api_key, self.base_url)

    def check_transport(self) -> None:
        """Refuse to send a key in the clear.

        Raises
        ------
        SettingError
            `base_url` is not encrypted, not this machine, and `allow_http` is not set.

        """
        parts = urlsplit(self.base_url)
        if parts.scheme == "http" and not is_loopback(self.base_url) and not self.allow_http:
            raise SettingError(
                _("Metask.base_url is {base_url}: the key would travel unencrypted.", base_url=self.base_url),
                _("Use https://, or allow it with `%config Metask.allow_http = True`."),
            )


def is_loopback(base_url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(base_url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False  # a name, which anybody's server may answer to
