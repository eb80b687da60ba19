"""The fixtures all tests share: a clean environment, a gateway, a kernel."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from metask_magic import language
from metask_magic.asking.loop import LoopThread

from .gateway_server import GatewayServer
from .kernel import Kernel, clean_environment
from .mcp.installed import Installed
from .workers import Schedule

# A property fails always or never, however slow the machine; `--hypothesis-profile=default` tries new cases.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("repeatable")


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # until all is collected: nothing of that is garbage, and looking for it takes a sixth
    main = sys.modules["__main__"]
    if not hasattr(main, "__spec__"):
        main.__spec__ = None  # a worker of xdist has none, and no process could be spawned from it
    config.addinivalue_line(
        "markers", "sends_wrong_requests: the test's chat requests may violate OpenAI's description"
    )


@pytest.hookimpl(optionalhook=True)  # xdist's
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Schedule | None:
    return Schedule(config, log) if config.option.dist == "loadfile" else None


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


LAYERS = ("unit", "simulation", "kernel", "browser")
NOT_UNIT = {"start_kernel", "kernel", "gateway", "_gateway_of_the_session", "tls_gateway"}
"""The fixtures that start a kernel or a server."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put each test into its layer; a module that starts processes of its own says `kernel` itself.

    What takes longest comes first, so that no processor waits in the end for another one. What is `nightly`
    runs where the marker is asked for.
    """
    if "nightly" not in config.option.markexpr:
        nightly = [item for item in items if item.get_closest_marker("nightly") is not None]
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if item not in nightly]
    for item in items:
        if not _layers_of(item):
            fixtures = getattr(item, "fixturenames", NOT_UNIT)  # a notebook's cell has none
            item.add_marker("kernel" if NOT_UNIT & {*fixtures} else _layer_of_computed(item))
    files = {item.path: 0 for item in items}
    for item in items:
        files[item.path] = max(files[item.path], *map(LAYERS.index, _layers_of(item)))
    items.sort(key=lambda item: -files[item.path])


def _layer_of_computed(item: pytest.Item) -> str:
    """A property that holds for many made-up cases takes seconds, as a simulation does."""
    return "simulation" if getattr(getattr(item, "obj", None), "is_hypothesis_test", False) else "unit"


def _layers_of(item: pytest.Item) -> set[str]:
    return {*LAYERS} & {mark.name for mark in item.iter_markers()}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - clean_environment(os.environ).keys():
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr(language, "_choice", "auto")


@pytest.fixture(scope="session")
def spec_cache(pytestconfig: pytest.Config) -> Path | None:
    """Where the extract of OpenAI's description is kept from run to run."""
    cache = getattr(pytestconfig, "cache", None)  # absent under `-p no:cacheprovider`
    return cache.mkdir("openai-spec") if cache else None


@pytest.fixture(scope="session")
def _gateway_of_the_session(spec_cache: Path | None) -> Iterator[GatewayServer]:
    with GatewayServer(cache_dir=spec_cache) as server:
        yield server


@pytest.fixture
def gateway(
    _gateway_of_the_session: GatewayServer, request: pytest.FixtureRequest
) -> Iterator[GatewayServer]:
    """A gateway as new. The test fails if it was sent a chat request that OpenAI's description forbids."""
    server = _gateway_of_the_session
    server.reset()
    yield server
    if request.node.get_closest_marker("sends_wrong_requests") is None:
        assert not server.violations


@pytest.fixture(scope="session")
def tls_gateway(spec_cache: Path | None) -> Iterator[GatewayServer]:
    """A gateway whose certificate nobody trusts; `tls_gateway.ca` is its authority."""
    with GatewayServer(tls=True, cache_dir=spec_cache) as server:
        yield server


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel for the tests of one module, which must not trip over each other's names."""
    with Kernel.start(tmp_path_factory.mktemp("kernel")) as running:
        yield running


@pytest.fixture
def start_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Kernel]]:
    """Starts kernels of the test's own: `start_kernel(METASK_API_KEY="…")` sets their environment."""
    started: list[Kernel] = []

    def start(**env: str) -> Kernel:
        started.append(Kernel.start(tmp_path_factory.mktemp("kernel"), env))
        return started[-1]

    yield start
    for running in started:
        running.shutdown()


@pytest.fixture
def fresh_kernel(start_kernel: Callable[..., Kernel]) -> Kernel:
    """A kernel nobody has used."""
    return start_kernel()


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Installed:
    """Servers of tools that others wrote, kept from run to run."""
    cache = getattr(pytestconfig, "cache", None)  # absent under `-p no:cacheprovider`
    folder = cache.mkdir("mcp-servers") if cache else tmp_path_factory.mktemp("mcp-servers")
    servers = Installed(Path(folder))
    servers.install()
    return servers


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """A loop of the network's own, for one test."""
    loop = LoopThread()
    yield loop
    loop.stop()
