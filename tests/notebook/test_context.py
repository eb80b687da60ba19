"""The notebook's objects in a cell, through a real kernel: the exact request that is sent."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

import pytest

from ..gateway_server import GatewayServer
from ..kernel import Kernel

TABLE = "2 rows × 1 column: n (int64)\n\n| n |\n| --- |\n| 1 |\n| 2 |"

OBJECTS = """
import pandas as pd
from matplotlib.figure import Figure
from pathlib import Path
df = pd.DataFrame({"n": [1, 2]})
fig = Figure(figsize=(2, 1))
_ = fig.subplots().plot([1, 2])
class Point:
    x: int = 0
def double(x):
    return 2 * x
text = "{{ df }}"
Path("notes.txt").write_text("Be careful.")
"""


@pytest.fixture(autouse=True)
def _objects(asking: Kernel) -> None:
    assert asking.run(OBJECTS).error is None


def sent(gateway: GatewayServer) -> list[Any] | str:
    """The content of the user's message, with the data of images replaced by their kind."""
    content = gateway.last.json["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return [part["text"] if part["type"] == "text" else kind(part["image_url"]["url"]) for part in content]


def kind(url: str) -> bytes:
    start, _, data = url.partition(",")
    assert start == "data:image/png;base64"
    return b64decode(data)[:4]


IMAGE = b"\x89PNG"


@pytest.mark.parametrize(
    ("cell", "content"),
    [
        ("%%metask gpt-4o\nSee {{ df.head() }}", f"See {TABLE}"),
        ("%%metask gpt-4o\nWhat is {{ fig }}?", ["What is ", IMAGE, "?"]),
        ("%metask gpt-4o What is {{ fig }}?", ["What is ", IMAGE, "?"]),
        ("%%metask gpt-4o\n{{ double }}", "def double(x):\n    return 2 * x\n"),
        ("%%metask gpt-4o\n{{ Point }}", "class Point:\n    x: int = 0\n"),
        ("%%metask gpt-4o\n{{ text }} {{ len(df) }}", "{{ df }} 2"),
        (
            "%%metask gpt-4o -a fig -a notes.txt\nWell?",
            [
                "Variable fig (Figure):\n\n",
                IMAGE,
                "\nFile notes.txt:\n\n```\nBe careful.\n```\n\nWell?",
            ],
        ),
        ("%%metask gpt-4o -a df --raw\n{{ x }}", f"Variable df (DataFrame):\n\n{TABLE}\n\n{{{{ x }}}}"),
        ("%%metask gpt-4o -a df\n\n", f"Variable df (DataFrame):\n\n{TABLE}\n\n"),
    ],
)
def test_what_is_sent(asking: Kernel, gateway: GatewayServer, cell: str, content: object) -> None:
    assert asking.run(cell).error is None
    assert sent(gateway) == content


@pytest.mark.parametrize(
    ("cell", "ename", "says"),
    [
        ("%%metask gpt-4o -a nots.txt\nHi", "AttachmentError", "or notes.txt?"),
        ("%%metask gpt-4o -s '{{ fig }}'\nHi", "PromptError", "cannot hold an image"),
        ("%%metask gpt-4o\n{{ nope }} {{ neither }}", "PromptError", "neither and nope are not defined"),
    ],
)
def test_what_cannot_be_sent_is_not(
    asking: Kernel, gateway: GatewayServer, cell: str, ename: str, says: str
) -> None:
    error = asking.run(cell).error or {}
    assert error["ename"] == ename
    assert says in "\n".join(error["traceback"])
    assert not gateway.requests


def test_a_dry_run_counts_what_would_be_sent(asking: Kernel, gateway: GatewayServer) -> None:
    shown = asking.run("%%metask gpt-4o --dry-run -a fig\nHi").displays[0]["data"]["text/plain"]
    assert not gateway.requests
    asking.run("%%metask gpt-4o -a fig\nHi")
    assert re.search(r"fig [\d,]+ bytes of PNG, \d+ × \d+; in all: ([\d,]+) bytes", shown)
    assert f"in all: {len(gateway.last.body):,} bytes" in shown


def test_a_figure_that_is_sent_is_still_the_notebooks(asking: Kernel) -> None:
    cell = asking.run(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nbefore = plt.gcf()\n"
        "reply = %metask gpt-4o See {{ before }}\nassert plt.gcf() is before"
    )
    assert cell.error is None
    assert "image/png" in cell.displays[-1]["data"]
