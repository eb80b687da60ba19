"""What the events of one request add up to: the model's answer, as far as it has come."""

from __future__ import annotations

from .events import (
    Event,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Served,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReported,
)
from .request import ToolCall


class Fold:
    """Folds the events of one request.

    Attributes
    ----------
    served
        Who answers, as far as the server said it.
    usage
        The tokens that were reported last; None where none were.
    reason
        Why the model stopped, in the server's own word; None where it has not said.

    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._calls: dict[int, ToolCall] = {}
        self.served = Served(None, None)
        self.usage: Usage | None = None
        self.reason: str | None = None

    def take(self, event: Event) -> bool:
        """Fold one event in, and tell whether it is of this kind: one that a model's answer consists of."""
        match event:
            case TextDelta(text):
                self._text.append(text)
            case ReasoningDelta(text):
                self._reasoning.append(text)
            case RefusalDelta(text):
                self._refusal.append(text)
            case ToolCallDelta():
                self._add_to_call(event)
            case Served(model, request_id):
                self.served = Served(model or self.served.model, request_id or self.served.request_id)
            case UsageReported(usage):
                self.usage = usage
            case Finished(reason):
                self.reason = reason
            case _:
                return False
        return True

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning)

    @property
    def refusal(self) -> str:
        return "".join(self._refusal)

    @property
    def calls(self) -> dict[int, ToolCall]:
        """The calls that the model asks for, by their position and in its order."""
        return dict(sorted(self._calls.items()))

    def _add_to_call(self, delta: ToolCallDelta) -> None:
        """Put a piece of a call where it belongs; the first id and name that come stay."""
        known = self._calls.get(delta.position, ToolCall("", "", ""))
        self._calls[delta.position] = ToolCall(
            known.id or delta.id, known.name or delta.name, known.arguments + delta.arguments
        )
