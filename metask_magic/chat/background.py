"""Replies that go on coming after their cell has ended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import copy_context
from typing import Any

from ..errors import MetaskError
from .ask import Asking, Outcome
from .interrupt import InterruptRequest


class BackgroundReply:
    """What `--background` returns at once: a reply, or several, on the way.

    `wait()` and `await` give the `Reply` (or `Replies`) when it has come, `cancel()` ends it; `str()` is the
    text so far. `conclude` turns the outcome into that value, or raises what failed; it is called once, in
    the thread that shows the reply.
    """

    def __init__(self, asking: Asking, conclude: Callable[[Outcome], Any]) -> None:
        self._asking = asking
        self._conclude = conclude
        self._future: Future[Any] = Future()
        asking.open()
        # The context says which cell the output belongs to, whatever cells run meanwhile.
        threading.Thread(
            target=copy_context().run, args=(self._run,), name="metask-background", daemon=True
        ).start()

    @property
    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._future.done()

    def wait(self, timeout: float | None = None) -> Any:
        """Wait until it has ended, and return the reply. An interrupt ends the waiting only.

        Raises
        ------
        MetaskError
            What failed; or that it has not ended within `timeout` seconds.

        """
        try:
            return self._future.result(timeout)
        except FutureTimeoutError:
            raise MetaskError(
                f"The reply has not ended within {timeout:g} s.",
                "It goes on coming: wait again, or cancel it.",
            ) from None

    def cancel(self) -> None:
        """Close the connection; what came so far is kept as an interrupted reply."""
        self._asking.stop()

    def __await__(self) -> Generator[Any, None, Any]:
        return asyncio.wrap_future(self._future).__await__()

    def __str__(self) -> str:
        return "\n\n".join(reply.text for reply in self._asking.replies())

    def __repr__(self) -> str:
        models = ", ".join(reply.requested_model for reply in self._asking.replies())
        state = "ended" if self.done else "coming"
        return f"<BackgroundReply from {models}: {state}, {len(str(self)):,} characters>"

    def _run(self) -> None:
        try:
            self._future.set_result(self._conclude(self._asking.run(InterruptRequest())))
        except BaseException as error:  # noqa: BLE001 -- it is raised to whoever waits
            self._future.set_exception(error)
