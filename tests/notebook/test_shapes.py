"""What real gateways send, through a real kernel: read, told, or quoted; never silent."""

from __future__ import annotations

import pytest

from ..gateway_server import GatewayServer, Streamed
from ..gateway_server.shapes import ENDINGS, SHAPES, Shape
from ..kernel import Kernel
from .conftest import value

NOTEBOOK = {"cellId": "a-cell"}
SHOWN = "kept.text, str(kept), kept.finish_reason"


@pytest.fixture
def patient(asking: Kernel) -> Kernel:
    asking.run("%config Metask.max_retries = 0\nkept = None")
    return asking


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_shapes(patient: Kernel, gateway: GatewayServer, shape: Shape) -> None:
    gateway.script(shape.answer)
    cell = patient.run(f"%%metask gpt-4o-mini -o kept {shape.options}\nHi", metadata=NOTEBOOK)
    (output,) = cell.displays
    record = output["data"].get("text/markdown", output["data"].get("text/html", ""))
    if shape.error:
        assert cell.error is not None
        assert cell.error["ename"] == shape.error
        shown = "\n".join(cell.error["traceback"])
        assert shape.says in shown
        assert record == (shape.text or "> It failed before any text came.")
        assert all(character.isprintable() or character == "\n" for character in shown)
        assert value(patient, "kept.text, kept.finish_reason") == repr((shape.text, "error"))
        return
    assert cell.error is None, cell.error
    assert value(patient, SHOWN) == repr((shape.text, shape.text, shape.reason))
    for name, fact in {"native_finish_reason": shape.native, **shape.facts}.items():
        if fact is not None:
            assert value(patient, f"kept.{name}") == repr(fact)
    if shape.says:
        assert shape.says in record
        assert record.startswith(f"{shape.text}\n\n> " if shape.text else "> ")
    else:
        assert record == shape.text


# What may not be whole is not recorded.
RECORDED = {name: shape for name, shape in ENDINGS.items() if shape.says and shape.reason != "incomplete"}


@pytest.mark.parametrize("shape", RECORDED.values(), ids=RECORDED)
def test_a_replay_shows_the_same_bytes(patient: Kernel, gateway: GatewayServer, shape: Shape) -> None:
    patient.run("%config Metask.recording = 'auto'")
    code = f"%%metask gpt-4o-mini {shape.options}\n{shape.says}"
    gateway.script(shape.answer)
    cells = [patient.run(code) for _ in range(2)]
    patient.run("%config Metask.recording = None")
    assert len(gateway.chats) == 1
    live, replayed = ([(o["data"], o["metadata"]) for o in cell.displays] for cell in cells)
    assert live == replayed
    assert shape.says in live[0][0]["text/markdown"]


def test_several_models_say_it_in_column_and_table(patient: Kernel, gateway: GatewayServer) -> None:
    asked = {
        "gpt-4o": "length",
        "gpt-4o-mini": "empty, filtered",
        "o1": "a refusal",
        "o3-mini": "no end at all",
        "gemini-1.5-pro": "a word of its own",
    }
    for model, name in asked.items():
        gateway.script(ENDINGS[name].answer, model=model)
    (output,) = patient.run(f"%%metask {' '.join(asked)}\nHi").displays
    for said in (
        "Cut off at",
        "Withheld by",
        "The model refused",
        "Perhaps cut off",
        "It ended for a reason",
    ):
        assert output["data"]["text/markdown"].count(f"\n\n> {said}") == 1
    rows = [line for line in output["data"]["text/markdown"].splitlines() if line.startswith("| ")][2:]
    reasons = [row.split(" | ")[-1].removesuffix(" |") for row in rows]
    told = ["length", r"content\_filter", "stop (refused)", "incomplete", "stop (perhaps cut off, tired)"]
    assert reasons == told


