"""`%%metask MODELS --map TABLE` through a real kernel: who is asked what, and what is told of the models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ..english import english_sentences
from ..gateway_server import Answer, Gate, GatewayServer, Streamed, rate_limited, refused
from ..gateway_server.received import Received
from ..kernel import ROOT, Kernel, clean_environment, published
from .conftest import value

GOOD, POOR, THIRD = "gpt-4o-mini", "claude-3-haiku-20240307", "gemini-1.5-pro"
CHECKED = "%%metask {} --map df --schema Review --check stars -o trial\n{{{{ text }}}}"
DEFINITIONS = """
import pandas as pd, polars as pl, pyarrow as pa
from pydantic import BaseModel

class Review(BaseModel):
    stars: int

records = [{"text": f"t{n}", "stars": n % 5 + 1} for n in range(30)]
df = pd.DataFrame(records)
pdf, table = pl.DataFrame(records), pa.Table.from_pylist(records)
gaps = df.assign(stars=df.stars.where(df.index != 4))
mixed = [{"text": "a", "stars": 1}, {"text": "b", "stars": "two"}]
words = df.assign(stars="many")
named = df.assign(score=1)
rubric, number = "Full marks where the number is right.", 5
hero = "Ada"

def odd(row, reply):
    return reply.data.stars == row["stars"] if row["text"] != "t3" else 1 / 0

def lonely(row):
    return True
