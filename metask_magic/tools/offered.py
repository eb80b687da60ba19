"""What a model is offered: tools of any kind, and the occasion on which one of them is called."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from ..asking.errands import Errands
from ..language import in_english
from ..messages.events import Event
from ..messages.kinds import JSON
from ..messages.request import ImagePart, Request, ToolCall


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the model is told of a call; `failed` where it was not made, or raised.

    `images` are handed on after the text, where the model takes images. `aside` is what the step shows below
    the result, and the model is not told. `shown` is what the step shows in place of the text, where that is
    a sentence of ours: the model is told it in English, the user in the user's language.
    """

    text: str
    failed: bool = False
    images: tuple[ImagePart, ...] = ()
    aside: str = field(default="", compare=False)
    shown: str = field(default="", compare=False)

    @classmethod
    def failure(cls, say: Callable[[], str]) -> Self:
        """Return the result of a call that failed as `say` says."""
        return cls(in_english(say), failed=True, shown=say())


@dataclass(frozen=True, slots=True)
class Occasion:
    """When a tool is called: as the `number`-th call that the answer to `request` asked for, from 0.

    `sample` says which answer to that request it was. `errands` are the way into the cell's thread, where
    `confirm` is asked; None lets all pass.
    """

    request: Request
    number: int
    sample: int
    errands: Errands
    confirm: Callable[[ToolCall], bool] | None = None


class OfferedTool(Protocol):
    """A tool that a model may call."""

    @property
    def name(self) -> str:
        """The name that the model knows it by."""
        ...

    def to_json(self) -> Mapping[str, JSON]:
        """The tool as the API takes it."""
        ...

    def run(self, call: ToolCall, occasion: Occasion) -> AsyncIterator[Event | ToolResult]:
        """Call it on the private loop: yield what is to be shown meanwhile, and last its result.

        Whatever fails in it is a result. What `confirm` raises is raised here.
        """
        ...
