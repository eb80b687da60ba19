"""Replies that go on coming after their cell has ended."""

from __future__ import annotations

import asyncio
import copy
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from ..chat.replies import Replies
from ..chat.reply import Reply
from ..errors import MetaskError
from ..language import _, pgettext
from ..messages.ending import in_words
from ..words import listed
from .ask import Asking, Outcome
from .interrupt import HEARTBEAT_SECONDS, InterruptRequest, result_of

END_SECONDS = 2.0


class BackgroundReply:
    """What `--background` returns at once: a reply, or several, on the way.

    `wait()` and `await` give the `Reply` (or `Replies`) when it has come, `cancel()` ends it; `text` and
    `str()` are the text so far. `conclude` turns the outcome into that value, or raises what failed; it is
    called once, in the thread that shows the reply. An interrupt while the reply's place is being taken
    cancels it.
    """

    def __init__(self, asking: Asking, conclude: Callable[[Outcome], Reply | Replies]) -> None:
        self._asking = asking
        self._conclude = conclude
        self._reply: Reply | Replies | None = None
        self._error: BaseException | None = None
        self._ended: Future[None] = Future()  # it carries no failure: asyncio would report one nobody took
        # The context says which cell the output belongs to, whatever cells run meanwhile.
        thread = threading.Thread(
            target=copy_context().run, args=(self._run,), name="metask-background", daemon=True
        )
        with InterruptRequest() as interrupt:
            asking.open(interrupt)
            thread.start()
        if interrupt.requested:
            self.cancel()

    @property
    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._ended.done()

    @property
    def text(self) -> str:
        """The text so far; of several models, each below its name."""
        replies = self._asking.replies()
        return replies[0].text if len(replies) == 1 else Replies(replies).text

    @property
    def reply(self) -> Reply | Replies | None:
        """What `wait` returns, once it has ended; after a failure, what came before it."""
        return self._reply

    def wait(self, timeout: float | None = None) -> Reply | Replies:
        """Wait until it has ended, and return the reply. An interrupt ends the waiting only.

        Raises
        ------
        MetaskError
            What failed; or that it has not ended within `timeout` seconds.

        """
        try:
            result_of(self._ended, timeout)
        except TimeoutError:
            raise MetaskError(
                _("The reply has not ended within {seconds:g} s.", seconds=timeout),
                _("It goes on coming: wait again, or cancel it."),
            ) from None
        return self._result()

    def cancel(self) -> None:
        """Close the connection; what came so far is kept as an interrupted reply."""
        self._asking.stop()

    def __await__(self) -> Generator[Any, None, Reply | Replies]:
        return self._awaited().__await__()

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        replies = self._asking.replies()
        size = sum(len(reply.text) for reply in replies)
        came = _("{count:,} characters", count=size)
        facts = [self._state, came, *(self._outcomes() if self.done else ())]
        return _(
            "<BackgroundReply from {models}: {facts}>",
            models=listed(reply.requested_model for reply in replies),
            facts=listed(facts),
        )

    @property
    def _state(self) -> str:
        if not self.done:
            return pgettext("a reply", "coming")
        if self._error is not None:
            return pgettext("a reply", "failed")
        stopped = any(reply.finish_reason == "interrupted" for reply in self._asking.replies())
        return pgettext("a reply", "cancelled") if stopped else pgettext("a reply", "ended")

    def _outcomes(self) -> list[str]:
        """How those ended that are not whole, in a word or two."""
        known = (reply.ending.outcome for reply in self._asking.replies())
        told = (outcome for outcome in dict.fromkeys(known) if outcome not in ("", "stopped", "failed"))
        return [*map(in_words, told)]

    async def _awaited(self) -> Reply | Replies:
        ended = asyncio.wrap_future(self._ended)
        while not ended.done():
            # The kernel's loop sees an interrupt of the cell only when it turns.
            await asyncio.wait([ended], timeout=HEARTBEAT_SECONDS)
        return self._result()

    def _result(self) -> Reply | Replies:
        if isinstance(self._error, MetaskError):
            raise copy.copy(self._error)  # to everyone who asks, as it is shown shortly only once
        if self._error is not None:
            raise self._error
        assert self._reply is not None  # noqa: S101 -- for mypy: one of the two is there at the end
        return self._reply

    def _run(self) -> None:
        try:
            self._reply = self._conclude(self._asking.run(InterruptRequest()))
        except BaseException as error:  # noqa: BLE001 -- it is raised to whoever waits
            self._error = error
            self._reply = getattr(error, "reply", None)
        self._ended.set_result(None)


def end_all(pending: Iterable[BackgroundReply]) -> None:
    """Cancel replies, and wait a moment for their records to be in place."""
    coming = [reply for reply in pending if not reply.done]
    for reply in coming:
        reply.cancel()
    deadline = time.monotonic() + END_SECONDS
    for reply in coming:
        with suppress(TimeoutError):
            result_of(reply._ended, max(0.0, deadline - time.monotonic()))