"""


def stars(received: Received) -> Answer:
    """The number of stars that is expected; the poor model is wrong in the even rows."""
    number = int(received.last_user_text.removeprefix("t"))
    right = number % 5 + 1
    wrong = received.json["model"] == POOR and number % 2 == 0
    return Streamed([json.dumps({"stars": right + wrong})])


@pytest.fixture(autouse=True)
def _defined(asking: Kernel, gateway: GatewayServer, tmp_path: Path) -> None:
    journal = f"%config Metask.recordings_path = {str(tmp_path / 'rows.jsonl')!r}"
    cell = asking.run(f"%unload_ext metask_magic\n%load_ext metask_magic\n{journal}\n{DEFINITIONS}")
    assert cell.error is None
    gateway.answer_with(stars)


def asked(gateway: GatewayServer) -> dict[str, int]:
    return dict(Counter(received.json["model"] for received in gateway.chats))


def test_the_leaderboard(asking: Kernel, gateway: GatewayServer) -> None:
    cell = asking.run(
        f"%%metask {POOR} {GOOD} --map df --schema Review --check stars -o trial\n{{{{ text }}}}"
    )
    assert cell.error is None
    assert asked(gateway) == {GOOD: 30, POOR: 30}
    line, shown = cell.displays
    assert line["data"]["text/plain"] == "60 answers of 2 models: 60 answered. 1,080 tokens."
    text = shown["data"]["text/plain"]
    assert "2 models on 30 rows of df, checked by stars" in text
    assert text.index(GOOD) < text.index(POOR)
    assert "worse (p < 0.001)" in text
    assert "Wilson" in text
    assert "McNemar" in text
    html = shown["data"]["text/html"]
    assert html.count("<tr>") == 3
    assert "<svg" in html
    assert value(asking, "[(each.model, each.score, each.verdict) for each in trial.standings]") == repr(
        [(GOOD, 1.0, "best"), (POOR, 0.5, "worse")]
    )
    assert value(asking, "trial is _, trial.best(cost='lowest', score=0.9)") == repr((True, GOOD))
    assert value(asking, f"trial[{POOR!r}].first_token is not None, trial[{GOOD!r}].median > 0") == repr(
        (True, True)
    )


def test_every_other_reply_is_streamed_and_the_others_come_in_one_piece(
    asking: Kernel, gateway: GatewayServer
) -> None:
    asking.run(f"%%metask {POOR} {GOOD} --map df --schema Review --check stars -o trial\n{{{{ text }}}}")
    streamed = {
        (chat.json["model"], int(chat.last_user_text.removeprefix("t")))
        for chat in gateway.chats
        if chat.json.get("stream")
    }
    assert streamed == {(model, row) for model in (GOOD, POOR) for row in range(0, 30, 2)}
    assert value(
        asking, "all(each.first_token and each.median <= each.late for each in trial.standings)"
    ) == ("True")


def test_rows_that_are_alike_are_asked_once_and_cost_once(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("alike = records[:2] * 3")
    cell = asking.run(CHECKED.format(f"{POOR} {GOOD}").replace("df", "alike"))
    assert cell.error is None
    assert asked(gateway) == {GOOD: 2, POOR: 2}
    assert cell.displays[0]["data"]["text/plain"] == "12 answers of 2 models: 12 answered. 72 tokens."
    used = value(asking, "[(each.cost.replies, each.cost.tokens.known) for each in trial.standings]")
    assert used == repr([(2, 36)] * 2)


@pytest.mark.parametrize(
    ("name", "kind", "columns"),
    [
        ("df", "DataFrame", "list(trial.table.columns)"),
        ("pdf", "DataFrame", "trial.table.columns"),
        ("table", "Table", "trial.table.column_names"),
        ("records", "list", "list(trial.table[0])"),
        ("gen", "list", "list(trial.table[0])"),
    ],
)
def test_the_table_in_its_own_kind(asking: Kernel, name: str, kind: str, columns: str) -> None:
    asking.run("gen = (record for record in records[:4])")
    cell = asking.run(
        f"%%metask {POOR} {GOOD} --map {name} --limit 4 --schema Review --check stars -o trial\n"
        "{{ text }}"
    )
    assert cell.error is None
    assert value(asking, f"type(trial.table).__name__, {columns}, len(trial.to_pandas())") == repr(
        (
            kind,
            [
                "text",
                "stars",
                "model",
                "reply_stars",
                "score",
                "reason",
                "check_error",
                "reply_error",
                "reply_meta",
            ],
            8,
        )
    )
    assert value(asking, "list(trial.to_polars()['reply_stars']), trial.to_arrow().num_rows") == repr(
        ([2, 1, 2, 2, 4, 3, 4, 4], 8)
    )
    assert value(asking, "[row['model'] for row in trial.to_dicts()]") == repr([POOR, GOOD] * 4)


def test_what_was_answered_is_not_asked_again(asking: Kernel, gateway: GatewayServer) -> None:
    prompt = "{{ text }}"
    asking.run("texts = df[['text']]")
    asking.run(f"%%metask {GOOD} --map texts --schema Review\n{prompt}")
    assert asked(gateway) == {GOOD: 30}
    asking.run(f"%%metask {GOOD} {POOR} --map df --schema Review --check stars --limit 10\n{prompt}")
    assert asked(gateway) == {GOOD: 30, POOR: 10}
    asking.run(f"%%metask {GOOD} {POOR} {THIRD} --map df --schema Review --check stars\n{prompt}")
    assert asked(gateway) == {GOOD: 30, POOR: 30, THIRD: 30}
    asking.run(f"%%metask {GOOD} {POOR} --map df --schema Review --check stars --sample 3 -o trial\n{prompt}")
    assert asked(gateway) == {GOOD: 90, POOR: 90, THIRD: 30}
    assert value(asking, f"trial.pass_at(3, {POOR!r}), trial[{GOOD!r}].stability, len(trial.table)") == (
        "(0.5, 1.0, 180)"
    )


def test_a_model_that_always_fails_is_given_up(asking: Kernel, gateway: GatewayServer) -> None:
    cell = asking.run(
        f"%%metask {GOOD} nobody/knows --map df --schema Review --check stars -o trial\n{{{{ text }}}}"
    )
    assert cell.error is None
    assert asked(gateway) == {GOOD: 30, "nobody/knows": 10}
    text = cell.displays[-1]["data"]["text/plain"]
    assert "10 (given up)" in text
    assert "nobody/knows was asked about no more rows" in text
    assert value(asking, "trial['nobody/knows'].score, trial.facts.given_up") == repr(
        (None, ("nobody/knows",))
    )


def test_a_refused_key_ends_all(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.answer_with(lambda _: refused(401, "No."))
    cell = asking.run(f"%%metask {GOOD} {POOR} --map df --check stars -o trial\n{{{{ text }}}}")
    assert cell.error is not None
    assert cell.error["ename"] == "AuthenticationError"
    assert "The trial is kept in _." in cell.error["evalue"]
    assert value(asking, "_ is trial, len(trial.answers)") == "(True, 60)"


def test_a_budget_ends_all(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("%metask usage --reset\n%config Metask.budget_tokens = 40\n%config Metask.max_concurrency = 1")
    cell = asking.run(f"%%metask {GOOD} {POOR} --map df --schema Review --check stars\n{{{{ text }}}}")
    assert cell.error is not None
    assert cell.error["ename"] == "BudgetError"
    assert len(gateway.chats) <= 4
    asking.run(
        "%metask usage --reset\n%config Metask.budget_tokens = None\n%config Metask.max_concurrency = 32"
    )


def test_a_check_that_raises_marks_its_row(asking: Kernel) -> None:
    cell = asking.run(f"%%metask {GOOD} {POOR} --map df --schema Review --check odd -o trial\n{{{{ text }}}}")
    assert cell.error is None
    assert value(
        asking, "trial.table.check_error.dropna().unique().tolist(), len(trial.standings[0].scores)"
    ) == ("(['odd raised ZeroDivisionError: division by zero'], 29)")
    assert "2 answers could not be checked" in cell.displays[-1]["data"]["text/plain"]


def test_it_speaks_chinese(asking: Kernel) -> None:
    asking.run('%config Metask.language = "zh"')
    try:
        line = f"%%metask {GOOD} {POOR} --map df --schema Review --check odd --limit 4 -o trial"
        cell = asking.run(f"{line}\n{{{{ text }}}}")
        before = asking.run(f"{line} --fresh --dry-run\n{{{{ text }}}}")
    finally:
        asking.run('%config Metask.language = "auto"')
    told, shown, planned = (each["data"]["text/plain"] for each in (*cell.displays, *before.displays))
    assert shown.startswith("2 个模型，df 的 4 行，按 odd 检查")
    assert "2 个回答无法检查。第一个是 gpt-4o-mini 的第 3 行：odd 抛出了 ZeroDivisionError: " in shown
    assert told.startswith("2 个模型的 8 个回答：8 个已回答。")
    assert planned.startswith("未发送：gpt-4o-mini、claude-3-haiku-20240307，针对 df 的每一行，POST http")
    assert "待发送 8 个请求" in planned
    said = [text.replace("division by zero", "¦") for text in (shown, told, planned)]
    assert [sentence for text in said for sentence in english_sentences(text)] == []


def test_agreement_without_a_check(asking: Kernel) -> None:
    cell = asking.run(f"%%metask {GOOD} {POOR} {THIRD} --map df --schema Review -o trial\n{{{{ text }}}}")
    assert cell.error is None
    assert value(asking, "{each.model: each.score for each in trial.standings}") == repr(
        {GOOD: 0.75, THIRD: 0.75, POOR: 0.5}
    )
    assert "against the best" not in cell.displays[-1]["data"]["text/plain"]
    assert "can be wrong together" in cell.displays[-1]["data"]["text/plain"]


def judge(received: Received) -> Answer:
    if received.json["model"] != "gpt-4o":
        return stars(received)
    text = received.last_user_text
    assert GOOD not in text
    assert POOR not in text
    assert "Full marks where the number is right." in text
    right = '"stars": 2' in text
    return Streamed([json.dumps({"reason": "It says two." if right else "No.", "score": right / 2})])


def test_a_judge_sees_neither_names_nor_order(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.answer_with(judge)
    cell = asking.run(
        f"%%metask {GOOD} {POOR} --map df --limit 6 --schema Review --check judge --judge gpt-4o "
        "--rubric rubric -o trial\n{{ text }}"
    )
    assert cell.error is None
    assert asked(gateway) == {GOOD: 6, POOR: 6, "gpt-4o": 9}  # three rows have the same answer twice
    assert value(asking, "trial.facts.judge.graded, trial.facts.judge.cost.replies") == "(12, 9)"
    assert value(asking, "sorted(set(zip(trial.table.reason, trial.table.score)))") == repr(
        [("It says two.", 0.5), ("No.", 0.0)]
    )
    text = cell.displays[-1]["data"]["text/plain"]
    assert "Judged by gpt-4o, which saw no names: 12 verdicts, 162 tokens" in text
    assert value(asking, f"trial[{GOOD!r}].cost.tokens.known") == "108"


def test_an_interrupt_keeps_what_was_answered_and_asks_only_for_the_rest(
    asking: Kernel, gateway: GatewayServer
) -> None:
    gate = Gate()

    def hold(received: Received) -> Answer:
        late = received.json["model"] == POOR and received.last_user_text not in {"t0", "t1"}
        return Streamed([gate, "late"]) if late else stars(received)

    gateway.answer_with(hold)
    cell = f"%%metask {GOOD} {POOR} --map df --limit 6 --schema Review --check stars -o trial\n{{{{ text }}}}"
    running = asking.start_run(cell, metadata={"cellId": "a-cell"})
    running.wait_for(published("comm_msg", containing="8/12"))
    gateway.wait_for_requests(12)
    asking.interrupt()
    stopped = running.finish()
    gate.open()
    assert stopped.error is not None
    assert stopped.error["ename"] == "Interrupted"
    said = "12 answers of 2 models: 8 answered, 4 not asked. 144 tokens. The trial is kept in _."
    assert said in stopped.error["evalue"]
    assert (
        value(asking, f"_ is trial, trial[{GOOD!r}].score, len(trial[{POOR!r}].scores)") == "(True, 1.0, 2)"
    )
    gateway.answer_with(stars)
    before = len(gateway.chats)
    assert asking.run(cell).error is None
    assert len(gateway.chats) == before + 4


def test_an_interrupted_judge_goes_on_where_it_was(asking: Kernel, gateway: GatewayServer) -> None:
    gate = Gate()

    def hold(received: Received) -> Answer:
        late = received.json["model"] == "gpt-4o" and '"stars": 2' not in received.last_user_text
        return Streamed([gate, "late"]) if late else judge(received)

    gateway.answer_with(hold)
    cell = (
        f"%%metask {GOOD} {THIRD} --map df --limit 5 --schema Review --check judge --judge gpt-4o "
        "--rubric rubric -o trial\n{{ text }}"
    )
    running = asking.start_run(cell, metadata={"cellId": "a-cell"})
    gateway.wait_for_requests(15)
    running.wait_for(published("comm_msg", containing="2/10"))
    asking.interrupt()
    stopped = running.finish()
    gate.open()
    assert stopped.error is not None
    assert stopped.error["ename"] == "Interrupted"
    assert (
        value(asking, "trial.table.check_error.dropna().unique().tolist()") == "['the judge was not asked']"
    )
    gateway.answer_with(judge)
    before = len(gateway.chats)
    assert asking.run(cell).error is None
    assert len(gateway.chats) == before + 4


def test_a_judge_that_fails_is_told_and_the_answers_are_kept(asking: Kernel) -> None:
    asking.run("%config Metask.local_model = 'nowhere.gguf'")
    cell = asking.run(
        f"%%metask {GOOD} {POOR} --map df --check judge --judge local --rubric rubric\n{{{{ text }}}}"
    )
    asking.run("%config Metask.local_model = ''")
    assert cell.error is not None
    assert cell.error["ename"] == "LocalModelError"
    assert "60 answered" in cell.error["evalue"]
    assert value(asking, "len(_.answers), _.standings[0].score") == "(60, None)"


def test_what_was_cut_off_is_told(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.answer_with(lambda _: Streamed(["t0 and"], finish_reason="length"))
    cell = asking.run(
        f"%%metask {GOOD} {POOR} --map df --limit 3 --check text --max-tokens 2\n{{{{ text }}}}"
    )
    text = cell.displays[-1]["data"]["text/plain"]
    assert f"3 answers of {GOOD}: Cut off at the limit of 2 tokens: raise --max-tokens" in text


def test_a_model_that_is_slowed_down_keeps_no_other_waiting(asking: Kernel, gateway: GatewayServer) -> None:
    """It is refused until the other one has every answer."""
    seen = Counter[str]()

    def answer(received: Received) -> Answer:
        model = received.json["model"]
        seen[model] += 1
        return rate_limited("1") if model == POOR and seen[GOOD] < 30 else stars(received)

    gateway.answer_with(answer)
    cell = asking.run(CHECKED.format(f"{POOR} {GOOD}"), timeout=60)
    assert cell.error is None
    assert value(asking, "len(trial.standings[0].scores), len(trial.standings[1].scores)") == "(30, 30)"


def test_all_models_together_keep_to_the_concurrency(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("%config Metask.max_concurrency = 4")
    cell = asking.run(
        f"%%metask {GOOD} {POOR} {THIRD} --map df --schema Review --check stars\n{{{{ text }}}}"
    )
    asking.run("%config Metask.max_concurrency = 32")
    assert cell.error is None
    assert gateway.most_at_once <= 4
    assert sum(asked(gateway).values()) == 90


SCRIPT = """
import os, metask_magic
rows = [{"text": f"t{n}", "stars": n % 5 + 1} for n in range(30)]
shape = {"type": "object", "properties": {"stars": {"type": "integer"}}, "required": ["stars"]}

