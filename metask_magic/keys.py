"""The key: where it comes from, and how it is kept from being shown."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from traitlets import TraitError, TraitType

from .errors import MissingKeyError, SettingError
from .language import N_, _

KEY_VARIABLES = ("METASK_API_KEY", "OPENAI_API_KEY")
KEYRING_SERVICE = "metask-magic"

PRINTABLE = re.compile(r"[!-~]+")
"""What keys and addresses are made of."""


class ApiKey:
    """A key that can be sent but not shown: only `reveal` gives its value."""

    __slots__ = ("__source", "__value")

    def __init__(self, value: str, source: str) -> None:
        self.__value = value.strip()
        self.__source = source

    @property
    def source(self) -> str:
        """Where it came from, in words fit for an error message."""
        return _(self.__source)

    def reveal(self) -> str:
        """Return the value, for the one place that sends it."""
        return self.__value

    def hide(self, text: str) -> str:
        """Replace the key in a text somebody else wrote."""
        return text.replace(self.__value, "[key]") if self.__value else text

    def __repr__(self) -> str:
        return _("<key from {source}>", source=self.source)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and other.reveal() == self.__value

    def __hash__(self) -> int:
        return hash(self.__value)

    def __deepcopy__(self, memo: object) -> ApiKey:
        return self  # traitlets copies its configuration on every change

    def __reduce__(self) -> Any:
        raise TypeError(_("A key is not written to files: it is looked up again where it is needed."))


if TYPE_CHECKING:
    _KeyTrait = TraitType[ApiKey | None, ApiKey | str | None]
else:
    _KeyTrait = TraitType  # takes no parameters before traitlets 5.10, when it runs


class Key(_KeyTrait):
    """A trait that takes a string and holds an `ApiKey`."""

    info_text = "a key (a string)"  # English: traitlets puts it into sentences of its own
    default_value = None
    allow_none = True

    def validate(self, obj: Any, value: Any) -> ApiKey | None:
        if isinstance(value, ApiKey):
            return value
        if isinstance(value, str):
            return ApiKey(value, "Metask.api_key") if value.strip() else None
        raise TraitError(_("Metask.api_key takes a string."))  # the value is not repeated: it may be a key

    def from_string(self, s: str) -> ApiKey | None:
        return self.validate(None, s)


def find(given: ApiKey | None, base_url: str) -> ApiKey:
    """Return the key to send to an address: the one given, else from the first source that has one.

    Raises
    ------
    MissingKeyError
        No source has one.
    SettingError
        It cannot be a key.

    """
    key = given or next(_iter_found(base_url), None)
    if key is None:
        raise MissingKeyError(
            _("There is no key for the gateway."),
            _(
                "Enter one with `%metask login`, or put it into METASK_API_KEY or OPENAI_API_KEY before "
                "the kernel starts. Without a key, `%%metask local` runs a very small model on this "
                "machine."
            ),
        )
    if not PRINTABLE.fullmatch(key.reveal()):
        raise SettingError(
            _("The key from {source} has a blank or a character no key has.", source=key.source),
            _("Copy it once more."),
        )
    return key


def _iter_found(base_url: str) -> Iterator[ApiKey]:
    for variable in KEY_VARIABLES:
        if os.environ.get(variable, "").strip():
            yield ApiKey(os.environ[variable], variable)
    if stored := _from_keyring(base_url):
        yield ApiKey(stored, N_("the system keyring"))
    if stored := _from_colab():
        yield ApiKey(stored, N_("Colab's secrets"))


def _from_keyring(base_url: str) -> str | None:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    try:
        found: str | None = keyring.get_password(KEYRING_SERVICE, base_url)
    except keyring.errors.KeyringError:
        return None  # no keyring service runs here: the next source may have the key
    return found


def _from_colab() -> str | None:
    if "google.colab" not in sys.modules:
        return None
    from google.colab import userdata

    for name in KEY_VARIABLES:
        try:
            found: str | None = userdata.get(name)
        except (userdata.SecretNotFoundError, userdata.NotebookAccessError):
            continue
        if found:
            return found
    return None
