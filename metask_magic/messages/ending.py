"""How a reply ended: a server's word as one of ours, and what its reader is told where it is no clean end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ..language import _, ngettext, pgettext
from ..words import all_of, listed
from .events import Usage
from .kinds import FinishReason

Outcome = Literal[  # English: what is compared and kept; `in_words` says it
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
_WORDS: Mapping[FinishReason, str] = {  # English: providers' words
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

_SAY_THEMSELVES = {  # English: what is compared
    ("length", "cut off"),
    ("content_filter", "filtered"),
    ("tool_calls", "waiting for a tool"),
    ("incomplete", "perhaps cut off"),
    ("interrupted", "stopped"),
    ("error", "failed"),
}
"""Reasons with what they mean, where a table need not say both."""


def in_words(outcome: str) -> str:
    """Return an outcome in the current language."""
    words: dict[str, str] = {  # English: the keys
        "cut off": pgettext("how a reply ended", "cut off"),
        "perhaps cut off": pgettext("how a reply ended", "perhaps cut off"),
        "filtered": pgettext("how a reply ended", "filtered"),
        "refused": pgettext("how a reply ended", "refused"),
        "empty": pgettext("how a reply ended", "empty"),
        "waiting for a tool": pgettext("how a reply ended", "waiting for a tool"),
        "stopped": pgettext("how a reply ended", "stopped"),
        "failed": pgettext("how a reply ended", "failed"),
    }
    return words.get(outcome, outcome)


def known_reason(reported: str | None) -> FinishReason:
    """Return a server's word as one of ours: `incomplete` where it said nothing, or that it broke off.

    A word that is not known counts as `stop`; `Ending.notice` says that it does.
    """
    if reported is None:
        return "incomplete"
    word = _normalized(reported)
    return next((reason for reason, words in _MEANING.items() if word in words), "stop")


@lru_cache(maxsize=64)  # every reply is asked for its ending several times, and there are few words
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
            return "waiting for a tool"  # English: `in_words` says it
        if not self.has_text:
            return "empty"
        if self.reason == "length":
            return "cut off"  # English: `in_words` says it
        doubtful = self.reason == "incomplete" or self._is_unknown
        return "perhaps cut off" if doubtful else ""  # English: `in_words` says it

    @property
    def is_lacking(self) -> bool:
        """Whether the reply brought no answer to build on, or not all of one."""
        waits = self.outcome == "waiting for a tool"  # English: what is compared
        return self.outcome in LACKING or (waits and not self.has_text)

    @property
    def notice(self) -> str:
        """What a reader has to know, with a remedy, in a line; "" where it is whole, or an error tells."""
        match self.outcome:
            case "stopped":
                return _("Stopped before its end.") if self.has_text else _("Stopped before any text came.")
            case "refused":
                return _(
                    "The model refused to answer{word}: ask otherwise, or ask another model.",
                    word=self._own_word,
                )
            case "filtered":
                return self._filtered
            case "waiting for a tool":
                return _(
                    "The model asks to call {names}, and nobody did: `tool_calls` of the reply has it.",
                    names=all_of(dict.fromkeys(self.calls)),
                )
            case "empty":
                return self._empty
            case "cut off":
                return _(
                    "Cut off at {limit}{word}: {more}, or ask it to go on.",
                    limit=self._limit,
                    word=self._own_word,
                    more=self._more,
                )
            case "perhaps cut off":
                return self._doubt
        return ""

    @property
    def detail(self) -> str:
        """What a table says of the end: the reason, and in brackets what it does not say by itself."""
        says_itself = (self.reason, self.outcome) in _SAY_THEMSELVES or self._word.lower() == "refusal"
        more: list[str] = [] if says_itself or not self.outcome else [in_words(self.outcome)]
        more += [self._word] if self._word else []
        if not more:
            return self.reason
        return pgettext("how a reply ended", "{reason} ({more})", reason=self.reason, more=listed(more))

    @property
    def _is_unknown(self) -> bool:
        return self.reason == "stop" and _normalized(self.native or "") not in _OURS

    @property
    def _word(self) -> str:
        """The server's own word where it says more than ours."""
        return "" if self.native is None or _normalized(self.native) in _OURS else self.native

    @property
    def _own_word(self) -> str:
        """The same in brackets, to be put behind a word of ours."""
        return pgettext("the server's own word", " ({word})", word=self._word) if self._word else ""

    @property
    def _limit(self) -> str:
        if self.limit is None:
            return _("the model's limit of tokens")
        return ngettext("the limit of {count} token", "the limit of {count} tokens", self.limit)

    @property
    def _more(self) -> str:
        return _("raise --max-tokens") if self.limit is not None else _("set a higher --max-tokens")

    @property
    def _filtered(self) -> str:
        if self.has_text:
            return _(
                "Cut off by the provider's content filter{word}: ask otherwise, or ask another model.",
                word=self._own_word,
            )
        return _(
            "Withheld by the provider's content filter{word}: ask otherwise, or ask another model.",
            word=self._own_word,
        )

    @property
    def _empty(self) -> str:
        if self.reason == "length":
            return self._empty_at_limit
        if self.reason == "incomplete" and self.native:
            return _(
                "Empty: it was broken off by the provider{word}, and no text came: run the cell again, or "
                "ask another model.",
                word=self._own_word,
            )
        if self.reason == "incomplete":
            return _(
                "Empty: the stream ended without saying that it was finished, and no text came: run the cell "
                "again, or ask another model."
            )
        if self._reasoned and self._tokens:
            return ngettext(
                "Empty: all {count} token went into its reasoning, and no answer came: run the cell again, "
                "or ask another model.",
                "Empty: all {count} tokens went into its reasoning, and no answer came: run the cell again, "
                "or ask another model.",
                self._tokens,
            )
        if self._reasoned:
            return _(
                "Empty: all of the reply went into its reasoning, and no answer came: run the cell again, or "
                "ask another model."
            )
        return _(
            "Empty: the gateway sent no text{word}: run the cell again, or ask another model.",
            word=self._own_word,
        )

    @property
    def _empty_at_limit(self) -> str:
        if not self._reasoned:
            return _(
                "Empty: cut off at {limit}{word} before any text came: {more}.",
                limit=self._limit,
                word=self._own_word,
                more=self._more,
            )
        if self._tokens:
            return ngettext(
                "Empty: all {count} token went into its reasoning before it answered: {more}.",
                "Empty: all {count} tokens went into its reasoning before it answered: {more}.",
                self._tokens,
                more=self._more,
            )
        return _("Empty: all its tokens went into its reasoning before it answered: {more}.", more=self._more)

    @property
    def _reasoned(self) -> bool:
        return self.has_reasoning or bool(self.usage and self.usage.reasoning_tokens)

    @property
    def _tokens(self) -> int | None:
        return self.usage.completion_tokens if self.usage else None

    @property
    def _doubt(self) -> str:
        if self.native is None:
            return _(
                "Perhaps cut off: the stream ended without saying that it was finished. Run the cell again "
                "if its end is missing."
            )
        if self.reason == "incomplete":
            return _(
                "Broken off by the provider{word}: run the cell again, or ask another model.",
                word=self._own_word,
            )
        return _(
            "It ended for a reason that is not known here ({native}): it may be cut off.", native=self.native
        )
