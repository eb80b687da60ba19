"""Runs a server's command and ends it, with all that it started, when whoever wanted it is gone.

Run as a program of its own, with the command as its arguments: it hands its stdin on to the command and
leaves stdout and stderr to it. When its stdin ends, because the kernel closed it or was killed, the
command's is closed; a command that does not end upon that is terminated, then killed. Only the standard
library is imported, and little of it: this is on the way of every start.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import IO

GRACE_SECONDS = 1.0
"""How long a command may take to end once its stdin is closed; and once more after it was terminated."""

LOOK_SECONDS = 5.0
"""How often it looks whether its parent lives: a process that the parent forked may hold stdin open."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main(command: Sequence[str]) -> int:
    """Run the command to its end, and return its exit code as a shell would."""
    parent, over = os.getppid(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())  # not SIG_IGN, which the command would inherit
    _adopt_orphans()
    try:
        server = subprocess.Popen(_found(command), stdin=subprocess.PIPE, preexec_fn=_dies_with_us())  # noqa: S603
    except OSError as error:
        _say(f"{command[0]}: {error.strerror or error}")
        return 127
    threading.Thread(target=_relay, args=(server.stdin, over), daemon=True).start()
    threading.Thread(target=_wait, args=(server, over), daemon=True).start()
    while not over.wait(LOOK_SECONDS):
        if os.getppid() != parent:
            break
    ended_by_itself = server.poll() is not None
    _end(server)
    if ended_by_itself:
        _say(_fate(server.returncode))
    code = int(server.returncode)
    return code if code >= 0 else 128 - code


def _found(command: Sequence[str]) -> Sequence[str]:
    """Return the command with its program's path where the system finds no `npx.cmd` by `npx` (Windows)."""
    if sys.platform != "win32":
        return command
    import shutil

    return [shutil.which(command[0]) or command[0], *command[1:]]


def _relay(into: IO[bytes] | None, over: threading.Event) -> None:
    """Hand stdin on until it ends."""
    assert into is not None  # noqa: S101 -- for mypy: it is a pipe
    with suppress(OSError):
        while piece := os.read(0, 1 << 16):
            into.write(piece)
            into.flush()
    with suppress(OSError):
        into.close()
    over.set()


def _wait(server: subprocess.Popen[bytes], over: threading.Event) -> None:
    server.wait()
    over.set()


def _end(server: subprocess.Popen[bytes]) -> None:
    """Give the command time to end by itself, then end it, and whatever it has started."""
    with suppress(subprocess.TimeoutExpired):
        server.wait(GRACE_SECONDS)
    if sys.platform == "win32":
        if server.poll() is None:
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(server.pid)], check=False)  # noqa: S603, S607
        return
    own_group = os.getpgrp() == os.getpid()
    if own_group:
        os.killpg(0, signal.SIGTERM)  # which we ourselves only note
    elif server.poll() is None:
        server.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.wait(GRACE_SECONDS)
    for process in _iter_descendants():
        with suppress(OSError):
            os.kill(process, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        server.wait(GRACE_SECONDS)
    if server.poll() is None and own_group:
        os.killpg(0, signal.SIGKILL)


def _iter_descendants() -> Iterator[int]:
    """Yield the processes that came of the command, where the system has a list of them (Linux)."""
    parents: dict[int, int] = {}
    with suppress(OSError):
        for entry in os.listdir("/proc"):
            if entry.isdecimal():
                with suppress(OSError, ValueError), open(f"/proc/{entry}/stat", "rb") as stat:
                    parents[int(entry)] = int(stat.read().rpartition(b")")[2].split()[1])
    ours = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in ours} - ours:
        yield from more
        ours |= more


def _adopt_orphans() -> None:
    """Have processes whose parents end become children of this one, where the system can (Linux)."""
    if sys.platform == "linux":
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _dies_with_us() -> Callable[[], None] | None:
    """Return what has the command killed if this process is, where the system can (Linux)."""
    if sys.platform != "linux":
        return None
    return lambda: _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _fate(code: int) -> str:
    if code >= 0:
        return f"[ended with exit code {code}]"  # English: `faults.py` reads it
    with suppress(ValueError):
        return f"[ended by {signal.Signals(-code).name}]"  # English: as above
    return f"[ended by signal {-code}]"  # English: as above


def _say(line: str) -> None:
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    os._exit(code)  # at once: a thread may still wait for stdin
