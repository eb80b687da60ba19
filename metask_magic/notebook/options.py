"""The options of a cell: one declaration, from which parser, help and completion come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from IPython.core.magic_arguments import argument

from ..language import N_
from ..messages.kinds import JSON, Format

MODELS = argument(
    "models",
    nargs="*",
    action="store",
    metavar="MODEL",
    help=N_(
        "The model to ask; without one, the setting Metask.model. `local` runs here. Several "
        "answer side by side; claude-* stands for all that match."
    ),
)

OPTIONS = (
    argument(
        "-s",
        "--system",
        metavar="TEXT",
        help=N_("The system message; a template too. Quote it if it has blanks."),
    ),
    argument(
        "-c",
        "--chat",
        metavar="NAME",
        help=N_("Take part in the conversation NAME; else a cell stands alone."),
    ),
    argument(
        "-a",
        "--attach",
        action="append",
        default=[],
        metavar="WHAT",
        help=N_(
            "A variable (table, figure, image, any object), the path of a file (image, text, PDF, "
            "table), or a resource of a server (SERVER:NAME). Repeatable."
        ),
    ),
    argument("-o", "--out", metavar="NAME", help=N_("Bind the reply to NAME.")),
    argument(
        "-f",
        "--format",
        choices=get_args(Format),
        default=None,
        metavar="KIND",
        help=N_(
            "What the reply is: markdown (default), text, json, html, math, or code, which is put "
            "into the next cell and never run."
        ),
    ),
    argument(
        "--schema",
        metavar="NAME",
        help=N_(
            "Structured output: a Pydantic model, dataclass, TypedDict or JSON Schema of the "
            "notebook. reply.data is the validated object."
        ),
    ),
    argument(
        "-T",
        "--tool",
        action="append",
        default=[],
        metavar="NAME",
        help=N_(
            "A function of the notebook that the model may call, or a server of tools: all of its "
            "tools, or one, as in files.read_file. Repeatable."
        ),
    ),
    argument("--confirm", action="store_true", help=N_("Ask before each call of a tool.")),
    argument(
        "--yes",
        action="store_true",
        help=N_(
            "Let the tools of servers run without asking, also those that do not say that they only read."
        ),
    ),
    argument(
        "--prompt",
        metavar="NAME",
        help=N_(
            "A prompt of a server (SERVER.PROMPT), before the text of the cell; its arguments follow "
            "as words of the form name=value."
        ),
    ),
    argument(
        "--map",
        metavar="NAME",
        help=N_(
            "Ask once per row of the table NAME (pandas, Polars, PyArrow, Dask, a list of dicts): {{ "
            "column }} and {{ row.column }} are what a row has. The value is the table with the "
            "replies; of several models, or with --check, a trial with a leaderboard."
        ),
    ),
    argument(
        "--check",
        metavar="NAME",
        help=N_(
            "With --map, what tells good answers: a column with what is expected, a function of a row "
            "and a reply that returns a truth value or a number, or `judge`."
        ),
    ),
    argument(
        "--tolerance",
        type=float,
        metavar="X",
        help=N_("How far a number may be from the one that the column of --check expects."),
    ),
    argument("--judge", metavar="MODEL", help=N_("With --check judge, the model that grades the answers.")),
    argument(
        "--rubric",
        metavar="NAME",
        help=N_("With --judge, a text that says what a good answer is; a template too."),
    ),
    argument("--limit", type=int, metavar="N", help=N_("With --map, ask about the first N rows alone.")),
    argument(
        "--engine",
        metavar="NAME",
        help=N_("With --map, a client of a dask.distributed cluster, whose workers ask."),
    ),
    argument("--temperature", type=float, metavar="X", help=N_("Sampling temperature, 0 to 2.")),
    argument("--max-tokens", type=int, metavar="N", help=N_("Longest reply, in tokens.")),
    argument("--top-p", type=float, metavar="X", help=N_("Nucleus sampling; use it or the temperature.")),
    argument("--seed", type=int, metavar="N", help=N_("Ask for a repeatable reply, where the model can.")),
    argument(
        "-p",
        "--param",
        action="append",
        default=[],
        metavar="KEY=JSON",
        help=N_(
            'Any other parameter of the request, such as -p presence_penalty=0.5 or -p stop=["END"]. '
            "Repeatable."
        ),
    ),
    argument("--no-stream", action="store_true", help=N_("Ask for the reply in one piece.")),
    argument("--quiet", action="store_true", help=N_("Show nothing; the reply is the value all the same.")),
    argument("--raw", action="store_true", help=N_("Send the text as it stands: {{ }} means nothing.")),
    argument("--dry-run", action="store_true", help=N_("Show the exact request and send nothing.")),
    argument(
        "--fresh", action="store_true", help=N_("Ask again what is recorded, and record the new answer.")
    ),
    argument(
        "--sample",
        type=int,
        default=1,
        metavar="N",
        help=N_(
            "The N-th independent answer to the same prompt: recorded by itself. In a trial, so many "
            "answers to each row."
        ),
    ),
    argument(
        "--background",
        action="store_true",
        help=N_("Return at once and go on streaming; wait(), cancel() and await are the value's."),
    ),
)

OF_TRIALS = ("check", "tolerance", "judge", "rubric")


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
        checks = any(getattr(self, name) is not None for name in OF_TRIALS)
        return self.map is not None and (checks or len(self.models) > 1)
