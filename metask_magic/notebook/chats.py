"""The conversations of this kernel, and which cell asks in them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..chat.conversation import CellKey, Conversation, Turn, is_turn, iter_messages
from ..chat.reply import Reply
from ..errors import ContextLengthError, ConversationError
from ..language import _
from ..messages.request import Message
from ..words import did_you_mean, nearest, sentences

IMAGE_CHARACTERS = 4000  # an image costs about a thousand tokens, and a token is about four characters
NOT_TO_BLAME = 4  # times that a question is longer than its context, which then is not why

_SIGNS = "_-."
_IN_NAMES = ("L", "M", "N")  # Unicode's letters, marks (which many scripts write words with) and numbers
_FORGOTTEN_ON_CLOSING = "vscode-"


def cell_key(shell: Any) -> CellKey:
    """Return which cell runs, and which of its executions this is.

    JupyterLab and Notebook send nbformat's cell id as `cellId`, and Colab its own in `colab.cell_id`; both
    are stored in the notebook. VS Code sends the cell's URI, with the number it had when the notebook was
    opened: it holds until the notebook is closed, and may be another cell's when it is opened again. nbclient
    and papermill send none, and a terminal has no request at all.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return CellKey("", str(shell.execution_count))
    request = kernel.get_parent("shell")
    metadata = request.get("metadata") or {}
    cell = metadata.get("cellId") or (metadata.get("colab") or {}).get("cell_id") or ""
    return CellKey(str(cell), str(request.get("header", {}).get("msg_id", "")))


class Chats:
    """Conversations by name. A cell's questions are told apart by counting them, one execution at a time."""

    def __init__(self) -> None:
        self._conversations: dict[str, Conversation] = {}
        self._execution = ""
        self._asked: Counter[str] = Counter()

    def context(
        self, name: str, cell: CellKey, own_system: str | None = None
    ) -> tuple[tuple[Message, ...], str | None]:
        """Return what goes before a cell's next question: earlier messages, and the system message.

        Parameters
        ----------
        name
            The conversation; one that is not there yet is empty.
        cell
            The cell that asks (`cell_key`).
        own_system
            The system message the cell itself gives; the one in force where it gives none is returned, or
            None.

        Raises
        ------
        ConversationError
            It cannot be a conversation's name.

        """
        conversation, key = self._at(name, cell)
        return tuple(iter_messages(conversation.before(key))), conversation.system_for(key, own_system)

    def remember(
        self, name: str, cell: CellKey, user: Message, reply: Reply, own_system: str | None = None
    ) -> bool:
        """Take note of a question that was asked, and put it and its reply in where the reply is whole.

        Returns whether it is a turn now. To be called once for each question, however its reply ended: the
        next one of the same execution is another question. Where the prompt was too long, the error's remedy
        is told how to shorten it.
        """
        conversation, key = self._at(name, cell)
        self._asked[conversation.name] += 1
        taken = is_turn(reply)
        if taken:
            turn = Turn(key, user, reply.messages, reply.requested_model, own_system)
            self._conversations[conversation.name] = conversation.with_turn(turn)
        elif isinstance(reply.error, ContextLengthError):
            reply.error.remedy = sentences(reply.error.remedy, _how_to_shorten(conversation, key, user))
        return taken

    # -- the conversations themselves -----------------------------------------------------------------

    def __iter__(self) -> Iterator[Conversation]:
        return iter(self._conversations.values())

    def get(self, name: str) -> Conversation:
        """Return a conversation. Raises `ConversationError` where there is none of this name."""
        found = self._conversations.get(checked_name(name))
        if found is None:
            near = did_you_mean(nearest(name, self._conversations))
            raise ConversationError(
                _("There is no conversation {name}.", name=name),
                near or _("`%metask chats` lists those there are."),
            )
        return found

    def add(self, conversation: Conversation) -> None:
        """Add a conversation under a new name. Raises `ConversationError` where the name is taken or bad."""
        name = checked_name(conversation.name)
        if name in self._conversations:
            raise ConversationError(
                _("There is already a conversation {name}.", name=name),
                _("Choose another name, or `%metask chats forget {name}` before.", name=name),
            )
        self._conversations[name] = conversation.renamed(name)

    def replace(self, conversation: Conversation) -> None:
        """Put a changed conversation in the place of the one of its name."""
        self._conversations[conversation.name] = conversation

    def forget(self, name: str) -> None:
        """Remove a conversation. Raises `ConversationError` where there is none of this name."""
        del self._conversations[self.get(name).name]

    def rename(self, name: str, new: str) -> None:
        """Give a conversation a new name, at the end of the list. Raises `ConversationError`."""
        old = self.get(name)
        self.add(old.renamed(new))
        del self._conversations[old.name]

    def _at(self, name: str, cell: CellKey) -> tuple[Conversation, CellKey]:
        """Return the conversation, and the key of the cell's next question in it."""
        name = checked_name(name)
        if cell.execution != self._execution:
            self._execution, self._asked = cell.execution, Counter()
        conversation = self._conversations.get(name, Conversation(name))
        return conversation, replace(cell, ordinal=self._asked[name])


def checked_name(name: str) -> str:
    """Return a conversation's name in Unicode's composed form.

    Raises
    ------
    ConversationError
        It has something else than letters, digits and `_-.`, or begins with `-` or `.`.

    """
    composed = unicodedata.normalize("NFC", name)
    known = all(c in _SIGNS or unicodedata.category(c).startswith(_IN_NAMES) for c in composed)
    if not composed or not known or composed[0] in "-.":
        raise ConversationError(
            _("{name!r} cannot be the name of a conversation.", name=name),
            _("Use letters, digits, _, - and ., with a letter or a digit first."),
        )
    return composed


def _how_to_shorten(conversation: Conversation, key: CellKey, user: Message) -> str:
    """Return the command that takes about half of a question's context away, or its images.

    Nothing where the context is not what makes the prompt too long.
    """
    turns = conversation.before(key)
    text = sum(turn.characters for turn in turns)
    images = IMAGE_CHARACTERS * sum(len(turn.images) for turn in turns)
    if NOT_TO_BLAME * (text + images) < len(user.text) + IMAGE_CHARACTERS * len(user.images) or not turns:
        return ""
    name, keep = conversation.name, len(conversation.turns) - (len(turns) + 1) // 2
    if images > text:
        return _("`%metask chats trim {name} --images` takes the images out of the conversation.", name=name)
    if keep:
        return _(
            "`%metask chats trim {name} --keep {keep}` keeps the end of the conversation alone.",
            name=name,
            keep=keep,
        )
    return _("`%metask chats forget {name}` begins the conversation anew.", name=name)


def as_loaded(conversation: Conversation) -> Conversation:
    """Return a conversation from a file, without the keys of cells that are other cells' by now."""
    turns = (
        replace(turn, key=replace(turn.key, cell=""))
        if turn.key.cell.startswith(_FORGOTTEN_ON_CLOSING)
        else turn
        for turn in conversation.turns
    )
    return replace(conversation, turns=tuple(turns))