def test_a_background_reply_says_it(patient: Kernel, gateway: GatewayServer) -> None:
    gateway.script(ENDINGS["length"].answer)
    cell = patient.start_run(
        "%%metask gpt-4o-mini --background -o later --max-tokens 200\nHi", metadata=NOTEBOOK
    )
    cell.finish()
    patient.run("_ = later.wait()")
    assert ENDINGS["length"].says in cell.displays[0]["data"]["text/markdown"]
    assert value(patient, "later") == "<BackgroundReply from gpt-4o-mini: ended, 6 characters, cut off>"


def test_what_is_made_of_a_reply_is_free_of_it(patient: Kernel, gateway: GatewayServer) -> None:
    code = "```python\nx = 1\n```"
    gateway.script(
        ENDINGS["length"].answer,
        ENDINGS["length"].answer,
        Streamed([code], "length"),
    )
    patient.run("%%metask gpt-4o-mini -c talk\nHi\n")
    patient.run("%%metask gpt-4o-mini -c talk -o kept\nAnd?")
    said = [message["content"] for message in gateway.last.json["messages"]]
    assert said == ["Hi", "So far", "And?"]
    assert "Cut off" not in value(patient, "str(kept.as_code())")
    cell = patient.run("%%metask gpt-4o-mini -f code\nCode", metadata=NOTEBOOK)
    (payload,) = cell.reply["payload"]
    assert payload["text"].strip() == "x = 1"
    shown_again = patient.run("kept").displays[0]["data"]["text/markdown"]
    assert shown_again.startswith("So far\n\n> Cut off")


def test_a_turn_that_is_none_is_told(patient: Kernel, gateway: GatewayServer) -> None:
    gateway.script(ENDINGS["empty"].answer)
    cell = patient.run("%%metask gpt-4o-mini -c lost\nHi")
    assert cell.text("stderr").startswith("This reply is no turn of the conversation lost")


def test_the_rows_of_a_table(patient: Kernel, gateway: GatewayServer) -> None:
    names = ["stop", "length", "empty, filtered", "a refusal", "empty"]
    patient.run(
        f"rows = [{{'n': n}} for n in {names!r}]\n"
        "%config Metask.recordings_path = 'shapes.jsonl'\n%config Metask.max_retries = 0"
    )
    gateway.answer_with(lambda received: ENDINGS[received.last_user_text].answer)
    cell = patient.run("%%metask gpt-4o-mini --map rows -o out\n{{ n }}")
    assert cell.error is None
    summary = cell.displays[0]["data"]["text/plain"]
    assert summary.startswith("5 rows: 1 answered, 1 cut off, 1 empty, 1 filtered, 1 refused.")
    assert value(patient, "[row['reply_meta']['finish_reason'] for row in out]") == repr(
        ["stop", "length", "content_filter", "stop", "stop"]
    )
    assert value(patient, "[(row['reply_error'] or '')[:8] for row in out]") == repr(
        ["", "", "Withheld", "The mode", "Empty: t"]
    )
    assert value(patient, "[row['reply'] for row in out]") == repr(
        ["So far", "So far", "", "I can't help.", ""]
    )
    gateway.answer_with(lambda received: ENDINGS["stop"].answer)
    before = len(gateway.chats)
    patient.run("import metask_magic\nagain = metask_magic.retry_failed(out, '{{ n }}', model='gpt-4o-mini')")
    assert len(gateway.chats) - before == 3
    assert value(patient, "[row['reply_error'] for row in again]") == repr([None] * 5)


def test_a_row_that_was_broken_off_is_asked_again(patient: Kernel, gateway: GatewayServer) -> None:
    patient.run(
        "rows = [{'n': 1}]\n%config Metask.recordings_path = 'again.jsonl'\n%config Metask.max_retries = 1"
    )
    gateway.script(ENDINGS["insufficient_system_resource"].answer)
    cell = patient.run("%%metask gpt-4o-mini --map rows -o out\nrow {{ n }}")
    assert cell.displays[0]["data"]["text/plain"].startswith("1 row: 1 answered.")
    assert len(gateway.chats) == 2
