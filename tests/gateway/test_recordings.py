"""The store of recordings: what is written is found, whatever happens to the file in between."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from metask_magic.errors import RecordingError
from metask_magic.gateway import recording_file
from metask_magic.gateway.recording import RecordedReply
from metask_magic.gateway.recordings import Recordings
from metask_magic.messages.events import ToolCallDelta, Usage
from metask_magic.messages.kinds import JSON

from .recordings import recording

FULL = RecordedReply(
    'Hello\n\u2028 \ud800 {"version": 1}',
    "tool_calls",
    "Let me see.",
    (ToolCallDelta(0, "c1", "f", '{"a": 1}'), ToolCallDelta(2, "", "g", "")),
    Usage(11, 7, 18),
    "m-2024",
    "req-7",
    1.25,
    0.5,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".metask" / "recordings.jsonl"


@pytest.fixture
def store(path: Path) -> Recordings:
    return Recordings(path)


def texts(store: Recordings) -> list[str]:
    return [found.reply.text for found in store.all()]


# -- what a line is ------------------------------------------------------------------------------------


def test_a_line_reads_well() -> None:
    line = replace(recording("Who?", "Ada", model="gpt-4o"), recorded="2026-01-02T03:04:05Z").to_line()
    assert line.decode() == (
        '{"version": 1, "key": "187b3a5d2b6b0b1a", "recorded": "2026-01-02T03:04:05Z", '
        '"request": {"model": "gpt-4o", "sample": 1, "params": {}, '
        '"messages": [{"role": "user", "content": "Who?"}]}, '
        '"reply": {"text": "Ada", "finish_reason": "stop", "elapsed": 0.0}}\n'
    ).replace("187b3a5d2b6b0b1a", recording("Who?", model="gpt-4o").key)


@pytest.mark.parametrize("reply", [RecordedReply("", "stop"), FULL, replace(FULL, usage=Usage())])
def test_a_reply_comes_back_as_it_was(store: Recordings, reply: RecordedReply) -> None:
    made = replace(recording(), reply=reply)
    store.append(made)
    assert store.find(made.key) == made
    assert Recordings(store.path).find(made.key) == made


@pytest.mark.parametrize(
    "change",
    [
        {"text": None},
        {"text": 7},
        {"finish_reason": None},
        {"tool_calls": [7]},
        {"tool_calls": {}},
        {"usage": 7},
        {"usage": {"total_tokens": "7"}},
        {"usage": {"total_tokens": True}},
        {"elapsed": "long"},
    ],
)
def test_a_reply_that_is_none_is_no_recording(
    path: Path, store: Recordings, change: dict[str, object]
) -> None:
    store.append(recording())
    line = json.loads(path.read_bytes())
    line["reply"] |= change
    path.write_text(json.dumps(line) + "\n")
    assert store.find(recording().key) is None
    (complaint,) = store.complaints
    assert complaint.startswith("Line 1 of recordings.jsonl has no proper ")


# -- finding -------------------------------------------------------------------------------------------


def test_nothing_is_there_before_the_first(store: Recordings, path: Path) -> None:
    assert store.find("0" * 64) is None
    assert (store.all(), store.known_keys(), store.verify(), store.compact(), store.complaints) == (
        (),
        (),
        0,
        0,
        (),
    )
    assert not path.parent.exists()


def test_the_last_one_wins(store: Recordings) -> None:
    for text in ("old", "new"):
        store.append(recording(text=text))
    store.append(recording(text="another sample", sample=2))
    found = store.find(recording().key)
    assert found is not None
    assert found.reply.text == "new"
    assert texts(store) == ["new", "another sample"]


def test_what_another_kernel_adds_is_found(store: Recordings, path: Path) -> None:
    other = Recordings(path)
    for number in range(20):
        other.append(recording(f"{number}"))
        assert store.has(recording(f"{number}").key)
    assert texts(store) == texts(other)


def rewritten(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 1))  # two writes in one tick of the clock


def replaced(path: Path, data: bytes) -> None:
    path.with_suffix(".new").write_bytes(data)
    path.with_suffix(".new").replace(path)


@pytest.mark.parametrize("how", [rewritten, replaced])
@pytest.mark.parametrize("added", [0, 1, 30])
def test_what_git_does_to_the_file_is_seen(
    store: Recordings, path: Path, how: Callable[[Path, bytes], None], added: int
) -> None:
    for number in range(10):
        store.append(recording(f"{number}"))
    assert len(store.all()) == 10
    lines = [recording(f"other {number}").to_line() for number in range(10 + added)]
    how(path, b"".join(lines))
    assert len(store.all()) == 10 + added
    assert not store.has(recording("1").key)
    how(path, lines[0])
    assert store.known_keys() == (recording("other 0").key,)
    path.unlink()
    assert store.known_keys() == ()


def test_a_nested_object_that_looks_like_a_recording_is_none(store: Recordings) -> None:
    trap: dict[str, JSON] = {"version": 1, "key": "0" * 64}
    made = recording()
    made = replace(made, request={**made.request, "params": {"x": trap, "z": 1}})
    store.append(made)
    assert store.known_keys() == (made.key,)
    assert store.find(made.key) == made


# -- files that are not as they should be --------------------------------------------------------------

A, B, C = (recording(name).to_line() for name in "ABC")
NEWER = A.replace(b'"version": 1', b'"version": 2')
NOT_WHOLE = "is not whole, or no recording."
DAMAGED = {
    "a torn last line": (A + B + C[:40], "AB", {3: NOT_WHOLE}),
    "all but the newline": (A + B[:-1], "AB", {}),
    "a torn line that ends like a whole one": (A + B[:-2], "A", {2: "is not whole, or no JSON."}),
    "a torn line in the middle": (A + B[:60] + b"\n" + C, "AC", {2: NOT_WHOLE}),
    "a torn line in front of another": (
        A + B[:60] + C,
        "AC",
        {2: "begins with a recording that is not whole."},
    ),
    "a line of another kind": (A + b'{"hello": 1}\n' + C, "AC", {2: NOT_WHOLE}),
    "no text": (A + b"\xff\xfe\x00\n" + C, "AC", {2: NOT_WHOLE}),
    "no text within": (A + B.replace(b'"B"', b'"\xff"') + C, "AC", {2: "is not whole, or no JSON."}),
    "a conflict": (
        b"<<<<<<< HEAD\n" + A + b"=======\n" + B + b">>>>>>> x\n",
        "AB",
        dict.fromkeys((1, 3, 5), NOT_WHOLE),
    ),
    "a newer version": (
        A + NEWER + B,
        "AB",
        {2: "was written by a newer version (format 2, known is 1)."},
    ),
    "the ends of lines of Windows": ((A + B).replace(b"\n", b"\r\n"), "AB", {}),
    "empty lines": (b"\n" + A + b"\n\n" + B, "AB", {}),
    "a newer line that is broken": (A + B + A[:-2] + b"\n", "AB", {3: "is not whole, or no JSON."}),
    "empty": (b"", "", {}),
}


@pytest.mark.parametrize(("data", "prompts", "wrong"), DAMAGED.values(), ids=DAMAGED)
def test_damage_loses_nothing_else(
    store: Recordings, path: Path, data: bytes, prompts: str, wrong: dict[int, str]
) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    assert [found.prompt for found in store.all()] == list(prompts)
    assert list(store.complaints) == [f"Line {at} of recordings.jsonl {what}" for at, what in wrong.items()]
    store.append(recording("after"))
    assert [found.prompt for found in store.all()] == [*prompts, "after"]
    assert path.read_bytes().startswith(data)
    assert Recordings(path).known_keys() == store.known_keys()
    assert store.verify() == len(prompts) + 1


def test_a_line_that_is_still_being_written_is_no_complaint_afterwards(store: Recordings, path: Path) -> None:
    store.append(recording("A"))
    for cut in range(1, len(B)):
        path.write_bytes(A + B[:cut])
        assert len(store.all()) == (2 if cut == len(B) - 1 else 1)
    path.write_bytes(A + B)
    assert (len(store.all()), store.complaints) == (2, ())


def test_verify_computes_the_keys_again(store: Recordings, path: Path) -> None:
    for prompt in ("A", "B"):
        store.append(recording(prompt))
    path.write_bytes(path.read_bytes().replace(b'"content": "B"', b'"content": "Z"'))
    assert store.verify() == 1
    assert store.complaints == ("Line 2 of recordings.jsonl has another key than its request.",)


# -- compacting and forgetting -------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "prompts", "wrong"), DAMAGED.values(), ids=DAMAGED)
def test_compact_keeps_the_latest_and_what_is_newer(
    store: Recordings, path: Path, data: bytes, prompts: str, wrong: dict[int, str]
) -> None:
    path.parent.mkdir()
    path.write_bytes(recording("A", "old").to_line() * 2 + data)
    found = store.all()
    before = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    dropped = store.compact()
    after = path.read_bytes().splitlines()
    assert len(before) - len(after) == dropped
    assert sorted(map(str, store.all())) == sorted(map(str, found))
    newer = [line for line in after if b'"version": 2' in line]
    assert len(after) == len(found) + len(newer)
    assert len(newer) == data.count(b'"version": 2')
    assert len(store.complaints) == len(newer)
    assert list(path.parent.iterdir()) == [path]


def test_forget(store: Recordings) -> None:
    for prompt in "ABCA":
        store.append(recording(prompt))
    store.forget([recording("A").key, recording("C").key, "0" * 64])
    assert [found.prompt for found in store.all()] == ["B"]


@pytest.mark.parametrize("locks", [True, False])
def test_compacting_loses_nothing_that_others_add(
    path: Path, monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    if not locks:
        monkeypatch.setattr(recording_file, "fcntl", None)
    Recordings(path).append(recording("first"))
    done = threading.Event()

    def compact() -> None:
        while not done.is_set():
            Recordings(path).compact()
            # Else the lock is hardly ever free; and without locks there is a moment that nothing can guard.
            time.sleep(0.002 if locks else 0.05)

    thread = threading.Thread(target=compact)
    thread.start()
    try:
        for number in range(200):
            Recordings(path).append(recording(f"{number}"))
            if not locks:
                break
    finally:
        done.set()
        thread.join()
    assert len(Recordings(path).known_keys()) >= (201 if locks else 1)


def test_the_mode_and_the_link_stay(store: Recordings, path: Path, tmp_path: Path) -> None:
    store.append(recording())
    path.chmod(0o640)
    path.rename(tmp_path / "elsewhere.jsonl")
    path.symlink_to(tmp_path / "elsewhere.jsonl")
    store.append(recording(text="new"))
    assert store.compact() == 1
    assert path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert texts(store) == ["new"]


# -- disks and processes that fail ---------------------------------------------------------------------


def refused(how: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the file one that cannot be written."""

    def full(descriptor: int, data: memoryview) -> int:
        if len(data) > 50:
            return real(descriptor, data[:50])
        raise OSError(28, "No space left on device")

    def forbidden(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    real = os.write
    match how:
        case "full":
            monkeypatch.setattr(os, "write", full)
        case "folder":
            path.unlink()
            path.mkdir()
        case "read-only":
            monkeypatch.setattr(os, "open", forbidden)
        case "not a folder":
            path.unlink()
            path.parent.rmdir()
            path.parent.write_text("")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("full", "No space left on device"),
        ("folder", "Is a directory"),
        ("not a folder", "File exists"),
        ("read-only", "Permission denied"),
    ],
)
def test_what_cannot_be_written_is_said(
    store: Recordings, path: Path, monkeypatch: pytest.MonkeyPatch, how: str, says: str
) -> None:
    path.parent.mkdir()
    path.write_bytes(b"")
    refused(how, path, monkeypatch)
    with pytest.raises(RecordingError, match=f"cannot be written.*{says}.*Metask.recordings_path"):
        store.append(recording())


