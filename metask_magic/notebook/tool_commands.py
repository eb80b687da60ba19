"""`%metask tools`: list servers and their tools, add, load, show, remove."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..display.table import Table
from ..errors import MetaskError, OptionError
from ..mcp.config import read_config
from ..mcp.connection import Connection
from ..mcp.prompts import all_prompts, arguments_in_words
from ..mcp.registry import Servers
from ..mcp.resources import all_resources, all_templates
from ..mcp.servers import Server
from ..mcp.toolbox import Toolbox, wait_for
from ..words import counted, did_you_mean, nearest, plain, shorten
from .option_words import iter_words

LONGEST_DESCRIPTION = 300
LONGEST_SCHEME = len("Bearer  ")
_REFERENCE = re.compile(r"\$\{[A-Za-z_]\w*\}")
MOST_RESOURCES = 50

NewToolbox = Callable[..., Toolbox]


@dataclass(frozen=True, slots=True)
class _Command:
    """What follows the command's name, how many words at least, and what does it."""

    usage: str
    least: int
    run: Callable[[Servers, Toolbox, Sequence[str]], str | Table]


def run(servers: Servers, toolbox: Toolbox, line: str) -> Table | str:
    """Do what `line`, the words after `%metask tools`, says. Return a table or a sentence.

    Raises
    ------
    MetaskError
        It cannot be done: no such command or server, a file that is none, a server that does not start.

    """
    words = [*iter_words(line)]
    if not words:
        return overview(servers, toolbox)
    word, *rest = words
    command = COMMANDS.get(word)
    if command is None:
        raise _unknown(servers, word)
    if len(rest) < command.least:
        raise OptionError(
            f"`%metask tools {word}` does not fit: {plain(line)}.", f"Type %metask tools {command.usage}"
        )
    return command.run(servers, toolbox, rest)


def overview(servers: Servers, toolbox: Toolbox) -> Table:
    """Return the servers with their tools, what each may do and when it was last used."""
    if not servers:
        return Table(
            "There are no servers of tools.", (), (), "`%metask tools add NAME -- COMMAND` adds one."
        )
    rows = tuple(row for connection in servers for row in _iter_rows(connection, toolbox))
    note = (
        "What a tool may do is its server's word, and nothing checks it. `%metask tools show NAME` tells "
        "more; also: add, load, remove."
    )
    return Table(
        counted(len(servers), "server"), ("server", "tool", "what it may do", "last used"), rows, note
    )


def _iter_rows(connection: Connection, toolbox: Toolbox) -> Iterator[tuple[str, ...]]:
    name = connection.server.name
    try:
        tools = toolbox.declared(connection)
    except MetaskError as error:  # one that does not start keeps none from being listed
        yield name, "", plain(str(error)), ""
        return
    if not tools:
        yield name, "", "it has no tools", ""
    for tool in tools:
        used = connection.used.get(tool.name)
        yield name, plain(tool.name), tool.may, f"{used:%Y-%m-%d %H:%M:%S}" if used else ""


def _unknown(servers: Servers, word: str) -> OptionError:
    if word in servers:
        remedy = f"`%metask tools show {word}` shows the server."
    else:
        near = did_you_mean([f"`%metask tools {name}`" for name in nearest(word, COMMANDS)])
        remedy = near or f"There are {', '.join(COMMANDS)}; `%metask tools` alone lists the servers."
    return OptionError(f"`%metask tools` has no command {plain(word)}.", remedy)


def _add(servers: Servers, _toolbox: Toolbox, words: Sequence[str]) -> str:
    server = read_server(words)
    servers.add(server)
    return f"{server.name} is added: {server.origin}\n{_later(server)}"


def _later(server: Server) -> str:
    """What happens when the server is used."""
    if not server.command:
        return "It is asked when it is first used."
    installs = " npx then installs what is missing." if Path(server.command[0]).stem == "npx" else ""
    return f"It is started when it is first used.{installs}"


