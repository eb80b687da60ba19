"""A trial as a value: standings, the choice of a model, disagreements, tables, files, assertions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metask_magic.errors import MetaskError, OptionError
from metask_magic.table.opening import open_whole
from metask_magic.table.rows import RecordRows
from metask_magic.trials.columns import TrialColumns
from metask_magic.trials.facts import Facts
from metask_magic.trials.statistics import Interval, bootstrap, wilson
from metask_magic.trials.trial import Trial

from .trials import answer, trial

RIGHT, WRONG = 1.0, 0.0
GOOD = [RIGHT] * 18 + [WRONG] * 2
SAME = [WRONG] + [RIGHT] * 18 + [WRONG]
POOR = [RIGHT] * 6 + [WRONG] * 14


# -- standings -----------------------------------------------------------------------------------------


def test_standings() -> None:
    found = trial({"poor": POOR, "good": GOOD, "same": SAME})
    assert [(each.model, each.score, each.verdict) for each in found.standings] == [
        ("good", 0.9, "best"),
        ("same", 0.9, "no real difference"),
        ("poor", 0.3, "worse"),
    ]
    assert found["good"].interval == wilson(18, 20)
    assert found["same"].p_value == 1.0
    assert found["poor"].p_value == pytest.approx(2 * 2 / 2**12)  # twelve rows, two tests
    assert found["good"].cost.tokens.known == 20 * 120
    assert (found["good"].median, found["good"].late, found["good"].first_token) == (0.5, 0.5, None)


@pytest.mark.parametrize(
    ("took", "median", "late", "first"),
    [
        ([(2.0, 1.5), (0.1, None), (3.0, 2.5), (0.2, None), (4.0, 3.5)], 2.0, 3.8, 2.5),
        ([(0.1, None), (0.2, None), (0.3, None)], 0.2, 0.29, None),
    ],
    ids=["some were streamed", "none was streamed"],
)
def test_the_times_are_of_all_replies_and_the_first_token_of_those_streamed(
    took: Sequence[tuple[float, float | None]], median: float, late: float, first: float | None
) -> None:
    answers = [
        replace(made, reply=replace(made.reply, elapsed=elapsed, first_token_after=begun))
        for row, (elapsed, begun) in enumerate(took)
        if (made := answer(row, "a", score=RIGHT)).reply is not None
    ]
    table = RecordRows([{"n": n} for n in range(len(took))], "t")
    standing = Trial(table, answers, Facts("t", ("a",), "check"))["a"]
    assert (standing.median, standing.late, standing.first_token) == pytest.approx((median, late, first))


def test_a_reply_that_rows_share_is_used_once(tmp_path: Path) -> None:
    answers = [
        replace(answer(row, model, score=RIGHT), like=0 if row else None)
        for model in "ab"
        for row in range(1 if model == "b" else 4)
    ]
    found = Trial(RecordRows([{"n": 1}] * 4, "t"), answers, Facts("t", ("a", "b"), "check"))
    found.save(tmp_path / "trial.jsonl")
    for trial_ in (found, Trial.load(tmp_path / "trial.jsonl")):
        assert trial_["a"].cost == trial_["b"].cost
        assert (trial_["a"].cost.replies, trial_["a"].cost.tokens.known) == (1, 120)
        assert trial_["a"].outcomes == {"answered": 4}


def test_grades_have_the_bootstrap_s_interval() -> None:
    scores = [0.25, 0.5, 0.75, 1.0, 0.5]
    found = trial({"a": scores, "b": [1.0] * 5})
    assert found["a"].interval == bootstrap(scores)
    assert found["b"].interval == Interval(1.0, 1.0)
    assert "bootstrap" in str(found)
    assert "An interval without width" in str(found)


def test_rows_without_a_score_count_for_nothing() -> None:
    found = trial({"a": [RIGHT, None, WRONG], "b": [None, None, None]})
    assert found["a"].score == 0.5
    assert found["a"].outcomes == {"answered": 2, "failed": 1}
    assert (found["b"].score, found["b"].interval, found["b"].verdict) == (None, None, "")
    assert "Requests that failed have no score. The first, b in row 0: The gateway failed." in str(found)


def test_several_answers_to_a_row() -> None:
    answers = [
        answer(row, "a", text, score, sample=sample)
        for row, said in enumerate(
            [[("x", 1.0), ("x", 1.0)], [("x", 1.0), ("y", 0.0)], [("z", 0.0), ("y", 0.0)]]
        )
        for sample, (text, score) in enumerate(said, 1)
    ]
    found = Trial(RecordRows([{"n": n} for n in range(3)], "t"), answers, Facts("t", ("a",), "check", 2))
    standing = found["a"]
    assert standing.scores == {0: 1.0, 1: 0.5, 2: 0.0}
    assert standing.interval == bootstrap([1.0, 0.5, 0.0])
    assert standing.stability == pytest.approx(1 / 3)
    assert found.pass_at(1, "a") == 0.5
    assert found.pass_at(2, "a") == pytest.approx(2 / 3)
    with pytest.raises(MetaskError, match="pass@3 needs 3 answers to each row"):
        found.pass_at(3, "a")
    assert "@2 0.67" in str(found)


def test_a_model_that_answered_a_few_easy_rows_makes_nobody_worse() -> None:
    """Its mean is the highest, and on the rows of both the other is better."""
    found = trial({"few": [WRONG] * 6 + [RIGHT] * 30 + [None] * 40, "all": [RIGHT] * 36 + [WRONG] * 40})
    assert [each.model for each in found.standings] == ["few", "all"]
    assert found["all"].verdict == "no real difference"


@given(st.lists(st.lists(st.booleans(), min_size=8, max_size=8), min_size=2, max_size=5))
@settings(max_examples=50)
def test_the_best_is_first_and_nobody_is_better(outcomes: list[list[bool]]) -> None:
    found = trial({f"m{at}": [float(each) for each in own] for at, own in enumerate(outcomes)}).standings
    scores = [each.score or 0.0 for each in found]
    assert scores == sorted(scores, reverse=True)
    assert found[0].verdict == "best"
    for each in found[1:]:
        assert each.interval is not None
        assert each.interval.low <= (each.score or 0.0) <= each.interval.high
        assert (each.verdict == "worse") == (each.p_value is not None and each.p_value < 0.05)


# -- the choice ----------------------------------------------------------------------------------------

PRICED = {"gpt-4o": GOOD, "gpt-4o-mini": SAME, "claude-3-haiku-20240307": POOR, "nobody/knows": POOR}


@pytest.mark.parametrize(
    ("wishes", "model"),
    [
        ({}, "gpt-4o-mini"),  # of equal scores, the cheaper
        ({"cost": "lowest"}, "gpt-4o-mini"),
        ({"cost": "lowest", "score": 0.9}, "gpt-4o-mini"),
        ({"cost": 10.0, "score": 0.2}, "gpt-4o-mini"),
        ({"latency": "lowest"}, "gpt-4o-mini"),
        ({"latency": 0.5}, "gpt-4o-mini"),
    ],
)
def test_the_best_model(wishes: dict[str, Any], model: str) -> None:
    assert trial(PRICED).best(**wishes) == model


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({"score": 0.95}, "No model scores 0.95 or more: the best is gpt-4o-mini with 0.90"),
        ({"cost": 0.0001, "score": 0.9}, "None of gpt-4o-mini, gpt-4o is within the cost"),
        ({"latency": 0.1}, "is within the cost and the latency"),
        ({"cost": "highest"}, "cost='highest' means nothing"),
        ({"cost": "lowest", "latency": "lowest"}, "may be two models"),
    ],
)
def test_no_such_model(wishes: dict[str, Any], says: str) -> None:
    with pytest.raises(MetaskError) as none:
        trial(PRICED).best(**wishes)
    assert says in str(none.value)


def test_a_cost_that_nobody_knows() -> None:
    with pytest.raises(MetaskError, match="No list has a price of nobody/knows"):
        trial({"nobody/knows": GOOD}).best(cost="lowest")


def test_costs_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metask_magic.trials.cost.estimate", lambda _: None)
    found = trial(PRICED)
    assert 'With `pip install "metask-magic[prices]"` there is an estimate' in str(found)
    with pytest.raises(MetaskError, match="an extra that is not installed"):
        found.best(cost="lowest")


def test_a_model_that_was_not_tried() -> None:
    with pytest.raises(KeyError, match="gpt-4 was not tried; gpt-4o was"):
        trial(PRICED)["gpt-4"]


# -- disagreements -------------------------------------------------------------------------------------


def test_disagreements_come_in_their_order() -> None:
    found = trial({"a": [1, 1, 1, 0], "b": [1, 0, 1, 1], "c": [1, 1, 0.5, 0], "d": [1, 0, 1, 1]})
    shown = found.disagreements(2)
    assert shown.rows == (1, 3)
    assert len(found.disagreements()) == 3
    assert shown.table == [
        {"n": 1, "a": "✓ 1", "b": "✗ 0", "c": "✓ 1", "d": "✗ 0"},
        {"n": 3, "a": "✗ 0", "b": "✓ 1", "c": "✗ 0", "d": "✓ 1"},
    ]
    assert "n: 1" in str(shown)
    assert "| 1 | n: 1 | ✓ 1 | ✗ 0 |" in shown.to_markdown()
    assert shown.to_html().count("<tr>") == 3


def test_models_that_never_differ() -> None:
    found = trial({"a": [1, 0], "b": [1, 0]}).disagreements()
    assert (len(found), str(found)) == (0, "The models differ in no row.")
    assert found.to_markdown() == "The models differ in no row."


def test_a_model_s_words_are_no_markup() -> None:
    answers = [answer(0, "a", "<b>|x|</b>", 1.0), answer(0, "b", "y\nz", 0.0)]
    found = Trial(RecordRows([{"text": "<script>"}], "t"), answers, Facts("t", ("a", "b"), "check"))
    shown = found.disagreements()
    assert "<b>" not in shown.to_html()
    assert "<script>" not in shown.to_html()
    assert r"\<b\>\|x\|\</b\>" in shown.to_markdown()
    assert len(shown.to_markdown().splitlines()) == 3


# -- tables --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [pd.DataFrame({"n": [1, 2]}, index=["x", "y"]), pl.DataFrame({"n": [1, 2]}), [{"n": 1}, {"n": 2}]],
)
def test_a_row_for_each_row_and_model(table: Any) -> None:
    answers = [answer(row, model, f"{model}{row}", 1.0) for model in "ba" for row in range(2)]
    found = Trial(open_whole(table, "t"), answers, Facts("t", ("b", "a"), "check"))
    assert type(found.table) is type(table)
    dicts = found.to_dicts()
    assert [(each["n"], each["model"], each["reply"]) for each in dicts] == [
        (1, "b", "b0"),
        (1, "a", "a0"),
        (2, "b", "b1"),
        (2, "a", "a1"),
    ]
    assert dicts[0]["reply_meta"]["total_tokens"] == 120
    assert found.to_pandas()["score"].tolist() == found.to_polars()["score"].to_list() == [1.0] * 4
    assert found.to_arrow().column("model").to_pylist() == ["b", "a", "b", "a"]
    if isinstance(table, pd.DataFrame):
        assert list(found.table.index) == ["x", "x", "y", "y"]


@pytest.mark.parametrize(
    ("own", "fields", "names"),
    [
        (["text"], (), ["model", "reply"]),
        (["text", "stars"], ["stars", "why"], ["model", "reply_stars", "why"]),
        (["text"], ["score", "reason"], ["model", "reply_score", "reply_reason"]),
        ([("stars", "a")], ["stars"], ["model", "reply_stars"]),
    ],
)
def test_the_names_of_columns(own: Sequence[Any], fields: Sequence[str], names: list[str]) -> None:
    found = TrialColumns(own, fields, "df", samples=1).names
    assert list(found) == [*names, "score", "reason", "check_error", "reply_error", "reply_meta"]


@pytest.mark.parametrize(
    ("own", "fields", "taken"),
    [
        (["model", "reply_meta"], (), "model and reply_meta"),
        (["stars", "reply_stars"], ["stars"], "reply_stars"),
        (["error"], ["error"], "reply_error"),
        (["sample"], (), "sample"),
    ],
)
def test_names_that_are_taken(own: Sequence[Any], fields: Sequence[str], taken: str) -> None:
    with pytest.raises(OptionError) as clash:
        TrialColumns(own, fields, "df", samples=2)
    assert f"df already has {taken}:" in str(clash.value)


# -- a file --------------------------------------------------------------------------------------------


def test_a_trial_is_the_same_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "trial.jsonl"
    answers = [
        answer(0, "a", "ja ✓", 1.0, reason="Good."),
        answer(0, "b", outcome="unusable", error="Refused.", score=0.0),
        answer(1, "a", "no", None, error="odd raised"),
        answer(1, "b", outcome="not asked", error="not asked"),
    ]
    rows = [
        {"text": "x", "tags": {"p"}, "at": pd.Timestamp("2024-05-01")},
        {"text": "y", "tags": None, "at": None},
    ]
    facts = Facts("t", ("a", "b"), "odd", 1, "{{ text }}", "Be brief.", (), {"b": "No."}, ("b",))
    before = Trial(RecordRows(rows, "t"), answers, facts)
    before.save(path)
    after = Trial.load(path)
    assert after.facts == facts
    assert str(after) == str(before)
    first, same = before.answers[0].reply, after.answers[0].reply
    assert first is not None
    assert same is not None
    facts_of = ("text", "model", "usage", "finish_reason", "elapsed")
    assert [getattr(same, name) for name in facts_of] == [getattr(first, name) for name in facts_of]
    assert [each.said for each in after.answers] == [each.said for each in before.answers]
    assert [each.grade for each in after.answers] == [each.grade for each in before.answers]
    assert after.rows[0] == {"text": "x", "tags": ["p"], "at": "2024-05-01"}
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1 + 2 + 4
    after.save(path)
    assert str(Trial.load(path)) == str(before)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("", "Line 1 of {path} there is nothing in it"),
        ("{}", "Line 1 of {path} is none of a trial"),
        ("[1]", "Line 1 of {path} is none of a trial"),
        ('{"kind": "metask-trial", "version": 9}', "was written by a newer version (format 9, known is 1)"),
        ('{"kind": "metask-trial", "version": 1}', "is not whole, or none of a trial"),
        ("{whole}\n{\n{", "Line 2 of {path} is not whole"),
        ('{whole}\n{"row": 0}\n', "{path} is not whole: it has 1 lines of 2."),
        ('{whole}\n{"row": 0}\n{}', "Line 2 of {path} is not whole"),
        ('{whole}\n{"values": {}}\n{"row": 3, "model": "a", "sample": 1, "outcome": "failed"}', "to no row"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "trial.jsonl"
    trial({"a": [1.0]}).save(path)
    head = path.read_text(encoding="utf-8").splitlines()[0]
    path.unlink()
    if text is not None:
        path.write_text(text.replace("{whole}", head), encoding="utf-8")
    with pytest.raises(MetaskError) as unreadable:
        Trial.load(path)
    assert says.replace("{path}", str(path)) in str(unreadable.value)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(MetaskError, match="cannot be written"):
        trial({"a": [1.0]}).save(tmp_path / "nowhere" / "trial.jsonl")


# -- in a test -----------------------------------------------------------------------------------------


def test_a_bound() -> None:
    found = trial({"a": GOOD, "b": POOR})
    found.assert_score(0.3)
    found.assert_score(0.9, "a")
    with pytest.raises(AssertionError, match=r"b scores 0.30: below 0.50 on 20 rows\."):
        found.assert_score(0.5)
    with pytest.raises(AssertionError, match="a has no score"):
        trial({"a": [None]}).assert_score(0.1)
    with pytest.raises(MetaskError, match="c was not tried"):
        found.assert_score(0.5, "c")


def test_no_worse_by_more_than_chance() -> None:
    old = trial({"a": GOOD, "b": GOOD})
    trial({"a": GOOD, "b": SAME}).assert_no_worse_than(old)
    trial({"a": [WRONG, *GOOD[1:]]}).assert_no_worse_than(old)  # one row of twenty
    trial({"a": [RIGHT] * 20, "b": GOOD}).assert_no_worse_than(old)
    with pytest.raises(AssertionError) as worse:
        trial({"a": GOOD, "b": POOR}).assert_no_worse_than(old)
    assert str(worse.value) == (
        "b scores 0.30 and scored 0.90 on the same 20 rows: worse than chance explains (p = 0.00049). "
        "It lost in rows 6, 7, 8 and 9 more."
    )
    trial({"a": GOOD, "b": POOR}).assert_no_worse_than(old, "a")


def test_the_model_may_have_another_name_where_there_is_one() -> None:
    old = trial({"old": GOOD})
    trial({"new": SAME}).assert_no_worse_than(old)
    with pytest.raises(AssertionError, match=r"new \(before: old\) scores 0.30 and scored 0.90"):
        trial({"new": POOR}).assert_no_worse_than(old)
    with pytest.raises(AssertionError, match=r"poor \(before: old\)"):
        trial({"good": GOOD, "poor": POOR}).assert_no_worse_than(old, "poor")


def test_rows_are_known_by_their_values() -> None:
    rows = [{"text": f"t{n}"} for n in range(20)]
    old = trial({"a": GOOD}, rows)
    trial({"a": GOOD[::-1]}, rows[::-1]).assert_no_worse_than(old)
    trial({"a": [*GOOD[:10], WRONG]}, [*rows[:10], {"text": "new"}]).assert_no_worse_than(old)
    alike = [{"text": "same"}] * 20
    trial({"a": GOOD}, alike).assert_no_worse_than(trial({"a": GOOD}, alike))


def test_rows_are_the_same_from_a_file(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {"n": range(20), "at": pd.Timestamp("2024-05-01 12:00"), "tags": [{"b", "a"}] * 20, "x": 0.1}
    )
    answers = [answer(row, "a", score=score) for row, score in enumerate(GOOD)]
    found = Trial(open_whole(rows, "t"), answers, Facts("t", ("a",), "check"))
    found.save(tmp_path / "trial.jsonl")
    found.assert_no_worse_than(Trial.load(tmp_path / "trial.jsonl"))


def test_a_row_that_lost_its_score_fails() -> None:
    with pytest.raises(AssertionError, match="a: 1 row had a score and row 3 none now"):
        trial({"a": [*GOOD[:3], None, *GOOD[4:]]}).assert_no_worse_than(trial({"a": GOOD}))


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"check": "other"}, "One trial was checked by expected, the other by other"),
        ({"rows": [{"x": n} for n in range(20)]}, "The trials have no row in common"),
    ],
)
def test_trials_that_cannot_be_compared(other: dict[str, Any], says: str) -> None:
    with pytest.raises(MetaskError, match=says):
        trial({"a": GOOD}).assert_no_worse_than(trial({"a": GOOD}, **other))


def test_no_model_in_common() -> None:
    with pytest.raises(MetaskError, match="The trials have no model in common: a and b, c"):
        trial({"a": GOOD}).assert_no_worse_than(trial({"b": GOOD, "c": GOOD}))


@given(st.lists(st.booleans(), min_size=5, max_size=30), st.randoms())
@settings(max_examples=50)
def test_a_trial_is_no_worse_than_itself_nor_than_a_poorer_one(before: list[bool], draw: Any) -> None:
    old = [float(each) for each in before]
    better = [max(each, float(draw.random() < 0.5)) for each in old]
    assert fmean(better) >= fmean(old)
    trial({"a": old}).assert_no_worse_than(trial({"a": old}))
    trial({"a": better}).assert_no_worse_than(trial({"a": old}))


# -- what it shows -------------------------------------------------------------------------------------


def test_the_leaderboard_as_markdown() -> None:
    report = trial({"a|b": GOOD, "c": POOR}, prompt="Say `{{ n }}` ```now```").to_markdown(1)
    lines = report.splitlines()
    assert lines[0] == "## 2 models on 20 rows of rows, checked by expected"
    assert lines[2].startswith("|  | model | score | 95 % interval | against the best | answered | tokens |")
    assert lines[4].startswith(r"| 1 | a\|b | 0.90 | 0.70 to 0.97 | best | 20 of 20 | 2,400 |")
    assert "### Where they differ most" in report
    assert "````text\nSay `{{ n }}` ```now```\n````" in report


def test_the_leaderboard_as_html() -> None:
    bundle = trial({"gpt-4o": GOOD, "gpt-4o-mini": POOR, "<i>": [None] * 20})._repr_mimebundle_()
    html = bundle["text/html"]
    assert "<i>&lt;" not in html
    assert "&lt;i&gt;" in html
    assert html.count("<svg") == 2 + 1
    assert 'aria-label="0.90 on a scale from 0.1 to 1"' in html
    assert "gpt-4o: 0.90 for $" in html


def test_nothing_of_the_chart_is_left_among_the_words_without_its_styles() -> None:
    """As on GitHub, and in a notebook that is not trusted: tags go, and what is in them stays."""
    import nh3

    html = trial({"gpt-4o": GOOD, "gpt-4o-mini": POOR}).leaderboard.to_html()
    known = {"table", "thead", "tbody", "tr", "th", "td", "p", "small", "strong", "div"}
    cleaned = nh3.clean(html, tags=known, clean_content_tags={"style"})
    words = nh3.clean(cleaned, tags=set()).split("The lines below the names go from 0.1 to 1.")[1]
    assert words.startswith("Upwards: share of right answers")
    assert cleaned.count("<tr>") == 3


def test_json_of_a_header_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    trial({"a": [1.0]}, prompt="two\nlines").save(path)
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[0])["prompt"] == "two\nlines"
