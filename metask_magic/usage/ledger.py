"""The ledger: what a session's requests have used, as far as the gateway said."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

from ..errors import (
    BudgetError,
    GatewayError,
    HostRefusedError,
    LocalModelError,
    NameResolutionError,
    TLSError,
)
from ..language import _
from ..messages.events import Backend, Event, Finished, Notice, Usage, UsageReported
from ..messages.request import Request

SLICE_TOKENS = 1000  # providers raise their prices from round lengths of the prompt on

_NEVER_ARRIVED = (NameResolutionError, HostRefusedError, TLSError, LocalModelError)


@dataclass(frozen=True, slots=True)
class Figure:
    """Tokens of several requests: the sum of what is known, and how many requests used more than that.

    `str(figure)` is the sum with `+ ?` where it is only the least they can have used.
    """

    known: int = 0
    missing: int = 0

    def __add__(self, other: Figure) -> Figure:
        return Figure(self.known + other.known, self.missing + other.missing)

    def __str__(self) -> str:
        if not self.missing:
            return f"{self.known:,}"
        return f"{self.known:,} + ?" if self.known else "?"


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """What the requests to one model used; `model` is the name it was asked by.

    Attributes
    ----------
    requests
        All that were sent: each round of tools and each repair counts, a retry after a refusal does not.
    failed, interrupted
        Those that ended so.
    unreported
        Those whose tokens the gateway did not report, or not all of them.
    input, cached, output, reasoning
        Tokens; `cached` is a part of `input`, `reasoning` of `output`.
    seconds
        From asking to the end, summed: requests side by side count each.

    """

    model: str
    requests: int = 0
    failed: int = 0
    interrupted: int = 0
    unreported: int = 0
    input: Figure = Figure()
    cached: Figure = Figure()
    output: Figure = Figure()
    reasoning: Figure = Figure()
    seconds: float = 0.0

    def __add__(self, other: ModelUsage) -> ModelUsage:
        """Sum up; the name is the first one's."""
        return ModelUsage(self.model, *(getattr(self, name) + getattr(other, name) for name in _SUMMED))

    @property
    def tokens(self) -> int:
        """Input and output tokens, as far as they are known."""
        return self.input.known + self.output.known


_SUMMED = [field.name for field in fields(ModelUsage)][1:]

Slices: TypeAlias = dict[tuple[str, int], ModelUsage]
"""Requests summed up by their model, and by the thousands of tokens in the prompt."""


