"""A kernel that asks the test gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..gateway_server import GatewayServer
from ..kernel import Kernel


@pytest.fixture
def asking(kernel: Kernel, gateway: GatewayServer) -> Iterator[Kernel]:
    """A kernel with the extension loaded and pointed at the gateway; it must still work after the test."""
    point_at(kernel, gateway)
    yield kernel
    gateway.reset()
    again = kernel.run(pointing_at(gateway) + "%metask gpt-4o-mini Still there")
    assert again.displays[0]["data"]["text/plain"] == "Still there"
    assert not kernel.has_sent(gateway.api_key)


def point_at(kernel: Kernel, gateway: GatewayServer) -> None:
    kernel.run(pointing_at(gateway))


def pointing_at(gateway: GatewayServer) -> str:
    """A cell that loads the extension and has it ask the gateway."""
    return (
        "import os\n"
        f"os.environ['METASK_API_KEY'] = {split(gateway.api_key)}\n"
        "%load_ext metask_magic\n"
        f"%config Metask.base_url = '{gateway.base_url}'\n"
        "%config Metask.timeout = 60\n"
    )


def split(key: str) -> str:
    """The key as an expression that does not hold it: the kernel repeats the code it runs."""
    return f"{key[:5]!r} + {key[5:]!r}"


def value(kernel: Kernel, expression: str) -> str:
    """Return the `repr` of an expression in the kernel."""
    return kernel.run(f"print(repr(({expression})), end='')").text()
