"""What a request says, whichever model it goes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..messages.formats import instruct
from ..messages.kinds import JSON, Format
from ..messages.request import Message, Request
from ..schemas.schema import ANY_JSON, Schema
from ..tools.offered import OfferedTool


@dataclass(frozen=True, slots=True)
class Draft:
    """What a cell says, once its template is filled in and its names are looked up.

    `system` is what the cell itself gives with `-s`; None where it gives nothing. `opening` is what a
    server's prompt says before the user's message.
    """

    user: Message
    system: str | None
    params: Mapping[str, JSON]
    stream: bool
    format: Format
    schema: Schema | None
    tools: tuple[OfferedTool, ...]
    confirm: bool
    opening: tuple[Message, ...] = ()

    def to_request(self, model: str, history: Sequence[Message], system: str) -> Request:
        """Return the request of one model, after the messages of a conversation."""
        first = [Message("system", system)] if system else []
        return Request(
            model,
            instruct([*first, *history, *self.opening, self.user], self._told_format),
            self.params,
            self.stream,
            tuple(tool.to_json() for tool in self.tools),
            self.schema.response_format if self.schema else None,
            self.format,
        )

    @property
    def _told_format(self) -> Format:
        """What the model is told in words; a schema of one's own says more."""
        return "markdown" if self.schema not in (None, ANY_JSON) else self.format