class Ledger:
    """Adds up what requests used. Any thread may call any method."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slices: Slices = {}

    def add(self, used: ModelUsage) -> None:
        """Enter one request."""
        self.merge({(used.model, max(0, used.input.known - 1) // SLICE_TOKENS): used})

    def merge(self, slices: Slices) -> None:
        """Enter what another ledger gave away."""
        with self._lock:
            for key, used in slices.items():
                known = self._slices.get(key)
                self._slices[key] = known + used if known else used

    def give_away(self) -> Slices:
        """Return everything, for another ledger, and forget it."""
        with self._lock:
            given, self._slices = self._slices, {}
            return given

    def check(self, budget: int | None) -> None:
        """Raise `BudgetError` if as many tokens as `budget` are known to be used; None is no limit."""
        if budget is None:
            return
        total = self.total()
        if total.tokens < budget:
            return
        raise BudgetError(
            _used_up(total, budget),
            _(
                "Raise the budget (`%config Metask.budget_tokens = {tokens}`) or unset it (`= None`); "
                "`%metask usage --reset` starts over.",
                tokens=2 * total.tokens,
            ),
        )

    def slices(self) -> tuple[ModelUsage, ...]:
        """Return the requests by model and length: in one slice, prompts differ by under 1000 tokens.

        A price may depend on the length of each prompt, so that it cannot be told from a model's sum.
        """
        with self._lock:
            return tuple(self._slices.values())

    def rows(self) -> tuple[ModelUsage, ...]:
        """Return one sum per model, in the order they were first asked."""
        rows: dict[str, ModelUsage] = {}
        for part in self.slices():
            rows[part.model] = rows.get(part.model, ModelUsage(part.model)) + part
        return tuple(rows.values())

    def total(self) -> ModelUsage:
        """Return the sum over all models, which has no name."""
        return sum(self.slices(), ModelUsage(""))

    def reset(self) -> None:
        """Forget everything. A request that is under way will be entered when it ends."""
        with self._lock:
            self._slices.clear()


def _used_up(total: ModelUsage, budget: int) -> str:
    if not total.unreported:
        return _(
            "The session has used {used:,} of its {budget:,} tokens (Metask.budget_tokens).",
            used=total.tokens,
            budget=budget,
        )
    return _(
        "The session has used at least {used:,} of its {budget:,} tokens (Metask.budget_tokens); "
        "{unreported:,} of {requests:,} requests did not report all of theirs.",
        used=total.tokens,
        budget=budget,
        unreported=total.unreported,
        requests=total.requests,
    )


class MeteredBackend:
    """Enters every request to the backend within into a ledger, and keeps to a budget of tokens.

    It stands right around the gateway, so that each round of a reply is a request of its own. `budget`
    returns the most tokens that may be known to be used before a request is refused, or None.
    """

    def __init__(
        self,
        inner: Backend,
        ledger: Ledger,
        budget: Callable[[], int | None] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._inner = inner
        self._ledger = ledger
        self._budget = budget
        self._clock = clock

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        """Ask (see `Backend.stream`). Raises `BudgetError`, and sends nothing, once the budget is used."""
        self._ledger.check(self._budget())
        meter = _Meter(request.model, self._clock)
        try:
            async for event in self._inner.stream(request):
                meter.feed(event)
                yield event
        except (asyncio.CancelledError, GeneratorExit):
            meter.interrupt()
            raise
        except Exception as error:
            meter.fail(error)
            raise
        finally:
            self._ledger.add(meter.read())


class _Meter:
    """Watches one request from asking to its end."""

    def __init__(self, model: str, clock: Callable[[], float]) -> None:
        self._model = model
        self._clock = clock
        self._asked_at = clock()
        self._usage = Usage()
        self._begun = False
        self._finished = False
        self._failure: Exception | None = None
        self._interrupted = False

    def feed(self, event: Event) -> None:
        match event:
            case Notice():
                return
            case UsageReported(usage):
                self._usage = usage  # the last one counts: some gateways send running totals
            case Finished():
                self._finished = True
        self._begun = True

    def interrupt(self) -> None:
        self._interrupted = True

    def fail(self, error: Exception) -> None:
        self._failure = error

    def read(self) -> ModelUsage:
        """Return what the request used, now that it has ended."""
        used = ModelUsage(
            self._model,
            requests=1,
            failed=int(self._failure is not None),
            interrupted=int(self._interrupted),
            seconds=self._clock() - self._asked_at,
        )
        if self._was_refused():
            return used
        # A running total that was broken off is the least the model wrote.
        whole = self._finished or not (self._failure or self._interrupted)
        input_, output = _figure(self._usage.prompt_tokens), _figure(self._usage.completion_tokens, whole)
        return replace(
            used,
            unreported=int(bool(input_.missing or output.missing)),
            input=input_,
            cached=_figure(self._usage.cached_tokens),
            output=output,
            reasoning=_figure(self._usage.reasoning_tokens, whole),
        )

    def _was_refused(self) -> bool:
        """Whether no model was asked: what was turned away at the door used no tokens."""
        if self._begun:
            return False
        if isinstance(self._failure, GatewayError):
            return 400 <= (self._failure.status or 0) < 500
        return isinstance(self._failure, _NEVER_ARRIVED)


def _figure(tokens: int | None, whole: bool = True) -> Figure:
    if tokens is None or tokens < 0:
        return Figure(missing=1)
    return Figure(tokens, missing=int(not whole))
