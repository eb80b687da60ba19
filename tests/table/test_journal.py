"""Rows that were answered are found again, by another kernel too."""

from __future__ import annotations

from pathlib import Path

import pytest

from metask_magic.chat.reply import Reply
from metask_magic.gateway.recorded import CONDUCTS
from metask_magic.gateway.recordings import Recordings
from metask_magic.messages.events import Usage
from metask_magic.messages.request import Message, Request, ToolCall
from metask_magic.table.journal import RowJournal

REQUEST = Request("m", (Message("user", "Hi"),), {"seed": 1}, stream=False)
REPLY = Reply(
    "Hello",
    "m",
    "stop",
    model="m-1",
    usage=Usage(1, 2, 3),
    reasoning="So.",
    tool_calls=(ToolCall("c", "f", "{}"),),
    elapsed=0.25,
    request_id="r",
    params={"seed": 1},
)


def hide(text: str) -> str:
    return text.replace("secret", "[key]")


def journal(path: Path) -> RowJournal:
    return RowJournal(Recordings(path), hide)


def asking(text: str) -> Request:
    return Request("m", (Message("user", text),), stream=False)


def test_another_kernel_finds_what_was_put(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    journal(path).put([(REQUEST, REPLY)])
    found = journal(path).find(REQUEST)
    assert found is not None
    same = ("text", "finish_reason", "model", "usage", "reasoning", "tool_calls", "elapsed", "request_id")
    assert [getattr(found, name) for name in same] == [getattr(REPLY, name) for name in same]
    assert journal(path).find(asking("Other")) is None


@pytest.mark.parametrize(
    ("mode", "prompt", "on_disk", "here", "elsewhere"),
    [
        ("auto", "Hi", True, True, True),
        ("off", "Hi", False, True, False),
        ("auto", "my secret", False, True, False),
        ("record", "Hi", True, False, False),
    ],
)
def test_where_it_is_kept(
    tmp_path: Path, mode: str, prompt: str, on_disk: bool, here: bool, elsewhere: bool
) -> None:
    path = tmp_path / "r.jsonl"
    kept = journal(path).conducted(CONDUCTS[mode])
    kept.put([(asking(prompt), REPLY)])
    assert path.exists() == on_disk
    assert (kept.find(asking(prompt)) is not None) == here
    other = journal(path).conducted(CONDUCTS[mode])
    assert (other.find(asking(prompt)) is not None) == elsewhere
