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
from ..scripts.export import LANGUAGES, Code
from ..words import did_you_mean

FORCE = "--force"
SUFFIXES = {".py": "python", ".mjs": "node", ".sh": "curl"}
RUNNERS = {"python": "python", "node": "node", "curl": "bash"}

_USE = "It is: %metask export [NAME] [python|node|curl] [PATH] [--force]"


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
    return f"Written to {wanted.path}. To run it: {RUNNERS[code.language]} {shlex.quote(str(wanted.path))}"


def parse_export(line: str) -> ExportLine:
    """Read what follows `%metask export`. Raises `OptionError`."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise OptionError(f"The line cannot be read: {error}.", _USE) from None
    found: dict[str, str] = {}
    for word in words:
        kind = _kind(word)
        if kind in found:
            raise OptionError(f"{found[kind]!r} and {word!r} are both a {kind}.", _USE)
        found[kind] = word
    if "option" in found and found["option"] != FORCE:
        raise OptionError(f"There is no option {found['option']}.", _USE)
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
            raise MetaskError("No model has been asked yet.", "Ask one, or name a variable with a reply.")
        return last
    found = namespace.get(name)
    if isinstance(found, Reply):
        return found
    replies = [known for known, value in namespace.items() if isinstance(value, Reply)]
    named = [known for known in replies if not known.startswith("_")]
    near = difflib.get_close_matches(name, [*named, *LANGUAGES], n=2)
    remedy = did_you_mean(near) or (f"Replies are in {', '.join(named)}." if named else _USE)
    if name in namespace:
        raise MetaskError(f"{name} is no reply but of type {type(found).__name__}.", remedy)
    raise MetaskError(f"There is no reply with the name {name}.", remedy)


def _language_of(path: Path) -> str:
    if path.suffix not in SUFFIXES:
        raise OptionError(
            f"The name {path.name} does not say which language.",
            f"End it in {', '.join(SUFFIXES)}, or name one of {', '.join(LANGUAGES)}.",
        )
    return SUFFIXES[path.suffix]


def _write(code: Code, path: Path, *, force: bool) -> None:
    try:
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(code)
    except FileExistsError:
        raise MetaskError(f"The file {path} exists.", f"{FORCE} writes over it.") from None
    except OSError as error:
        raise MetaskError(f"{path} cannot be written: {error.strerror}.", "Name another path.") from None
