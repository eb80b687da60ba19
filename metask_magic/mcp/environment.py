"""What a server is given of the environment, by name; and the values that must not be seen again."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import SettingError
from ..language import _
from .servers import Server

SHORTEST_SECRET = 6
"""Characters of a value that is hidden: a shorter one is a word that stands elsewhere too."""

# What a program needs to run at all, to reach a network and to write text; none of it is a key.
_INHERITED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|LANG|LC_\w+|TMPDIR|TEMP|TMP|XDG_\w+|VIRTUAL_ENV"
    r"|APPDATA|HOMEDRIVE|HOMEPATH|LOCALAPPDATA|PATHEXT|PROCESSOR_ARCHITECTURE|PROGRAMDATA|PROGRAMFILES"
    r"|COMSPEC|SYSTEMDRIVE|SYSTEMROOT|WINDIR|USERNAME|USERPROFILE"
    r"|NPM_CONFIG_YES|HTTPS?_PROXY|ALL_PROXY|NO_PROXY|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS",
    re.IGNORECASE,
)
# npx asks before it installs what is missing, and nobody can answer it: whoever added the server has.
_ANSWERS = {"npm_config_yes": "true"}

_REFERENCE = re.compile(r"\$\{(?:env:)?([A-Za-z_]\w*)(?::-([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Given:
    """A server's command, address, environment and headers with their values, and what hides those."""

    command: tuple[str, ...]
    url: str
    environment: Mapping[str, str]
    headers: Mapping[str, str]
    hide: Callable[[str], str]


def resolve(server: Server, hide: Callable[[str], str] = str) -> Given:
    """Look up the variables that a server is given now.

    `hide` takes the key for the gateway out of a text; what is returned hides the variables' values too.

    Raises
    ------
    SettingError
        The environment has no such variable.

    """
    used: dict[str, str] = {}

    def filled(text: str) -> str:
        return _REFERENCE.sub(lambda found: _value(server, found, used), text)

    inherited = {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}
    return Given(
        tuple(map(filled, server.command)),
        filled(server.url),
        _ANSWERS | inherited | {name: filled(value) for name, value in server.env.items()},
        {name: filled(value) for name, value in server.headers.items()},
        _hiding(used, hide),
    )


def _value(server: Server, found: re.Match[str], used: dict[str, str]) -> str:
    name, default = found[1], found[2]
    value = os.environ.get(name)
    if value is None and default is None:
        raise SettingError(
            _(
                "The server {server} is to be given {name}, which the environment does not have.",
                server=server.name,
                name=name,
            ),
            _("Set the variable before the kernel starts, or with `os.environ` and `getpass` in a cell."),
        )
    if value is None:
        return str(default)
    used[name] = value
    return value


def _hiding(values: Mapping[str, str], hide: Callable[[str], str]) -> Callable[[str], str]:
    """Return what puts a variable's name into the place of its value, also as JSON writes it."""
    marks = {
        written: f"[{name}]"
        for name, value in values.items()
        for part in (value, value.rpartition(" ")[2])  # `Bearer …`
        for written in (part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1])
        if len(part) >= SHORTEST_SECRET
    }
    longest_first = sorted(marks, key=len, reverse=True)

    def hidden(text: str) -> str:
        for written in longest_first:
            text = text.replace(written, marks[written])
        return hide(text)

    return hidden
