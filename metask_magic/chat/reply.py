"""A reply: the value a cell returns, and the builder that folds events into it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..errors import MetaskError
from ..language import Language, _, current, using
from ..messages.ending import Ending, known_reason
from ..messages.events import (
    Continued,
    Event,
    Noted,
    Parsed,
    ReasoningDelta,
    Served,
    Spoken,
    Step,
    Stepped,
    TextDelta,
    Timed,
    Usage,
)
from ..messages.fold import Fold
from ..messages.kinds import JSON, FinishReason, Format
from ..messages.record import Record
from ..messages.request import Message, Request, ToolCall
from ..scripts.export import EMBEDDED, Code, to_code

LIMITS = ("max_tokens", "max_completion_tokens")
"""The parameters that say how many tokens a reply may have."""


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced piece of code in a reply; `language` is empty where the fence names none."""

    language: str
    code: str


@dataclass(frozen=True)
class Reply:
    """What a model answered.

    `str(reply)` is the text. In a notebook a reply shows itself as the safe Markdown record.

    Attributes
    ----------
    model
        The model as the server names it; None where it did not say.
    requested_model
        The model that was asked for.
    usage
        The tokens that were reported; None where none were.
    finish_reason
        `stop`, `length`, `tool_calls`, `content_filter`; `interrupted` by the user; `incomplete` where
        the stream ended without saying, or was broken off by the provider; `error`.
    native_finish_reason
        The server's own word for it (`MAX_TOKENS`, `end_turn`, …); None where it gave none.
    refusal
        The text, or the part of it, in which the model refused to answer.
    reasoning
        What the model showed of its reasoning.
    data
        The object the text stands for, with `--schema` or `-f json`; None otherwise.
    tool_calls
        The functions the model asked for, in order.
    steps
        What was done on the way: each tool that was called with its result, each answer that did not fit.
    messages
        What the reply adds to a conversation: the calls, their results, the answer.
    elapsed, first_token_after
        Seconds from asking to the end, and to the first piece of text or reasoning (None if none came).
        Of a recorded reply, the seconds the model took when it was recorded.
    request_id
        The gateway's id for the request.
    notes
        What is to be said beside the reply: why it could not be recorded.
    language
        `en` or `zh`: in which its notice, its notes and its steps speak.
    request, base_url
        What was asked, and where; for `as_code`.
    error
        What failed, where `finish_reason` is `error`.

    """

    text: str
    requested_model: str
    finish_reason: FinishReason
    model: str | None = None
    usage: Usage | None = None
    native_finish_reason: str | None = None
    refusal: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    elapsed: float = 0.0
    first_token_after: float | None = None
    request_id: str | None = None
    params: Mapping[str, JSON] = field(default_factory=dict)
    data: Any = None
    steps: tuple[Step, ...] = ()
    messages: tuple[Message, ...] = ()
    format: Format = "markdown"
    notes: tuple[str, ...] = ()
    language: Language = field(default_factory=current, repr=False, compare=False)
    request: Request | None = field(default=None, repr=False, compare=False)
    base_url: str = field(default="", compare=False)
    error: MetaskError | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        tokens = self.usage.completion_tokens if self.usage else None
        model, length, ending = self.model or self.requested_model, len(self.text), self.ending.detail
        if tokens is None:
            return _(
                "<Reply from {model}: {characters:,} characters, {ending}>",
                model=model,
                characters=length,
                ending=ending,
            )
        return _(
            "<Reply from {model}: {characters:,} characters, {tokens:,} tokens, {ending}>",
            model=model,
            characters=length,
            tokens=tokens,
            ending=ending,
        )

    @property
    def ending(self) -> Ending:
        """What is known of its end."""
        limits = (self.params.get(name) for name in LIMITS)
        pending = self.messages[-1].tool_calls if self.messages else self.tool_calls
        return Ending(
            self.finish_reason,
            self.native_finish_reason,
            has_text=bool(self.text.strip()),
            has_reasoning=bool(self.reasoning),
            refused=bool(self.refusal),
            usage=self.usage,
            limit=next((limit for limit in limits if isinstance(limit, int)), None),
            calls=tuple(call.name for call in pending),
        )

    @property
    def notice(self) -> str:
        """Why it is not whole and what helps, in one line: cut off, filtered, empty, …; "" where it is."""
        with using(self.language):
            return self.ending.notice

    def as_code(self, language: str = "python") -> Code:
        """Return a stand-alone script of the same request: `python`, `node` or `curl`.

        It asks the same address with the official library (curl: in bash), takes the key from its own
        environment, and prints the answer as it comes. Where the model could call functions, the script
        prints the calls of the first answer.

        Raises
        ------
        MetaskError
            The script cannot be written: there is no such language, or no address that lasts.

        """
        if self.requested_model == EMBEDDED:
            raise MetaskError(
                _("The embedded model has no address that lasts."),
                _("Ask a model of the gateway by its name."),
            )
        if self.request is None or not self.base_url:
            raise MetaskError(
                _("This reply does not say what was asked, and where."),
                _("Ask again, and export the new reply."),
            )
        return to_code(self.request, self.base_url, language)

    @cached_property
    def code_blocks(self) -> tuple[CodeBlock, ...]:
        """The reply's fenced code, in order. An unclosed last fence counts."""
        from markdown_it import MarkdownIt

        fences = (token for token in MarkdownIt().parse(self.text) if token.type == "fence")
        return tuple(CodeBlock(_first_word(fence.info), fence.content) for fence in fences)

    def to_record(self, name: str = "") -> Record:
        """What stays in the notebook: text and provenance. `name` is shown instead of the model's."""
        ending = self.ending
        with using(self.language):
            notice, detail = ending.notice, ending.detail
        return Record(
            model=name or self.model or self.requested_model,
            text=self.text,
            finish_reason=self.finish_reason,
            reasoning=self.reasoning,
            notice=notice,
            outcome=ending.outcome,
            ending=detail,
            note="\n".join(self.notes),
            failure=str(self.error or ""),
            usage=self.usage,
            elapsed=self.elapsed,
            first_token_after=self.first_token_after,
            format=self.format,
            steps=self.steps,
            metadata=self._provenance(),
        )

    def _provenance(self) -> dict[str, JSON]:
        facts: dict[str, Any] = {
            "model": self.model,
            "requested_model": self.requested_model,
            "params": dict(self.params),
            "usage": self.usage.to_json() if self.usage else None,
            "finish_reason": self.finish_reason,
            "native_finish_reason": None if self._is_plain_end else self.native_finish_reason,
            "refusal": self.refusal or None,
            "request_id": self.request_id,
            "steps": [step.to_json() for step in self.steps],
        }
        return {name: fact for name, fact in facts.items() if fact not in (None, {}, [])}

    @property
    def _is_plain_end(self) -> bool:
        """Whether the server's own word is the one we have for it."""
        return self.native_finish_reason == self.finish_reason