@pytest.mark.parametrize("locks", [True, False])
def test_a_full_disk_leaves_what_was_there(
    store: Recordings, path: Path, monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    if not locks:
        monkeypatch.setattr(recording_file, "fcntl", None)
    store.append(recording("A"))
    before = path.read_bytes()
    with monkeypatch.context() as patched:
        refused("full", path, patched)
        with pytest.raises(RecordingError, match="No space left"):
            store.append(recording("B"))
    left = path.read_bytes()
    assert left.startswith(before)
    assert (left == before) == locks
    store.append(recording("C"))
    assert [found.prompt for found in store.all()] == ["A", "C"]


def test_a_limit_of_the_system_in_mid_line(store: Recordings, path: Path) -> None:
    """The real thing: the kernel writes a part of the line, then refuses."""
    store.append(recording("A"))
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
    try:
        with pytest.raises(RecordingError, match="File too large"):
            store.append(recording("B"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert path.stat().st_size == size
    store.append(recording("C"))
    assert [found.prompt for found in store.all()] == ["A", "C"]


def test_compacting_on_a_full_disk_changes_nothing(
    store: Recordings, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("old", "new"):
        store.append(recording(text=text))
    before = path.read_bytes()

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(RecordingError, match="No space left"):
            store.compact()
    assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} == {path.name, ".gitattributes"}
    assert texts(store) == ["new"]


def _write_many(path: str, name: str, count: int) -> None:
    store = Recordings(Path(path))
    for number in range(count):
        store.append(recording(f"{name} {number}", "x" * (number * 37 % 9000)))


@pytest.mark.kernel
def test_kernels_that_write_at_once_lose_nothing(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(str(path), name, 200)) for name in "ABCD"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    store = Recordings(path)
    assert {found.prompt for found in store.all()} == {f"{n} {i}" for n in "ABCD" for i in range(200)}
    assert (store.verify(), store.complaints) == (800, ())


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the child only writes, and is killed
def test_killed_writers_tear_one_line_at_most(path: Path) -> None:
    """Forks of one writer are killed at random moments, again and again."""
    chance = random.Random(11)  # noqa: S311 -- any moments will do
    lines = [recording(f"{n}", "x" * (n * 9973 % 80_000)).to_line() for n in range(20)]
    after = recording("after")
    recording_file.append(path, lines[0])
    for _ in range(100):
        before = path.read_bytes()
        child = os.fork()
        if child == 0:
            while True:
                for line in lines:
                    recording_file.append(path, line)
        time.sleep(chance.random() * 0.002)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        data = path.read_bytes()
        assert data.startswith(before)
        *complete, last = data[len(before) :].split(b"\n")
        assert {line + b"\n" for line in complete} <= set(lines)
        store = Recordings(path)
        store.append(after)
        assert store.find(after.key) == after
        assert len(store.complaints) == bool(last)
        replaced(path, b"".join(lines[:3]))
