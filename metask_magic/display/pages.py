"""What pages ask of the kernel while a cell waits for a reply: answered now, although the kernel is busy.

A page that is loaded meanwhile asks what the kernel is, which comms it has, and for the state of its widgets;
a page without a subshell sends what its buttons say to the queue of the cells. All of that would wait until
the cell has ended, and the page would show nothing, and stop nothing, until then. The rest of the queue does
wait, in its order.

The queue is ipykernel's own affair (6: the shell's stream; 7: a pair of sockets to the main thread). Where it
looks otherwise than known here, nothing is taken from it.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

_OUTGOING = 2  # `zmq.POLLOUT`; a shell without a kernel need not have zmq

ANSWERED = {"kernel_info_request", "comm_info_request", "comm_open", "comm_msg", "comm_close"}


@contextmanager
def attended(shell: Any) -> Iterator[Callable[[], None]]:
    """Enter for a function that answers what has come; call it often, from the cell's own thread."""
    kernel = getattr(shell, "kernel", None)
    queue = _new_queue(kernel) if kernel is not None else None
    if queue is None:
        yield lambda: None
        return
    try:
        yield queue.answer
    finally:
        queue.release()


def _new_queue(kernel: Any) -> _Queue | None:
    if threading.current_thread() is not threading.main_thread() or not hasattr(kernel, "_publish_status"):
        return None
    thread = getattr(kernel, "shell_channel_thread", None)
    if thread is None:
        stream, dispatch = getattr(kernel, "shell_stream", None), getattr(kernel, "schedule_dispatch", None)
        if stream is None or dispatch is None:
            return None
        return _Queue(kernel, stream, stream, partial(dispatch, kernel.dispatch_shell))
    pair = getattr(thread.manager, "_shell_channel_to_main", None)
    stream, main = getattr(pair, "to_stream", None), getattr(kernel, "shell_main", None)
    if stream is None or main is None:
        return None
    replies = thread.manager.get_subshell_to_shell_channel_socket(None)
    return _Queue(kernel, stream, replies, partial(kernel.io_loop.add_callback, main, None))


class _Queue:
    """The messages behind the cell that runs: `stream` has them, `replies` takes what is answered.

    `give_back` has the kernel handle one after the cell.
    """

    def __init__(self, kernel: Any, stream: Any, replies: Any, give_back: Callable[[Any], None]) -> None:
        self._kernel = kernel
        self._stream = stream
        self._replies = replies
        self._give_back = give_back
        self._held: list[Any] = []

    def answer(self) -> None:
        """Answer what can be answered now, and hold the rest."""
        while self._stream.socket.poll(0):
            frames = self._stream.socket.recv_multipart(copy=False)
            if self._kind(frames) in ANSWERED:
                self._handle(frames)
            else:
                self._held.append(frames)

    def _kind(self, frames: Any) -> str:
        """Return a message's type; "" of what is none, which the kernel knows what to do with."""
        session = self._kernel.session
        try:
            _, rest = session.feed_identities(frames, copy=False)
            return str(session.deserialize(rest, content=False, copy=False)["header"]["msg_type"])
        except Exception:  # noqa: BLE001 -- whatever is wrong with it, the kernel says so in its turn
            return ""

    def _handle(self, frames: Any) -> None:
        """Do what the kernel does for a message, but leave the cell what its output belongs to."""
        kernel, session = self._kernel, self._kernel.session
        idents, rest = session.feed_identities(frames, copy=False)
        message = session.deserialize(rest, content=True, copy=False)
        cell = kernel.get_parent("shell")
        kernel._publish_status("busy", "shell", message)
        try:
            _run(kernel.shell_handlers[message["header"]["msg_type"]](self._replies, idents, message))
        except Exception:
            kernel.log.exception("a message to the busy kernel")  # English: a log
        kernel._publish_status("idle", "shell", message)
        kernel._publish_status("busy", "shell", cell)  # pages show what was said last
        if self._replies is self._stream:  # it sends when its loop turns, which the cell keeps from turning
            self._replies.flush(_OUTGOING)  # those alone: what comes in would go to the kernel's own queue

    def release(self) -> None:
        """Give back what was held, before anything that comes from now on."""
        for frames in self._held:
            self._give_back(frames)
        self._held.clear()


def _run(handling: Any) -> None:
    """Run a handler to its end; one that waits for something is none of those answered here."""
    if inspect.iscoroutine(handling):
        with suppress(StopIteration):
            handling.send(None)
        handling.close()
