"""The store of recordings: found by their keys in a file that several kernels append to."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple
from weakref import WeakValueDictionary

from ..errors import RecordingError
from ..language import _
from . import recording_file
from .recording import NewerVersionError, Recording, UnreadableError, read_key
from .recording_key import key_of

_TAIL_BYTES = 256


class _Line(NamedTuple):
    """Where a recording stands in the file: its number from 1, its first byte, and how many."""

    number: int
    offset: int
    length: int


@dataclass(slots=True)
class _Index:
    """What is known of the file up to `end`, which is always the end of a line.

    `identity` and `seen` say which file that was and what it looked like, `tail` are the last bytes before
    `end`: whether the file has only grown can be told from them.
    """

    identity: tuple[int, int] = (0, 0)
    seen: tuple[int, int] = (0, 0)
    end: int = 0
    count: int = 0
    tail: bytes = b""
    lines: dict[str, list[_Line]] = field(default_factory=dict)
    wrong: dict[int, str] = field(default_factory=dict)


class Recordings:
    """The recordings in one file, which may not exist yet. Any thread may call any method.

    Nothing is read before the first question, and then keys alone; a file that another kernel has changed
    is looked at again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._index = _Index()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def find(self, key: str) -> Recording | None:
        """Return the latest recording of a key that can be read, or None. Raises `RecordingError`."""
        with self._lock:
            if key not in self._index.lines and self._is_known():
                return None
            with self._opened() as file:
                return None if file is None else self._read_latest(file, key)

    def has(self, key: str) -> bool:
        """Whether there is a recording of a key. Raises `RecordingError`."""
        return self.find(key) is not None

    def all(self) -> tuple[Recording, ...]:
        """Return the latest recording of each key, in the order of their first. Raises `RecordingError`."""
        with self._lock, self._opened() as file:
            if file is None:
                return ()
            found = (self._read_latest(file, key) for key in list(self._index.lines))
            return tuple(recording for recording in found if recording is not None)

    def known_keys(self) -> tuple[str, ...]:
        """Return the keys, in the order of their first recordings. Raises `RecordingError`."""
        with self._lock, self._opened():
            return tuple(self._index.lines)

    @property
    def complaints(self) -> tuple[str, ...]:
        """What could not be read so far, a sentence for each line."""
        wrong = sorted(self._index.wrong.items())
        return tuple(
            _("Line {number} of {file} {what}.", number=number, file=self.path.name, what=what)
            for number, what in wrong
        )

    def append(self, *recordings: Recording) -> None:
        """Record all of them or none. Raises `RecordingError` where they cannot be written."""
        recording_file.append(self.path, b"".join(recording.to_line() for recording in recordings))

    def verify(self) -> int:
        """Read every line and compute every key again; return how many recordings were read.

        What is wrong is in `complaints` afterwards. Raises `RecordingError`.
        """
        with self._lock, self._opened() as file:
            if file is None:
                return 0
            lines = ((key, line) for key, found in self._index.lines.items() for line in found)
            return sum(self._is_right(file, key, line) for key, line in lines)

    def compact(self) -> int:
        """Drop lines that later ones supersede and lines that cannot be read; return how many.

        Raises `RecordingError`, and then all lines are as they were.
        """
        return self._drop(())

    def forget(self, keys: Collection[str]) -> None:
        """Drop all recordings of these keys, and what `compact` drops. Raises `RecordingError`."""
        self._drop(keys)

    def turn(self, key: str) -> asyncio.Lock:
        """Return the lock of whoever asks for this key: what two ask at once is asked once."""
        return self._turns.setdefault(key, asyncio.Lock())

    # -- the file -------------------------------------------------------------------------------------

    def _drop(self, keys: Collection[str]) -> int:
        dropped = 0

        def change(data: bytes) -> bytes:
            nonlocal dropped
            kept = _without(data, keys)
            dropped = sum(1 for line in data.split(b"\n") if line.strip()) - kept.count(b"\n")
            return kept

        with self._lock:
            if self.path.exists():
                recording_file.rewrite(self.path, change)
            self._index = _Index()
        return dropped

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO | None]:
        """Open the file to read, the index being up to date; None where it does not exist."""
        try:
            try:
                file = self.path.open("rb")
            except (FileNotFoundError, NotADirectoryError):
                self._index = _Index()
                yield None
                return
            with file:
                self._refresh(file)
                yield file
        except OSError as error:
            raise RecordingError(
                _("{path} cannot be read ({reason}).", path=self.path, reason=error.strerror or error),
                _("Make it readable, or name another file with Metask.recordings_path."),
            ) from None

    def _is_known(self) -> bool:
        """Whether the index is up to date, as far as can be told without opening the file."""
        try:
            return _looks(self.path.stat()) == (self._index.identity, self._index.seen)
        except OSError:
            return False

    def _refresh(self, file: BinaryIO) -> None:
        """Bring the index up to date, reading what is new alone where the file has only grown."""
        identity, seen = _looks(os.fstat(file.fileno()))
        index = self._index
        if (identity, seen) == (index.identity, index.seen):
            return
        if identity != index.identity or seen[0] <= index.seen[0] or not _has_grown(file, index):
            index = self._index = _Index(identity)
        index.seen = seen
        _read_on(file, index)

    def _read_latest(self, file: BinaryIO, key: str) -> Recording | None:
        for line in reversed(self._index.lines.get(key, ())):
            recording = self._read(file, key, line)
            if recording is not None:
                return recording
        return None

    def _is_right(self, file: BinaryIO, key: str, line: _Line) -> bool:
        recording = self._read(file, key, line)
        if recording is not None and key_of(recording.request) != key:
            self._index.wrong[line.number] = _("has another key than its request")
            return False
        return recording is not None

    def _read(self, file: BinaryIO, key: str, line: _Line) -> Recording | None:
        file.seek(line.offset)
        try:
            recording = Recording.from_line(file.read(line.length))
        except UnreadableError as error:
            self._index.wrong[line.number] = str(error)
            return None
        return recording if recording.key == key else None


