"""Tab: commands, models, options and their values, and the notebook's names inside `{{ … }}`.

Everything is looked up in memory or in one folder. No property is run and nothing is asked of a network.
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from types import MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any

from .columns import known_columns
from .option_parser import declared_options

if TYPE_CHECKING:
    from .cursor import Place

MOST = 500  # completions; IPython shows no more
MOST_FILES = 5_000  # of one folder that are looked at

IDENTIFIER = "metask_magic"
REPLIES = "metask_magic.chat.reply"
# `\alpha` may still become α in a prompt.
_STILL_COMPLETING = {"IPCompleter.latex_name_matcher"}
_SCHEMA_WORDS = ("type", "properties", "$schema", "$ref", "$defs", "anyOf", "oneOf", "allOf", "enum")


@dataclass(frozen=True, slots=True)
class Known:
    """What can be asked for, looked up when it is needed; none of it may take time.

    `commands` has the words that each command goes on with, such as `show` for `chats`; `servers` the tools
    of each server by name, as far as it has been asked for them.
    """

    models: Callable[[], Iterable[str]]
    chats: Callable[[], Iterable[str]]
    commands: Mapping[str, Sequence[str]]
    servers: Callable[[], Mapping[str, Sequence[str]]] = dict


@dataclass(frozen=True, slots=True)
class Completions:
    """What may stand in place of `typed`, which is what the user has typed of it."""

    typed: str
    texts: tuple[str, ...]
    kind: str


class Completion:
    """Completes in a shell, from `register` to `unregister`."""

    def __init__(self, shell: Any, known: Known) -> None:
        self._shell = shell
        self._known = known
        self._matcher: Any = None

    def register(self) -> None:
        self._matcher = _new_matcher(self)
        self._shell.Completer.custom_matchers.append(self._matcher)

    def unregister(self) -> None:
        self._shell.Completer.custom_matchers.remove(self._matcher)

    @property
    def line_before_cursor(self) -> str:
        """The line up to the cursor, as IPython before 8.6 keeps it."""
        return str(self._shell.Completer.text_until_cursor)

    def complete(self, text: str, cursor: int) -> Completions | None:
        """Return what fits at the cursor, or None where it is not ours.

        `text` is the whole cell, `cursor` counts code points from its start.
        """
        from .cursor import find_place  # at the first Tab

        place = find_place(text, cursor, declared_options(), self._known.commands)
        if place is None:
            return None
        found = self._iter_candidates(place)
        quoted = (candidate if place.quote else _escape(candidate) for candidate in found)
        return Completions(place.typed, tuple(islice(dict.fromkeys(quoted), MOST)), place.kind)

    def _iter_candidates(self, place: Place) -> Iterator[str]:
        start = place.fragment
        match place.kind:
            case "start":
                yield from _starting(start, self._known.commands)
                yield from self._iter_models(start)
            case "model":
                yield from self._iter_models(start)
            case "flag":
                yield from _starting(start, declared_options())
            case "value":
                yield from self._iter_values(declared_options(), place.context[0], place)
            case "argument":
                yield from self._iter_arguments(place.context, start)
            case "name":
                yield from _identifiers(self._iter_columns(place))
                yield from self._iter_names(start, lambda value: True)
            case "attribute":
                yield from self._iter_columns_of_row(place)
                yield from _iter_attributes(self._shell.user_ns, place.context, start)
            case "filter":
                yield from _starting(start, _filters())

    def _iter_models(self, start: str) -> Iterator[str]:
        models = ["local", *self._known.models()]
        lower = start.lower()
        beginning = [model for model in models if model.lower().startswith(lower)]
        yield from beginning or (model for model in models if lower in model.lower())

    def _iter_arguments(self, words: tuple[str, ...], start: str) -> Iterator[str]:
        command, *before = words
        if not before:
            yield from _starting(start, self._known.commands[command])
        if command == "models" and not before:
            yield from self._iter_models(start)
        if command == "chats":
            yield from _starting(start, self._known.chats())
        if command == "export":
            yield from self._iter_names(start, _is_reply)
        if command == "tools" and before[:1] in (["show"], ["remove"]):
            yield from _starting(start, self._known.servers())
        if command == "tools" and before == ["load"]:
            yield from _iter_paths(start)

    def _iter_values(self, options: Mapping[str, argparse.Action], name: str, place: Place) -> Iterator[str]:
        start = place.fragment
        if name == "check":
            yield from self._iter_columns(place)
        choices = next(action.choices for action in options.values() if action.dest == name)
        if choices is not None:
            yield from _starting(start, map(str, choices))
        elif name == "chat":
            yield from _starting(start, self._known.chats())
        elif name == "judge":
            yield from self._iter_models(start)
        elif name in _FITS:
            yield from self._iter_names(start, _FITS[name])
        if name == "attach":
            yield from _iter_paths(start)
            yield from _starting(start, (f"{server}:" for server in self._known.servers()))
        if name == "check":
            yield from _starting(start, ("judge",))
        if name == "tool":
            yield from _starting(start, self._iter_server_tools())
        if name == "prompt":
            yield from _starting(start, (f"{server}." for server in self._known.servers()))

    def _iter_columns(self, place: Place) -> Iterator[str]:
        table = self._shell.user_ns.get(place.table)
        return _starting(place.fragment, known_columns(table))

    def _iter_columns_of_row(self, place: Place) -> Iterator[str]:
        if place.table:
            from ..table.row_prompt import ROW  # as the template does, which follows

            yield from _identifiers(self._iter_columns(place)) if place.context == (ROW,) else ()

    def _iter_server_tools(self) -> Iterator[str]:
        for server, tools in self._known.servers().items():
            yield server
            yield from (f"{server}.{tool}" for tool in tools)

    def _iter_names(self, start: str, fits: Callable[[Any], bool]) -> Iterator[str]:
        hidden = self._shell.user_ns_hidden
        for name, value in sorted(_entries(self._shell.user_ns), key=lambda entry: entry[0]):
            if not name.startswith(start) or (name.startswith("_") and not start):
                continue
            if name in hidden and hidden[name] is value:
                continue
            if fits(value):
                yield name


def _entries(namespace: Mapping[str, Any]) -> list[tuple[str, Any]]:
    # In one step, for another thread may define names meanwhile.
    return [entry for entry in list(namespace.items()) if isinstance(entry[0], str)]


def _starting(start: str, candidates: Iterable[str]) -> Iterator[str]:
    return (candidate for candidate in candidates if candidate.startswith(start))


def _identifiers(candidates: Iterable[str]) -> Iterator[str]:
    return (candidate for candidate in candidates if candidate.isidentifier())


def _escape(candidate: str) -> str:
    return re.sub(r"""([\s'"\\])""", r"\\\1", candidate)


# -- which variables fit an option, by its name --------------------------------------------------------


def _is_value(value: Any) -> bool:
    return not isinstance(value, ModuleType | type) and not inspect.isroutine(value)


def _is_reply(value: Any) -> bool:
    reply = sys.modules.get(REPLIES)  # without it there is none
    return reply is not None and isinstance(value, reply.Reply)


def _is_schema(value: Any) -> bool:
    if isinstance(value, type):
        own = [vars(base) for base in value.__mro__]
        marks = ("model_json_schema", "__dataclass_fields__", "__total__")
        return any(mark in names for names in own for mark in marks)
    return type(value) is dict and any(word in value for word in _SCHEMA_WORDS)


def _is_table(value: Any) -> bool:
    if type(value) is list:
        return bool(value) and type(value[0]) is dict
    return any(base.__name__ in {"DataFrame", "Table"} for base in type(value).__mro__)


def _is_engine(value: Any) -> bool:
    kinds = {f"{base.__module__}.{base.__name__}" for base in type(value).__mro__}
    return "distributed.client.Client" in kinds


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_tool(value: Any) -> bool:
    return callable(value) and not isinstance(value, type)


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "attach": _is_value,
    "out": _is_value,
    "schema": _is_schema,
    "tool": _is_tool,
    "map": _is_table,
    "engine": _is_engine,
    "check": _is_tool,
    "rubric": _is_text,
}


# -- attributes, filters, paths ------------------------------------------------------------------------


def _iter_attributes(namespace: Mapping[str, Any], path: Sequence[str], start: str) -> Iterator[str]:
    """Yield what a template may write after `path.`: attributes, and a dict's keys."""
    if path[0] not in namespace:
        return
    value = namespace[path[0]]
    for name in path[1:]:
        try:
            value = _look_up(value, name)
        except AttributeError:
            return
    if type(value) is dict:
        keys = [key for key in islice(value, MOST) if isinstance(key, str) and key.isidentifier()]
        yield from _starting(start, keys)
    try:
        names = [name for name in dir(value) if isinstance(name, str)]
    except Exception:  # noqa: BLE001 -- `__dir__` is the user's code
        return
    # A template may not use names that begin with an underscore.
    yield from (name for name in _starting(start, names) if not name.startswith("_"))


def _look_up(value: Any, name: str) -> Any:
    """Return what `value.name` holds in a template if that can be known without running code.

    Raises
    ------
    AttributeError
        There is none, or a property or `__getattr__` would have to say.

    """
    if type(value) is dict and name in value:
        return value[name]
    found = inspect.getattr_static(value, name)
    if isinstance(found, MemberDescriptorType):
        return found.__get__(value)
    if not isinstance(found, type) and hasattr(type(found), "__get__"):
        raise AttributeError(name)
    return found


@cache
def _filters() -> tuple[str, ...]:
    from jinja2.filters import FILTERS as JINJAS

    from ..prompt.filters import FILTERS

    return tuple(sorted({*FILTERS, *JINJAS}))


def _iter_paths(start: str) -> Iterator[str]:
    folder, slash, name = start.rpartition("/")
    try:
        with os.scandir(os.path.expanduser(folder + slash) or ".") as entries:
            for entry in sorted(islice(entries, MOST_FILES), key=lambda entry: entry.name):
                if entry.name.startswith(name) and (name or not entry.name.startswith(".")):
                    yield f"{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}"
    except (OSError, ValueError):  # no such folder, or no name a folder could have
        return


# -- IPython's side ------------------------------------------------------------------------------------


class _Nothing:
    """No completions, and none of other matchers: IPython lets only those that found some suppress others."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def _new_matcher(completion: Completion) -> Any:
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher
    except ImportError:  # IPython before 8.6
        return lambda token: _match_token(completion, token)

    @context_matcher(identifier=IDENTIFIER)  # type: ignore[untyped-decorator]  # IPython's carries no types
    def match(context: Any) -> dict[str, Any]:
        lines = context.full_text.split("\n")
        cursor = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        found = completion.complete(context.full_text, cursor)
        if found is None:
            return {"completions": []}
        texts = [SimpleCompletion(text, type=found.kind) for text in found.texts]
        return {
            "completions": texts or _Nothing(),
            "matched_fragment": found.typed,
            "suppress": True,
            "do_not_suppress": _STILL_COMPLETING,
            "ordered": True,
        }

    return match


def _match_token(completion: Completion, token: str) -> list[str]:
    """Complete as IPython before 8.6 wants it: for the token it has cut, of the cursor's line alone."""
    line = completion.line_before_cursor
    found = completion.complete(line, len(line))
    if found is None:
        return []
    if found.typed.endswith(token):
        cut = len(found.typed) - len(token)
        return [text[cut:] for text in found.texts if text.startswith(found.typed[:cut])]
    if token.endswith(found.typed):
        return [token[: len(token) - len(found.typed)] + text for text in found.texts]
    return []