def _first_word(info: str) -> str:
    words = info.split()
    return words[0] if words else ""


@dataclass(frozen=True, slots=True)
class _Rounds:
    """What the requests before the last one of a reply brought; `usage` is None before the first ended."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    messages: tuple[Message, ...] = ()
    usage: Usage | None = None


class ReplyBuilder:
    """Folds the events of one request into a `Reply`: feed, then finish.

    Events are fed by the network's thread; any thread may build. Once finished (or failed, or
    interrupted) later events change nothing, but for a step: that of a call which the end came into.
    """

    def __init__(self, request: Request, clock: Callable[[], float] = time.perf_counter) -> None:
        self._request = request
        self._clock = clock
        self._asked_at = clock()
        self._lock = threading.Lock()
        self._answer = Fold()
        self._earlier = _Rounds()
        self._steps: list[Step] = []
        self._notes: list[str] = []
        self.language = current()
        """In which the reply is spoken of, as far as it has come."""
        self._data: Any = None
        self._first_at: float | None = None
        self._timed: Timed | None = None
        self._untimed = True
        self._ending: tuple[FinishReason, float, MetaskError | None] | None = None

    def feed(self, event: Event) -> None:
        """Fold one event in."""
        with self._lock:
            if self._ending is None or isinstance(event, Stepped):
                self._fold(event)

    def _fold(self, event: Event) -> None:
        match event:
            case TextDelta() | ReasoningDelta():
                self._mark_first()
            case Served():
                self._untimed = True
        if not self._answer.take(event):
            self._fold_around(event)

    def _fold_around(self, event: Event) -> None:
        """Fold in what is no part of a model's answer."""
        match event:
            case Stepped(step):
                self._steps.append(step)
            case Continued():
                self._continue(event)
            case Parsed(data):
                self._data = data
            case Noted(text):
                self._notes.append(text)
            case Spoken(language):
                self.language = language
            case Timed():
                self._add_time(event)

    def _continue(self, event: Continued) -> None:
        """Put this round away: a further request of the same reply follows."""
        answer, served = self._answer, self._answer.served
        usage = answer.usage if self._earlier.usage is None else self._total_usage()
        self._earlier = _Rounds(
            text=self._earlier.text + answer.text if event.keep_text else "",
            reasoning=self._earlier.reasoning + answer.reasoning,
            calls=(*self._earlier.calls, *answer.calls.values()),
            messages=(*self._earlier.messages, *(event.messages if event.keep_text else ())),
            usage=usage or Usage(),
        )
        self._answer = Fold()
        self._answer.take(served)

    def _total_usage(self) -> Usage | None:
        if self._earlier.usage is None:
            return self._answer.usage
        return self._earlier.usage + (self._answer.usage or Usage())

    def _add_time(self, request: Timed) -> None:
        """Add a request's own time: that of a recorded reply is then the same whenever it is replayed."""
        before, first = self._timed or Timed(0.0, None)
        if first is None and request.first_token_after is not None:
            first = before + request.first_token_after
        self._timed, self._untimed = Timed(before + request.elapsed, first), False

    def _times(self, ended_at: float) -> Timed:
        if self._timed is not None and not self._untimed:
            return self._timed
        first = None if self._first_at is None else self._first_at - self._asked_at
        return Timed(ended_at - self._asked_at, first)

    def _mark_first(self) -> None:
        self._untimed = True
        if self._first_at is None:
            self._first_at = self._clock()

    def finish(self) -> None:
        """The stream ended by itself."""
        self._end(known_reason(self._answer.reason))

    def interrupt(self) -> None:
        """The user stopped it."""
        self._end("interrupted")

    def fail(self, error: MetaskError) -> None:
        """It failed; what came before is kept."""
        self._end("error", error)

    def _end(self, reason: FinishReason, error: MetaskError | None = None) -> None:
        with self._lock:
            if self._ending is None:
                self._ending = (reason, self._clock(), error)

    def build(self) -> Reply:
        """The reply as far as it has come; `interrupted` where it has not ended."""
        with self._lock:
            reason, ended_at, error = self._ending or ("interrupted", self._clock(), None)
            answer, calls = self._answer, tuple(self._answer.calls.values())
            times = self._times(ended_at)
            return Reply(
                text=self._earlier.text + answer.text,
                requested_model=self._request.model,
                finish_reason=reason,
                model=answer.served.model,
                usage=self._total_usage(),
                native_finish_reason=answer.reason,
                refusal=answer.refusal,
                reasoning=self._earlier.reasoning + answer.reasoning,
                tool_calls=(*self._earlier.calls, *calls),
                elapsed=times.elapsed,
                first_token_after=times.first_token_after,
                request_id=answer.served.request_id,
                params=dict(self._request.params),
                data=self._data,
                steps=tuple(self._steps),
                messages=(
                    *self._earlier.messages,
                    Message("assistant", answer.text.strip(), tool_calls=calls),
                ),
                format=self._request.format,
                notes=tuple(self._notes),
                language=self.language,
                request=self._request,
                error=error,
            )
