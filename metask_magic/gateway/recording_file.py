"""The file of recordings: lines are appended by any number of kernels, and never lost.

Lines go out in one write to a descriptor opened with O_APPEND, under a lock where the file system has
locks. A process that is killed leaves a part of its own line at worst: the next one begins on a line of its
own. Nothing is synced to the disk line by line: the death of a kernel loses nothing that way, only that
of the whole machine does, and a reply can be asked for again. What replaces the file is synced first.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import RecordingError
from ..language import _
from .recording_place import FOLDER, write_attributes

try:
    import fcntl
except ImportError:  # Windows: O_APPEND alone has to do
    fcntl = None  # type: ignore[assignment]

_FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def append(path: Path, lines: bytes) -> None:
    """Add lines, each of which ends in a newline; the file and its folder are made where they are missing.

    Raises
    ------
    RecordingError
        They cannot be written. Then nothing of them is in the file, or where it has no locks, some of it is.

    """
    with _told(path):
        if not path.exists():
            _make_folder(path)
        with _locked(path, os.O_CREAT) as (descriptor, locked):
            before = os.fstat(descriptor).st_size
            try:
                _write(descriptor, b"" if _ends_whole(descriptor, before) else b"\n", lines)
            except OSError:
                if locked:  # nobody else has written since
                    with contextlib.suppress(OSError):
                        os.ftruncate(descriptor, before)
                raise


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Replace the file's bytes by what `change` makes of them, whole or not at all.

    Lines that other kernels append meanwhile are kept: they wait for the lock, or are copied where there
    are no locks. Raises `RecordingError`.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    with _told(path), _locked(target):
        try:
            with partial.open("wb") as new, target.open("rb") as old:
                new.write(change(old.read()))
                while late := old.read():
                    new.write(late)
                new.flush()
                os.fsync(new.fileno())
            shutil.copymode(target, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def _write(descriptor: int, gap: bytes, lines: bytes) -> None:
    """Write all of it: in one go, but for a disk that is full or a signal that comes between."""
    left = memoryview(gap + lines)
    while left:
        left = left[os.write(descriptor, left) :]


def _ends_whole(descriptor: int, size: int) -> bool:
    if not size:
        return True
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"


def _make_folder(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.name == FOLDER:
        write_attributes(path.parent)


@contextmanager
def _locked(path: Path, create: int = 0) -> Iterator[tuple[int, bool]]:
    """Yield a descriptor of the file, and whether nobody else writes to it meanwhile."""
    while True:
        descriptor = os.open(path, _FLAGS | create, 0o666)
        try:
            locked = _lock(descriptor)
            if _is_still(path, descriptor):
                yield descriptor, locked
                return
        finally:
            os.close(descriptor)  # that ends the lock too


def _lock(descriptor: int) -> bool:
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        return False  # some network file systems have none
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the file was not replaced while we waited for the lock."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the system says into an error with a remedy."""
    try:
        yield
    except OSError as error:
        raise RecordingError(
            _("{path} cannot be written ({reason}).", path=path, reason=error.strerror or error),
            _("Make room or make it writable, or name another file with Metask.recordings_path."),
        ) from None
