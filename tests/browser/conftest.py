"""A Jupyter server and a Chromium for all browser tests, which is as new for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from ..gateway_server import GatewayServer
from .chromium import find_chromium, launch_chromium
from .lab import Lab
from .server import JupyterServer

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


# Of the package, not of the session: while Playwright runs, its event loop counts as running in the main
# thread, and tests elsewhere that call `asyncio.run` there would fail.
@pytest.fixture(scope="package")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with launch_chromium(find_chromium(), tmp_path_factory.mktemp("chromium")) as context:
        yield context


@pytest.fixture(scope="package")
def jupyter(
    chromium: BrowserContext,  # first: without a browser no server need be started
    _gateway_of_the_session: GatewayServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[JupyterServer]:
    gateway = _gateway_of_the_session
    kernel_env = {"METASK_API_KEY": gateway.api_key, "METASK_BASE_URL": gateway.base_url}
    with JupyterServer(tmp_path_factory.mktemp("jupyter"), kernel_env) as server:
        yield server


@pytest.fixture(scope="package")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: the directory METASK_SCREENSHOTS names, or one that is thrown away."""
    named = os.environ.get("METASK_SCREENSHOTS")
    return Path(named) if named else tmp_path_factory.mktemp("screenshots")


@pytest.fixture(scope="package")
def _lab_of_the_package(jupyter: JupyterServer, chromium: BrowserContext) -> Lab:
    return Lab(jupyter, chromium)


@pytest.fixture
def lab(_lab_of_the_package: Lab, gateway: GatewayServer) -> Iterator[Lab]:
    """A browser as new. The test fails if a page of it did what no reply may make it do."""
    with _lab_of_the_package as lab:
        yield lab
