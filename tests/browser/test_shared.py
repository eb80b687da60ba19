"""A notebook that two people have open at once, with jupyter-collaboration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from ..gateway_server import Gate, GatewayServer, Streamed
from ..versions.environments import SHARED
from .lab import Lab
from .live import LiveView
from .server import JupyterServer

ASK = "%%metask gpt-4o-mini -o reply\nHi"


@pytest.fixture(scope="module")
def _shared(
    _lab_of_the_package: Lab,
    _gateway_of_the_session: GatewayServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lab]:
    gateway = _gateway_of_the_session
    kernel_env = {"METASK_API_KEY": gateway.api_key, "METASK_BASE_URL": gateway.base_url}
    python = SHARED.install(tmp_path_factory.mktemp("environment"))
    with JupyterServer(tmp_path_factory.mktemp("shared"), kernel_env, python) as server:
        yield _lab_of_the_package.at(server)


@pytest.fixture
def lab(_shared: Lab, gateway: GatewayServer) -> Iterator[Lab]:
    with _shared as lab:
        yield lab


@pytest.mark.nightly
def test_two_pages_see_the_same_stream_and_the_same_record(lab: Lab, gateway: GatewayServer) -> None:
    first, second = Gate(), Gate()
    gateway.script(Streamed(["# So far", first, "\n\nand on", second, "\n\nto the end."]))
    one = lab.open(ASK, "1 + 1")
    other = lab.open_file(one.path.name)
    one.start(1)
    pages = (one, other)
    for page in pages:
        LiveView(page, 1).expect_text("So far")
    first.open()
    for page in pages:
        LiveView(page, 1).expect_text("and on")
        expect(LiveView(page, 1).stop).to_be_visible()
    second.open()
    one.wait_done(1)
    for page in pages:
        LiveView(page, 1).expect_gone()
    for page in pages:
        expect(page.output(1).locator("h1")).to_have_count(1)
        page.expect_text(1, "to the end.")
    other.run(2)
    for page in pages:
        page.expect_text(2, "2")
    whole = "# So far\n\nand on\n\nto the end."
    (output,) = one.saved_outputs(1)
    assert output.data == {"text/markdown": whole, "text/plain": whole}
