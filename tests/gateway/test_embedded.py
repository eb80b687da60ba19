"""The embedded backend: it launches a model (a made-up one here), tells of it, and asks it like a gateway."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metask_magic.errors import HostRefusedError, LocalModelError, MetaskError, ServerError
from metask_magic.gateway import embedded
from metask_magic.gateway.client import GatewayClient
from metask_magic.gateway.embedded import EmbeddedBackend
from metask_magic.gateway.local import Endpoint
from metask_magic.messages.events import Event, Finished, Notice, Served, TextDelta
from metask_magic.messages.request import Message, Request

from ..gateway_server import API_KEY, MODELS, GatewayServer, Streamed, error_event

pytestmark = pytest.mark.kernel

REQUEST = Request("local", (Message("user", "Hi"),), {"seed": 7})
NOWHERE = Endpoint("http://127.0.0.1:9/v1", API_KEY, "gpt-4o")
DESCRIBED = Notice("A made-up model.")


class FakeModel:
    """Plays one step per launch: the lines it tells of, then the endpoint, or what goes wrong."""

    description = "A made-up model"

    def __init__(self, *launches: Endpoint | LocalModelError, lines: tuple[str, ...] = ()) -> None:
        self.launches = list(launches)
        self.lines = lines
        self.path: Path | None = None
        self.launched = self.cancelled = self.terminated = 0

    def __call__(self, path: Path | None) -> FakeModel:
        self.path = path
        return self

    async def launch(self, on_progress: Callable[[str], None]) -> Endpoint:
        self.launched += 1
        for line in self.lines:
            on_progress(line)
            await asyncio.sleep(0)
        found = self.launches[min(self.launched, len(self.launches)) - 1] if self.launches else None
        if isinstance(found, LocalModelError):
            raise found
        if found is None:
            await self.wait_for_ever()
        assert found is not None
        return found

    async def wait_for_ever(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled += 1

    def terminate(self) -> None:
        self.terminated += 1


class Backends:
    """Makes backends on fakes, and closes the clients they make."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.clients: list[GatewayClient] = []
        monkeypatch.setattr(embedded, "GatewayClient", self._client)

    def _client(self, *args: Any) -> GatewayClient:
        self.clients.append(GatewayClient(*args))
        return self.clients[-1]

    def on(self, model: FakeModel, path: Path | None = None) -> EmbeddedBackend:
        self._patch.setattr(embedded, "LocalModel", model)
        return EmbeddedBackend(path, timeout=30.0)

    def ask(self, backend: EmbeddedBackend, times: int = 1) -> list[list[Event] | MetaskError]:
        """What each of several requests brings: its events, or the error it ends with."""

        async def once() -> list[Event] | MetaskError:
            try:
                return [event async for event in backend.stream(REQUEST)]
            except MetaskError as error:
                return error

        async def run() -> list[list[Event] | MetaskError]:
            async with contextlib.AsyncExitStack() as stack:
                answers = [await once() for _ in range(times)]
                for client in self.clients:
                    stack.push_async_callback(client.aclose)
                return answers

        return asyncio.run(run())


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> Backends:
    return Backends(monkeypatch)


@pytest.fixture
def endpoint(gateway: GatewayServer) -> Endpoint:
    return Endpoint(gateway.base_url, gateway.api_key, "gpt-4o")


@pytest.mark.parametrize("lines", [(), ("Starting.",), ("Starting.", "Still starting (1 s).", "(2 s).")])
def test_notices_come_first(
    backends: Backends, endpoint: Endpoint, gateway: GatewayServer, lines: tuple[str, ...]
) -> None:
    (events,) = backends.ask(backends.on(FakeModel(endpoint, lines=lines)))
    assert isinstance(events, list)
    assert events[: len(lines) + 1] == [*map(Notice, lines), DESCRIBED]
    assert events[len(lines) + 1 : -1] == [
        Served(None, "req_0001"), Served("gpt-4o", None), TextDelta("Hi"), Finished("stop")
    ]  # fmt: skip
    assert (gateway.last.json["model"], gateway.last.json["seed"]) == ("gpt-4o", 7)


