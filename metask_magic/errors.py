"""What can go wrong, and what to do about it.

    MetaskError
    ├── OptionError              the option line cannot be read
    ├── PromptError              the prompt cannot be rendered
    │   └── AttachmentError          something cannot be attached to it
    ├── ConversationError        a conversation cannot be used as asked
    ├── SchemaError              the reply does not fit its schema
    ├── ToolError                the tools cannot be used as asked
    │   └── ToolServerError          a server of tools cannot be started or reached, or has ended
    ├── SettingError             a setting has a value it cannot have
    │   └── MissingKeyError      there is no key to send
    ├── BudgetError              the session has used its budget of tokens
    ├── RecordingError           recordings cannot be read or written as asked
    │   └── RecordingMissError       there is no recording of this request, and nothing may be asked
    ├── LocalModelError          the embedded model cannot run here
    ├── ClusterError             the workers of a Dask cluster cannot ask
    ├── GatewayError             the gateway refused
    │   ├── BadRequestError          400, 422
    │   │   └── ContextLengthError       the prompt is longer than the model takes
    │   ├── AuthenticationError      401
    │   ├── PermissionDeniedError    403
    │   ├── NotFoundError            404
    │   ├── RateLimitError           429
    │   └── ServerError              5xx, and an error in the middle of a stream
    ├── ConnectionFailedError    the gateway was not reached
    │   ├── NameResolutionError      its name has no address
    │   ├── HostRefusedError         nothing listens there
    │   ├── TLSError                 its certificate is not trusted
    │   ├── ProxyError               a proxy stands between
    │   └── ReplyTimeoutError        no answer in time
    └── BrokenReplyError         an answer came, but not all of it
        ├── StreamCutError           the connection was cut
        ├── StreamStalledError       nothing more came
        └── UnreadableReplyError     it is no answer of this protocol

    Interrupted (a KeyboardInterrupt)

An error is one sentence that says what happened, and a remedy that says what to do. In a notebook it
renders as those few lines; `%tb` shows the traceback. No error carries a key's value.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any, Self

from .language import _, current, in_english, using
from .words import one_stop, sentences


class _RendersItself(BaseException):
    """Shows an exception as its own few lines the first time, and in full when asked again (`%tb`)."""

    _shown = False

    explaining: BaseException | None = None
    """The exception it was to explain, when `%metask explain` itself failed."""

    table: Any = None
    """The table as far as it got, where the rows of one were asked about."""

    trial: Any = None
    """The same where several models were."""

    def lines(self) -> list[str]:
        """What happened and what to do, in the few lines that a cell shows."""
        raise NotImplementedError

    def _render_traceback_(self) -> list[str]:
        """The lines IPython shows instead of a traceback."""
        if not self._shown:
            self._shown = True
            return self.lines()
        return "".join(traceback.format_exception(self)).rstrip().splitlines()


def _characters(reply: Any) -> int:
    """Count what came of a reply, or of several."""
    if reply is None:
        return 0
    return sum(len(each.text) for each in (reply.values() if isinstance(reply, Mapping) else [reply]))


def _kept(came: int, name: str) -> str:
    return _("The {count:,} characters that came are kept in {name}.", count=came, name=name)


class MetaskError(_RendersItself, Exception):
    """Something failed in a way the user can act on.

    Parameters
    ----------
    message
        One sentence: what happened.
    remedy
        What to do next.
    request_id
        The gateway's own name for the request, where it gave one.

    """

    def __init__(self, message: str, remedy: str = "", *, request_id: str | None = None) -> None:
        message = one_stop(message)
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.request_id = request_id
        self.reply: Any = None
        """The `Reply` as far as it got, when there is one; the `Replies` where every model failed."""
        self.kept_in = "_"
        """Where the user finds it."""

    def __str__(self) -> str:
        return sentences(self.message, self.remedy)

    def __reduce__(self) -> Any:
        # As it is: else its class would be called again, and some of them take other arguments.
        return _revive, (type(self), self.args, self.__dict__)

    def lines(self) -> list[str]:
        """What happened, what to do, what is kept, and the request id."""
        with using(getattr(self.reply, "language", current())):
            return self._lines()

    def _lines(self) -> list[str]:
        lines = [f"{type(self).__name__}: {one_stop(self.message)}"]
        if self.remedy:
            lines.append(f"  → {one_stop(self.remedy)}")
        if isinstance(self.reply, Mapping):
            failed = _("All {count} models failed; this is what the first one met.", count=len(self.reply))
            lines.append(f"  {failed}")
        if came := _characters(self.reply):
            lines.append(f"  {_kept(came, self.kept_in)}")
        if self.request_id:
            lines.append("  " + _("Request id: {request_id}", request_id=self.request_id))
        return lines


def _revive(kind: type[MetaskError], args: tuple[Any, ...], state: Mapping[str, Any]) -> MetaskError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class Interrupted(_RendersItself, KeyboardInterrupt):
    """The user stopped the cell; what had come of the reply, or of the table, is kept."""

    def __init__(self, reply: Any, summary: str = "") -> None:
        super().__init__(summary or self._summary(reply))
        self.reply = reply

    @staticmethod
    def _summary(reply: Any) -> str:
        came = _characters(reply)
        if not came:
            return _("Stopped before any text came.")
        return sentences(_("Stopped."), _kept(came, "_"))

    def lines(self) -> list[str]:
        """That it was stopped, and what is kept."""
        return [f"Interrupted: {one_stop(self.args[0])}"]


class OptionError(MetaskError):
    """The option line cannot be read."""


class PromptError(MetaskError):
    """The prompt cannot be rendered."""


class AttachmentError(PromptError):
    """Something cannot be attached to the prompt."""


class ConversationError(MetaskError):
    """A conversation cannot be used as asked."""


class SchemaError(MetaskError):
    """The reply does not fit its schema, or the schema is none."""


class ToolError(MetaskError):
    """The tools cannot be used as asked."""


class ToolServerError(ToolError):
    """A server of tools (MCP) cannot be started or reached, or has ended."""

    for_model = ""
    """The message in English, where it is not: a model may be told of it too."""

    @classmethod
    def told(cls, say: Callable[[], str], remedy: str) -> Self:
        """Return the error whose message is what `say` says, in the user's language and for a model."""
        error = cls(say(), remedy)
        error.for_model = one_stop(in_english(say))
        return error


