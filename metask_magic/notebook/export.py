"""`%metask export`: the request of a reply as a script, shown or written to a file."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..chat.reply import Reply
from ..display.record import Bundle, to_bundle
from ..errors import MetaskError, OptionError
from ..language import N_, _
from ..scripts.export import LANGUAGES, Code
from ..words import did_you_mean, listed
from .option_words import words_of_command

FORCE = "--force"
SUFFIXES = {".py": "python", ".mjs": "node", ".sh": "curl"}
RUNNERS = {"python": "python", "node": "node", "curl": "bash"}

_BOTH = {
    "language": N_("{one!r} and {other!r} are both a language."),
    "option": N_("{one!r} and {other!r} are both an option."),
    "name": N_("{one!r} and {other!r} are both a name."),
    "path": N_("{one!r} and {other!r} are both a path."),
}
_USE = N_("It is: %metask export [NAME] [python|node|curl] [PATH] [--force]")


@dataclass(frozen=True, slots=True)
class ExportLine:
    """What follows `%metask export`: a variable, a language and a path, each where it was given."""

    name: str | None = None
    language: str | None = None
    path: Path | None = None
    force: bool = False


def export(line: str, namespace: Mapping[str, Any], last: Reply | None) -> Code | str:
    """Return the script of a reply, or write it and return what was done.

    `last` is the reply that is meant where the line names none.

    Raises
    ------
    MetaskError
        The line cannot be read, there is no such reply, it has no script, or the file cannot be written.

    """
    wanted = parse_export(line)
    reply = _find(wanted.name, namespace, last)
    if wanted.path is None:
        return reply.as_code(wanted.language or "python")
    code = reply.as_code(wanted.language or _language_of(wanted.path))
    _write(code, wanted.path.expanduser(), force=wanted.force)
    command = f"{RUNNERS[code.language]} {shlex.quote(str(wanted.path))}"
    return _("Written to {path}. To run it: {command}", path=wanted.path, command=command)


def parse_export(line: str) -> ExportLine:
    """Read what follows `%metask export`. Raises `OptionError`."""
    try:
        words = words_of_command(line)
    except ValueError as error:
        raise OptionError(_("The line cannot be read: {why}.", why=error), _(_USE)) from None
    found: dict[str, str] = {}
    for word in words:
        kind = _kind(word)
        if kind in found:
            raise OptionError(_(_BOTH[kind], one=found[kind], other=word), _(_USE))
        found[kind] = word
    if "option" in found and found["option"] != FORCE:
        raise OptionError(_("There is no option {name}.", name=found["option"]), _(_USE))
    return ExportLine(
        found.get("name"),
        found.get("language"),
        Path(found["path"]) if "path" in found else None,
        "option" in found,
    )


def show_code(code: Code, **_: Any) -> Bundle:
    """Return the bundle that shows a script: highlighted, and harmless whatever the prompt in it."""
    return {**to_bundle(code.to_markdown()), "text/plain": str(code)}


def register(shell: Any) -> None:
    """Let the shell show scripts as code."""
    shell.display_formatter.mimebundle_formatter.for_type(Code, show_code)


def unregister(shell: Any) -> None:
    shell.display_formatter.mimebundle_formatter.pop(Code, None)


def _kind(word: str) -> str:
    if word in LANGUAGES:
        return "language"
    if word.startswith("-"):
        return "option"
    return "name" if re.fullmatch(r"[^\W\d]\w*", word) else "path"


def _find(name: str | None, namespace: Mapping[str, Any], last: Reply | None) -> Reply:
    if name is None:
        if last is None:
            raise MetaskError(
                _("No model has been asked yet."), _("Ask one, or name a variable with a reply.")
            )
        return last
    found = namespace.get(name)
    if isinstance(found, Reply):
        return found
    replies = [known for known, value in namespace.items() if isinstance(value, Reply)]
    named = [known for known in replies if not known.startswith("_")]
    near = difflib.get_close_matches(name, [*named, *LANGUAGES], n=2)
    remedy = did_you_mean(near) or (_("Replies are in {names}.", names=listed(named)) if named else _(_USE))
    if name in namespace:
        raise MetaskError(
            _("{name} is no reply but of type {type}.", name=name, type=type(found).__name__), remedy
        )
    raise MetaskError(_("There is no reply with the name {name}.", name=name), remedy)


def _language_of(path: Path) -> str:
    if path.suffix not in SUFFIXES:
        raise OptionError(
            _("The name {name} does not say which language.", name=path.name),
            _(
                "End it in {suffixes}, or name one of {languages}.",
                suffixes=listed(SUFFIXES),
                languages=listed(LANGUAGES),
            ),
        )
    return SUFFIXES[path.suffix]


def _write(code: Code, path: Path, *, force: bool) -> None:
    try:
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(code)
    except FileExistsError:
        raise MetaskError(
            _("The file {path} exists.", path=path), _("{option} writes over it.", option=FORCE)
        ) from None
    except OSError as error:
        raise MetaskError(
            _("{path} cannot be written: {why}.", path=path, why=error.strerror), _("Name another path.")
        ) from None
