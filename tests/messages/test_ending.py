"""How a reply ended: which word is which of ours, and what a reader is told."""

from __future__ import annotations

from typing import Any

import pytest

from metask_magic.language import choose
from metask_magic.messages.ending import Ending, known_reason
from metask_magic.messages.events import Usage
from metask_magic.messages.kinds import FinishReason

from ..english import english_sentences

WORDS: dict[FinishReason, str] = {
    "stop": "stop STOP Stop eos EOS end_turn end-turn stop_sequence COMPLETE FINISH_REASON_STOP xyz",
    "length": "length max_tokens MAX_TOKENS FINISH_REASON_MAX_TOKENS model_length max_output_tokens "
    "model_context_window_exceeded",
    "tool_calls": "tool_calls tool_use function_call TOOL_CALL",
    "content_filter": "content_filter SAFETY RECITATION sensitive refusal BLOCKLIST PROHIBITED_CONTENT SPII "
    "guardrail_intervened IMAGE_SAFETY",
    "incomplete": "insufficient_system_resource error network_error abort MALFORMED_FUNCTION_CALL pause_turn",
}


@pytest.mark.parametrize(
    ("word", "reason"), [(word, reason) for reason, words in WORDS.items() for word in words.split()]
)
def test_words_of_providers(word: str, reason: FinishReason) -> None:
    assert known_reason(word) == reason


def test_nothing_said_and_nothing_in_it() -> None:
    assert (known_reason(None), known_reason(""), known_reason(" ")) == ("incomplete", "stop", "stop")


EMPTY: dict[str, Any] = {"has_text": False}
AGAIN = "run the cell again, or ask another model."
OTHERWISE = "ask otherwise, or ask another model."
SPENT = Usage(completion_tokens=200, reasoning_tokens=200)

# What is known, its outcome, what a reader is told, and what a table says.
ENDINGS: dict[str, tuple[Ending, str, str, str]] = {
    "whole": (Ending("stop"), "", "", "stop"),
    "whole, in another word": (Ending("stop", "end_turn"), "", "", "stop"),
    "cut at a limit": (
        Ending("length", "length", limit=200),
        "cut off",
        "Cut off at the limit of 200 tokens: raise --max-tokens, or ask it to go on.",
        "length",
    ),
    "cut at a limit of one": (
        Ending("length", limit=1),
        "cut off",
        "Cut off at the limit of 1 token: raise --max-tokens, or ask it to go on.",
        "length",
    ),
    "cut at the model's own": (
        Ending("length", "MAX_TOKENS"),
        "cut off",
        "Cut off at the model's limit of tokens (MAX_TOKENS): set a higher --max-tokens, or ask it to go on.",
        "length (MAX_TOKENS)",
    ),
    "filtered": (
        Ending("content_filter", "content_filter"),
        "filtered",
        f"Cut off by the provider's content filter: {OTHERWISE}",
        "content_filter",
    ),
    "filtered whole": (
        Ending("content_filter", "SAFETY", **EMPTY),
        "filtered",
        f"Withheld by the provider's content filter (SAFETY): {OTHERWISE}",
        "content_filter (SAFETY)",
    ),
    "refused": (
        Ending("stop", "stop", refused=True),
        "refused",
        f"The model refused to answer: {OTHERWISE}",
        "stop (refused)",
    ),
    "refused, by its reason": (
        Ending("content_filter", "refusal"),
        "refused",
        f"The model refused to answer (refusal): {OTHERWISE}",
        "content_filter (refusal)",
    ),
    "no end": (
        Ending("incomplete"),
        "perhaps cut off",
        "Perhaps cut off: the stream ended without saying that it was finished. Run the cell again if its "
        "end is missing.",
        "incomplete",
    ),
    "broken off": (
        Ending("incomplete", "insufficient_system_resource"),
        "perhaps cut off",
        f"Broken off by the provider (insufficient_system_resource): {AGAIN}",
        "incomplete (insufficient_system_resource)",
    ),
    "a word of its own": (
        Ending("stop", "xyz"),
        "perhaps cut off",
        "It ended for a reason that is not known here (xyz): it may be cut off.",
        "stop (perhaps cut off, xyz)",
    ),
    "a tool": (
        Ending("tool_calls", "tool_calls", calls=("f", "g", "f"), **EMPTY),
        "waiting for a tool",
        "The model asks to call f and g, and nobody did: `tool_calls` of the reply has it.",
        "tool_calls",
    ),
    "a tool, and a clean end": (
        Ending("stop", "stop", calls=("f",)),
        "waiting for a tool",
        "The model asks to call f, and nobody did: `tool_calls` of the reply has it.",
        "stop (waiting for a tool)",
    ),
    "a tool, cut": (
        Ending("length", calls=("f",), **EMPTY),
        "empty",
        "Empty: cut off at the model's limit of tokens before any text came: set a higher --max-tokens.",
        "length (empty)",
    ),
    "empty": (Ending("stop", **EMPTY), "empty", f"Empty: the gateway sent no text: {AGAIN}", "stop (empty)"),
    "empty, reasoned": (
        Ending("stop", has_reasoning=True, **EMPTY),
        "empty",
        f"Empty: all of the reply went into its reasoning, and no answer came: {AGAIN}",
        "stop (empty)",
    ),
    "empty, reasoned unseen": (
        Ending("stop", usage=SPENT, **EMPTY),
        "empty",
        f"Empty: all 200 tokens went into its reasoning, and no answer came: {AGAIN}",
        "stop (empty)",
    ),
    "empty, cut while it reasoned": (
        Ending("length", has_reasoning=True, usage=SPENT, limit=200, **EMPTY),
        "empty",
        "Empty: all 200 tokens went into its reasoning before it answered: raise --max-tokens.",
        "length (empty)",
    ),
    "empty, cut": (
        Ending("length", limit=3, **EMPTY),
        "empty",
        "Empty: cut off at the limit of 3 tokens before any text came: raise --max-tokens.",
        "length (empty)",
    ),
    "empty, no end": (
        Ending("incomplete", **EMPTY),
        "empty",
        f"Empty: the stream ended without saying that it was finished, and no text came: {AGAIN}",
        "incomplete (empty)",
    ),
    "empty, broken off": (
        Ending("incomplete", "network_error", **EMPTY),
        "empty",
        f"Empty: it was broken off by the provider (network_error), and no text came: {AGAIN}",
        "incomplete (empty, network_error)",
    ),
    "stopped": (Ending("interrupted"), "stopped", "Stopped before its end.", "interrupted"),
    "stopped at once": (
        Ending("interrupted", **EMPTY),
        "stopped",
        "Stopped before any text came.",
        "interrupted",
    ),
    "failed": (Ending("error", **EMPTY), "failed", "", "error"),
}


