"""Which tool call a piece of the stream belongs to: gateways do not agree on how they say it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..messages.events import ToolCallDelta


@dataclass(slots=True)
class _Open:
    """A call as far as it has come; `index` is what the gateway calls it by, if it does."""

    index: int | None
    id: str = ""
    name: str = ""
    arguments: str = ""

    def is_continued_by(self, piece: _Open) -> bool:
        """Whether `piece`, which may be meant for this call, is a part of it and not another call."""
        if piece.id and self.id:
            return piece.id == self.id
        if piece.name and self.name:
            # Some repeat the name with each piece; others send whole calls and nothing to tell them apart.
            return piece.name == self.name and not _is_json(self.arguments)
        return True

    def take(self, piece: _Open) -> None:
        self.id, self.name = self.id or piece.id, self.name or piece.name
        self.arguments += piece.arguments


class ToolCallStream:
    """Gives every piece of the tool calls of one reply the position of its call.

    OpenAI numbers them by `index`. Where that is missing, or the same for all, the ids tell the calls
    apart, and where those are missing too, names and whole arguments do.
    """

    def __init__(self) -> None:
        self._calls: dict[int, _Open] = {}

    def iter_deltas(self, pieces: Sequence[Mapping[str, Any]]) -> Iterator[ToolCallDelta]:
        """Yield the deltas of one chunk's `tool_calls`."""
        begun: set[int] = set()
        for entry in pieces:
            piece = _read(entry)
            position = self._find(piece, begun)
            if position is None:
                position = self._free(piece.index)
                self._calls[position] = _Open(piece.index)
            self._calls[position].take(piece)
            begun.add(position)
            yield ToolCallDelta(position, piece.id, piece.name, piece.arguments)

    def _find(self, piece: _Open, begun: set[int]) -> int | None:
        """Return the position of the call that `piece` continues; None where it begins one."""
        if piece.index is not None:
            meant = [at for at, call in self._calls.items() if call.index == piece.index]
        else:
            meant = [at for at in self._calls if at not in begun]  # within a chunk each entry is a call
        same = [at for at in meant if piece.id and self._calls[at].id == piece.id]
        if same:
            return same[-1]
        return meant[-1] if meant and self._calls[meant[-1]].is_continued_by(piece) else None

    def _free(self, index: int | None) -> int:
        """Return the position of a new call: its index where that is free, so that order is kept."""
        if index is not None and index not in self._calls:
            return index
        return max(self._calls, default=-1) + 1


def _read(entry: Mapping[str, Any]) -> _Open:
    function = entry.get("function") or {}
    arguments = function.get("arguments")
    if arguments is None:
        arguments = ""
    return _Open(
        _number(entry.get("index")),
        str(entry.get("id") or ""),
        str(function.get("name") or ""),
        arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False),
    )


def _number(index: Any) -> int | None:
    if isinstance(index, str) and re.fullmatch("[0-9]{1,4}", index):
        return int(index)
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