def _looks(status: os.stat_result) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return which file it is, and what tells whether it has changed."""
    return (status.st_dev, status.st_ino), (status.st_size, status.st_mtime_ns)


def _read_on(file: BinaryIO, index: _Index) -> None:
    """Enter the lines behind `index.end`."""
    file.seek(index.end)
    for line in file:
        number = index.count + 1
        if line.strip():
            _enter(index, number, line)
        if not line.endswith(b"\n"):  # somebody may still be writing it: look at the file anew next time
            index.identity = (0, 0)
            break
        index.count, index.end = number, index.end + len(line)
    file.seek(max(0, index.end - _TAIL_BYTES))
    index.tail = file.read(min(index.end, _TAIL_BYTES))


def _enter(index: _Index, number: int, line: bytes) -> None:
    try:
        start, key = read_key(line)
    except UnreadableError as error:
        index.wrong[number] = str(error)
        return
    if start:
        index.wrong[number] = _("begins with a recording that is not whole")
    index.lines.setdefault(key, []).append(_Line(number, index.end + start, len(line) - start))


def _has_grown(file: BinaryIO, index: _Index) -> bool:
    file.seek(index.end - len(index.tail))
    return file.read(len(index.tail)) == index.tail


def _without(data: bytes, keys: Collection[str]) -> bytes:
    """Return the lines of which none supersedes another, and those of newer versions as they are."""
    kept: dict[tuple[str, int], bytes] = {}
    for number, line in enumerate(data.split(b"\n")):
        try:
            start, key = read_key(line)
            Recording.from_line(line[start:])
        except NewerVersionError:
            kept["", number] = line
        except UnreadableError:
            continue
        else:
            kept.pop((key, 0), None)
            if key not in keys:
                kept[key, 0] = line[start:]
    return b"".join(line.rstrip() + b"\n" for line in kept.values())