@pytest.mark.parametrize(("ending", "outcome", "notice", "detail"), ENDINGS.values(), ids=ENDINGS)
def test_endings(ending: Ending, outcome: str, notice: str, detail: str) -> None:
    assert (ending.outcome, ending.notice, ending.detail) == (outcome, notice, detail)


def test_what_lacks_an_answer() -> None:
    lacking = {name for name, (ending, *_) in ENDINGS.items() if ending.is_lacking}
    assert {"cut at a limit", "no end", "whole", "failed", "stopped"}.isdisjoint(lacking)
    assert "a tool, and a clean end" not in lacking
    assert {"filtered", "filtered whole", "refused", "empty", "empty, cut", "a tool"} <= lacking


IN_CHINESE = {
    "cut at a limit": ("已达上限 200 个 token，回复被截断：调高 --max-tokens，或让它继续。", "length"),
    "cut at the model's own": (
        "已达模型的 token 上限（MAX_TOKENS），回复被截断：设置更高的 --max-tokens，或让它继续。",
        "length（MAX_TOKENS）",
    ),
    "filtered whole": (
        "被提供方的内容过滤拦下（SAFETY）：换个问法，或换一个模型。",
        "content_filter（SAFETY）",
    ),
    "a word of its own": ("结束的原因在这里无法识别（xyz）：可能被截断。", "stop（可能截断、xyz）"),
    "a tool": ("模型要求调用 f 和 g，但没有人执行：见回复的 `tool_calls`。", "tool_calls"),
    "empty, cut while it reasoned": (
        "空：还没开始回答，全部 200 个 token 就用在了思考过程上：调高 --max-tokens。",
        "length（空）",
    ),
    "empty, broken off": (
        "空：提供方中断了回复（network_error），没有收到文字。重新运行单元格，或换一个模型。",
        "incomplete（空、network_error）",
    ),
}


@pytest.mark.parametrize("name", IN_CHINESE)
def test_an_ending_in_chinese(name: str) -> None:
    choose("zh")
    ending, outcome, *_ = ENDINGS[name]
    assert (ending.notice, ending.detail) == IN_CHINESE[name]
    assert ending.outcome == outcome, "which is compared, and no words"


@pytest.mark.parametrize("name", ENDINGS)
def test_in_chinese_no_ending_is_english(name: str) -> None:
    choose("zh")
    ending, *_ = ENDINGS[name]
    assert english_sentences(f"{ending.notice} | {ending.detail}") == []