def check(row, reply):
    return reply.data["stars"] == row.stars

def tried(model):
    return metask_magic.trial(rows, "{{ text }}", models=model, check=check, schema=shape, quiet=True)

trial = tried("gpt-4o-mini")
others = ["claude-3-haiku-20240307"]
if "METASK_RECORDING" in os.environ:
    others += ["gemini-1.5-pro"]
else:
    trial.save("trial.jsonl")
before = metask_magic.Trial.load("trial.jsonl")
trial.assert_score(0.9)
trial.assert_no_worse_than(before)
for other in others:
    try:
        tried(other).assert_no_worse_than(before)
    except (AssertionError, metask_magic.MetaskError) as failure:
        print(type(failure).__name__, str(failure)[:60])
"""


def test_a_gate_for_ci(gateway: GatewayServer, tmp_path: Path) -> None:
    """A script asks and saves; then it runs without a key or a gateway, and fails for a lower score."""

    def run(**env: str) -> list[str]:
        environment = clean_environment(os.environ) | {"PYTHONPATH": str(ROOT), **env}
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    gateway.answer_with(stars)
    worse = "AssertionError claude-3-haiku-20240307 (before: gpt-4o-mini) scores 0.50 an"
    assert run(METASK_API_KEY=gateway.api_key, METASK_BASE_URL=gateway.base_url) == [worse]
    asked_before = len(gateway.chats)
    offline = run(METASK_RECORDING="replay")
    assert offline[0] == worse
    assert offline[1].startswith("RecordingMissError There is no recording of this request")
    assert len(gateway.chats) == asked_before == 60


def test_a_dry_run_sends_nothing(asking: Kernel, gateway: GatewayServer) -> None:
    cell = asking.run(
        f"%%metask {GOOD} {POOR} --map df --schema Review --check stars --dry-run --max-tokens 50\n"
        "Say {{ text }}"
    )
    assert cell.error is None
    text = cell.displays[0]["data"]["text/plain"]
    assert "Say t0" in text
    assert "30 requests, about" in text
    assert "with the longest answers" in text
    assert "60 requests to send" in text
    assert not gateway.chats


MISTAKES = {
    "no such check": ("df --check star", "neither a column of df nor a function. Did you mean stars"),
    "gaps": ("gaps --schema Review --check stars", "stars of gaps has no expected value in row 4"),
    "several kinds": (
        "mixed --schema Review --check stars",
        "stars of mixed has numbers and texts (in row 1)",
    ),
    "another type": ("words --schema Review --check stars", "the field stars of Review is of another type"),
    "an empty table": ("nothing --check stars", "has no rows"),
    "a column that is taken": ("named --check stars", "named already has score"),
    "a tolerance for words": (
        "df --check text --tolerance 1",
        "A tolerance goes with numbers, and text of df",
    ),
    "a negative tolerance": ("df --check stars --tolerance -1", "A tolerance of -1.0 is none"),
    "a tolerance for nothing": ("df --tolerance 1", "A tolerance goes with a column"),
    "a function of one": ("df --check lonely", "cannot be called with a row and a reply"),
    "no judge": ("df --check judge --rubric rubric", "--rubric goes with a check by a judge"),
    "a judge for nothing": ("df --judge gpt-4o", "--judge goes with a check by a judge"),
    "no rubric": ("df --check judge --judge gpt-4o", "A judge needs a rubric"),
    "a rubric that is none": (
        "df --check judge --judge gpt-4o --rubric number",
        "The rubric number is no text: its type is int",
    ),
    "no such rubric": ("df --check judge --judge gpt-4o --rubric rubik", "The rubric `rubik` is not defined"),
    "a judge of itself": (f"df --check judge --judge {GOOD} --rubric rubric", "would judge its own answers"),
    "a conversation": ("df --check stars -c story", "-c does not go with --map"),
}


@pytest.mark.parametrize(("options", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_explained_before_anything_is_sent(
    asking: Kernel, gateway: GatewayServer, options: str, says: str
) -> None:
    asking.run("nothing = df.head(0)")
    cell = asking.run(f"%%metask {GOOD} {POOR} --map {options}\n{{{{ text }}}}")
    assert cell.error is not None
    assert says in cell.error["evalue"]
    assert not gateway.chats


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"{GOOD} {GOOD} --map df --check stars", "is named twice"),
        (f"{GOOD} gpt-4o* --map df --check stars", "is named twice"),
        (f"{GOOD} --check stars", "--check needs --map NAME"),
        (f"{GOOD} --map df --tolerance 1", "A tolerance goes with a column"),
    ],
)
def test_models_that_cannot_be_tried(asking: Kernel, gateway: GatewayServer, line: str, says: str) -> None:
    cell = asking.run(f"%%metask {line}\n{{{{ text }}}}")
    assert cell.error is not None
    assert says in cell.error["evalue"]
    assert not gateway.chats
