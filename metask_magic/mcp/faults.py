"""What can go wrong with a server, told with what it said last."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..errors import ToolServerError
from ..words import plain, shorten
from .servers import Server
from .stdio import Said

LONGEST_WORDS = 600


class GoneError(ToolServerError):
    """A server has ended, or its connection has."""


def gone(server: Server, said: Said, hide: Callable[[str], str]) -> GoneError:
    """Return the error for a server that ended while it was asked something."""
    what = "has ended" if server.command else f"at {server.origin} is gone"
    return GoneError(
        f"The server {server.name} {what}{_told(said, hide)}", "The next cell that uses it starts it again."
    )


def not_started(
    server: Server,
    said: Said,
    hide: Callable[[str], str],
    error: BaseException | None,
    *,
    seconds: float | None = None,
) -> ToolServerError:
    """Return the error for a server that does not answer, or does it after `seconds` not yet."""
    if seconds is not None:
        message = f"The server {server.name} has not answered within {seconds:g} s{_told(said, hide)}"
        remedy = (
            "Look whether it starts in a terminal, or give it more time: "
            "`%config Metask.server_timeout = 120`"
        )
    elif server.url:
        why = said.trouble or _reason(error, hide)
        message = f"The server {server.name} at {server.origin} cannot be reached: {why}."
        remedy = f"Check the address, and {_about_headers(server)}."
    else:
        why = _told(said, hide)
        message = (
            f"The server {server.name} cannot be started{why if why != '.' else f': {_reason(error, hide)}.'}"
        )
        remedy = f"Run its command in a terminal: {server.origin}"
    return ToolServerError(message, remedy)


def _about_headers(server: Server) -> str:
    if server.headers:
        return (
            f"what {server.given} is: a variable's value is sent as it stands, and some servers want "
            "`--header-env 'Authorization=Bearer ${VARIABLE}'`"
        )
    return "whether it wants a key: `--header-env NAME=VARIABLE` sends one"


def _told(said: Said, hide: Callable[[str], str]) -> str:
    """Return the end of a sentence: what the server said, where it said anything."""
    parts = [hide(part) for part in _iter_told(said)]
    return f"{''.join(parts)}." if parts else "."


def _iter_told(said: Said) -> Iterator[str]:
    if said.trouble:
        yield f": {said.trouble}"
    if said.stray:
        yield f"; it wrote what is no message of the protocol: {plain(said.stray)!r}"
    if said.last_lines:
        words = " / ".join(plain(line) for line in said.last_lines)
        yield f"; its last words: {shorten(words, LONGEST_WORDS)}"


def _reason(error: BaseException | None, hide: Callable[[str], str]) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is None:
        return "it says nothing"
    return hide(plain(f"{error}" or type(error).__name__)).rstrip(".")
