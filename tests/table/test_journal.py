"""Rows that were answered are found again, by another kernel too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from metask_magic.chat.reply import Reply
from metask_magic.errors import RecordingError
from metask_magic.gateway.recorded import CONDUCTS
from metask_magic.gateway.recording import Recording
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
    kept = journal(path)
    kept.put([(REQUEST, REPLY)])
    kept.flush()
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
    kept.flush()
    assert path.exists() == on_disk
    assert (kept.find(asking(prompt)) is not None) == here
    other = journal(path).conducted(CONDUCTS[mode])
    assert (other.find(asking(prompt)) is not None) == elsewhere


def test_samples_of_one_file_are_written_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    append = Recordings.append

    def counted(self: Recordings, *recordings: Recording) -> None:
        writes.append(len(recordings))
        append(self, *recordings)

    monkeypatch.setattr(Recordings, "append", counted)
    kept = journal(tmp_path / "r.jsonl")
    first, second = (kept.conducted(CONDUCTS["auto"], sample=sample) for sample in (1, 2))
    first.put([(REQUEST, REPLY)])
    second.put([(REQUEST, replace(REPLY, text="Hello again"))])
    for each in (first, second):
        each.flush()
    assert writes == [2]
    assert [found.text for each in (first, second) if (found := each.find(REQUEST))] == [
        "Hello",
        "Hello again",
    ]


def test_what_could_not_be_written_is_written_when_it_can_be(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.write_text("a file where a folder should be")
    kept = journal(folder / "r.jsonl")
    kept.put([(REQUEST, REPLY)])
    with pytest.raises(RecordingError, match="cannot be written"):
        kept.flush()
    folder.unlink()
    kept.flush()
    assert kept.find(REQUEST) is not None
