"""`%metask chats`: list, show, fork, rename, forget, trim, save, load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..chat.conversation import Conversation
from ..chat.conversation_file import load, save
from ..display.table import Table
from ..errors import ConversationError
from ..language import N_, _, ngettext
from ..messages.request import ImagePart
from ..words import did_you_mean, listed, nearest, plain, sentences, size
from .chats import Chats, as_loaded
from .option_words import words_of_command
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
        words = words_of_command(line)
    except ValueError:
        raise ConversationError(
            _("The line has a quotation mark that is never closed, or a \\ at its end."),
            _("Close it, or escape it with \\."),
        ) from None
    if not words:
        return overview(chats)
    word, *rest = words
    command = COMMANDS.get(word)
    if command is None:
        raise _unknown(chats, word)
    if not command.least <= len(rest) <= command.most:
        raise ConversationError(
            _("`%metask chats {word}` does not fit: {line}.", word=word, line=plain(line)), _type(command)
        )
    return command.run(chats, rest)


def _type(command: _Command) -> str:
    return _("Type %metask chats {usage}", usage=_(command.usage))


def overview(chats: Chats) -> Table:
    """Return the list of all conversations."""
    rows = tuple(_row(conversation) for conversation in chats)
    if not rows:
        return Table(_("There are no conversations."), (), (), _("`%%metask MODEL -c NAME` begins one."))
    return Table(
        ngettext("{count} conversation", "{count} conversations", len(rows)),
        (_("name"), _("turns"), _("characters"), _("images"), _("models")),
        rows,
        _("`%metask chats show NAME` shows one; also: fork, rename, forget, trim, save, load."),
    )


def _row(conversation: Conversation) -> tuple[str, ...]:
    turns = conversation.turns
    images = [image for turn in turns for image in turn.images]
    return (
        conversation.name,
        f"{len(turns):,}",
        f"{sum(turn.characters for turn in turns):,}",
        _images_of(images) if images else "",
        listed(dict.fromkeys(plain(turn.model) for turn in turns)),
    )


def _images_of(images: Sequence[ImagePart]) -> str:
    in_all = size(sum(len(image.data) for image in images))
    return _("{number:,} ({size})", number=len(images), size=in_all)


def _unknown(chats: Chats, word: str) -> ConversationError:
    if any(conversation.name == word for conversation in chats):
        remedy = _("`%metask chats show {name}` shows the conversation.", name=word)
    else:
        like = nearest(word, COMMANDS)
        near = did_you_mean([f"`%metask chats {name}`" for name in like])  # English: a command
        remedy = near or _(
            "There are {commands}; `%metask chats` alone lists the conversations.", commands=listed(COMMANDS)
        )
    return ConversationError(_("`%metask chats` has no command {word}.", word=plain(word)), remedy)


def _show(chats: Chats, words: Sequence[str]) -> Transcript:
    return Transcript(chats.get(words[0]))


def _fork(chats: Chats, words: Sequence[str]) -> str:
    name, new = words
    forked = chats.get(name).renamed(new)
    chats.add(forked)
    return ngettext(
        "{new} begins with the {count} turn of {name}.",
        "{new} begins with the {count} turns of {name}.",
        len(forked.turns),
        new=new,
        name=name,
    )


def _rename(chats: Chats, words: Sequence[str]) -> str:
    name, new = words
    chats.rename(name, new)
    return _(
        "{name} is {new} now. A cell that says `-c {name}` begins another conversation.", name=name, new=new
    )


def _forget(chats: Chats, words: Sequence[str]) -> str:
    (name,) = words
    turns = chats.get(name).turns
    chats.forget(name)
    return ngettext(
        "{name} and its {count} turn are forgotten.",
        "{name} and its {count} turns are forgotten.",
        len(turns),
        name=name,
    )


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
                    _("--keep needs the number of turns to keep, 1 or more."),
                    _("`%metask chats forget {name}` removes them all.", name=old.name),
                )
            case [other, *_]:
                raise ConversationError(
                    _("`%metask chats trim` has no option {name}.", name=plain(other)),
                    _type(COMMANDS["trim"]),
                )
    chats.replace(new)
    turns = ngettext(
        "{kept:,} of {count} turn", "{kept:,} of {count} turns", len(old.turns), kept=len(new.turns)
    )
    images = ngettext(
        "{kept:,} of {count} image", "{kept:,} of {count} images", _images(old), kept=_images(new)
    )
    return _("{name} keeps {turns} and {images}.", name=old.name, turns=turns, images=images)


def _images(conversation: Conversation) -> int:
    return sum(len(turn.images) for turn in conversation.turns)


def _save(chats: Chats, words: Sequence[str]) -> str:
    name, path = words
    conversation = chats.get(name)
    save(conversation, Path(path).expanduser())
    return ngettext(
        "{name} is saved with {count} turn in {path}.",
        "{name} is saved with {count} turns in {path}.",
        len(conversation.turns),
        name=name,
        path=plain(path),
    )


def _load(chats: Chats, words: Sequence[str]) -> str:
    loaded = as_loaded(load(Path(words[0]).expanduser()))
    named = loaded.renamed(words[1]) if len(words) > 1 else loaded
    try:
        chats.add(named)
    except ConversationError as error:
        another = _("`%metask chats load PATH NAME` loads it under another name.")
        error.remedy = sentences(error.remedy, another)
        raise
    return ngettext(
        "{name} is loaded with {count} turn.",
        "{name} is loaded with {count} turns.",
        len(named.turns),
        name=named.name,
    )


COMMANDS = {
    "show": _Command("show NAME", 1, 1, _show),
    "fork": _Command("fork NAME NEW", 2, 2, _fork),
    "rename": _Command("rename NAME NEW", 2, 2, _rename),
    "forget": _Command("forget NAME", 1, 1, _forget),
    "trim": _Command(N_("trim NAME --keep N, or trim NAME --images"), 2, 4, _trim),
    "save": _Command("save NAME PATH", 2, 2, _save),
    "load": _Command("load PATH [NAME]", 1, 2, _load),
}
