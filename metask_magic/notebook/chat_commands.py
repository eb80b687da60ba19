"""`%metask chats`: list, show, fork, rename, forget, trim, save, load."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..chat.conversation import Conversation
from ..chat.conversation_file import load, save
from ..display.table import Table
from ..errors import ConversationError
from ..words import counted, did_you_mean, nearest, plain, size
from .chats import Chats, as_loaded
from .transcript import Transcript


@dataclass(frozen=True, slots=True)
class _Command:
    """What follows the command's name, how many words at least and at most, and what does it."""

    usage: str
    least: int
    most: int
    run: Callable[[Chats, Sequence[str]], str | Transcript]


def run(chats: Chats, line: str) -> Table | Transcript | str:
    """Do what `line`, the words after `%metask chats`, says. Return what is to be shown, or a sentence.

    Raises
    ------
    ConversationError
        It cannot be done: no such conversation or command, a name that is taken, a file that is none.

    """
    try:
        words = shlex.split(line)
    except ValueError:
        raise ConversationError(
            "The line has a quotation mark that is never closed, or a \\ at its end.",
            "Close it, or escape it with \\.",
        ) from None
    if not words:
        return overview(chats)
    word, *rest = words
    command = COMMANDS.get(word)
    if command is None:
        raise _unknown(chats, word)
    if not command.least <= len(rest) <= command.most:
        raise ConversationError(
            f"`%metask chats {word}` does not fit: {plain(line)}.", f"Type %metask chats {command.usage}"
        )
    return command.run(chats, rest)


def overview(chats: Chats) -> Table:
    """Return the list of all conversations."""
    rows = tuple(_row(conversation) for conversation in chats)
    if not rows:
        return Table("There are no conversations.", (), (), "`%%metask MODEL -c NAME` begins one.")
    return Table(
        counted(len(rows), "conversation"),
        ("name", "turns", "characters", "images", "models"),
        rows,
        "`%metask chats show NAME` shows one; also: fork, rename, forget, trim, save, load.",
    )


def _row(conversation: Conversation) -> tuple[str, ...]:
    turns = conversation.turns
    images = [image for turn in turns for image in turn.images]
    return (
        conversation.name,
        f"{len(turns):,}",
        f"{sum(turn.characters for turn in turns):,}",
        f"{len(images):,} ({size(sum(len(image.data) for image in images))})" if images else "",
        ", ".join(dict.fromkeys(plain(turn.model) for turn in turns)),
    )


def _unknown(chats: Chats, word: str) -> ConversationError:
    if any(conversation.name == word for conversation in chats):
        remedy = f"`%metask chats show {word}` shows the conversation."
    else:
        near = did_you_mean([f"`%metask chats {name}`" for name in nearest(word, COMMANDS)])
        remedy = near or f"There are {', '.join(COMMANDS)}; `%metask chats` alone lists the conversations."
    return ConversationError(f"`%metask chats` has no command {plain(word)}.", remedy)


def _show(chats: Chats, words: Sequence[str]) -> Transcript:
    return Transcript(chats.get(words[0]))


def _fork(chats: Chats, words: Sequence[str]) -> str:
    name, new = words
    forked = chats.get(name).renamed(new)
    chats.add(forked)
    return f"{new} begins with the {counted(len(forked.turns), 'turn')} of {name}."


def _rename(chats: Chats, words: Sequence[str]) -> str:
    name, new = words
    chats.rename(name, new)
    return f"{name} is {new} now. A cell that says `-c {name}` begins another conversation."


def _forget(chats: Chats, words: Sequence[str]) -> str:
    (name,) = words
    turns = chats.get(name).turns
    chats.forget(name)
    return f"{name} and its {counted(len(turns), 'turn')} are forgotten."


def _trim(chats: Chats, words: Sequence[str]) -> str:
    name, *options = words
    old = new = chats.get(name)
    while options:
        match options:
            case ["--images", *options]:
                new = new.without_images()
            case ["--keep", number, *options] if number.isdecimal() and int(number) > 0:
                new = new.trimmed(int(number))
            case ["--keep", *_]:
                raise ConversationError(
                    "--keep needs the number of turns to keep, 1 or more.",
                    f"`%metask chats forget {old.name}` removes them all.",
                )
            case [other, *_]:
                raise ConversationError(
                    f"`%metask chats trim` has no option {plain(other)}.",
                    f"Type %metask chats {COMMANDS['trim'].usage}",
                )
    chats.replace(new)
    turns = f"{len(new.turns):,} of {counted(len(old.turns), 'turn')}"
    return f"{old.name} keeps {turns} and {_images(new):,} of {counted(_images(old), 'image')}."


def _images(conversation: Conversation) -> int:
    return sum(len(turn.images) for turn in conversation.turns)


def _save(chats: Chats, words: Sequence[str]) -> str:
    name, path = words
    conversation = chats.get(name)
    save(conversation, Path(path).expanduser())
    return f"{name} is saved with {counted(len(conversation.turns), 'turn')} in {plain(path)}."


def _load(chats: Chats, words: Sequence[str]) -> str:
    loaded = as_loaded(load(Path(words[0]).expanduser()))
    named = loaded.renamed(words[1]) if len(words) > 1 else loaded
    try:
        chats.add(named)
    except ConversationError as error:
        error.remedy += " `%metask chats load PATH NAME` loads it under another name."
        raise
    return f"{named.name} is loaded with {counted(len(named.turns), 'turn')}."


COMMANDS = {
    "show": _Command("show NAME", 1, 1, _show),
    "fork": _Command("fork NAME NEW", 2, 2, _fork),
    "rename": _Command("rename NAME NEW", 2, 2, _rename),
    "forget": _Command("forget NAME", 1, 1, _forget),
    "trim": _Command("trim NAME --keep N, or trim NAME --images", 2, 4, _trim),
    "save": _Command("save NAME PATH", 2, 2, _save),
    "load": _Command("load PATH [NAME]", 1, 2, _load),
}
