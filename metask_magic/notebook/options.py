"""The option line: one declaration, from which parsing, `%%metask?` and completion come."""

from __future__ import annotations

import argparse
import json
import keyword
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from typing import Any, NoReturn, TypeVar, get_args

from IPython.core.magic_arguments import MagicArgumentParser, argument

from ..chat.messages import JSON, Format
from ..errors import OptionError

F = TypeVar("F", bound=Callable[..., Any])

OWN_PARAMETERS = ("model", "messages", "stream")

_OPTIONS = (
    argument(
        "-s",
        "--system",
        metavar="TEXT",
        help="The system message; a template too. Quote it if it has blanks.",
    ),
    argument(
        "-c", "--chat", metavar="NAME", help="Take part in the conversation NAME; else a cell stands alone."
    ),
    argument(
        "-a",
        "--attach",
        action="append",
        default=[],
        metavar="WHAT",
        help="""A variable (table, figure, image, any object) or the path of a file (image, text, PDF, table).
        Repeatable.""",
    ),
    argument("-o", "--out", metavar="NAME", help="Bind the reply to NAME."),
    argument(
        "-f",
        "--format",
        choices=get_args(Format),
        default=None,
        metavar="KIND",
        help="""What the reply is: markdown (default), text, json, html, math, or code, which is put into the
        next cell and never run.""",
    ),
    argument(
        "--schema",
        metavar="NAME",
        help="""Structured output: a Pydantic model, dataclass, TypedDict or JSON Schema of the notebook.
        reply.data is the validated object.""",
    ),
    argument(
        "-T",
        "--tool",
        action="append",
        default=[],
        metavar="NAME",
        help="A function of the notebook that the model may call. Repeatable.",
    ),
    argument("--confirm", action="store_true", help="Ask before each call of a tool."),
    argument(
        "--map",
        metavar="NAME",
        help="""Ask once per row of the table NAME (pandas, Polars, PyArrow, Dask, a list of dicts):
        {{ column }} and {{ row.column }} are what a row has. The value is the table with the replies.""",
    ),
    argument("--limit", type=int, metavar="N", help="With --map, ask about the first N rows alone."),
    argument(
        "--engine",
        metavar="NAME",
        help="With --map, a client of a dask.distributed cluster, whose workers ask.",
    ),
    argument("--temperature", type=float, metavar="X", help="Sampling temperature, 0 to 2."),
    argument("--max-tokens", type=int, metavar="N", help="Longest reply, in tokens."),
    argument("--top-p", type=float, metavar="X", help="Nucleus sampling; use it or the temperature."),
    argument("--seed", type=int, metavar="N", help="Ask for a repeatable reply, where the model can."),
    argument(
        "-p",
        "--param",
        action="append",
        default=[],
        metavar="KEY=JSON",
        help="""Any other parameter of the request, such as -p presence_penalty=0.5 or
        -p stop='["END"]'. Repeatable.""",
    ),
    argument("--no-stream", action="store_true", help="Ask for the reply in one piece."),
    argument("--quiet", action="store_true", help="Show nothing; the reply is the value all the same."),
    argument("--raw", action="store_true", help="Send the text as it stands: {{ }} means nothing."),
    argument("--dry-run", action="store_true", help="Show the exact request and send nothing."),
    argument("--fresh", action="store_true", help="Ask again what is recorded, and record the new answer."),
    argument(
        "--sample",
        type=int,
        default=1,
        metavar="N",
        help="The N-th independent answer to the same prompt: recorded by itself.",
    ),
    argument(
        "--background",
        action="store_true",
        help="Return at once and go on streaming; wait(), cancel() and await are the value's.",
    ),
)


@dataclass(frozen=True, slots=True)
class CellOptions:
    """What an option line says. `params` has the request's parameters by their names in the API."""

    models: tuple[str, ...] = ()
    system: str | None = None
    chat: str | None = None
    attach: tuple[str, ...] = ()
    out: str | None = None
    format: Format | None = None
    schema: str | None = None
    tools: tuple[str, ...] = ()
    confirm: bool = False
    map: str | None = None
    limit: int | None = None
    engine: str | None = None
    params: Mapping[str, JSON] = field(default_factory=dict)
    stream: bool = True
    quiet: bool = False
    raw: bool = False
    dry_run: bool = False
    fresh: bool = False
    sample: int = 1
    background: bool = False


def chat_options(magic: F) -> F:
    """Declare the options on a magic function, for `%%metask?` and for `parse_*`."""
    for option in reversed(_OPTIONS):
        magic = option(magic)
    declared: F = argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="""The model to ask; without one, the setting Metask.model. `local` runs here. Several answer
        side by side; claude-* stands for all that match.""",
    )(magic)
    return declared


class _Parser(MagicArgumentParser):
    """A parser whose complaints are ours."""

    def __init__(self) -> None:
        super().__init__("%%metask", add_help=False)  # type: ignore[no-untyped-call]
        self.allow_abbrev = False

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message[:1].upper()}{message[1:]}.", "`%%metask?` lists the options.")


