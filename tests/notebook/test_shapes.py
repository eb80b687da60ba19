"""What real gateways send, through a real kernel: read, told, or quoted; never silent."""

from __future__ import annotations

import ast

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter, MarkdownExporter
from nbformat.v4 import new_code_cell, new_notebook

from ..gateway_server import ENDINGS, SHAPES, Bytes, GatewayServer, Page, Raw, Shape, Streamed
from ..kernel import Execution, Kernel
from .conftest import value

NOTEBOOK = {"cellId": "a-cell"}
SHOWN = "kept.text, str(kept), kept.finish_reason"
LOOK_UP = "def look_up(city: str, days: int) -> str:\n    'Forecast.'\n    return 'Rain'"


@pytest.fixture
def patient(asking: Kernel) -> Kernel:
    """A kernel that asks once, and knows nothing of the gateway yet: another timeout is another client."""
    asking.run(f"%config Metask.max_retries = 0\n%config Metask.timeout = 61\nkept = None\n{LOOK_UP}")
    return asking


def script(gateway: GatewayServer, shape: Shape) -> None:
    gateway.script(*(answer for answer in (shape.answer, shape.then) if answer is not None))


def record_of(cell: Execution) -> str:
    """The one thing that stays below a cell, without the steps on its way."""
    (output,) = cell.displays
    record: str = output["data"].get("text/markdown", output["data"].get("text/html", ""))
    return record.partition("\n\n")[2] if record.startswith("> - ") else record


def check(cell: Execution, kernel: Kernel, shape: Shape) -> None:
    """Look at what a person sees of a shape, and at the reply."""
    if shape.error:
        assert cell.error is not None
        assert cell.error["ename"] == shape.error
        shown = "\n".join(cell.error["traceback"])
        assert shape.says in shown
        assert all(character.isprintable() or character == "\n" for character in shown)
        assert record_of(cell) == (shape.text or "> It failed before any text came.")
        assert value(kernel, "kept.text, kept.finish_reason") == repr((shape.text, "error"))
        return
    assert cell.error is None, cell.error
    assert value(kernel, SHOWN) == repr((shape.text, shape.text, shape.reason))
    for name, fact in {"native_finish_reason": shape.native, **shape.facts}.items():
        if fact is not None:
            assert value(kernel, f"kept.{name}") == repr(fact)
    record = record_of(cell)
    if shape.says:
        assert shape.says in record
        assert record.startswith(f"{shape.text}\n\n> " if shape.text else "> ")
    else:
        assert record == shape.text


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_shapes(patient: Kernel, gateway: GatewayServer, shape: Shape) -> None:
    script(gateway, shape)
    cell = patient.run(f"%%metask gpt-4o-mini -o kept {shape.options}\nHi", metadata=NOTEBOOK)
    check(cell, patient, shape)
    assert len(gateway.chats) == 1 + (shape.then is not None)


# A reply that was asked for in one piece says its end, and needs no usage asked for.
UNSTREAMED = {
    name: shape
    for name, shape in SHAPES.items()
    if isinstance(shape.answer, Page | Raw) and name != "parameter: stream_options"
} | {
    name: shape
    for name, shape in SHAPES.items()
    if isinstance(shape.answer, Streamed) and name.startswith("ending") and shape.answer.done
    if not any(isinstance(part, Bytes) for part in shape.answer.parts)
}


@pytest.mark.parametrize("shape", UNSTREAMED.values(), ids=UNSTREAMED)
def test_asked_for_in_one_piece(patient: Kernel, gateway: GatewayServer, shape: Shape) -> None:
    script(gateway, shape)
    cell = patient.run(f"%%metask gpt-4o-mini --no-stream -o kept {shape.options}\nHi", metadata=NOTEBOOK)
    check(cell, patient, shape)
    assert not any(received.json.get("stream") for received in gateway.chats)


ENDS_A_RUN = {"AuthenticationError", "PermissionDeniedError", "RateLimitError"}
ROWS = {
    name: shape
    for name, shape in UNSTREAMED.items()
    if not (shape.options or shape.then or shape.error in ENDS_A_RUN or shape.reason == "incomplete")
}


def test_as_rows_of_a_table(patient: Kernel, gateway: GatewayServer) -> None:
    patient.run(f"rows = [{{'n': n}} for n in {list(ROWS)!r}]\n%config Metask.recordings_path = 'rows.jsonl'")
    gateway.answer_with(lambda received: ROWS[received.last_user_text].answer)
    cell = patient.run("%%metask gpt-4o-mini --map rows -o out\n{{ n }}")
    assert cell.error is None
    told = "r['reply'], r['reply_error'], r['reply_meta'] and r['reply_meta']['finish_reason']"
    rows = ast.literal_eval(value(patient, f"[({told}) for r in out]"))
    for (name, shape), (text, error, reason) in zip(ROWS.items(), rows, strict=True):
        if shape.error:
            assert (text, reason) == (None, None), name
            assert shape.says in error or shape.says.startswith(("→", "Ask", "Send")), name  # remedies
        else:
            assert (text, reason) == (shape.text, shape.reason), name
            lacks = not text or reason == "content_filter" or "refused" in shape.says
            assert bool(error) == lacks, name


@pytest.mark.parametrize("exporter", [MarkdownExporter, HTMLExporter])
@pytest.mark.parametrize("name", ["length", "a word of its own", "a refusal", "empty", "no end at all"])
def test_a_page_made_of_the_notebook_says_it_once(
    patient: Kernel, gateway: GatewayServer, exporter: type[MarkdownExporter | HTMLExporter], name: str
) -> None:
    shape = ENDINGS[name]
    gateway.script(shape.answer)
    code = f"%%metask gpt-4o-mini {shape.options}\nHi"
    outputs = [nbformat.from_dict(output) for output in patient.run(code, metadata=NOTEBOOK).outputs]
    page, _ = exporter().from_notebook_node(new_notebook(cells=[new_code_cell(code, outputs=outputs)]))
    said = shape.says.removeprefix("> ").partition("(")[0]
    assert page.count(said) == 1
    if exporter is HTMLExporter:
        assert said in page.partition("<blockquote>")[2].partition("</blockquote>")[0]


# What may not be whole is not recorded.
RECORDED = {name: shape for name, shape in ENDINGS.items() if shape.says and shape.reason != "incomplete"}


@pytest.mark.parametrize("name", RECORDED)
def test_a_replay_shows_the_same_bytes(patient: Kernel, gateway: GatewayServer, name: str) -> None:
    shape = RECORDED[name]
    patient.run("%config Metask.recording = 'auto'")
    code = f"%%metask gpt-4o-mini {shape.options}\n{name}"
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
