"""The nearest names in the remedy of a 404."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from metask_magic.answering import suggestion
from metask_magic.answering.suggestion import SuggestingBackend
from metask_magic.errors import HostRefusedError, MetaskError, NotFoundError, ServerError
from metask_magic.gateway.models import Catalog
from metask_magic.messages.events import Event, TextDelta
from metask_magic.messages.request import Message, Request

from ..fakes import Script

REQUEST = Request("gpt-4o-mni", (Message("user", "Hi"),))


class Lister:
    """Lists some models, fails, or (None) never answers."""

    def __init__(self, answer: list[str] | MetaskError | None) -> None:
        self._answer = answer
        self.asked = 0

    async def get_models(self) -> list[dict[str, Any]]:
        self.asked += 1
        if self._answer is None:
            await asyncio.Event().wait()
        if isinstance(self._answer, MetaskError):
            raise self._answer
        return [{"id": model} for model in self._answer or ()]


async def events(script: Script, lister: Lister) -> list[Event]:
    return [event async for event in SuggestingBackend(script, Catalog(lister)).stream(REQUEST)]


def test_a_reply_comes_through_and_no_list_is_asked_for() -> None:
    lister = Lister([])
    assert asyncio.run(events(Script(TextDelta("a"), TextDelta("b")), lister)) == [
        TextDelta("a"),
        TextDelta("b"),
    ]
    assert lister.asked == 0


@pytest.mark.parametrize(
    ("error", "listed", "remedy"),
    [
        (NotFoundError("No.", "Look."), ["gpt-4o-mini", "o1"], "Did you mean gpt-4o-mini? Look."),
        (NotFoundError("No."), ["gpt-4o-mini"], "Did you mean gpt-4o-mini?"),
        (NotFoundError("No.", "Look."), [REQUEST.model], "Look."),  # it is listed, and yet not there
        (NotFoundError("No.", "Look."), [], "Look."),
        (NotFoundError("No.", "Look."), HostRefusedError("Nobody listens."), "Look."),
        (NotFoundError("No.", "Look."), None, "Look."),
        (ServerError("No.", "Look."), ["gpt-4o-mini"], "Look."),
    ],
)
def test_the_remedy(
    error: MetaskError,
    listed: list[str] | MetaskError | None,
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(suggestion, "LOOK_UP_SECONDS", 0.05)
    with pytest.raises(type(error)) as raised:
        asyncio.run(events(Script(error), Lister(listed)))
    assert raised.value is error
    assert error.remedy == remedy
