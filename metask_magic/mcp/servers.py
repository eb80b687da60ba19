"""What was declared of a server: how it is started or reached, and what it is given of the environment."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import OptionError, SettingError
from ..language import _
from ..settings import is_loopback
from ..words import listed, plain

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,31}")

_EXAMPLE = (
    "%metask tools add files -- npx @modelcontextprotocol/server-filesystem ."  # English: it is a command
)


@dataclass(frozen=True, slots=True)
class Server:
    """A server by its name: a command that is run here, or an address.

    `env` and `headers` are what it is given, by name; in their values, in the command and in the address
    `${VARIABLE}` stands for a variable of the environment, which is looked up when the server is started.
    `folder` is where the command runs.
    """

    name: str
    command: tuple[str, ...] = ()
    url: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=Path)

    @property
    def origin(self) -> str:
        """Where it comes from, fit to be shown: the command, or the address without its query."""
        if self.url:
            parts = urlsplit(self.url)
            return plain(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")
        return plain(shlex.join(self.command))

    @property
    def given(self) -> str:
        """What it is given of the environment: names alone."""
        return listed(plain(name) for name in (*self.env, *self.headers))


def check(server: Server) -> Server:
    """Return the server, if it can be one.

    Raises
    ------
    OptionError
        Its name is none, or it has neither a command nor an address.

    """
    if not NAME.fullmatch(server.name):
        raise OptionError(
            _("{name} cannot be the name of a server.", name=plain(server.name)),
            _("Use up to 32 letters, digits, _ and -, and begin with a letter."),
        )
    if bool(server.command) == bool(server.url):
        raise OptionError(
            _(
                "The server {name} needs a command, or an address that begins with http:// or https://.",
                name=server.name,
            ),
            _("For example: {command}", command=_EXAMPLE),
        )
    if server.url:
        _check_address(server)
    return server


def check_transport(server: Server, *, allow_http: bool) -> None:
    """Refuse an address that would have all of it travel unencrypted. Raises `SettingError`."""
    if urlsplit(server.url).scheme == "http" and not is_loopback(server.url) and not allow_http:
        raise SettingError(
            _(
                "The address of the server {name} is {origin}: what is said to it would travel unencrypted.",
                name=server.name,
                origin=server.origin,
            ),
            _("Use https://, or allow it with `%config Metask.allow_http = True`."),
        )


def _check_address(server: Server) -> None:
    parts = urlsplit(server.url)
    if "@" in parts.netloc:  # the address is not repeated: a password may be in it
        raise OptionError(
            _("The address of the server {name} has a user name or a password in it.", name=server.name),
            _("Put it into a variable of the environment: `--header-env Authorization=VARIABLE`"),
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise OptionError(
            _("The address of the server {name} is none: {origin}.", name=server.name, origin=server.origin),
            _("It begins with http:// or https://."),
        )