def read_server(words: Sequence[str]) -> Server:
    """Read `NAME [options] -- COMMAND …` or `NAME URL [options]`. Raises `OptionError`."""
    name, *rest = words
    before, command = rest, []
    if "--" in rest:
        at = rest.index("--")
        before, command = rest[:at], rest[at + 1 :]
    env: dict[str, str] = {}
    headers: dict[str, str] = {}
    addresses: list[str] = []
    while before:
        match before:
            case ["--env", said, *before]:
                env |= _named(said, "--env")
            case ["--header-env", said, *before] if "=" in said:
                headers |= _named(said, "--header-env")
            case [("--env" | "--header-env") as option, *_]:
                raise OptionError(f"{option} is not whole.", f"Type %metask tools {COMMANDS['add'].usage}")
            case [address, *before] if address.startswith(("http://", "https://")) and not addresses:
                addresses.append(address)
            case [other, *_]:
                raise _misplaced(name, other)
    url = "".join(addresses)
    return Server(name, tuple(command), url, env=env, headers=headers, folder=Path.cwd())


def _named(said: str, option: str) -> Mapping[str, str]:
    """Read `NAME`, `NAME=VARIABLE` or `NAME=Bearer ${VARIABLE}`. What could be a secret is not repeated."""
    name, equals, variable = said.partition("=")
    if _REFERENCE.search(variable) and len(_REFERENCE.sub("", variable)) <= LONGEST_SCHEME:
        return {name: variable}
    if equals and not _is_variable(variable):
        raise OptionError(
            f"{option} {plain(name)}=… does not name a variable of the environment.",
            "A secret stands in no cell: put it into a variable, and give its name.",
        )
    return {name: f"${{{variable or name}}}"}


def _is_variable(word: str) -> bool:
    return word.isidentifier() and word.isascii()


def _misplaced(name: str, word: str) -> OptionError:
    said = f"A command stands after two hyphens: %metask tools add {plain(name)} -- COMMAND"
    return OptionError(
        f"{plain(word.partition('=')[0])} is no option of `%metask tools add`, and no address.",
        f"Type %metask tools {COMMANDS['add'].usage}" if word.startswith("-") else said,
    )


def _load(servers: Servers, _toolbox: Toolbox, words: Sequence[str]) -> str:
    found, left_out = read_config(Path(words[0]).expanduser())
    for server in found:
        if server.name in servers:
            raise OptionError(
                f"There is a server {server.name} already.",
                f"`%metask tools remove {server.name}` removes it.",
            )
    for server in found:
        servers.add(server)
    lines = [f"{server.name} is added: {server.origin}" for server in found]
    return "\n".join([*lines, *dict.fromkeys(map(_later, found)), *left_out])


def _show(servers: Servers, toolbox: Toolbox, words: Sequence[str]) -> Table:
    connection = servers.get(words[0])
    server = connection.server
    rows = [("from", server.origin)]
    if server.given:
        rows.append(("given of the environment", server.given))
    for tool in toolbox.declared(connection):
        rows.append((f"tool {plain(tool.name)}", _about(tool.may, tool.description)))
    note = "All of it is the server's word, and nothing checks it."
    if toolbox.asks:
        rows += [*_iter_prompts(connection), *_iter_resources(connection)]
    else:
        note += " Prompts and resources are not listed while recordings are replayed."
    return Table(server.name, (), tuple(rows), note)


def _iter_prompts(connection: Connection) -> Iterator[tuple[str, str]]:
    for prompt in wait_for(connection, all_prompts(connection)):
        used = f"--prompt {connection.server.name}.{arguments_in_words(prompt)}"
        yield f"prompt {plain(prompt.name)}", _about(used, connection.hide(prompt.description or ""))


def _iter_resources(connection: Connection) -> Iterator[tuple[str, str]]:
    resources = wait_for(connection, all_resources(connection))
    for one in resources[:MOST_RESOURCES]:
        yield f"resource {plain(one.name)}", plain(connection.hide(one.uri))
    if len(resources) > MOST_RESOURCES:
        yield "resources", f"… and {len(resources) - MOST_RESOURCES:,} more"
    for one in wait_for(connection, all_templates(connection)):
        yield f"resources {plain(one.name)}", plain(connection.hide(one.uri_template))


def _about(first: str, description: str) -> str:
    return f"{first}: {shorten(plain(description), LONGEST_DESCRIPTION)}" if description else first


def _remove(servers: Servers, _toolbox: Toolbox, words: Sequence[str]) -> str:
    servers.remove(words[0])
    return f"{words[0]} is removed, and has ended if it ran."


COMMANDS = {
    "add": _Command(
        "add NAME [--env VARIABLE] -- COMMAND, or add NAME URL [--header-env HEADER=VARIABLE]", 2, _add
    ),
    "load": _Command("load PATH", 1, _load),
    "show": _Command("show NAME", 1, _show),
    "remove": _Command("remove NAME", 1, _remove),
}
