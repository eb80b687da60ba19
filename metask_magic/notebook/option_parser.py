"""Words of an option line, parsed by argparse; its complaints are ours."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NoReturn

from IPython.core.magic_arguments import MagicArgumentParser

from ..errors import OptionError
from ..language import N_, _
from ..words import did_you_mean, narrow, nearest, sentences
from .options import MODELS, OPTIONS

_DASHES = "\u2010-\u2015\u2212\uff0d"
"""What editors make of two hyphens, and what Chinese input methods write for them."""

_LISTED = N_("`%%metask?` lists the options.")

_ARGUMENT = r"argument (?P<option>\S+): "
_COMPLAINTS = (
    (
        re.compile(rf"{_ARGUMENT}expected one argument"),
        N_("Argument {option}: expected one argument."),
    ),
    (
        re.compile(rf"{_ARGUMENT}ignored explicit argument (?P<value>.*)"),
        N_("Argument {option}: ignored explicit argument {value}."),
    ),
    (
        re.compile(rf"{_ARGUMENT}invalid float value: (?P<value>.*)"),
        N_("Argument {option}: invalid float value: {value}."),
    ),
    (
        re.compile(rf"{_ARGUMENT}invalid int value: (?P<value>.*)"),
        N_("Argument {option}: invalid int value: {value}."),
    ),
    (
        re.compile(rf"{_ARGUMENT}invalid choice: (?P<value>.*) \(choose from (?P<choices>.*)\)"),
        N_("Argument {option}: invalid choice: {value} (choose from {choices})."),
    ),
)
"""What argparse says in its versions, and what we say then; anything else comes as it is."""


class _Once(argparse.Action):
    """Keeps a value; a second one is no better than the first."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if getattr(namespace, self.dest) != self.default:
            raise OptionError(_("{option} is given twice.", option=option_string), _(_LISTED))
        setattr(namespace, self.dest, values)


class _Parser(MagicArgumentParser):
    """A parser whose complaints are ours."""

    def __init__(self) -> None:
        super().__init__("%%metask", add_help=False)  # type: ignore[no-untyped-call]
        self.allow_abbrev = False
        self.register("action", None, _Once)  # what an option does that names no action
        self.register("type", int, lambda text: int(narrow(text)))
        self.register("type", float, lambda text: float(narrow(text)))

    def error(self, message: str) -> NoReturn:
        raise OptionError(in_our_words(message), _(_LISTED))


def in_our_words(complaint: str) -> str:
    """Return a complaint of argparse as a sentence in the current language."""
    for pattern, said in _COMPLAINTS:
        if found := pattern.fullmatch(complaint):
            return _(said, **found.groupdict())
    return f"{complaint[:1].upper()}{complaint[1:]}."


def _new_parser() -> _Parser:
    parser = _Parser()
    for declared in (MODELS, *OPTIONS):
        declared.add_to_parser(parser, None)
    return parser


def parse_words(words: Sequence[str]) -> argparse.Namespace:
    """Parse words. Raises `OptionError`, with the nearest name for an option that there is not."""
    parsed, unknown = _new_parser().parse_known_intermixed_args([*map(as_flag, words)])
    if unknown:
        raise _no_such_option(next((word for word in unknown if word.startswith("-")), unknown[0]))
    for word in parsed.models:
        if re.match(f"[{_DASHES}]", word):
            raise _no_such_option(word)
    return parsed


def as_flag(word: str) -> str:
    """Return an option that is typed in full width (`－－map`, `--map＝df`) as it is declared.

    Its value stays as it is, and so does a word that is no option.
    """
    name, equals, value = re.fullmatch(r"([^=＝]*)([=＝]?)(.*)", word, re.DOTALL).groups()  # type: ignore[union-attr]  # it fits any text
    flag = narrow(name)
    return word if flag not in declared_options() else flag + narrow(equals) + value


def _no_such_option(word: str) -> OptionError:
    name = word.partition("=")[0]
    letters = re.sub(r"[\W_]+", "-", name).strip("-").lower()
    flags = [flag for flag in declared_options() if flag.startswith("--")]
    near = nearest(f"--{letters}", flags) if len(letters) > 1 else []
    return OptionError(
        _("There is no option {name}.", name=name), sentences(did_you_mean(near[:1]), _(_LISTED))
    )


@cache
def declared_options() -> Mapping[str, argparse.Action]:
    """Return the declared options by their flags, short and long."""
    # argparse offers no public look-up of an option.
    return dict(_new_parser()._option_string_actions)
