"""What can go wrong with a server, told with what it said last."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ..errors import ToolServerError
from ..language import N_, _
from ..words import plain, sentences, shorten
from .servers import Server
from .stdio import Said

LONGEST_WORDS = 600

AGAIN = N_("It was started again.")

_FATE = re.compile(r"\[ended (?:with exit code (?P<code>\d+)|by (?:signal )?(?P<signal>\w+))\]")
"""What `supervisor.py` writes below a command's last words."""


class GoneError(ToolServerError):
    """A server has ended, or its connection has."""


def gone(server: Server, said: Said, hide: Callable[[str], str]) -> GoneError:
    """Return the error for a server that ended while it was asked something."""

    def say() -> str:
        told = _told(said, hide)
        if server.command:
            return _("The server {name} has ended{told}.", name=server.name, told=told)
        return _(
            "The server {name} at {origin} is gone{told}.", name=server.name, origin=server.origin, told=told
        )

    return GoneError.told(say, _("The next cell that uses it starts it again."))


def started_again(error: GoneError) -> GoneError:
    """Return the error for a server that ended and was started again."""
    told = GoneError(sentences(error.message, _(AGAIN)), error.remedy)
    told.for_model = f"{error.for_model} {AGAIN}"
    return told


def not_started(
    server: Server,
    said: Said,
    hide: Callable[[str], str],
    error: BaseException | None,
    *,
    seconds: float | None = None,
) -> ToolServerError:
    """Return the error for a server that does not answer, or does it after `seconds` not yet."""
    name, origin = server.name, server.origin
    if seconds is not None:
        return ToolServerError.told(
            lambda: _(
                "The server {name} has not answered within {seconds:g} s{told}.",
                name=name,
                seconds=seconds,
                told=_told(said, hide),
            ),
            _(
                "Look whether it starts in a terminal, or give it more time: "
                "`%config Metask.server_timeout = 120`"
            ),
        )
    if server.url:
        return ToolServerError.told(
            lambda: _(
                "The server {name} at {origin} cannot be reached: {why}.",
                name=name,
                origin=origin,
                why=said.trouble() or _reason(error, hide),
            ),
            _about_headers(server),
        )
    return ToolServerError.told(
        lambda: _(
            "The server {name} cannot be started{told}.",
            name=name,
            told=_told(said, hide) or _(": {trouble}", trouble=_reason(error, hide)),
        ),
        _("Run its command in a terminal: {command}", command=origin),
    )


def _about_headers(server: Server) -> str:
    if server.headers:
        return _(
            "Check the address, and what {headers} is: a variable's value is sent as it stands, and some "
            "servers want `--header-env 'Authorization=Bearer {variable}'`.",
            headers=server.given,
            variable="${VARIABLE}",
        )
    return _("Check the address, and whether it wants a key: `--header-env NAME=VARIABLE` sends one.")


def _told(said: Said, hide: Callable[[str], str]) -> str:
    """Return the end of a sentence: what the server said, where it said anything."""
    return "".join(map(hide, _iter_told(said)))


def _iter_told(said: Said) -> Iterator[str]:
    if trouble := said.trouble():
        yield _(": {trouble}", trouble=trouble)
    if said.stray:
        yield _("; it wrote what is no message of the protocol: {words!r}", words=plain(said.stray))
    if said.last_lines:
        words = " / ".join(map(_word, said.last_lines))
        yield _("; its last words: {words}", words=shorten(words, LONGEST_WORDS))


def _word(line: str) -> str:
    fate = _FATE.fullmatch(line)
    if fate is None:
        return plain(line)
    if fate["code"]:
        return _("[ended with exit code {code}]", code=fate["code"])
    if fate["signal"].isdecimal():
        return _("[ended by signal {number}]", number=fate["signal"])
    return _("[ended by {signal}]", signal=fate["signal"])


def _reason(error: BaseException | None, hide: Callable[[str], str]) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is None:
        return _("it says nothing")
    return hide(plain(f"{error}" or type(error).__name__)).rstrip(".")
