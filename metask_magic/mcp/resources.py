"""Resources of servers: found by their names or addresses, and read as parts of a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..errors import AttachmentError
from ..language import _
from ..messages.request import Part, TextPart
from ..prompt.values import TEXT_LIMIT, cut
from ..words import did_you_mean, listed, nearest, plain
from .connection import Connection
from .library import all_pages
from .results import contents_parts


async def read_resource(connection: Connection, wanted: str) -> list[Part]:
    """Return what a resource holds; text that is longer than an attachment's is cut, with a note.

    `wanted` is its address, its name, or the end of its address (`report.txt`).

    Raises
    ------
    AttachmentError
        There is none, or it cannot be read.
    ToolServerError
        The server cannot be started or reached.

    """
    from mcp import MCPError

    address = wanted if "://" in wanted else await _find(connection, wanted)
    try:
        read = await connection.ask(lambda client: client.read_resource(address))
    except MCPError as error:
        raise AttachmentError(
            _(
                "The server {server} cannot read {address}: {why}.",
                server=connection.server.name,
                address=plain(address),
                why=plain(connection.hide(error.message)),
            ),
            _("`%metask tools show {server}` lists what it has.", server=connection.server.name),
        ) from None
    return [_fitted(part, connection) for part in contents_parts(read.contents)]


async def all_resources(connection: Connection) -> list[Any]:
    """Return what the server lists; nothing where it has no resources."""

    async def listed(client: Any) -> list[Any]:
        if client.server_capabilities.resources is None:
            return []
        return await all_pages(client.list_resources, "resources")

    return await connection.ask(listed)


async def all_templates(connection: Connection) -> list[Any]:
    """Return what the server lists of addresses with something to fill in."""

    async def listed(client: Any) -> list[Any]:
        if client.server_capabilities.resources is None:
            return []
        return await all_pages(client.list_resource_templates, "resource_templates")

    return await connection.ask(listed)


async def _find(connection: Connection, wanted: str) -> str:
    resources = await all_resources(connection)
    name = connection.server.name
    if not resources:
        raise AttachmentError(
            _("The server {name} lists no resources.", name=name),
            _(
                "Give the whole address, such as `-a {name}:scheme://path`, "
                "or let a tool of it read: -T {name}",
                name=name,
            ),
        )
    found = [one for one in resources if wanted in (one.name, one.title, one.uri)]
    found = found or [one for one in resources if one.uri.endswith(f"/{wanted}")]
    if len(found) == 1:
        return str(found[0].uri)
    if found:
        raise AttachmentError(
            _(
                "The server {server} has {count} resources {name}.",
                server=name,
                count=len(found),
                name=plain(wanted),
            ),
            _("Give the address of one: {addresses}", addresses=listed(plain(one.uri) for one in found[:3])),
        )
    raise _none(name, wanted, [one.name for one in resources])


def _none(server: str, wanted: str, known: Sequence[str]) -> AttachmentError:
    near = did_you_mean([f"{server}:{one}" for one in nearest(wanted, known)])
    return AttachmentError(
        _("The server {server} has no resource {name}.", server=server, name=plain(wanted)),
        near or _("`%metask tools show {server}` lists what it has.", server=server),
    )


def _fitted(part: Part, connection: Connection) -> Part:
    """Return the part without secrets, its text as long as a variable's may be."""
    if not isinstance(part, TextPart):
        return part
    text = cut(connection.hide(part.text))
    if len(part.text) > TEXT_LIMIT:
        connection.bulletin.tell(
            _(
                "A resource of {server} has {length:,} characters and is sent with {sent:,} of them, "
                "from both ends.",
                server=connection.server.name,
                length=len(part.text),
                sent=TEXT_LIMIT,
            )
        )
    return replace(part, text=text)
