"""What servers said, among the recordings: a replay calls no tool and starts no server.

A line of the file is a request and its reply. Of a server the request is what it was asked (`tools`, `call`,
`resource`, `prompt`), and the text of the reply is what it answered, as JSON.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import RecordingError, RecordingMissError
from ..gateway.recorded import CONDUCTS, Conduct
from ..gateway.recording import RecordedReply, Recording
from ..gateway.recording_key import describe, dump, key_of
from ..gateway.recordings import Recordings
from ..language import N_, _
from ..messages.kinds import JSON
from ..messages.request import ImagePart, Part, TextPart
from ..tools.offered import Occasion, ToolResult
from .servers import Server


class Kept:
    """Finds and keeps what servers answered, as the conduct of a cell says; without a `store`, nothing."""

    def __init__(self, store: Recordings | None = None, conduct: Conduct = CONDUCTS["off"]) -> None:
        self._store = store
        self.conduct = conduct

    def find(self, asked: Mapping[str, JSON]) -> Any:
        """Return what was answered, or None where it is to be asked.

        Raises
        ------
        RecordingMissError
            It is not recorded, and nothing may be asked.

        """
        if self._store is None or not self.conduct.replays:
            return None
        found = self._store.find(key_of(asked))
        if found is not None:
            return json.loads(found.reply.text)
        if not self.conduct.asks:
            raise _missed(asked, self._store)
        return None

    def keep(self, asked: Mapping[str, JSON], answer: JSON) -> str:
        """Record an answer, where the cell records; return why it could not be, or nothing."""
        if self._store is None or not self.conduct.records:
            return ""
        try:
            said = dump(answer)
            known = self._store.find(key_of(asked))
            if known is None or known.reply.text != said:
                self._store.append(Recording.of(asked, RecordedReply(said, "stop")))
        except RecordingError as error:
            return _("Not recorded: {error}", error=error)
        return ""

    async def find_call(self, asked: Mapping[str, JSON]) -> ToolResult | None:
        """Return the result of a call that is recorded; None where it is to be made."""
        if self._store is None or not self.conduct.replays:
            return None
        found = await asyncio.to_thread(self._store.find, key_of(asked))
        return None if found is None else _result(json.loads(found.reply.text))


def asked_for(server: Server, what: str, **more: JSON) -> dict[str, JSON]:
    """Return what a server was asked, as a recording has it. Started otherwise, it is another server."""
    said = " ".join([what, *(f"{name}={dump(value)}" for name, value in more.items())])
    return {
        "model": server.name,
        "messages": [{"role": "user", "content": said}],
        "server": what,
        "origin": server.origin,
        **more,
    }


def asked_of_tool(server: Server, tool: str, arguments: JSON, occasion: Occasion) -> dict[str, JSON]:
    """Return a call as a recording has it: as one of those that the answer to a request asked for."""
    after = key_of(describe(occasion.request, occasion.sample))
    return asked_for(server, "call", tool=tool, arguments=arguments, after=after, number=occasion.number)


def result_to_json(result: ToolResult) -> dict[str, JSON]:
    """Return a call's result as it is recorded: what was shown too, where that was not the model's text."""
    kept: dict[str, JSON] = {"text": result.text}
    if result.shown not in ("", result.text):
        kept["shown"] = result.shown
    if result.failed:
        kept["failed"] = True
    if result.images:
        kept["images"] = parts_to_json(result.images)
    return kept


def _result(kept: Any) -> ToolResult:
    images = parts_from_json(kept.get("images", ()))
    return ToolResult(
        str(kept["text"]),
        bool(kept.get("failed")),
        tuple(part for part in images if isinstance(part, ImagePart)),
        shown=str(kept.get("shown", "")),
    )


def parts_to_json(parts: Sequence[Part]) -> list[JSON]:
    """Return parts of a message as they are recorded."""
    return [_part_to_json(part) for part in parts]


def _part_to_json(part: Part) -> JSON:
    if isinstance(part, TextPart):
        return {"text": part.text}
    return {"image": b64encode(part.data).decode(), "media_type": part.media_type, "name": part.name}


def parts_from_json(kept: Sequence[Any]) -> list[Part]:
    """Return what `parts_to_json` wrote."""
    return [
        TextPart(str(part["text"]))
        if "text" in part
        else ImagePart(str(part["media_type"]), b64decode(part["image"]), str(part["name"]))
        for part in kept
    ]


_MISSED = {
    "tools": N_("The tools of the server {name} are not recorded in {path}, and nothing may be asked."),
    "resource": N_("A resource of the server {name} is not recorded in {path}, and nothing may be asked."),
    "prompt": N_("A prompt of the server {name} is not recorded in {path}, and nothing may be asked."),
}


def _missed(asked: Mapping[str, JSON], store: Recordings) -> RecordingMissError:
    return RecordingMissError(
        _(_MISSED[str(asked["server"])], name=asked["model"], path=store.path),
        _('Ask once and record it: `%config Metask.recording = "auto"`.'),
    )
