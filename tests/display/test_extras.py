"""A line of who answered, and the reasoning, folded: where the user wants them, and harmless."""

from __future__ import annotations

import pytest

from metask_magic.display.extras import Extras, fold_markdown
from metask_magic.display.record import to_output
from metask_magic.messages.kinds import Format
from metask_magic.messages.record import Record

from .test_record import HOSTILE, TRICKS, harm

FOLDED, END_OF_FOLDED = "<details><summary>Reasoning</summary>", "</details>"
BOTH = Extras(byline=True, reasoning=True)


def record(text: str = "Paris.", reasoning: str = "", **facts: object) -> Record:
    return Record("gpt-4o_mini", text, "stop", reasoning, elapsed=3.44, **facts)  # type: ignore[arg-type]


def markdown(record: Record, extras: Extras) -> str:
    return str(to_output([record], extras)[0]["text/markdown"])


@pytest.mark.parametrize(
    ("extras", "shown"),
    [
        (Extras(), "Paris."),
        (Extras(byline=True), "Paris.\n\n*gpt-4o\\_mini · 3.4 s*"),
        (Extras(reasoning=True), f"{FOLDED}\n\nFrance, then.\n\n{END_OF_FOLDED}\n\nParis."),
        (BOTH, f"{FOLDED}\n\nFrance, then.\n\n{END_OF_FOLDED}\n\nParis.\n\n*gpt-4o\\_mini · 3.4 s*"),
    ],
)
def test_one_reply(extras: Extras, shown: str) -> None:
    bundle, _ = to_output([record(reasoning="France, then.\n")], extras)
    assert bundle == {"text/markdown": shown, "text/plain": "Paris."}


def test_no_reasoning_leaves_no_fold() -> None:
    assert markdown(record(reasoning=" \n"), Extras(reasoning=True)) == "Paris."


def test_without_a_time_the_model_alone() -> None:
    assert markdown(Record("m", "x", "stop"), Extras(byline=True)) == "x\n\n*m*"


def test_the_byline_stands_below_the_notice_and_closes_a_fence() -> None:
    shown = markdown(record("```python\nx", notice="Cut off."), Extras(byline=True))
    assert shown == "```python\nx\n```\n\n> Cut off.\n\n*gpt-4o\\_mini · 3.4 s*"


def test_a_fence_that_reasoning_left_open_ends_with_it() -> None:
    assert fold_markdown("~~~\nx") == f"{FOLDED}\n\n~~~\nx\n~~~\n\n{END_OF_FOLDED}"


@pytest.mark.parametrize(("format", "kind"), [("html", "text/html"), ("json", "text/markdown")])
def test_other_formats_have_them_too(format: Format, kind: str) -> None:
    bundle, _ = to_output([record('{"a": 1}', "So.", format=format)], BOTH)
    assert bundle[kind].startswith(FOLDED)
    assert "gpt-4o" in bundle[kind]


def test_plain_text_stays_alone() -> None:
    assert to_output([record(reasoning="So.", format="text")], BOTH)[0] == {"text/plain": "Paris."}


@pytest.mark.parametrize("reasoning", [*HOSTILE, *TRICKS, "</details><b>x", "an open $x"], ids=repr)
def test_hostile_reasoning_is_harmless_and_stays_folded(reasoning: str) -> None:
    bundle, _ = to_output([record(reasoning=reasoning)], BOTH)
    own = FOLDED, END_OF_FOLDED
    for kind in {"text/html", "text/markdown"} & bundle.keys():
        assert bundle[kind].count(FOLDED) == bundle[kind].count(END_OF_FOLDED) == (bool(reasoning.strip()))
        for tag in own:
            bundle[kind] = bundle[kind].replace(tag, "")
    assert harm(bundle) == []


def test_several_replies_have_their_reasoning_and_the_table_names_them() -> None:
    bundle, _ = to_output([record(reasoning="So."), record("Lyon.", "<b>"), record("Nice.")], BOTH)
    assert bundle["text/html"].count(FOLDED) == 2
    assert "<b>" not in bundle["text/html"]
    assert "*gpt" not in bundle["text/html"]
