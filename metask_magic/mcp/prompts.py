"""Prompts of servers: texts with arguments, which become messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import OptionError, PromptError
from ..language import _
from ..messages.kinds import JSON
from ..messages.request import Message, Part, TextPart, join_parts, parts_of
from ..words import all_of, did_you_mean, nearest, plain
from .connection import Connection
from .kept import parts_from_json, parts_to_json
from .library import all_pages
from .results import block_parts


async def all_prompts(connection: Connection) -> list[Any]:
    """Return the prompts that the server lists; nothing where it has none."""

    async def listed(client: Any) -> list[Any]:
        if client.server_capabilities.prompts is None:
            return []
        return await all_pages(client.list_prompts, "prompts")

    return await connection.ask(listed)


async def fetch_prompt(connection: Connection, name: str, arguments: Mapping[str, str]) -> list[Message]:
    """Return the messages of a prompt with its arguments filled in, neighbours of a role joined.

    Raises
    ------
    OptionError
        There is no such prompt, or the arguments do not fit.
    PromptError
        The server refused.

    """
    from mcp import MCPError

    _check(connection.server.name, name, arguments, await all_prompts(connection))
    try:
        got = await connection.ask(lambda client: client.get_prompt(name, dict(arguments)))
    except MCPError as error:
        raise PromptError(
            _(
                "The server {server} does not give its prompt {name}: {why}.",
                server=connection.server.name,
                name=plain(name),
                why=plain(connection.hide(error.message)),
            ),
            _(
                "`%metask tools show {server}` lists its prompts and their arguments.",
                server=connection.server.name,
            ),
        ) from None
    hide = connection.hide
    return _joined(
        (message.role, [_without(part, hide) for part in block_parts(message.content)])
        for message in got.messages
    )


def arguments_in_words(prompt: Any) -> str:
    """Return how a prompt is used: `summarize topic=… [length=…]`."""
    arguments = (f"{one.name}=…" if one.required else f"[{one.name}=…]" for one in prompt.arguments or ())
    return plain(" ".join([prompt.name, *arguments]))


def prompt_to_json(messages: Sequence[Message]) -> list[JSON]:
    """Return messages as they are recorded."""
    return [{"role": message.role, "parts": parts_to_json(parts_of(message))} for message in messages]


def prompt_from_json(kept: Sequence[Any]) -> list[Message]:
    """Return what `prompt_to_json` wrote."""
    return [Message(one["role"], join_parts(parts_from_json(one["parts"]))) for one in kept]


def _check(server: str, name: str, arguments: Mapping[str, str], prompts: Sequence[Any]) -> None:
    found = next((prompt for prompt in prompts if prompt.name == name), None)
    if found is None:
        raise _no_such(server, name, [one.name for one in prompts])
    known = [one.name for one in found.arguments or ()]
    missing = [one.name for one in found.arguments or () if one.required and one.name not in arguments]
    strange = [one for one in arguments if one not in known]
    called = f"{server}.{plain(name)}"
    how = f"{server}.{arguments_in_words(found)}"
    used = _("It is used so: --prompt {how}", how=how)
    if missing:
        names = all_of(map(plain, missing))
        raise OptionError(_("The prompt {name} needs {arguments}.", name=called, arguments=names), used)
    if strange:
        raise OptionError(
            _("The prompt {name} takes no {argument}.", name=called, argument=plain(strange[0])), used
        )


def _no_such(server: str, name: str, known: Sequence[str]) -> OptionError:
    near = did_you_mean([f"{server}.{one}" for one in nearest(name, known)])
    remedy = near or _("`%metask tools show {server}` lists what it has.", server=server)
    if not known:
        return OptionError(_("The server {server} has no prompts.", server=server), remedy)
    return OptionError(
        _("The server {server} has no prompt {name}.", server=server, name=plain(name)), remedy
    )


def _joined(messages: Any) -> list[Message]:
    """Return messages in which those of one role that follow each other are one."""
    joined: list[tuple[str, list[Part]]] = []
    for role, parts in messages:
        if joined and joined[-1][0] == role:
            joined[-1][1].extend([TextPart("\n\n"), *parts])
        else:
            joined.append((role, list(parts)))
    return [
        Message("assistant" if role == "assistant" else "user", join_parts(parts)) for role, parts in joined
    ]


def _without(part: Part, hide: Callable[[str], str]) -> Part:
    return TextPart(hide(part.text)) if isinstance(part, TextPart) else part
