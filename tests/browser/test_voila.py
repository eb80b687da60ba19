"""A notebook as a page of Voilà: replies stream where something is pressed, and while the page is made."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ..gateway_server import Gate, GatewayServer, Streamed
from ..kernel import ROOT, clean_environment
from .lab import LOAD, Lab, write_notebook

STARTING = 120.0  # seconds, on the slowest machine we can think of
CELLS = (
    LOAD,
    "%%metask gpt-4o-mini -o first\nHi",
    "%%metask o1 --background -o later\nHi",
    """
from ipywidgets import Button, Output

button, place = Button(description="Ask"), Output()

def ask(_):
    with place:
        get_ipython().run_cell_magic("metask", "gpt-4o -o asked", "Hi")

button.on_click(ask)
display(button, place)
""",
)


@pytest.fixture
def voila(gateway: GatewayServer, tmp_path: Path) -> Iterator[str]:
    """The address of a page."""
    write_notebook(tmp_path / "page.ipynb", CELLS, kernel="python3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"METASK_API_KEY": gateway.api_key, "METASK_BASE_URL": gateway.base_url, "PYTHONPATH": str(ROOT)}
    places = {name: str(tmp_path) for name in ("HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
    server = subprocess.Popen(
        [sys.executable, "-m", "voila", "--no-browser", f"--port={port}", "page.ipynb"],
        cwd=tmp_path,
        env=clean_environment(os.environ) | own | places,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _wait_for(f"http://127.0.0.1:{port}/")
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address: str) -> str:
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{address}voila/static/nothing", timeout=5)
        except urllib.error.HTTPError:
            return address
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(address)


def test_it_streams_and_shows_the_record(lab: Lab, gateway: GatewayServer, voila: str) -> None:
    later, asked = Gate(), Gate()
    gateway.script(Streamed(["# The *first*."]), model="gpt-4o-mini")
    gateway.script(Streamed(["# So far", later, " and on."]), model="o1")
    gateway.script(Streamed(["# Pressed", asked, " and answered."]), model="gpt-4o")
    page = lab.context.new_page()
    page.goto(voila)
    expect(page.locator("h1 > em", has_text="first")).to_be_visible()
    views = page.locator(".metask")
    expect(views.first).to_contain_text("So far")
    expect(views.first.locator(".metask-column")).to_have_attribute("data-status", "streaming")
    page.get_by_role("button", name="Ask").click()
    expect(views.last).to_contain_text("Pressed")
    expect(views.last.locator(".metask-stop")).to_be_visible()
    assert gateway.api_key not in page.content()
    later.open()
    asked.open()
    for text in ("So far and on.", "Pressed and answered."):
        expect(page.get_by_text(text)).to_be_visible()
    expect(page.locator("[data-status=streaming], [data-status=waiting]")).to_have_count(0)
    lab.watch.excuse(voila.split("/")[2])
    lab.watch.excuse("cdn.jsdelivr.net")  # Voilà's own page asks there for icons