def _new_parser() -> _Parser:
    parser = _Parser()
    parser.add_argument("models", nargs="*")
    for option in _OPTIONS:
        option.add_to_parser(parser, None)
    return parser


@cache
def declared_options() -> Mapping[str, argparse.Action]:
    """Return the declared options by their flags, short and long."""
    # argparse offers no public look-up of an option.
    return dict(_new_parser()._option_string_actions)


def parse_cell_line(line: str) -> CellOptions:
    """Read the line of `%%metask [MODEL …] [options]`.

    Raises
    ------
    OptionError
        It cannot be read.

    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise OptionError(
            f"The option line has {_unclosed(error)}.", "Close it, or escape it with \\."
        ) from None
    return _to_options(_new_parser().parse_intermixed_args(words))


def parse_line(line: str, is_model: Callable[[str], bool] = bool) -> tuple[CellOptions, str]:
    """Read `%metask [options] MODEL [options] prompt` into the options and the prompt.

    Options end where the prompt begins, which is taken as it stands: quotes, braces and dashes in it mean
    nothing. The first word is the prompt's too, where `is_model` says that it is no model. Raises
    `OptionError`.
    """
    parser = _new_parser()
    words: list[str] = []
    model_seen = False
    at = _skip_blanks(line, 0)
    while at < len(line):
        if not _is_option(line[at:]) and (model_seen or not is_model(line[at:].split(maxsplit=1)[0])):
            break
        word, end = _read_word(line, at)
        if _is_option(word):
            words.append(word)
            if _takes_value(parser, word) and end < len(line):
                value, end = _read_word(line, _skip_blanks(line, end))
                words.append(value)
        else:
            words.append(word)
            model_seen = True
        at = _skip_blanks(line, end)
    return _to_options(parser.parse_intermixed_args(words)), line[at:].strip()


def _is_option(word: str) -> bool:
    return re.match(r"--?[A-Za-z]", word) is not None


def _takes_value(parser: argparse.ArgumentParser, word: str) -> bool:
    if "=" in word:
        return False
    # argparse offers no public look-up of an option; an unknown one is left to its error message.
    action = parser._option_string_actions.get(word)
    return action is not None and action.nargs != 0


def _skip_blanks(line: str, at: int) -> int:
    while at < len(line) and line[at].isspace():
        at += 1
    return at


def _read_word(line: str, at: int) -> tuple[str, int]:
    """Read one shell word; return it and where it ends."""
    rest = StringIO(line[at:])
    lexer = shlex.shlex(rest, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        word = lexer.get_token()
    except ValueError as error:
        raise OptionError(
            f"The option line has {_unclosed(error)}.", "Close it, or escape it with \\."
        ) from None
    return word or "", at + rest.tell()


def _unclosed(error: ValueError) -> str:
    return "a quotation mark that is never closed" if "quotation" in str(error) else "a \\ at its end"


def _to_options(parsed: argparse.Namespace) -> CellOptions:
    _check(parsed)
    named = {
        "temperature": parsed.temperature,
        "max_tokens": parsed.max_tokens,
        "top_p": parsed.top_p,
        "seed": parsed.seed,
    }
    params: dict[str, JSON] = {name: value for name, value in named.items() if value is not None}
    params.update(_parse_param(param) for param in parsed.param)
    return CellOptions(
        models=tuple(parsed.models),
        system=parsed.system,
        chat=parsed.chat,
        attach=tuple(parsed.attach),
        out=parsed.out,
        format=parsed.format,
        schema=parsed.schema,
        tools=tuple(parsed.tool),
        confirm=parsed.confirm,
        map=parsed.map,
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
            f"{parsed.out!r} is no name a reply can be bound to.",
            "Use letters, digits and _, and no word of Python's own.",
        )
    if parsed.confirm and not parsed.tool:
        raise OptionError(
            "--confirm asks before each call of a tool, and the cell has none.",
            "Name a function with -T, or leave --confirm out.",
        )
    if parsed.sample < 1:
        raise OptionError(f"--sample counts from 1, not {parsed.sample}.", "For example: --sample 2")
    if parsed.limit is not None and (parsed.limit < 1 or parsed.map is None):
        raise OptionError(f"--limit {parsed.limit} needs --map NAME, and a row at least.", "Leave it out.")
    if parsed.engine is not None and parsed.map is None:
        raise OptionError("--engine needs --map NAME: a cluster asks about rows.", "Leave it out.")


def _parse_param(param: str) -> tuple[str, JSON]:
    name, equals, text = param.partition("=")
    if not equals or not name:
        raise OptionError(f"-p {param} is not of the form KEY=JSON.", "For example: -p presence_penalty=0.5")
    if name in OWN_PARAMETERS:
        raise OptionError(f"-p cannot set {name}.", "The cell itself says it.")
    try:
        value: JSON = json.loads(text)
    except ValueError:
        raise OptionError(
            f"The value of -p {name} is not JSON: {text}",
            f"A string needs its own quotation marks: -p {name}='\"{text}\"'",
        ) from None
    return name, value
