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
Path("folder").mkdir(exist_ok=True)
Path("legacy.md").write_bytes(b"a\\xe9 b")
Path("program.bin").write_bytes(b"\\x7fELF\\x00\\x01")
Path("broken.parquet").write_bytes(b"PAR1 and no more")
huge = b"\\x89PNG\\r\\n\\x1a\\n" + bytes(20 * 2**20)
Path("huge.png").write_bytes(huge)
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
        ("%%metask gpt-4o -a df\n", f"Variable df (DataFrame):\n\n{TABLE}\n\n"),
        ("%%metask gpt-4o -a df", f"Variable df (DataFrame):\n\n{TABLE}\n\n"),
        ("%metask gpt-4o -a df", f"Variable df (DataFrame):\n\n{TABLE}\n\n"),
    ],
)
def test_what_is_sent(asking: Kernel, gateway: GatewayServer, cell: str, content: object) -> None:
    assert asking.run(cell).error is None
    assert sent(gateway) == content


@pytest.mark.parametrize(
    ("cell", "ename", "says"),
    [
        ("%%metask gpt-4o -a nots.txt\nHi", "AttachmentError", "or notes.txt?"),
        ("%%metask gpt-4o -a folder\nHi", "AttachmentError", "folder is a directory."),
        ("%%metask gpt-4o -a legacy.md\nHi", "AttachmentError", "legacy.md is not UTF-8 (from byte 1 on)"),
        ("%%metask gpt-4o -a program.bin\nHi", "AttachmentError", "neither text nor an image or document"),
        ("%%metask gpt-4o -a broken.parquet\nHi", "AttachmentError", "broken.parquet"),
        (
            "%%metask gpt-4o -a huge.png\nHi",
            "AttachmentError",
            "huge.png has 20.1 MB; the limit for an image is 20.0 MB.",
        ),
        ("%%metask gpt-4o -a huge\nHi", "AttachmentError", "The image of huge has 20.1 MB; the limit is"),
        ("%%metask gpt-4o\n{{ huge }}", "AttachmentError", "The image has 20.1 MB; the limit is"),
        (
            "%%metask gpt-4o\n{{ double(None) }}",
            "PromptError",
            "An expression in the prompt raised TypeError",
        ),
        ("%%metask gpt-4o -s '{{ fig }}'\nHi", "PromptError", "cannot hold an image"),
        ("%%metask gpt-4o", "PromptError", "The prompt is empty."),
        ("%%metask gpt-4o\n \n", "PromptError", "The prompt is empty."),
        ("%%metask gpt-4o\n{{ '' }}", "PromptError", "The prompt is empty."),
        ("%metask gpt-4o --seed 3", "OptionError", "There is no prompt after gpt-4o."),
        ("%%metask local -a fig\nWell?", "PromptError", "The embedded model cannot see images."),
        ("%%metask local -T double\nWell?", "OptionError", "The embedded model cannot call tools."),
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


def test_the_embedded_model_sees_no_images_of_a_conversation(asking: Kernel) -> None:
    asking.run("%%metask gpt-4o -c looking -a fig\nWell?")
    error = asking.run("%%metask local -c looking\nAnd now?").error or {}
    assert "`%metask chats trim NAME --images` takes them out" in error["evalue"]


@pytest.mark.parametrize(
    ("options", "prompt", "says"),
    [
        ("", "{{ long }}", "A value has 100,020 characters and is sent without 20 in its middle;"),
        ("-a long", "Well?", "long has 100,020 characters and is sent without 20 in its middle;"),
        ("-a lines", "Well?", "lines has 200,003 characters and is sent without 100,003 in its middle;"),
        ("", "{{ long | cut(5) }}", ""),
    ],
)
def test_what_is_cut_is_told(
    asking: Kernel, gateway: GatewayServer, options: str, prompt: str, says: str
) -> None:
    asking.run("long = 'x' * 100_020\nlines = ['x' * 199_995]")
    for more in ("", "--dry-run"):
        told = asking.run(f"%%metask gpt-4o {options} {more} --quiet\n{prompt}").text("stderr")
        assert told.startswith(says)
        assert told.count("\n") == bool(says)
    assert len(gateway.last.json["messages"][0]["content"]) < 100_300


def test_a_dry_run_of_the_embedded_model_names_no_address(asking: Kernel) -> None:
    shown = asking.run("%%metask local --dry-run\nHi").displays[0]["data"]["text/plain"]
    assert shown.startswith("Not sent: to the embedded model\n{")


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
