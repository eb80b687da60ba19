"""Words of an option line, parsed by argparse; its complaints are ours."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NoReturn

from IPython.core.magic_arguments import MagicArgumentParser

from ..errors import OptionError
from ..words import did_you_mean, nearest
from .options import OPTIONS

_DASHES = "\u2010-\u2015\u2212"
"""What editors make of two hyphens."""


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
            parser.error(f"{option_string} is given twice")
        setattr(namespace, self.dest, values)


class _Parser(MagicArgumentParser):
    """A parser whose complaints are ours."""

    def __init__(self) -> None:
        super().__init__("%%metask", add_help=False)  # type: ignore[no-untyped-call]
        self.allow_abbrev = False
        self.register("action", None, _Once)  # what an option does that names no action

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message[:1].upper()}{message[1:]}.", "`%%metask?` lists the options.")


def _new_parser() -> _Parser:
    parser = _Parser()
    parser.add_argument("models", nargs="*", action="store")
    for option in OPTIONS:
        option.add_to_parser(parser, None)
    return parser


def parse_words(words: Sequence[str]) -> argparse.Namespace:
    """Parse words. Raises `OptionError`, with the nearest name for an option that there is not."""
    parsed, unknown = _new_parser().parse_known_intermixed_args(words)
    if unknown:
        raise _no_such_option(next((word for word in unknown if word.startswith("-")), unknown[0]))
    for word in parsed.models:
        if re.match(f"[{_DASHES}]", word):
            raise _no_such_option(word)
    return parsed


def _no_such_option(word: str) -> OptionError:
    name = word.partition("=")[0]
    letters = re.sub(r"[\W_]+", "-", name).strip("-").lower()
    flags = [flag for flag in declared_options() if flag.startswith("--")]
    near = nearest(f"--{letters}", flags) if len(letters) > 1 else []
    return OptionError(
        f"There is no option {name}.", f"{did_you_mean(near[:1])} `%%metask?` lists the options.".lstrip()
    )


@cache
def declared_options() -> Mapping[str, argparse.Action]:
    """Return the declared options by their flags, short and long."""
    # argparse offers no public look-up of an option.
    return dict(_new_parser()._option_string_actions)
