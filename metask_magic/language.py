"""The language of what a user reads: the English of the code, or a catalogue's words for it.

Catalogues are gettext's, in `locale/`. One is opened when a sentence is needed in its language, and not
before. What is sent to a model, and what is written into files that programs read, stays English: a recording
is found again in any language.
"""

from __future__ import annotations

import gettext as catalogues
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Literal, TypeAlias

Language: TypeAlias = Literal["en", "zh"]
Choice: TypeAlias = Literal["auto", "en", "zh"]

DOMAIN = "metask_magic"
FOLDER = Path(__file__).parent / "locale"
VARIABLES = ("METASK_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""What says the language where no setting does; the first is the setting's, before a cell has read it."""

_LOCALES: dict[Language, list[str]] = {"en": [], "zh": ["zh_CN"]}
LANGUAGES: tuple[Language, ...] = tuple(_LOCALES)

_choice: Choice = "auto"
_within: ContextVar[Language | None] = ContextVar("language", default=None)


def choose(choice: Choice) -> None:
    """Set the language of this process: `auto` goes by the environment of the moment."""
    global _choice
    _choice = choice


def current() -> Language:
    """Return the language in which sentences come now."""
    if (within := _within.get()) is not None:
        return within
    return _of_environment() if _choice == "auto" else _choice


@contextmanager
def using(language: Language) -> Iterator[None]:
    """Within it sentences come in this language, as those beside a reply that was recorded in it."""
    token = _within.set(language)
    try:
        yield
    finally:
        _within.reset(token)


def in_english(say: Callable[[], str]) -> str:
    """Return what `say` says in English, as a model is told it."""
    with using("en"):
        return say()


def speak(language: Language) -> None:
    """Let sentences come in this language from here on, in this task and those it makes."""
    _within.set(language)


def _of_environment() -> Language:
    said = next((said for name in VARIABLES if (said := os.environ.get(name, "")) not in ("", "auto")), "")
    return "zh" if said.lower().startswith("zh") else "en"


@cache
def _catalogue(language: Language) -> catalogues.NullTranslations:
    return catalogues.translation(DOMAIN, FOLDER, _LOCALES[language], fallback=True)


_SEAM = "\0"
_WIDE, _NARROW = r"[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]", r"[A-Za-z0-9`]"
_NO_BLANK = re.compile(rf"(?<={_WIDE}) {_SEAM}(?={_WIDE})|(?<={_WIDE}){_SEAM} (?={_WIDE})")
_BLANK = re.compile(rf"(?<=[\u4e00-\u9fff]){_SEAM}(?={_NARROW})|(?<={_NARROW}){_SEAM}(?=[\u4e00-\u9fff])")


class _Seams(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        return f"{_SEAM}{super().format_field(value, format_spec)}{_SEAM}"


def _filled(language: Language, said: str, values: Mapping[str, object]) -> str:
    """Return a sentence with its values, if any; in Chinese with a blank beside those that are Latin alone.

    A translation cannot know whether a name will be `price` or `价格`.
    """
    if not values:
        return said
    if language != "zh":
        return said.format(**values)
    text = _Seams().vformat(said, (), values)
    return _BLANK.sub(" ", _NO_BLANK.sub("", text)).replace(_SEAM, "")


def _(message: str, /, **values: object) -> str:
    """Return a sentence in the current language, its `{names}` replaced by values where there are any.

    Without values the braces of a sentence are its own.
    """
    language = current()
    said = _catalogue(language).gettext(message) if message else ""  # "" would give a catalogue's header
    return _filled(language, said, values)


def pgettext(context: str, message: str, /, **values: object) -> str:
    """Return a word that alone could mean several things; the context says which."""
    language = current()
    said = _catalogue(language).pgettext(context, message)
    return _filled(language, said, values)


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """Return the sentence for a number of things; `{count}` stands for the number."""
    language = current()
    said = _catalogue(language).ngettext(one, many, count)
    return _filled(language, said, {"count": f"{count:,}", **values})


def N_(message: str) -> str:  # noqa: N802 - gettext's name
    """Mark a sentence that is translated where it is shown, with `_`."""
    return message
