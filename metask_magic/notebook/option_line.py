"""The line of a magic, read: its options, and on one line the prompt behind them."""

from __future__ import annotations

import argparse
import keyword
import re
from collections.abc import Callable, Iterator

from ..errors import OptionError
from ..language import _
from ..messages.kinds import JSON
from .option_parser import as_flag, declared_options, parse_words
from .option_words import iter_words, read_word, skip_blanks
from .options import OF_TRIALS, CellOptions
from .parameters import merge_parameters, read_parameter, said_twice

_NAMED = {
    "temperature": "--temperature",
    "max_tokens": "--max-tokens",
    "top_p": "--top-p",
    "seed": "--seed",
}
"""The request's parameters that have options of their own."""

_ARGUMENT = re.compile(r"([A-Za-z_][\w.-]*)[=＝]")
"""How an argument of `--prompt` begins; no name of a model does."""


def parse_cell_line(line: str) -> CellOptions:
    """Read the line of `%%metask [MODEL …] [options]`.

    Raises
    ------
    OptionError
        It cannot be read.

    """
    return _to_options(parse_words([*iter_words(line)]))


def parse_line(line: str, is_model: Callable[[str], bool] = bool) -> tuple[CellOptions, str]:
    """Read `%metask [options] MODEL [options] prompt` into the options and the prompt.

    Options end where the prompt begins, which is taken as it stands: quotes, braces and dashes in it mean
    nothing. The first word is the prompt's too, where `is_model` says that it is no model. Raises
    `OptionError`.
    """
    words: list[str] = []
    model_seen = False
    at = skip_blanks(line, 0)
    while at < len(line):
        argument = "--prompt" in words and _ARGUMENT.match(line, at) is not None
        first = line[at:].split(maxsplit=1)[0]
        if not _is_option(first) and not argument and (model_seen or not is_model(first)):
            break
        word, end = read_word(line, at)
        words.append(word := as_flag(word))
        if not _is_option(word):
            model_seen = model_seen or not argument
        elif _takes_value(word) and end < len(line):
            value, end = read_word(line, skip_blanks(line, end), word)
            words.append(value)
        at = skip_blanks(line, end)
    return _to_options(parse_words(words)), line[at:].strip()


def _is_option(word: str) -> bool:
    return re.match(r"--?[A-Za-z]", as_flag(word)) is not None


def _takes_value(word: str) -> bool:
    action = declared_options().get(word)  # an unknown one is left to its error message
    return action is not None and action.nargs != 0


def _to_options(parsed: argparse.Namespace) -> CellOptions:
    _check(parsed)
    models, arguments = _apart(parsed)
    params = merge_parameters(_iter_parameters(parsed))
    return CellOptions(
        models=models,
        system=parsed.system,
        chat=parsed.chat,
        attach=tuple(parsed.attach),
        out=parsed.out,
        format=parsed.format,
        schema=parsed.schema,
        tools=tuple(parsed.tool),
        confirm=parsed.confirm,
        yes=parsed.yes,
        prompt=parsed.prompt,
        prompt_arguments=arguments,
        map=parsed.map,
        check=parsed.check,
        tolerance=parsed.tolerance,
        judge=parsed.judge,
        rubric=parsed.rubric,
        limit=parsed.limit,
        engine=parsed.engine,
        params=params,
        stream=not parsed.no_stream,
        quiet=parsed.quiet,
        raw=parsed.raw,
        dry_run=parsed.dry_run,
        fresh=parsed.fresh,
        sample=parsed.sample,
        background=parsed.background,
    )


def _check(parsed: argparse.Namespace) -> None:
    """Refuse what an option cannot be, or cannot be without another. Raises `OptionError`."""
    if parsed.out is not None and (not parsed.out.isidentifier() or keyword.iskeyword(parsed.out)):
        raise OptionError(
            _("{name!r} is no name a reply can be bound to.", name=parsed.out),
            _("Use letters, digits and _, and no word of Python's own."),
        )
    _check_consent(parsed)
    if parsed.sample < 1:
        raise OptionError(
            _("--sample counts from 1, not {number}.", number=parsed.sample),
            _("For example: --sample 2"),
        )
    _check_table(parsed)


def _check_consent(parsed: argparse.Namespace) -> None:
    if parsed.confirm and not parsed.tool:
        raise OptionError(
            _("--confirm asks before each call of a tool, and the cell has none."),
            _("Name a function with -T, or leave --confirm out."),
        )
    if parsed.confirm and parsed.yes:
        raise OptionError(
            _("--confirm asks before each call, and --yes does not."), _("Leave one of them out.")
        )
    if parsed.yes and not parsed.tool:
        raise OptionError(
            _("--yes lets tools of servers run, and the cell has none."),
            _("Leave {option} out.", option="--yes"),
        )


def _check_table(parsed: argparse.Namespace) -> None:
    if parsed.limit is not None and (parsed.limit < 1 or parsed.map is None):
        raise OptionError(
            _("--limit {number} needs --map NAME, and a row at least.", number=parsed.limit),
            _("Leave it out."),
        )
    for name in OF_TRIALS:
        if getattr(parsed, name) is not None and parsed.map is None:
            option = f"--{name}"
            raise OptionError(
                _("{option} needs --map NAME: answers to rows are checked.", option=option),
                _("Leave it out."),
            )
    if parsed.engine is not None and parsed.map is None:
        raise OptionError(_("--engine needs --map NAME: a cluster asks about rows."), _("Leave it out."))


def _apart(parsed: argparse.Namespace) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the models, and the arguments of `--prompt`, which stand among them."""
    if parsed.prompt is None:
        return tuple(parsed.models), {}
    said = [(_ARGUMENT.match(word), word) for word in parsed.models]
    models = tuple(word for argument, word in said if argument is None)
    return models, {argument[1]: word[argument.end() :] for argument, word in said if argument is not None}


def _iter_parameters(parsed: argparse.Namespace) -> Iterator[tuple[str, JSON, str]]:
    """Yield the request's parameters, and how each is written. Raises `OptionError`."""
    for name, flag in _NAMED.items():
        if (value := getattr(parsed, name)) is not None:
            yield name, value, flag
    said = [read_parameter(param) for param in parsed.param]
    for name, value in said:
        yield name, value, f"-p {name}"
    names = {name for name, _value in said}
    for name, flag, given in (
        ("response_format", "--schema", parsed.schema is not None),
        ("response_format", "-f json", parsed.format == "json" and parsed.schema is None),
        ("tools", "-T", bool(parsed.tool)),
    ):
        if given and name in names:
            raise said_twice(flag, f"-p {name}")