class SettingError(MetaskError):
    """A setting has a value it cannot have."""


class MissingKeyError(SettingError):
    """There is no key to send."""


class BudgetError(MetaskError):
    """The session has used its budget of tokens: nothing was sent."""


class RecordingError(MetaskError):
    """Recordings cannot be read or written as asked."""


class RecordingMissError(RecordingError):
    """There is no recording of this request, and nothing may be asked."""


class LocalModelError(MetaskError):
    """The embedded model cannot run here."""


class ClusterError(MetaskError):
    """The workers of a Dask cluster cannot ask."""


NO_CREDIT_CODES = frozenset(("insufficient_quota", "insufficient_user_quota", "insufficient_balance"))


class GatewayError(MetaskError):
    """The gateway refused, with an HTTP status of its own."""

    def __init__(
        self,
        message: str,
        remedy: str = "",
        *,
        request_id: str | None = None,
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, remedy, request_id=request_id)
        self.status = status
        self.code = code
        self.retry_after = retry_after
        """Seconds the gateway asked to wait, where it did."""

    @property
    def needs_credit(self) -> bool:
        """Whether the account is empty, so that waiting is of no use."""
        return self.code in NO_CREDIT_CODES


class BadRequestError(GatewayError):
    """400 or 422: a parameter is missing or not allowed."""


class ContextLengthError(BadRequestError):
    """400: the prompt is longer than the model takes."""


class AuthenticationError(GatewayError):
    """401: the key was refused."""


class PermissionDeniedError(GatewayError):
    """403: the key may not use this model, or the balance is zero."""


class NotFoundError(GatewayError):
    """404: there is no such model, or no such address."""


class RateLimitError(GatewayError):
    """429: too many requests."""


class ServerError(GatewayError):
    """5xx, or an error the gateway sent in the middle of a stream."""


class ConnectionFailedError(MetaskError):
    """The gateway was not reached."""


class NameResolutionError(ConnectionFailedError):
    """The host name has no address."""


class HostRefusedError(ConnectionFailedError):
    """Nothing listens at the address."""


class TLSError(ConnectionFailedError):
    """The server's certificate is not trusted."""


class ProxyError(ConnectionFailedError):
    """The proxy in between did not let the request through."""


class ReplyTimeoutError(ConnectionFailedError):
    """No answer began within `Metask.timeout`."""


class BrokenReplyError(MetaskError):
    """An answer began and could not be finished."""


class StreamCutError(BrokenReplyError):
    """The connection was cut in the middle of the reply."""


class StreamStalledError(BrokenReplyError):
    """Nothing more came within `Metask.timeout`."""


class UnreadableReplyError(BrokenReplyError):
    """What came is no answer of this protocol."""
