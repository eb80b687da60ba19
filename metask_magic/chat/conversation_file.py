"""Conversations as JSON Lines: a header, then a turn on each line, images within as base64.

A file that cannot be read to its last turn is not read at all: a conversation with holes looks whole.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from ..errors import ConversationError
from ..language import N_, _
from ..messages.kinds import JSON, Role
from ..messages.request import Content, ImagePart, Message, Part, TextPart, ToolCall
from .conversation import CellKey, Conversation, Turn

T = TypeVar("T")

VERSION = 1
MARK = "metask-conversation"

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # no UTF-8 for it, but JSON has an escape


# What is wrong with a line: the end of a sentence that begins with it.
_NOT_JSON = N_("is not whole, or no JSON")
_NO_TURN = N_("is no turn")
_NOT_PROPER = N_("has no proper {name}")
_UNKNOWN_ROLE = N_("has a message of an unknown role, {name}")
_NOT_BASE64 = N_("has an image that is not base64")


class _NotReadableError(Exception):
    """What is wrong with a line, one of those above; `name` is quoted in it."""

    def __init__(self, fault: str = "", name: str | None = None) -> None:
        super().__init__(fault)
        self.fault = _(fault) if name is None else _(fault, name=repr(name))


def to_jsonl(conversation: Conversation) -> str:
    """Return the conversation as JSON Lines, with a newline at the end."""
    header: dict[str, JSON] = {"format": MARK, "version": VERSION, "name": conversation.name}
    return "".join(f"{_dump(line)}\n" for line in (header, *map(_turn_to_json, conversation.turns)))


def from_jsonl(text: str, source: str = "") -> Conversation:
    """Read what `to_jsonl` wrote. Raises `ConversationError`, which names `source` and the line."""
    source = source or _("The text")
    # Not `splitlines`: JSON text may hold other line separators as they are.
    first, *rest = text.removesuffix("\n").split("\n")
    name = _read_header(first, source)
    turns: list[Turn] = []
    for number, line in enumerate(rest, start=2):
        try:
            turns.append(_turn_from_json(_parse(line)))
        except _NotReadableError as error:
            raise ConversationError(
                _unreadable(source, number, error),
                _("Correct or remove the line, or take the file from a backup."),
            ) from None
    return Conversation(name, tuple(turns))


def save(conversation: Conversation, path: Path) -> None:
    """Write the conversation, whole or not at all.

    Raises
    ------
    ConversationError
        The file cannot be written, or there is one already that is no conversation.

    """
    target = Path(os.path.realpath(path))  # a link stays a link
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        known = os.path.lexists(target)
        if known:
            _check_ours(target)
        try:
            partial.write_text(to_jsonl(conversation), encoding="utf-8", newline="\n")
            if known:
                shutil.copymode(target, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise ConversationError(
            _("{path} cannot be written ({why}).", path=path, why=error.strerror or error),
            _("Choose another path."),
        ) from None


def load(path: Path) -> Conversation:
    """Read a conversation that `save` wrote. Raises `ConversationError`, which names file and line."""
    try:
        if path.exists() and not path.is_file():  # a pipe would never end
            raise ConversationError(
                _("{path} is no file.", path=path), _("Give the path of a saved conversation.")
            )
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise ConversationError(
            _("There is no file {path}.", path=path), _("The working directory is {path}.", path=Path.cwd())
        ) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConversationError(
            _("{path} cannot be read: line {line} is not UTF-8.", path=path, line=line),
            _("Take the file from a backup."),
        ) from None
    except OSError as error:
        raise ConversationError(
            _("{path} cannot be read ({why}).", path=path, why=error.strerror or error), _("Check the path.")
        ) from None
    return from_jsonl(text, str(path))


def _check_ours(path: Path) -> None:
    if not path.is_file():
        raise ConversationError(
            _("{path} is there already and is no file.", path=path), _("Choose another path.")
        )
    with path.open("rb") as file:
        first = file.readline()
    try:
        _read_header(first.decode(), str(path))
    except (ConversationError, UnicodeDecodeError):
        raise ConversationError(
            _("{path} is there already and holds no conversation of this version.", path=path),
            _("Choose another path, or remove the file."),
        ) from None


def _read_header(line: str, source: str) -> str:
    try:
        header = _parse(line)
        if _get(header, "format", str) != MARK:
            raise _NotReadableError
        version = _get(header, "version", int)
    except _NotReadableError:
        raise ConversationError(
            _("{source} is no conversation: line 1 is not the header of one.", source=source),
            _("Give the path of a file that `%metask chats save` wrote."),
        ) from None
    if version > VERSION:
        raise ConversationError(
            _(
                "{source} was written by a newer version: line 1 says format {version}, known is {known}.",
                source=source,
                version=version,
                known=VERSION,
            ),
            _("`pip install --upgrade metask-magic`, then load it again."),
        )
    try:
        return _get(header, "name", str)
    except _NotReadableError as error:
        raise ConversationError(
            _unreadable(source, 1, error), _("Correct the line, or take the file from a backup.")
        ) from None


def _unreadable(source: str, line: int, error: _NotReadableError) -> str:
    return _("{source} cannot be read: line {line} {fault}.", source=source, line=line, fault=error.fault)


# -- values to JSON -----------------------------------------------------------------------------------


def _dump(line: Mapping[str, JSON]) -> str:
    dumped = json.dumps(line, ensure_ascii=False)
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", dumped)


def _turn_to_json(turn: Turn) -> dict[str, JSON]:
    return {
        "cell": turn.key.cell,
        "execution": turn.key.execution,
        "ordinal": turn.key.ordinal,
        "model": turn.model,
        "system": turn.system,
        "user": _message_to_json(turn.user),
        "answer": [_message_to_json(message) for message in turn.answer],
    }


def _message_to_json(message: Message) -> dict[str, JSON]:
    content: JSON = (
        message.content if isinstance(message.content, str) else [_part_to_json(p) for p in message.content]
    )
    data: dict[str, JSON] = {"role": message.role, "content": content}
    if message.tool_calls:
        data["tool_calls"] = [
            {"id": call.id, "name": call.name, "arguments": call.arguments} for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        data["tool_call_id"] = message.tool_call_id
    return data


def _part_to_json(part: Part) -> dict[str, JSON]:
    if isinstance(part, TextPart):
        return {"text": part.text}
    return {"image": b64encode(part.data).decode(), "media_type": part.media_type, "name": part.name}


# -- JSON to values -----------------------------------------------------------------------------------


def _parse(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise _NotReadableError(_NOT_JSON) from None


def _get(data: Any, name: str, kind: type[T]) -> T:
    if not isinstance(data, dict):
        raise _NotReadableError(_NO_TURN)
    found = data.get(name)
    if not isinstance(found, kind) or (isinstance(found, bool) and kind is int):
        raise _NotReadableError(_NOT_PROPER, name)
    return found


def _get_optional(data: Any, name: str) -> str | None:
    return None if isinstance(data, dict) and data.get(name) is None else _get(data, name, str)


def _turn_from_json(data: Any) -> Turn:
    return Turn(
        CellKey(_get(data, "cell", str), _get(data, "execution", str), _get(data, "ordinal", int)),
        _message_from_json(_get(data, "user", dict)),
        tuple(map(_message_from_json, _get(data, "answer", list))),
        _get(data, "model", str),
        _get_optional(data, "system"),
    )


def _message_from_json(data: Any) -> Message:
    role = _get(data, "role", str)
    known = next((known for known in get_args(Role) if known == role), None)
    if known is None:
        raise _NotReadableError(_UNKNOWN_ROLE, role)
    calls = _get(data, "tool_calls", list) if "tool_calls" in data else []
    return Message(
        known,
        _content_from_json(data),
        tuple(map(_call_from_json, calls)),
        _get_optional(data, "tool_call_id"),
    )


def _content_from_json(data: Any) -> Content:
    if isinstance(data.get("content"), str):
        return str(data["content"])
    return tuple(map(_part_from_json, _get(data, "content", list)))


def _part_from_json(data: Any) -> Part:
    if isinstance(data, dict) and "text" in data:
        return TextPart(_get(data, "text", str))
    try:
        image = b64decode(_get(data, "image", str), validate=True)
    except ValueError:
        raise _NotReadableError(_NOT_BASE64) from None
    return ImagePart(_get(data, "media_type", str), image, _get(data, "name", str))


def _call_from_json(data: Any) -> ToolCall:
    return ToolCall(_get(data, "id", str), _get(data, "name", str), _get(data, "arguments", str))