def test_one_client_serves_while_the_model_lives(backends: Backends, endpoint: Endpoint) -> None:
    model = FakeModel(endpoint)
    first, second = backends.ask(backends.on(model), times=2)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert (first[0], second[0]) == (DESCRIBED, Served(None, "req_0002")), "described once"
    assert (len(backends.clients), model.launched) == (1, 2)


def test_a_model_launched_anew_gets_a_client_of_its_own(backends: Backends, endpoint: Endpoint) -> None:
    moved = Endpoint(endpoint.base_url, endpoint.api_key, "o1")
    first, second = backends.ask(backends.on(FakeModel(endpoint, moved)), times=2)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert Served("gpt-4o", None) in first
    assert Served("o1", None) in second
    assert len(backends.clients) == 2


@pytest.mark.parametrize("lines", [(), ("Starting.",)])
def test_a_failed_launch_is_told(backends: Backends, lines: tuple[str, ...]) -> None:
    failure = LocalModelError("No memory.", "Buy some.")
    backend = backends.on(FakeModel(failure, lines=lines))
    seen: list[Event] = []

    async def run() -> None:
        async for event in backend.stream(REQUEST):
            seen.append(event)

    with pytest.raises(LocalModelError) as raised:
        asyncio.run(run())
    assert raised.value is failure
    assert seen == [*map(Notice, lines)]
    assert backends.clients == []


def test_a_launch_can_be_tried_again(backends: Backends, endpoint: Endpoint) -> None:
    failure = LocalModelError("No memory.")
    failed, answered = backends.ask(backends.on(FakeModel(failure, endpoint)), times=2)
    assert failed is failure
    assert isinstance(answered, list)
    assert TextDelta("Hi") in answered


@pytest.mark.parametrize("deaths", [1, 9])
def test_a_process_that_died_is_launched_anew_once(
    backends: Backends, endpoint: Endpoint, deaths: int
) -> None:
    model = FakeModel(*[NOWHERE] * deaths, endpoint)
    (answer,) = backends.ask(backends.on(model))
    assert model.launched == 2
    assert isinstance(answer, HostRefusedError) == (deaths > 1)


def test_other_failures_are_not_a_reason_to_launch(
    backends: Backends, endpoint: Endpoint, gateway: GatewayServer
) -> None:
    gateway.script(Streamed([error_event()]))
    model = FakeModel(endpoint)
    (answer,) = backends.ask(backends.on(model))
    assert isinstance(answer, ServerError)
    assert model.launched == 1


def test_cancelling_ends_the_launch_and_leaves_nothing_behind(backends: Backends) -> None:
    model = FakeModel(lines=("Starting.",))
    backend = backends.on(model)

    async def run() -> None:
        started = asyncio.Event()

        async def consume() -> None:
            async for _ in backend.stream(REQUEST):
                started.set()

        task = asyncio.create_task(consume())
        await started.wait()
        await asyncio.sleep(0)  # now it waits for the next line
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    assert model.cancelled == 1


def test_the_models_are_those_of_the_running_one(backends: Backends, endpoint: Endpoint) -> None:
    backend = backends.on(FakeModel(endpoint, lines=("Starting.",)))

    async def run() -> list[dict[str, Any]]:
        try:
            return await backend.get_models()
        finally:
            await backends.clients[0].aclose()

    assert [entry["id"] for entry in asyncio.run(run())] == list(MODELS)


def test_the_rest_is_the_model_s(backends: Backends, tmp_path: Path) -> None:
    model = FakeModel()
    backend = backends.on(model, tmp_path)
    assert (backend.path, model.path, backend.description) == (tmp_path, tmp_path, model.description)
    backend.terminate()
    assert (model.launched, model.terminated) == (0, 1)
