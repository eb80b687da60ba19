"""The option line: one declaration, from which parsing, `%%metask?` and completion come."""

from __future__ import annotations

import argparse
import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn, TypeVar, get_args

from IPython.core.magic_arguments import MagicArgumentParser, argument

from ..errors import OptionError
from ..messages.kinds import JSON, Format
from ..words import did_you_mean, nearest
from .option_words import iter_words, read_word, skip_blanks
from .parameters import merge_parameters, read_parameter, said_twice

F = TypeVar("F", bound=Callable[..., Any])

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
        help="""A variable (table, figure, image, any object), the path of a file (image, text, PDF, table),
        or a resource of a server (SERVER:NAME). Repeatable.""",
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
        help="""A function of the notebook that the model may call, or a server of tools: all of
        its tools, or one, as in files.read_file. Repeatable.""",
    ),
    argument("--confirm", action="store_true", help="Ask before each call of a tool."),
    argument(
        "--yes",
        action="store_true",
        help="Let the tools of servers run without asking, also those that do not say that they only read.",
    ),
    argument(
        "--prompt",
        metavar="NAME",
        help="""A prompt of a server (SERVER.PROMPT), before the text of the cell; its arguments follow as
        words of the form name=value.""",
    ),
    argument(
        "--map",
        metavar="NAME",
        help="""Ask once per row of the table NAME (pandas, Polars, PyArrow, Dask, a list of dicts):
        {{ column }} and {{ row.column }} are what a row has. The value is the table with the replies; of
        several models, or with --check, a trial with a leaderboard.""",
    ),
    argument(
        "--check",
        metavar="NAME",
        help="""With --map, what tells good answers: a column with what is expected, a function of a row and a
        reply that returns a truth value or a number, or `judge`.""",
    ),
    argument(
        "--tolerance",
        type=float,
        metavar="X",
        help="How far a number may be from the one that the column of --check expects.",
    ),
    argument("--judge", metavar="MODEL", help="With --check judge, the model that grades the answers."),
    argument(
        "--rubric",
        metavar="NAME",
        help="With --judge, a text that says what a good answer is; a template too.",
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
        -p stop=["END"]. Repeatable.""",
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
        help="""The N-th independent answer to the same prompt: recorded by itself. In a trial, so many
        answers to each row.""",
    ),
    argument(
        "--background",
        action="store_true",
        help="Return at once and go on streaming; wait(), cancel() and await are the value's.",
    ),
)

_NAMED = {
    "temperature": "--temperature",
    "max_tokens": "--max-tokens",
    "top_p": "--top-p",
    "seed": "--seed",
}
"""The request's parameters that have options of their own."""

_OF_TRIALS = ("check", "tolerance", "judge", "rubric")

_ARGUMENT = re.compile(r"[A-Za-z_][\w.-]*=")
"""How an argument of `--prompt` begins; no name of a model does."""

_DASHES = "\u2010-\u2015\u2212"
"""What editors make of two hyphens."""


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
    yes: bool = False
    prompt: str | None = None
    prompt_arguments: Mapping[str, str] = field(default_factory=dict)
    map: str | None = None
    check: str | None = None
    tolerance: float | None = None
    judge: str | None = None
    rubric: str | None = None
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

    @property
    def is_trial(self) -> bool:
        """Whether models are tried on a table, and not one of them asked about it."""
        checks = any(getattr(self, name) is not None for name in _OF_TRIALS)
        return self.map is not None and (checks or len(self.models) > 1)


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
    for option in _OPTIONS:
        option.add_to_parser(parser, None)
    return parser


def _parse(words: Sequence[str]) -> argparse.Namespace:
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


def parse_cell_line(line: str) -> CellOptions:
    """Read the line of `%%metask [MODEL …] [options]`.

    Raises
    ------
    OptionError
        It cannot be read.

    """
    return _to_options(_parse([*iter_words(line)]))


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
        begins = not _is_option(line[at:]) and not argument
        if begins and (model_seen or not is_model(line[at:].split(maxsplit=1)[0])):
            break
        word, end = read_word(line, at)
        words.append(word)
        if not _is_option(word):
            model_seen = model_seen or not argument
        elif _takes_value(word) and end < len(line):
            value, end = read_word(line, skip_blanks(line, end), word)
            words.append(value)
        at = skip_blanks(line, end)
    return _to_options(_parse(words)), line[at:].strip()


def _is_option(word: str) -> bool:
    return re.match(r"--?[A-Za-z]", word) is not None


def _takes_value(word: str) -> bool:
    if "=" in word:
        return False
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
            f"{parsed.out!r} is no name a reply can be bound to.",
            "Use letters, digits and _, and no word of Python's own.",
        )
    if parsed.confirm and not parsed.tool:
        raise OptionError(
            "--confirm asks before each call of a tool, and the cell has none.",
            "Name a function with -T, or leave --confirm out.",
        )
    if parsed.confirm and parsed.yes:
        raise OptionError("--confirm asks before each call, and --yes does not.", "Leave one of them out.")
    if parsed.yes and not parsed.tool:
        raise OptionError("--yes lets tools of servers run, and the cell has none.", "Leave --yes out.")
    if parsed.sample < 1:
        raise OptionError(f"--sample counts from 1, not {parsed.sample}.", "For example: --sample 2")
    if parsed.limit is not None and (parsed.limit < 1 or parsed.map is None):
        raise OptionError(f"--limit {parsed.limit} needs --map NAME, and a row at least.", "Leave it out.")
    for name in _OF_TRIALS:
        if getattr(parsed, name) is not None and parsed.map is None:
            raise OptionError(f"--{name} needs --map NAME: answers to rows are checked.", "Leave it out.")
    if parsed.engine is not None and parsed.map is None:
        raise OptionError("--engine needs --map NAME: a cluster asks about rows.", "Leave it out.")


def _apart(parsed: argparse.Namespace) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the models, and the arguments of `--prompt`, which stand among them."""
    if parsed.prompt is None:
        return tuple(parsed.models), {}
    said = [word.partition("=") for word in parsed.models if _ARGUMENT.match(word)]
    models = tuple(word for word in parsed.models if not _ARGUMENT.match(word))
    return models, {name: value for name, _, value in said}


def _iter_parameters(parsed: argparse.Namespace) -> Iterator[tuple[str, JSON, str]]:
    """Yield the request's parameters, and how each is written. Raises `OptionError`."""
    for name, flag in _NAMED.items():
        if (value := getattr(parsed, name)) is not None:
            yield name, value, flag
    said = [read_parameter(param) for param in parsed.param]
    for name, value in said:
        yield name, value, f"-p {name}"
    names = {name for name, _ in said}
    for name, flag, given in (
        ("response_format", "--schema", parsed.schema is not None),
        ("response_format", "-f json", parsed.format == "json" and parsed.schema is None),
        ("tools", "-T", bool(parsed.tool)),
    ):
        if given and name in names:
            raise said_twice(flag, f"-p {name}")
