"""How many rows a model gets that has answered none: as many as it takes to give it up, and never more."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import pytest

from metask_magic.batch.caution import GIVEN_UP_AFTER, CautiousEngine
from metask_magic.batch.engine import Answer
from metask_magic.chat.reply import Reply
from metask_magic.errors import ServerError
from metask_magic.messages.request import Message, Request

REQUEST = Request("m", (Message("user", "Hi"),), stream=False)
GOOD = Answer("k", REQUEST, Reply("ok", "m", "stop"))
BAD = Answer("k", REQUEST, Reply("", "m", "error", error=ServerError("No.", status=500)))


class Inner:
    """An engine with answers that have come."""

    retried, hindrance, in_flight, limit, appetite = 0, "", 0, 8, 64

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = list(answers)

    def start(self, arrived: Callable[[], None]) -> None: ...

    def launch(self, requests: Sequence[tuple[Hashable, Request]]) -> None: ...

    def stop(self) -> None: ...

    def take(self) -> list[Answer]:
        taken, self._answers = self._answers, []
        return taken


@pytest.mark.parametrize(
    ("answers", "appetite", "given_up"),
    [
        ([], GIVEN_UP_AFTER, False),
        ([BAD] * 3, GIVEN_UP_AFTER - 3, False),
        ([BAD] * 3 + [GOOD], 64, False),
        ([GOOD] + [BAD] * 50, 64, False),
        ([BAD] * GIVEN_UP_AFTER, 0, True),
    ],
)
def test_what_it_is_asked(answers: list[Answer], appetite: int, given_up: bool) -> None:
    engine = CautiousEngine(Inner(answers))
    taken = engine.take()
    assert (engine.appetite, engine.given_up) == (appetite, given_up)
    assert [answer.ends_run for answer in taken] == [False] * (len(answers) - given_up) + [True] * given_up
