"""`%metask tools`: list servers and their tools, add, load, show, remove."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..display.table import Table
from ..errors import MetaskError, OptionError
from ..language import N_, _, ngettext, pgettext
from ..mcp.config import read_config
from ..mcp.connection import Connection
from ..mcp.prompts import all_prompts, arguments_in_words
from ..mcp.registry import Servers
from ..mcp.resources import all_resources, all_templates
from ..mcp.servers import Server
from ..mcp.toolbox import Toolbox, wait_for
from ..words import did_you_mean, listed, nearest, plain, sentences, shorten
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
            _("`%metask tools {word}` does not fit: {line}.", word=word, line=plain(line)), _type(command)
        )
    return command.run(servers, toolbox, rest)


def _type(command: _Command) -> str:
    return _("Type %metask tools {usage}", usage=_(command.usage))


def overview(servers: Servers, toolbox: Toolbox) -> Table:
    """Return the servers with their tools, what each may do and when it was last used."""
    if not servers:
        return Table(
            _("There are no servers of tools."), (), (), _("`%metask tools add NAME -- COMMAND` adds one.")
        )
    rows = tuple(row for connection in servers for row in _iter_rows(connection, toolbox))
    note = _(
        "What a tool may do is its server's word, and nothing checks it. `%metask tools show NAME` tells "
        "more; also: add, load, remove."
    )
    return Table(
        ngettext("{count} server", "{count} servers", len(servers)),
        (_("server"), _("tool"), _("what it may do"), _("last used")),
        rows,
        note,
    )


def _iter_rows(connection: Connection, toolbox: Toolbox) -> Iterator[tuple[str, ...]]:
    name = connection.server.name
    try:
        tools = toolbox.declared(connection)
    except MetaskError as error:  # one that does not start keeps none from being listed
        yield name, "", plain(str(error)), ""
        return
    if not tools:
        yield name, "", _("it has no tools"), ""
    for tool in tools:
        used = connection.used.get(tool.name)
        yield name, plain(tool.name), tool.may, f"{used:%Y-%m-%d %H:%M:%S}" if used else ""


def _unknown(servers: Servers, word: str) -> OptionError:
    if word in servers:
        remedy = _("`%metask tools show {name}` shows the server.", name=word)
    else:
        like = nearest(word, COMMANDS)
        near = did_you_mean([f"`%metask tools {name}`" for name in like])  # English: a command
        remedy = near or _(
            "There are {commands}; `%metask tools` alone lists the servers.", commands=listed(COMMANDS)
        )
    return OptionError(_("`%metask tools` has no command {word}.", word=plain(word)), remedy)


def _add(servers: Servers, _toolbox: Toolbox, words: Sequence[str]) -> str:
    server = read_server(words)
    servers.add(server)
    return f"{_added(server)}\n{_later(server)}"


def _added(server: Server) -> str:
    return _("{name} is added: {origin}", name=server.name, origin=server.origin)


def _later(server: Server) -> str:
    """What happens when the server is used."""
    if not server.command:
        return _("It is asked when it is first used.")
    installs = _("npx then installs what is missing.") if Path(server.command[0]).stem == "npx" else ""
    return sentences(_("It is started when it is first used."), installs)


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
                raise OptionError(_("{option} is not whole.", option=option), _type(COMMANDS["add"]))
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
            _(
                "{option} {name}=… does not name a variable of the environment.",
                option=option,
                name=plain(name),
            ),
            _("A secret stands in no cell: put it into a variable, and give its name."),
        )
    return {name: f"${{{variable or name}}}"}


def _is_variable(word: str) -> bool:
    return word.isidentifier() and word.isascii()


def _misplaced(name: str, word: str) -> OptionError:
    said = _("A command stands after two hyphens: %metask tools add {name} -- COMMAND", name=plain(name))
    return OptionError(
        _(
            "{word} is no option of `%metask tools add`, and no address.",
            word=plain(word.partition("=")[0]),
        ),
        _type(COMMANDS["add"]) if word.startswith("-") else said,
    )


def _load(servers: Servers, _toolbox: Toolbox, words: Sequence[str]) -> str:
    found, left_out = read_config(Path(words[0]).expanduser())
    for server in found:
        if server.name in servers:
            raise OptionError(
                _("There is a server {name} already.", name=server.name),
                _("`%metask tools remove {name}` removes it.", name=server.name),
            )
    for server in found:
        servers.add(server)
    lines = [*map(_added, found)]
    return "\n".join([*lines, *dict.fromkeys(map(_later, found)), *left_out])


def _show(servers: Servers, toolbox: Toolbox, words: Sequence[str]) -> Table:
    connection = servers.get(words[0])
    server = connection.server
    rows = [(_("from"), server.origin)]
    if server.given:
        rows.append((_("given of the environment"), server.given))
    for tool in toolbox.declared(connection):
        rows.append((_("tool {name}", name=plain(tool.name)), _about(tool.may, tool.description)))
    left_out = ""
    if toolbox.asks:
        rows += [*_iter_prompts(connection), *_iter_resources(connection)]
    else:
        left_out = _("Prompts and resources are not listed while recordings are replayed.")
    note = sentences(_("All of it is the server's word, and nothing checks it."), left_out)
    return Table(server.name, (), tuple(rows), note)


def _iter_prompts(connection: Connection) -> Iterator[tuple[str, str]]:
    for prompt in wait_for(connection, all_prompts(connection)):
        used = f"--prompt {connection.server.name}.{arguments_in_words(prompt)}"
        about = _about(used, connection.hide(prompt.description or ""))
        yield _("prompt {name}", name=plain(prompt.name)), about


def _iter_resources(connection: Connection) -> Iterator[tuple[str, str]]:
    resources = wait_for(connection, all_resources(connection))
    for one in resources[:MOST_RESOURCES]:
        yield _("resource {name}", name=plain(one.name)), plain(connection.hide(one.uri))
    if len(resources) > MOST_RESOURCES:
        yield _("resources"), _("… and {number:,} more", number=len(resources) - MOST_RESOURCES)
    for one in wait_for(connection, all_templates(connection)):
        yield _("resources {name}", name=plain(one.name)), plain(connection.hide(one.uri_template))


def _about(first: str, description: str) -> str:
    if not description:
        return first
    shown = shorten(plain(description), LONGEST_DESCRIPTION)
    return pgettext("of a tool", "{what}: {description}", what=first, description=shown)


def _remove(servers: Servers, _toolbox: Toolbox, words: Sequence[str]) -> str:
    servers.remove(words[0])
    return _("{name} is removed, and has ended if it ran.", name=words[0])


COMMANDS = {
    "add": _Command(
        N_("add NAME [--env VARIABLE] -- COMMAND, or add NAME URL [--header-env HEADER=VARIABLE]"), 2, _add
    ),
    "load": _Command("load PATH", 1, _load),
    "show": _Command("show NAME", 1, _show),
    "remove": _Command("remove NAME", 1, _remove),
}
