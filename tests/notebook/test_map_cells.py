"""`%%metask --map` through a real kernel: what the gateway is asked, and what table comes back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ..gateway_server import Gate, GatewayServer, Streamed, refused, server_error
from ..gateway_server.received import Received
from ..kernel import Kernel, published
from .conftest import point_at, value

DEFINITIONS = """
import pandas as pd, polars as pl, pyarrow as pa, warnings
from typing import Literal
from pydantic import BaseModel

class Mood(BaseModel):
    mood: Literal["good", "bad"]
    why: list[str]

records = [{"text": f"t{n}", "n": n} for n in range(6)]
df = pd.DataFrame(records, index=pd.Index(list("bbaacc"), name="id"))
pdf, table = pl.DataFrame(records), pa.Table.from_pylist(records)
gaps = pd.DataFrame({"text": ["a", None, "c"]})
hero = "Ada"
"""

NOTEBOOK = {"cellId": "a-cell"}


@pytest.fixture(autouse=True)
def _defined(asking: Kernel, tmp_path: Path) -> None:
    """Each test has a journal of its own."""
    journal = f"%config Metask.recordings_path = {str(tmp_path / 'rows.jsonl')!r}"
    cell = asking.run(f"%unload_ext metask_magic\n%load_ext metask_magic\n{journal}\n{DEFINITIONS}")
    assert cell.error is None


def asked(gateway: GatewayServer) -> list[Any]:
    """What the rows asked, in the order of the rows: requests overtake each other."""
    return sorted(received.json["messages"][-1]["content"] for received in gateway.chats)


def test_a_column_of_replies_in_the_order_of_the_rows(asking: Kernel, gateway: GatewayServer) -> None:
    cell = asking.run(
        "%%metask gpt-4o-mini --map df -o labelled --temperature 0 -s 'You are {{ hero }}.'\n"
        "Say {{ text }}{{ row.n }}"
    )
    assert cell.error is None
    assert asked(gateway) == [f"Say t{n}{n}" for n in range(6)]
    body = gateway.chats[0].json
    assert {name: body[name] for name in body if name != "messages"} == {
        "model": "gpt-4o-mini",
        "temperature": 0,
    }
    assert body["messages"][0] == {"role": "system", "content": "You are Ada."}
    assert value(asking, "list(labelled.reply)") == repr([f"Say t{n}{n}" for n in range(6)])
    assert value(asking, "list(labelled.columns), list(labelled.index), labelled is _") == (
        "(['text', 'n', 'reply', 'reply_error', 'reply_meta'], ['b', 'b', 'a', 'a', 'c', 'c'], True)"
    )
    assert value(asking, "labelled.reply_error.isna().all(), list(df.columns)") == "(np.True_, ['text', 'n'])"
    assert value(
        asking, "labelled.reply_meta.iloc[0]['finish_reason'], list(labelled.reply_meta.iloc[0])"
    ) == (
        "('stop', ['model', 'finish_reason', 'prompt_tokens', 'completion_tokens', 'total_tokens', "
        "'elapsed', 'request_id'])"
    )


@pytest.mark.parametrize(
    ("name", "kind", "replies"),
    [
        ("pdf", "DataFrame", "list(out['reply'])"),
        ("table", "Table", "out.column('reply').to_pylist()"),
        ("records", "list", "[row['reply'] for row in out]"),
        ("gen", "list", "[row['reply'] for row in out]"),
    ],
)
def test_other_kinds_of_tables(
    asking: Kernel, gateway: GatewayServer, name: str, kind: str, replies: str
) -> None:
    asking.run("gen = (record for record in records)")
    cell = asking.run(f"%%metask gpt-4o-mini --map {name} -o out\n{{{{ row.text }}}}")
    assert cell.error is None
    assert value(asking, f"type(out).__name__, {replies}") == repr((kind, [f"t{n}" for n in range(6)]))
    assert len(gateway.chats) == 6


def test_the_table_is_shown_once_below_a_line_that_counts(asking: Kernel, gateway: GatewayServer) -> None:
    cell = asking.run("%%metask gpt-4o-mini --map gaps\n[{{ text }}]")
    line, table = cell.displays
    assert line["data"]["text/plain"].startswith("3 rows: 3 answered.")
    assert table["output_type"] == "execute_result"
    assert "<table" in table["data"]["text/html"]
    assert cell.text("stderr") == cell.text() == ""
    assert asked(gateway) == ["[]", "[a]", "[c]"]


def test_a_notebook_keeps_no_widget(asking: Kernel, gateway: GatewayServer) -> None:
    running = asking.start_run(
        "%%metask gpt-4o-mini --map df --limit 3 -o out\n{{ text }}", metadata=NOTEBOOK
    )
    cell = running.finish()
    assert any(m.kind == "comm_open" for m in cell.messages)
    line, table = cell.displays
    assert line["data"].keys() == {"text/plain"}
    assert line["data"]["text/plain"].startswith("3 rows: 3 answered.")
    assert "text/html" in table["data"]
    opened = {m.content["comm_id"] for m in cell.messages if m.kind == "comm_open"}
    closed = {m.content["comm_id"] for m in cell.messages if m.kind == "comm_close"}
    assert opened == closed
    assert cell.text("stderr") == cell.text() == ""


def test_quiet_shows_the_table_alone(asking: Kernel, gateway: GatewayServer) -> None:
    assert len(asking.run("%%metask gpt-4o-mini --map df --quiet\n{{ text }}").displays) == 1


def test_tables_are_completed(asking: Kernel) -> None:
    line = "%%metask gpt-4o-mini --map "
    found = asking.complete(line, len(line))[0]
    assert [name for name in ("df", "gaps", "pdf", "records", "table") if name not in found] == []
    assert "hero" not in found


def test_a_limit(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("%%metask gpt-4o-mini --map df --limit 2 -o out\n{{ text }}")
    assert asked(gateway) == ["t0", "t1"]
    assert value(asking, "list(out.reply), list(out.index)") == "(['t0', 't1'], ['b', 'b'])"


def test_a_dry_run(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("%%metask gpt-4o-mini --map df --limit 1\nSay {{ text }}.")
    sent = len(gateway.chats)
    asking.run("twice = pd.concat([df, df.head(1)])")
    (output,) = asking.run("%%metask gpt-4o-mini --map twice --dry-run\nSay {{ text }}.").displays
    shown = output["data"]["text/plain"]
    assert shown.splitlines() == [
        f"Not sent: gpt-4o-mini for each row of twice, POST {gateway.base_url}/chat/completions",
        "row 0  Say t0.",
        "row 3  Say t3.",
        "row 6  Say t0.",
        "7 rows: 5 requests to send; 1 like another row; 1 answered before; about 8 tokens, estimated from "
        "35 characters",
    ]
    assert len(gateway.chats) == sent


def test_running_the_cell_again_asks_only_what_is_missing(asking: Kernel, gateway: GatewayServer) -> None:
    def sometimes(received: Received) -> Any:
        return refused(400, "No.") if received.last_user_text == "t3" else Streamed(["ok"])

    gateway.answer_with(sometimes)
    line = "%%metask gpt-4o-mini --map df -o out\n{{ text }}"
    cell = asking.run(line)
    assert cell.error is None
    assert "6 rows: 5 answered, 1 failed." in cell.displays[0]["data"]["text/plain"]
    assert value(asking, "[out.reply_error.iloc[3], out.reply.isna().sum()]").startswith("['The gateway")
    gateway.answer_with(lambda _: Streamed(["now"]))
    asking.run(line)
    assert asked(gateway) == ["t0", "t1", "t2", "t3", "t3", "t4", "t5"]
    assert value(asking, "list(out.reply)") == "['ok', 'ok', 'ok', 'now', 'ok', 'ok']"


@pytest.mark.parametrize("recording", ["None", "'off'"])
def test_asking_afresh_and_for_another_answer(asking: Kernel, gateway: GatewayServer, recording: str) -> None:
    said: Counter[str] = Counter()

    def say(received: Received) -> Streamed:
        text = received.last_user_text
        said[text] += 1
        return Streamed([f"{text} {said[text]}"])

    gateway.answer_with(say)
    asking.run(f"%config Metask.recording = {recording}")
    line = "%%metask gpt-4o-mini --map df --limit 2 -o out"
    found = []
    for options in ("", "", "--fresh", "", "--sample 2", "--sample 2", "--sample 1"):
        asking.run(f"{line} {options}\n{{{{ text }}}}")
        found.append(value(asking, "list(out.reply)"))
    asking.run("%config Metask.recording = None")
    assert [int(texts[-3]) for texts in found] == [1, 1, 2, 2, 3, 3, 2]


def test_the_fields_of_a_schema_are_columns(asking: Kernel, gateway: GatewayServer) -> None:
    def judge(received: Received) -> Streamed:
        text = received.last_user_text
        return Streamed(['{"mood": "great"}' if text == "t1" else f'{{"mood": "good", "why": ["{text}"]}}'])

    gateway.answer_with(judge)
    asking.run("%config Metask.max_repairs = 0")
    cell = asking.run("%%metask gpt-4o-mini --map df --limit 3 --schema Mood -o out\n{{ text }}")
    asking.run("%config Metask.max_repairs = 1")
    assert cell.error is None
    assert gateway.last.json["response_format"]["json_schema"]["name"] == "Mood"
    assert value(asking, "list(out.columns)") == "['text', 'n', 'mood', 'why', 'reply_error', 'reply_meta']"
    assert value(asking, "[*out.mood.fillna('?')], [*out.why], out.reply_error.iloc[1][:30]") == (
        "(['good', '?', 'good'], [['t0'], None, ['t2']], 'The answer does not fit Mood: ')"
    )


def test_an_interrupt_keeps_what_was_answered(asking: Kernel, gateway: GatewayServer) -> None:
    gate = Gate()

    def hold(received: Received) -> Streamed:
        return Streamed(["ok"] if received.last_user_text in {"t0", "t1"} else [gate, "late"])

    gateway.answer_with(hold)
    running = asking.start_run("%%metask gpt-4o-mini --map df -o out\n{{ text }}", metadata=NOTEBOOK)
    running.wait_for(published("comm_msg", containing="2/6"))
    gateway.wait_for_requests(6)
    asking.interrupt()
    cell = running.finish()
    gate.open()
    assert cell.error is not None
    assert cell.error["ename"] == "Interrupted"
    assert "6 rows: 2 answered, 4 not asked." in "\n".join(cell.error["traceback"])
    assert (
        value(asking, "list(out.reply.fillna('?')), out is _") == "(['ok', 'ok', '?', '?', '?', '?'], True)"
    )
    assert value(asking, "list(out.reply_error.fillna('?'))") == repr(["?"] * 2 + ["not asked"] * 4)


@pytest.mark.parametrize(("status", "name"), [(401, "AuthenticationError"), (403, "PermissionDeniedError")])
def test_a_refused_key_ends_the_run(asking: Kernel, gateway: GatewayServer, status: int, name: str) -> None:
    gateway.answer_with(lambda _: refused(status, "No."))
    asking.run("%config Metask.max_concurrency = 1")
    cell = asking.run("%%metask gpt-4o-mini --map df -o out\n{{ text }}")
    asking.run("%config Metask.max_concurrency = 32")
    assert cell.error is not None
    assert cell.error["ename"] == name
    assert "6 rows: 0 answered, 1 failed, 5 not asked. The table is kept in _." in "\n".join(
        cell.error["traceback"]
    )
    assert len(gateway.chats) == 1
    assert value(asking, "list(out.reply_error)[1:], out is _") == f"({['not asked'] * 5!r}, True)"


def test_when_every_row_fails_the_cell_does(asking: Kernel, gateway: GatewayServer) -> None:
    cell = asking.run("%%metask gpt-4o-mimi --map df -o out\n{{ text }}")
    assert cell.error is not None
    assert cell.error["ename"] == "NotFoundError"
    assert "Did you mean gpt-4o-mini" in "\n".join(cell.error["traceback"])
    assert value(asking, "out.reply_error.notna().all()") == "np.True_"


MISTAKES = {
    "no such table": ("--map dff", "{{ text }}", "The table `dff` is not defined. Did you mean df"),
    "no table": ("--map hero", "{{ text }}", "hero is a str, which is no table"),
    "no such column": ("--map df", "{{ txet }}", "txet is not defined. Did you mean text"),
    "no such field": ("--map df", "{{ row.txet }}", "no column txet (did you mean text?)"),
    "nothing of the row": ("--map df", "Hello {text}", "Put a column in, such as {{ row.text }}"),
    "a fault in the first row": ("--map df", "{{ text + 1 }}", "This is row 0; nothing was sent"),
    "a column that is taken": ("--map taken", "{{ text }}", "taken already has reply"),
    "a generator, dry": ("--map gen --dry-run", "{{ text }}", "would use the generator up"),
    "a conversation": ("--map df -c story", "{{ text }}", "-c does not go with --map"),
    "tools": ("--map df -T print", "{{ text }}", "-T does not go with --map"),
    "a server's prompt": ("--map df --prompt docs.sum", "{{ text }}", "--prompt does not go with --map"),
    "code": ("--map df -f code", "{{ text }}", "-f code does not go with --map"),
    "an engine that is none": ("--map df --engine hero", "{{ text }}", "engine is a str, and not a client"),
    "no such engine": ("--map df --engine klient", "{{ text }}", "The engine `klient` is not defined"),
    "an engine for nothing": ("--engine hero", "Hello", "--engine needs --map NAME"),
    "raw": ("--map df --raw", "{{ text }}", "--raw does not go with --map"),
    "background": ("--map df --background", "{{ text }}", "--background does not go with --map"),
}


@pytest.mark.parametrize(("options", "prompt", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_explained_before_anything_is_sent(
    asking: Kernel, gateway: GatewayServer, options: str, prompt: str, says: str
) -> None:
    asking.run("taken, gen = df.assign(reply=1), (record for record in records)")
    cell = asking.run(f"%%metask gpt-4o-mini {options}\n{prompt}")
    assert cell.error is not None
    assert says in cell.error["evalue"]
    assert not gateway.chats


def test_a_row_whose_prompt_fails_fails_alone(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("bad = pd.DataFrame({'x': [1, 0, 2]})")
    cell = asking.run("%%metask gpt-4o-mini --map bad -o out\n{{ 2 // x }}")
    assert cell.error is None
    assert asked(gateway) == ["1", "2"]
    assert value(asking, "list(out.reply.fillna('?')), out.reply_error.iloc[1]") == (
        "(['2', '?', '1'], 'An expression in the prompt raised ZeroDivisionError: integer division or modulo "
        "by zero')"
    )


def test_what_a_generator_raises_loses_no_answer(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run(
        "def broken():\n    yield {'text': 'a'}\n    yield {'text': 'b'}\n    raise ValueError('no more')"
    )
    asking.run("source = broken()")
    cell = asking.run("%%metask gpt-4o-mini --map source -o out\n{{ text }}")
    assert cell.error is not None
    assert (cell.error["ename"], cell.error["evalue"]) == ("ValueError", "no more")
    assert value(asking, "[row['reply'] for row in out], out is _") == "(['a', 'b'], True)"


def test_the_tokens_are_counted(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("%metask usage --reset")
    asking.run("%%metask gpt-4o-mini --map df\n{{ text }}")
    assert "6" in asking.run("%metask usage").displays[0]["data"]["text/plain"]


def test_the_function_does_the_same(asking: Kernel, gateway: GatewayServer) -> None:
    cell = asking.run(
        "import metask_magic\n"
        "out = metask_magic.map(df, '{{ hero }}: {{ text }}', model='gpt-4o-mini', limit=2, seed=1)"
    )
    assert cell.error is None
    assert asked(gateway) == ["Ada: t0", "Ada: t1"]
    assert gateway.last.json["seed"] == 1
    assert value(asking, "list(out.reply)") == "['Ada: t0', 'Ada: t1']"


def test_failed_rows_again(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("import metask_magic\n%config Metask.max_retries = 0")
    gateway.answer_with(
        lambda received: server_error() if received.last_user_text in {"t1", "t4"} else Streamed(["ok"])
    )
    asking.run("out = metask_magic.map(df, '{{ text }}', model='gpt-4o-mini').sort_index()")
    gateway.answer_with(lambda _: Streamed(["now"]))
    cell = asking.run("out = metask_magic.retry_failed(out, '{{ text }}', model='gpt-4o-mini')")
    asking.run("%config Metask.max_retries = 2")
    assert cell.error is None
    assert "6 rows: 2 answered, 4 kept." in cell.displays[0]["data"]["text/plain"]
    assert asked(gateway)[1:3] == ["t1", "t1"]
    assert len(gateway.chats) == 8
    assert value(asking, "dict(zip(out.text, out.reply)), out.reply_error.isna().all()") == (
        "({'t2': 'ok', 't3': 'ok', 't0': 'ok', 't1': 'now', 't4': 'now', 't5': 'ok'}, np.True_)"
    )


def test_another_kernel_goes_on_where_this_one_ended(
    asking: Kernel, gateway: GatewayServer, fresh_kernel: Kernel, tmp_path: Path
) -> None:
    asking.run("%%metask gpt-4o-mini --map df -o out --limit 4\n{{ text }}")
    assert asked(gateway) == ["t0", "t1", "t2", "t3"]
    point_at(fresh_kernel, gateway)
    fresh_kernel.run(f"%config Metask.recordings_path = {str(tmp_path / 'rows.jsonl')!r}\n{DEFINITIONS}")
    fresh_kernel.run("%%metask gpt-4o-mini --map df -o out\n{{ text }}")
    assert asked(gateway) == ["t0", "t1", "t2", "t3", "t4", "t5"]
    assert value(fresh_kernel, "list(out.reply)") == repr([f"t{n}" for n in range(6)])


def test_a_replay_asks_nothing_and_says_what_is_missing(
    asking: Kernel, gateway: GatewayServer, fresh_kernel: Kernel, tmp_path: Path
) -> None:
    asking.run("%%metask gpt-4o-mini --map df -o out --limit 4\n{{ text }}")
    fresh_kernel.run(
        "%load_ext metask_magic\n%config Metask.recording = 'replay'\n"
        f"%config Metask.recordings_path = {str(tmp_path / 'rows.jsonl')!r}\n{DEFINITIONS}"
    )
    cell = fresh_kernel.run("%%metask gpt-4o-mini --map df -o out\n{{ text }}")
    assert cell.error is None
    assert value(fresh_kernel, "list(out.reply)[:4]") == "['t0', 't1', 't2', 't3']"
    assert "recording" in value(fresh_kernel, "out.reply_error.iloc[4]")
    assert len(gateway.chats) == 4
