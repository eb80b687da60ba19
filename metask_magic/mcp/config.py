"""`mcp.json`: servers in the shape that editors and assistants share."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import OptionError
from ..language import _
from ..words import plain
from .servers import Server, check

_SECRET_NAME = re.compile(
    r"key|token|secret|passw|credential|authorization|cookie|dsn|connection_?string", re.IGNORECASE
)
_REFERENCE = re.compile(r"\$\{[^}]+\}")


def read_config(path: Path) -> tuple[list[Server], list[str]]:
    """Read `mcpServers` (VS Code's `servers`) of a file; return the servers, and what was left out and why.

    In its values `${NAME}` stands for a variable of the environment. A relative command runs in the working
    directory.

    Raises
    ------
    OptionError
        It cannot be read, has another shape, or a secret stands in it.

    """
    data = _load(path)
    entries = data.get("mcpServers", data.get("servers"))
    if not isinstance(entries, Mapping):
        raise OptionError(
            _("{path} has no mcpServers.", path=path),
            _("Its shape is {shape}.", shape='{"mcpServers": {"NAME": {"command": "…", "args": []}}}'),
        )
    found: list[Server] = []
    left_out: list[str] = []
    for name, entry in entries.items():
        if not isinstance(entry, Mapping):
            raise OptionError(
                _("The server {name} of {path} is no object.", name=plain(name), path=path),
                _("Correct the file."),
            )
        if entry.get("disabled") is True or entry.get("enabled") is False:
            left_out.append(_("{name} is left out: the file turns it off.", name=plain(name)))
        elif entry.get("type") == "sse":
            left_out.append(
                _(
                    "{name} is left out: its transport, sse, is none of today's protocol.",
                    name=plain(name),
                )
            )
        else:
            found.append(check(_server(str(name), entry, path)))
    return found, left_out


def _load(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        why = error.strerror
        raise OptionError(
            _("{path} cannot be read: {why}.", path=path, why=why), _("Check the path.")
        ) from None
    except ValueError as error:
        raise OptionError(
            _("{path} is no JSON: {error}.", path=path, error=error), _("Correct the file.")
        ) from None
    if not isinstance(data, Mapping):
        raise OptionError(
            _("{path} has no mcpServers.", path=path), _("It is a JSON object with that name in it.")
        )
    return data


def _server(name: str, entry: Mapping[str, Any], path: Path) -> Server:
    command, arguments = entry.get("command"), entry.get("args") or []
    words = [command, *arguments] if command else []
    url = entry.get("url") or entry.get("serverUrl") or ""
    env, headers = entry.get("env") or {}, entry.get("headers") or {}
    folder = entry.get("cwd") or "."
    texts = [*words, url, folder]
    shaped = isinstance(arguments, list) and isinstance(env, Mapping) and isinstance(headers, Mapping)
    if not shaped or not all(isinstance(text, str) for text in texts):
        raise OptionError(
            _("The server {name} of {path} has not the shape of one.", name=plain(name), path=path),
            _(
                "It is {command} or {address}.",
                command='{"command": "…", "args": ["…"], "env": {"NAME": "${NAME}"}}',
                address='{"url": "https://…"}',
            ),
        )
    _refuse_secrets(name, {**env, **headers, **dict(_iter_flags(words))}, path)
    _refuse_inputs(name, [*texts, *env.values(), *headers.values()], path)
    return Server(name, tuple(words), url, _texts(env), _texts(headers), Path(folder).expanduser().absolute())


def _refuse_secrets(name: str, given: Mapping[Any, Any], path: Path) -> None:
    for variable, value in given.items():
        is_number = str(value).isdecimal()  # `--max-tokens 100` is no secret
        if _SECRET_NAME.search(str(variable)) and value and not (is_number or _REFERENCE.search(str(value))):
            reference = f"${{{_as_variable(variable)}}}"
            raise OptionError(
                _(
                    "{variable} of the server {name} stands in {path} as it is.",
                    variable=plain(variable),
                    name=plain(name),
                    path=path,
                ),
                _(
                    'Put it into a variable of the environment, and name that there: "{reference}"',
                    reference=reference,
                ),
            )


def _as_variable(name: object) -> str:
    """Return a name that a variable for this might have."""
    return re.sub(r"\W+", "_", plain(name).strip("-")).upper()


def _iter_flags(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of a command with their values, joined by `=` or as the next word."""
    for word, following in zip(words, [*words, ""][1:], strict=True):
        flag, equals, value = word.partition("=")
        if flag.startswith("-") and (equals or not following.startswith("-")):
            yield flag, value if equals else following


def _refuse_inputs(name: str, values: Iterable[Any], path: Path) -> None:
    if any("${input:" in str(value) for value in values):
        raise OptionError(
            _(
                "The server {name} of {path} wants something typed in ({what}).",
                name=plain(name),
                path=path,
                what="${input:…}",
            ),
            _("Put it into a variable of the environment, and write ${NAME} there."),
        )


def _texts(given: Mapping[Any, Any]) -> dict[str, str]:
    """Return names and values as text: a number or a boolean is written as JSON writes it."""
    return {
        str(name): value if isinstance(value, str) else json.dumps(value) for name, value in given.items()
    }
