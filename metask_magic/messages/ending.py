"""How a reply ended: a server's word as one of ours, and what its reader is told where it is no clean end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..words import counted
from .events import Usage
from .kinds import FinishReason

Outcome = Literal[
    "",
    "cut off",
    "perhaps cut off",
    "filtered",
    "refused",
    "empty",
    "waiting for a tool",
    "stopped",
    "failed",
]
"""How a reply ended, in a word or two; nothing where it is whole."""

LACKING: frozenset[Outcome] = frozenset({"filtered", "refused", "empty"})
"""Outcomes of a reply that brought no answer, or not all of one, whatever text it has."""

# What providers say, in lower case and with `_` for any other mark.
_WORDS: Mapping[FinishReason, str] = {
    "stop": "stop eos eos_token end_turn stop_sequence stop_token end_of_text complete completed finish "
    "finished end done normal success load unload",
    "length": "length max_token max_tokens max_length max_new_tokens max_output_tokens length_limit "
    "max_completion_tokens model_length token_limit context_length_exceeded context_window_exceeded "
    "model_context_window_exceeded",
    "tool_calls": "tool_calls tool_call tool_use function_call function_calls",
    "content_filter": "content_filter content_filtered content_policy content_policy_violation safety "
    "recitation sensitive refusal blocklist prohibited_content spii language image_safety moderation "
    "guardrail guardrail_intervened blocked error_toxic data_inspection_failed model_armor",
    "incomplete": "incomplete insufficient_system_resource error network_error timeout abort aborted "
    "cancelled canceled interrupted preempted pause_turn malformed_function_call unexpected_tool_call",
}
_MEANING = {reason: frozenset(words.split()) for reason, words in _WORDS.items()}
_OURS = _MEANING["stop"] | {"", "length", "tool_calls", "content_filter"}

_SAY_THEMSELVES = {
    ("length", "cut off"),
    ("content_filter", "filtered"),
    ("tool_calls", "waiting for a tool"),
    ("incomplete", "perhaps cut off"),
    ("interrupted", "stopped"),
    ("error", "failed"),
}
"""Reasons with what they mean, where a table need not say both."""


def known_reason(reported: str | None) -> FinishReason:
    """Return a server's word as one of ours: `incomplete` where it said nothing, or that it broke off.

    A word that is not known counts as `stop`; `Ending.notice` says that it does.
    """
    if reported is None:
        return "incomplete"
    word = _normalized(reported)
    return next((reason for reason, words in _MEANING.items() if word in words), "stop")


def _normalized(word: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", word.strip().lower()).removeprefix("finish_reason_").strip("_")


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of the end of a reply.

    Attributes
    ----------
    native
        The server's own word; None where it gave none.
    limit
        The most tokens the reply might have; None where the request did not say.
    calls
        The functions that were to be called and were not, by name.

    """

    reason: FinishReason
    native: str | None = None
    has_text: bool = True
    has_reasoning: bool = False
    refused: bool = False
    usage: Usage | None = None
    limit: int | None = None
    calls: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """How it ended, in a word or two."""
        if self.reason in ("interrupted", "error"):
            return "stopped" if self.reason == "interrupted" else "failed"
        if self.refused or _normalized(self.native or "") == "refusal":
            return "refused"
        if self.reason == "content_filter":
            return "filtered"
        if self.calls and self.reason in ("tool_calls", "stop"):  # some say `stop` all the same
            return "waiting for a tool"
        if not self.has_text:
            return "empty"
        if self.reason == "length":
            return "cut off"
        return "perhaps cut off" if self.reason == "incomplete" or self._is_unknown else ""

    @property
    def is_lacking(self) -> bool:
        """Whether the reply brought no answer to build on, or not all of one."""
        return self.outcome in LACKING or (self.outcome == "waiting for a tool" and not self.has_text)

    @property
    def notice(self) -> str:
        """What a reader has to know, with a remedy, in a line; "" where it is whole, or an error tells."""
        match self.outcome:
            case "stopped":
                return "Stopped before its end." if self.has_text else "Stopped before any text came."
            case "refused":
                return f"The model refused to answer{self._own_word}: ask otherwise, or ask another model."
            case "filtered":
                done = "Cut off" if self.has_text else "Withheld"
                other = "ask otherwise, or ask another model"
                return f"{done} by the provider's content filter{self._own_word}: {other}."
            case "waiting for a tool":
                named = " and ".join(dict.fromkeys(self.calls))
                return f"The model asks to call {named}, and nobody did: `tool_calls` of the reply has it."
            case "empty":
                return f"Empty: {self._why_empty}"
            case "cut off":
                return f"Cut off at {self._limit}{self._own_word}: {self._more}, or ask it to go on."
            case "perhaps cut off":
                return self._doubt
        return ""

    @property
    def detail(self) -> str:
        """What a table says of the end: the reason, and in brackets what it does not say by itself."""
        says_itself = (self.reason, self.outcome) in _SAY_THEMSELVES or self._word.lower() == "refusal"
        more: list[str] = [] if says_itself or not self.outcome else [self.outcome]
        more += [self._word] if self._word else []
        return f"{self.reason} ({', '.join(more)})" if more else self.reason

    @property
    def _is_unknown(self) -> bool:
        return self.reason == "stop" and _normalized(self.native or "") not in _OURS

    @property
    def _word(self) -> str:
        """The server's own word where it says more than ours."""
        return "" if self.native is None or _normalized(self.native) in _OURS else self.native

    @property
    def _own_word(self) -> str:
        return f" ({self._word})" if self._word else ""

    @property
    def _limit(self) -> str:
        if self.limit is None:
            return "the model's limit of tokens"
        return f"the limit of {counted(self.limit, 'token')}"

    @property
    def _more(self) -> str:
        return "raise --max-tokens" if self.limit is not None else "set a higher --max-tokens"

    @property
    def _why_empty(self) -> str:
        again = "run the cell again, or ask another model."
        if self.reason == "length":
            if self._reasoned:
                spent = self._spent or "all its tokens"
                return f"{spent} went into its reasoning before it answered: {self._more}."
            return f"cut off at {self._limit}{self._own_word} before any text came: {self._more}."
        if self.reason == "incomplete":
            said = f"it was broken off by the provider{self._own_word}" if self.native else _UNSAID
            return f"{said}, and no text came: {again}"
        if self._reasoned:
            return f"{self._spent or 'all of the reply'} went into its reasoning, and no answer came: {again}"
        return f"the gateway sent no text{self._own_word}: {again}"

    @property
    def _reasoned(self) -> bool:
        return self.has_reasoning or bool(self.usage and self.usage.reasoning_tokens)

    @property
    def _spent(self) -> str:
        """The tokens of a reply that has no text, in words, where they were reported."""
        tokens = self.usage.completion_tokens if self.usage else None
        return f"all {counted(tokens, 'token')}" if tokens else ""

    @property
    def _doubt(self) -> str:
        if self.native is None:
            return f"Perhaps cut off: {_UNSAID}. Run the cell again if its end is missing."
        if self.reason == "incomplete":
            return f"Broken off by the provider{self._own_word}: run the cell again, or ask another model."
        return f"It ended for a reason that is not known here ({self.native}): it may be cut off."


_UNSAID = "the stream ended without saying that it was finished"
