"""The ledger against the wire: many streams at once, and its figures are those that the server sent."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from metask_magic.asking.ask import Outcome, ask
from metask_magic.asking.loop import LoopThread
from metask_magic.gateway.client import GatewayClient
from metask_magic.gateway.official import Connection
from metask_magic.keys import ApiKey
from metask_magic.messages.events import Event, TextDelta
from metask_magic.messages.record import Record
from metask_magic.messages.request import Message, Request
from metask_magic.usage.ledger import Figure, Ledger, MeteredBackend, ModelUsage

from ..gateway_server import (
    CUT,
    STALL,
    Answer,
    Chunk,
    Gate,
    GatewayServer,
    Hangup,
    Silent,
    Streamed,
    bad_parameter,
    error_event,
    rate_limited,
    server_error,
)

WAIT = 30.0
MODELS = ("gpt-4o", "gpt-4o-mini", "o1")


def usage(
    input_: int, output: int, cached: int | None = None, reasoning: int | None = None
) -> dict[str, Any]:
    """A usage object as gateways send it, with what is given."""
    told: dict[str, Any] = {
        "prompt_tokens": input_,
        "completion_tokens": output,
        "total_tokens": input_ + output,
    }
    if cached is not None:
        told["prompt_tokens_details"] = {"cached_tokens": cached}
    if reasoning is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return told


def running_total(input_: int, output: int) -> Chunk:
    return Chunk({"choices": [], "usage": usage(input_, output)})


class Stopper:
    """A sink that stops every reply whose text says so."""

    def open(self, stop: Callable[[int | None], None]) -> None:
        self._stop = stop

    def show(self, news: Mapping[int, Sequence[Event]]) -> None:
        for column, events in news.items():
            if any(isinstance(event, TextDelta) and "stop me" in event.text for event in events):
                self._stop(column)

    def close(self, records: Sequence[Record]) -> None:
        pass


async def _no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


class Asker:
    """Asks the gateway for many replies at once, through a ledger."""

    def __init__(self, gateway: GatewayServer, loop: LoopThread) -> None:
        connection = Connection(gateway.base_url, ApiKey(gateway.api_key, "a test"), timeout=WAIT)
        self.client = GatewayClient(connection, sleep=_no_wait)
        self.ledger = Ledger()
        self._loop = loop

    def ask(self, *models: str, budget: int | None = None, stream: bool = True) -> Outcome:
        backend = MeteredBackend(self.client, self.ledger, lambda: budget)
        requests = [Request(model, (Message("user", "Hi"),), stream=stream) for model in models]
        return ask([(request, backend) for request in requests], Stopper(), loop=self._loop)

    @property
    def row(self) -> ModelUsage:
        (row,) = self.ledger.rows()
        return row


def settle(gateway: GatewayServer) -> None:
    """Wait until the server knows of each request how it ended: then its tally is complete."""
    deadline = time.monotonic() + WAIT
    while not all(r.finished.is_set() or r.disconnected.is_set() for r in gateway.chats):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def asker(gateway: GatewayServer) -> Iterator[Asker]:
    loop = LoopThread()
    asker = Asker(gateway, loop)
    yield asker
    loop.run(asker.client.aclose())
    loop.stop()


def test_many_streams_at_once_add_up_to_what_was_sent(gateway: GatewayServer, asker: Asker) -> None:
    chance = random.Random(7)  # noqa: S311 -- any figures will do
    for model in MODELS:
        answers = (
            Streamed(
                "Hello", usage=usage(chance.randrange(5000), chance.randrange(900), chance.randrange(9), 0)
            )
            for _ in range(12)
        )
        gateway.script(*answers, model=model)
    asker.ask(*MODELS * 12)
    settle(gateway)
    assert {row.model for row in asker.ledger.rows()} == set(MODELS)
    for row in asker.ledger.rows():
        sent = [r.usage_sent[-1] for r in gateway.chats if r.json["model"] == row.model]
        assert row.requests == len(sent) == 12
        assert row.input == Figure(sum(told["prompt_tokens"] for told in sent))
        assert row.output == Figure(sum(told["completion_tokens"] for told in sent))
        assert row.cached == Figure(sum(told["prompt_tokens_details"]["cached_tokens"] for told in sent))
        assert row.reasoning == Figure(0)
        assert row.failed == row.interrupted == row.unreported == 0
    assert asker.ledger.total().tokens == sum(told["total_tokens"] for told in gateway.usage_sent)


ENDINGS: dict[str, tuple[list[Answer], dict[str, Any]]] = {
    "whole": ([Streamed("Hi", usage=usage(11, 7))], {}),
    "running totals": ([Streamed(["a", running_total(11, 1), "b"], usage=usage(11, 2))], {}),
    "500, then whole": ([server_error(), Streamed("Hi", usage=usage(11, 7))], {}),
    "429, then whole": ([rate_limited(0), rate_limited(0), Streamed("Hi", usage=usage(11, 7))], {}),
    "not reported": ([Streamed("Hi", usage=None)], {"unreported": 1}),
    "400": ([bad_parameter("seed")], {"failed": 1}),
    "500 to the end": ([server_error()] * 3, {"failed": 1, "unreported": 1}),
    "hung up to the end": ([Hangup()] * 3, {"failed": 1, "unreported": 1}),
    "cut": ([Streamed(["a", CUT])], {"failed": 1, "unreported": 1}),
    "cut after a running total": (
        [Streamed(["a", running_total(11, 1), CUT])],
        {"failed": 1, "unreported": 1},
    ),
    "failed in mid-stream": ([Streamed(["a", error_event()], usage=None)], {"failed": 1, "unreported": 1}),
    "stopped": ([Streamed(["stop me", STALL])], {"interrupted": 1, "unreported": 1}),
    "stopped after a running total": (
        [Streamed([running_total(11, 1), "stop me", STALL])],
        {"interrupted": 1, "unreported": 1},
    ),
}


IN_ONE_PIECE = [name for name in ENDINGS if "stopped" not in name]  # there is no text to stop at


@pytest.mark.parametrize(
    ("name", "stream"), [*((name, True) for name in ENDINGS), *((name, False) for name in IN_ONE_PIECE)]
)
def test_endings(gateway: GatewayServer, asker: Asker, name: str, stream: bool) -> None:
    answers, counted = ENDINGS[name]
    gateway.script(*answers)
    asker.ask("gpt-4o", stream=stream)
    settle(gateway)
    row, sent = asker.row, gateway.usage_sent
    endings = {"failed": row.failed, "interrupted": row.interrupted, "unreported": row.unreported}
    assert {name: count for name, count in endings.items() if count} == counted
    assert (row.requests, gateway.unused) == (1, 0)
    assert row.tokens == sum(told["prompt_tokens"] + told["completion_tokens"] for told in sent)
    assert bool(row.output.missing) is ("unreported" in counted)


def test_a_model_that_is_not_there_used_nothing(asker: Asker) -> None:
    asker.ask("gpt-99")
    row = asker.row
    assert (row.requests, row.failed, row.unreported, row.tokens) == (1, 1, 0, 0)


def test_faults_of_some_change_nothing_for_the_others(gateway: GatewayServer, asker: Asker) -> None:
    for model, (answers, _) in zip((f"m{n}" for n in range(99)), ENDINGS.values(), strict=False):
        gateway.script(*answers, model=model)
    asker.ask(*(f"m{n}" for n in range(len(ENDINGS))))
    rows = {row.model: row for row in asker.ledger.rows()}
    for number, (name, (_, counted)) in enumerate(ENDINGS.items()):
        row = rows[f"m{number}"]
        found = {"failed": row.failed, "interrupted": row.interrupted, "unreported": row.unreported}
        assert (name, {k: v for k, v in found.items() if v}) == (name, counted)
    settle(gateway)
    sent = gateway.usage_sent
    assert asker.ledger.total().tokens == sum(told["total_tokens"] for told in sent)


def test_an_interrupt_of_all_counts_each(gateway: GatewayServer, asker: Asker) -> None:
    gate = Gate()
    gateway.script(Streamed("done", usage=usage(11, 7)), model="gpt-4o")
    gateway.script(*[Silent()] * 3, model="o1")
    gateway.script(Streamed(["stop me", gate]), model="gpt-4o-mini")

    class StopAll(Stopper):
        def show(self, news: Mapping[int, Sequence[Event]]) -> None:
            if any(isinstance(event, TextDelta) and "stop me" in event.text for event in news.get(4, ())):
                gateway.wait_for_requests(5)
                self._stop(None)

    backend = MeteredBackend(asker.client, asker.ledger)
    requests = [Request(m, (Message("user", "Hi"),)) for m in ("gpt-4o", "o1", "o1", "o1", "gpt-4o-mini")]
    ask([(request, backend) for request in requests], StopAll(), loop=asker._loop)
    total = asker.ledger.total()
    assert (total.requests, total.input.missing, total.unreported) == (
        5,
        total.interrupted,
        total.interrupted,
    )
    assert total.interrupted >= 4


def test_past_the_budget_nothing_is_sent(gateway: GatewayServer, asker: Asker) -> None:
    gateway.script(*[Streamed("Hi", usage=usage(11, 7))] * 4)
    asker.ask("gpt-4o", "gpt-4o", budget=36)
    (refused,) = asker.ask("gpt-4o", budget=36).replies
    assert refused.finish_reason == "error"
    assert type(refused.error).__name__ == "BudgetError"
    assert (len(gateway.chats), asker.row.requests) == (2, 2)
    assert asker.ask("gpt-4o", budget=37).replies[0].text == "Hi"
