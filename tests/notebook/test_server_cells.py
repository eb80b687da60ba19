"""Servers of tools in cells, through a real kernel: `%metask tools`, `-T server`, questions, faults."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..fakes import PATIENCE
from ..gateway_server import GatewayServer, Page, Streamed
from ..kernel import Execution, Kernel, published
from ..mcp.conftest import HOSTILE
from .conftest import point_at, split, value
from .test_tool_cells import calls, shown, told

SECRET = "made-up-secret-93751"
DONE = Streamed(["Done."])
GIVEN = "--env MARK --env MADE_UP"


def adding(how: str = "", name: str = "hostile", options: str = "") -> str:
    return f"%metask tools add {name} {options} -- {shlex.join([*HOSTILE, how])}"


@pytest.fixture(scope="module")
def prepared(kernel: Kernel, _gateway_of_the_session: GatewayServer) -> Iterator[Kernel]:
    """A kernel that asks the gateway, and has the server `hostile`."""
    point_at(kernel, _gateway_of_the_session)
    kernel.run(f"os.environ['MADE_UP'] = {split(SECRET)}\nos.environ['MARK'] = 'mark'")
    assert kernel.run(adding(options=GIVEN)).error is None
    yield kernel
    assert not kernel.has_sent(SECRET)
    assert not kernel.has_sent(_gateway_of_the_session.api_key)


@pytest.fixture
def served(prepared: Kernel, gateway: GatewayServer) -> Kernel:
    """The same, for one test. The server runs on from test to test."""
    return prepared


@pytest.fixture
def changed(served: Kernel) -> Iterator[Kernel]:
    """The same, for a test after which the server is another."""
    yield served
    served.run("%metask tools remove hostile")
    served.run(adding(options=GIVEN))


def questions(kernel: Kernel, cell: Execution) -> list[str]:
    return [
        m.content["prompt"]
        for m in kernel.log
        if m.kind == "input_request" and m.parent_id == cell.request_id
    ]


def error_of(cell: Execution) -> str:
    assert cell.error is not None
    return f"{cell.error['ename']}: {cell.error['evalue']}"


def test_add_list_and_remove(served: Kernel) -> None:
    assert served.run(adding(name="one")).text().startswith("one is added: ")
    listed = served.run("%metask tools").displays[0]["data"]
    rows = [re.split(r" {2,}", line) for line in listed["text/plain"].splitlines()]
    facts = {row[1]: row[2:] for row in rows if row[0] == "one"}
    assert [facts[name] for name in ("echo", "write", "add_only", "die")] == [
        ["only reads"],
        ["writes, may destroy"],
        ["writes, destroys nothing"],
        ["nothing declared"],
    ]
    assert "<img" not in listed["text/html"]
    about = shown(served.run("%metask tools show one"))
    for piece in (
        "only reads: Say it again.",
        "--prompt one.summarize topic=… [length=…]: Sum it up.",
        "made-up:///data/report.txt",
        "made-up://{any}",
    ):
        assert piece in about
    assert served.run("%metask tools remove one").text() == "one is removed, and has ended if it ran.\n"
    assert "one  " not in shown(served.run("%metask tools"))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("add", "`%metask tools add` does not fit: add."),
        ("add 1st -- cat", "1st cannot be the name of a server."),
        ("add one cat", "cat is no option of `%metask tools add`, and no address."),
        ("add one --", "The server one needs a command, or an address"),
        ("add hostile -- cat", "There is a server hostile already."),
        ("add one ftp://example.org", "ftp://example.org is no option"),
        ("add one https://me:secret@example.org/mcp", "has a user name or a password in it"),
        ("add one https://example.org --header-env Authorization", "--header-env is not whole."),
        ("add one --env KEY=made-up-93 -- cat", "--env KEY=… does not name a variable of the environment."),
        ("remove other", "There is no server other."),
        ("hostile", "`%metask tools show hostile` shows the server."),
        ("lod x", "Did you mean `%metask tools load`"),
        ("load nowhere.json", "nowhere.json cannot be read: No such file or directory."),
        ('add "one', "a quotation mark that is never closed"),
    ],
)
def test_what_cannot_be_done(served: Kernel, line: str, says: str) -> None:
    said = error_of(served.run(f"%metask tools {line}"))
    assert says in said
    assert "made-up-93" not in said


def test_a_call(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_echo", {"text": "Hi"})), DONE)
    cell = served.run("%%metask gpt-4o-mini -T hostile.echo -o r\nSay it.", metadata={"cellId": "a"})
    assert shown(cell) == 'hostile_echo(text="Hi") → Hi\n\nDone.'
    assert gateway.chats[0].json["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "hostile_echo",
                "description": "Say it again.",
                "parameters": {
                    "type": "object",
                    "properties": {"text": {"type": "string"}},
                    "required": ["text"],
                },
            },
        }
    ]
    assert told(gateway) == ["Hi"]
    assert any("Calling hostile_echo(" in m.text for m in cell.messages if m.kind == "comm_msg")
    (row,) = [
        row for row in shown(served.run("%metask tools")).splitlines() if row.startswith("hostile  echo ")
    ]
    assert re.search(r"only reads +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", row)
    assert value(served, "[(s.title, s.body, s.failed) for s in r.steps]") == (
        "[('hostile_echo(text=\"Hi\")', 'Hi', False)]"
    )


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("echo", {}, "Error: the arguments do not fit.\n- arguments: 'text' is a required property"),
        ("fail", {}, "Error: no such city"),
        ("refuse", {}, "Error: Not today."),
        ("structure", {}, '{"city": "Lisbon", "degrees": 20}'),
        ("noise", {}, "after the noise"),
        ("big", {"megabytes": 50}, "x" * 40_000 + "\n… (cut here: 52,428,800 characters in all)"),
        ("tell", {"name": "MADE_UP"}, "It is [MADE_UP]."),
        ("tell", {"name": "METASK_API_KEY"}, "It is None."),
    ],
)
def test_results(
    served: Kernel, gateway: GatewayServer, name: str, arguments: dict[str, Any], result: str
) -> None:
    gateway.script(calls((f"hostile_{name}", arguments)), DONE)
    cell = served.run("%%metask gpt-4o-mini -T hostile\nHi")
    assert shown(cell).endswith("\n\nDone.")
    assert told(gateway) == [result]


def test_an_answer_that_is_none(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_nonsense", {}), ("hostile_echo", {"text": "on"})), DONE)
    assert served.run("%%metask gpt-4o-mini -T hostile\nHi").error is None
    failed, on = told(gateway)
    assert failed.startswith("Error: ")
    assert on == "on"


def test_images_and_the_rest_of_a_result(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_draw", {})), DONE)
    served.run("%%metask gpt-4o-mini -T hostile.draw\nHi")
    result, images = gateway.last.json["messages"][-2:]
    assert result["content"] == (
        "Drawn.\n[3 bytes of the type image/tiff, which are not handed on]\n"
        "[audio of the type audio/wav, which is not handed on]\n"
        "[resource report at made-up://report: A report]\n"
        "Resource made-up://text:\n\n```\nIn it.\n```\n"
    )
    assert images["role"] == "user"
    assert [part["type"] for part in images["content"]] == ["text", "image_url", "text"]


def test_a_model_that_takes_no_images(served: Kernel, gateway: GatewayServer) -> None:
    refusal = Page({"error": {"message": "This model takes no image_url."}}, status=400)
    gateway.script(calls(("hostile_draw", {})), refusal, DONE)
    cell = served.run("%%metask gpt-4o-mini -T hostile.draw -o r\nHi")
    assert cell.error is None
    assert "The images that tools gave were left out" in value(served, "r.notes[0]")
    assert "[image image was taken out]" in json.dumps(gateway.last.json["messages"][-1])


# -- consent ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("write", "The server hostile declares that it may change things, or destroy them: that is its word"),
        ("add_only", "The server hostile declares that it writes, and destroys nothing: that is its word"),
        ("die", "The server hostile does not declare what it may do: that is its word"),
    ],
)
def test_a_tool_that_does_not_only_read_asks(
    served: Kernel, gateway: GatewayServer, name: str, says: str
) -> None:
    gateway.script(calls((f"hostile_{name}", {})), DONE)
    cell = served.run(f"%%metask gpt-4o-mini -T hostile.{name}\nHi", inputs=["n"])
    (question,) = questions(served, cell)
    assert question.startswith(f"Call hostile_{name}()? {says}")
    assert told(gateway) == ["The user declined this call."]


def test_yes_asks_nothing(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_write", {})), DONE)
    cell = served.run("%%metask gpt-4o-mini -T hostile.write --yes\nHi", inputs=[])
    assert questions(served, cell) == []
    assert told(gateway) == ["done: write"]


def test_confirm_asks_about_reading_too(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_echo", {"text": "Hi"})), DONE)
    cell = served.run("%%metask gpt-4o-mini -T hostile.echo --confirm\nHi", inputs=["y"])
    (question,) = questions(served, cell)
    assert "declares that it only reads: that is its word, and nothing checks it." in question
    assert told(gateway) == ["Hi"]


def test_where_nobody_can_answer(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_write", {})), DONE)
    cell = served.run("%%metask gpt-4o-mini -T hostile.write\nHi")
    assert "hostile_write needs your consent, and nobody can answer it here. Add --yes" in error_of(cell)


def test_what_has_changed_is_asked_again(changed: Kernel, gateway: GatewayServer) -> None:
    """Within the cell that it changed in, and in the next; once it was let run as it is, no more."""
    echo = ("hostile_echo", {"text": "Hi"})
    gateway.script(calls(echo, ("hostile_change", {}), echo), DONE, calls(echo), DONE, calls(echo), DONE)
    code = "%%metask gpt-4o-mini -T hostile.echo -T hostile.change\nHi"
    first = changed.run(code, inputs=["n"])
    again = changed.run(code, inputs=["y"])
    then = changed.run(code, inputs=[])
    assert [len(questions(changed, cell)) for cell in (first, again, then)] == [1, 1, 0]
    assert "The tool is not declared as it was before." in questions(changed, first)[0]
    assert told(gateway, 1) == ["Hi", "changed", "The user declined this call."]
    assert told(gateway) == ["Hi"]


def test_a_tool_that_is_gone(changed: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_change", {}), ("hostile_write", {})), DONE)
    changed.run("%%metask gpt-4o-mini -T hostile\nHi", inputs=["y"])
    assert told(gateway)[1] == "Error: the server has no tool 'write' any more."
    assert "has changed its tools: the next cell has them" in value(changed, "_.notes[0]")


# -- names ------------------------------------------------------------------------------------------------


def test_names_are_those_of_the_api_and_told_apart(served: Kernel, gateway: GatewayServer) -> None:
    served.run("%%metask gpt-4o-mini -T hostile -T hostile.echo\nHi")
    names = [tool["function"]["name"] for tool in gateway.last.json["tools"]]
    assert len(names) == len(set(names)) == 23
    assert "hostile_a_b_c" in names
    assert "hostile__img_src_x_onerror_alert_1__" in names
    (long,) = [name for name in names if "letters" in name]
    assert len(long) == 64


@pytest.mark.parametrize(
    ("prepare", "word", "says"),
    [
        ("", "hostile.ecko", "has no tool ecko. Did you mean hostile.echo"),
        ("", "hostil", "OptionError: The tool `hostil` is not defined."),
        (
            "def hostile():\n    'A function.'",
            "hostile",
            "`hostile` is a function of the notebook, and the server hostile has that name too.",
        ),
        (
            "def hostile_echo():\n    'A function.'",
            "hostile -T hostile_echo",
            "2 tools would be called hostile_echo",
        ),
    ],
)
def test_names_that_stand_for_no_tool(
    served: Kernel, gateway: GatewayServer, prepare: str, word: str, says: str
) -> None:
    served.run(prepare)
    cell = served.run(f"%%metask gpt-4o-mini -T {word}\nHi")
    served.run("globals().pop('hostile', None), globals().pop('hostile_echo', None)")
    assert says in error_of(cell)
    assert not gateway.requests


def test_a_variable_of_the_same_name_is_no_clash(served: Kernel, gateway: GatewayServer) -> None:
    served.run("hostile = ['a list']")
    assert served.run("%%metask gpt-4o-mini -T hostile.echo\nHi").error is None
    served.run("del hostile")


def test_many_tools_are_told(served: Kernel, gateway: GatewayServer) -> None:
    served.run(adding(name="other"))
    cell = served.run("%%metask gpt-4o-mini -T hostile -T other\nHi")
    assert "The model is offered 46 tools" in cell.text("stderr")
    served.run("%metask tools remove other")


# -- faults -----------------------------------------------------------------------------------------------


def test_a_server_that_dies_is_told_and_the_reply_goes_on(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_die", {}), ("hostile_echo", {"text": "on"})), DONE)
    cell = served.run("%%metask gpt-4o-mini -T hostile --yes -o r\nHi", metadata={"cellId": "a"})
    assert cell.error is None
    failed, on = told(gateway)
    assert failed.startswith("Error: The server hostile has ended; its last words: Segmentation fault")
    assert failed.endswith("[ended with exit code 3]. It was started again.")
    assert on == "on"
    assert "It was started again." in value(served, "r.notes[0]")


def test_one_that_does_not_start(served: Kernel, gateway: GatewayServer) -> None:
    served.run(adding("exit", name="shut"))
    said = error_of(served.run("%%metask gpt-4o-mini -T shut\nHi"))
    assert said.startswith("ToolServerError: The server shut cannot be started; its last words: no licence")
    assert "no licence" in shown(served.run("%metask tools"))
    served.run("%metask tools remove shut")
    assert not gateway.requests


def test_interrupted_while_one_starts(served: Kernel, gateway: GatewayServer) -> None:
    served.run(adding("hang", name="slow"))
    cell = served.start_run("%%metask gpt-4o-mini -T slow\nHi")
    cell.wait_for(published("stream", containing="Starting the server slow"))
    served.interrupt()
    said = error_of(cell.finish())
    assert said == "Interrupted: Stopped while the server slow was asked."
    served.run("%metask tools remove slow")


def test_interrupted_in_a_call(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_wait", {}), text="So:"), DONE)
    cell = served.start_run("%%metask gpt-4o-mini -T hostile.wait -o r\nHi", metadata={"cellId": "a"})
    cell.wait_for(published("comm_msg", containing="hostile: waiting (1 of 2)"))
    served.interrupt()
    assert error_of(cell.finish()).startswith("Interrupted: ")
    assert value(served, "r.text, r.finish_reason") == "('So:', 'interrupted')"
    assert "Stopped, and the server was told." in value(served, "r.steps[0].body")
    served.run("%metask tools")  # what it was told before is known by then
    assert (served.cwd / "mark").read_text(encoding="utf-8") == "cancelled\n"
    (served.cwd / "mark").unlink()
    assert len(gateway.chats) == 1


def test_what_is_refused_to_servers_is_told(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_ask", {"what": "sampling"})), DONE)
    served.run("%%metask gpt-4o-mini -T hostile -o r\nHi")
    assert value(served, "r.notes[0]") == (
        "'The server hostile wanted to ask a model (sampling), which no server may here.'"
    )


# -- resources and prompts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "sends"),
    [
        (
            "hostile:report.txt",
            "Resource made-up:///data/report.txt:\n\n```\nWhat made-up:///data/report.txt",
        ),
        ("hostile:made-up://any", "What made-up://any says: {{ 1 + 1 }}"),
        ("hostile:long", "[… 200,"),
    ],
)
def test_a_resource_is_attached(served: Kernel, gateway: GatewayServer, what: str, sends: str) -> None:
    cell = served.run(f"%%metask gpt-4o-mini -a {what}\nSum up.")
    assert cell.error is None
    assert sends in gateway.last.last_user_text
    assert gateway.last.last_user_text.endswith("\nSum up.")
    assert ("is sent with 100,000 of them" in cell.text("stderr")) == ("long" in what)


def test_a_picture_is_attached(served: Kernel, gateway: GatewayServer) -> None:
    served.run("%%metask gpt-4o-mini -a hostile:picture\nWhat is it?")
    parts = gateway.last.json["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["text", "image_url", "text"]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("report.text", "has no resource report.text. Did you mean hostile:report.txt?"),
        ("twice", "has 2 resources twice."),
        ("made-up://nowhere", "cannot read made-up://nowhere: There is none."),
    ],
)
def test_a_resource_that_is_none(served: Kernel, gateway: GatewayServer, what: str, says: str) -> None:
    assert says in error_of(served.run(f"%%metask gpt-4o-mini -a hostile:{what}\nHi"))
    assert not gateway.requests


@pytest.mark.parametrize(
    ("code", "sends"),
    [
        (
            '%%metask gpt-4o-mini --prompt hostile.summarize topic="my {{ 1 + 1 }} dogs"\nBe brief.',
            "Sum up my 2 dogs. {{ 1 + 1 }}\n\nBe brief.",
        ),
        ("%%metask --prompt hostile.summarize topic=tea length=3 gpt-4o-mini\n", "Sum up tea. {{ 1 + 1 }}"),
        ("%metask --prompt hostile.summarize topic=tea gpt-4o-mini Now.", "Sum up tea. {{ 1 + 1 }}\n\nNow."),
        ("%metask gpt-4o-mini --prompt hostile.summarize topic=tea Now.", "Sum up tea. {{ 1 + 1 }}\n\nNow."),
        ("%metask gpt-4o-mini --prompt hostile.summarize topic=tea", "Sum up tea. {{ 1 + 1 }}"),
    ],
)
def test_a_prompt(served: Kernel, gateway: GatewayServer, code: str, sends: str) -> None:
    cell = served.run(code)
    assert cell.error is None, cell.error
    assert gateway.last.last_user_text == sends


def test_a_prompt_of_several_turns(served: Kernel, gateway: GatewayServer) -> None:
    served.run("%%metask gpt-4o-mini --prompt hostile.turns\nNow.")
    assert [m["role"] for m in gateway.last.json["messages"]] == ["user", "assistant", "user"]
    assert gateway.last.last_user_text.endswith("\n\nNow.")
    assert "turns of its own" in error_of(
        served.run("%%metask gpt-4o-mini -c c --prompt hostile.turns\nNow.")
    )


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("hostile.sum", "has no prompt sum. Did you mean hostile.summarize?"),
        ("hostile.summarize", "needs topic. It is used so: --prompt hostile.summarize topic=… [length=…]"),
        ("hostile.summarize topic=a size=3", "takes no size."),
        ("other.summarize topic=a", "There is no server other."),
    ],
)
def test_a_prompt_that_is_none(served: Kernel, gateway: GatewayServer, prompt: str, says: str) -> None:
    assert says in error_of(served.run(f"%%metask gpt-4o-mini --prompt {prompt}\nHi"))
    assert not gateway.requests


def test_a_resource_for_each_row_of_a_table(served: Kernel, gateway: GatewayServer) -> None:
    served.run("rows = [{'n': 1}, {'n': 2}]")
    assert served.run("%%metask gpt-4o-mini --map rows -a hostile:report.txt\nRow {{ n }}").error is None
    assert all("What made-up:///data/report.txt says" in chat.last_user_text for chat in gateway.chats)
    assert len(gateway.chats) == 2


# -- with what else a cell can do ---------------------------------------------------------------------------


def test_several_models(served: Kernel, gateway: GatewayServer) -> None:
    for model in ("gpt-4o-mini", "o1"):
        gateway.script(calls(("hostile_write", {})), Streamed([f"By {model}."]), model=model)
    cell = served.run("%%metask gpt-4o-mini o1 -T hostile.write -o r\nHi", inputs=["a"])
    assert len(questions(served, cell)) == 1, "all calls in this cell"
    assert value(served, "[reply.text for reply in r.values()]") == "['By gpt-4o-mini.', 'By o1.']"


def test_in_the_background(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_echo", {"text": "Hi"})), DONE)
    assert served.run("%%metask gpt-4o-mini -T hostile.echo --background -o r\nHi").error is None
    assert value(served, "r.wait().steps[0].body") == "'Hi'"
    gateway.script(calls(("hostile_write", {})), DONE)
    assert served.run("%%metask gpt-4o-mini -T hostile.write --yes --background -o r\nHi").error is None
    assert value(served, "r.wait().steps[0].body") == "'done: write'"


def test_cancelled_in_the_background(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_wait", {})), DONE)
    code = "%%metask gpt-4o-mini -T hostile.wait --background -o r\nHi"
    cell = served.start_run(code, metadata={"cellId": "a"})
    cell.wait_for(published("comm_msg", containing="hostile: waiting (1 of 2)"))
    assert cell.finish().error is None
    said = "(r.cancel(), r.wait().finish_reason, r.reply.steps[0].body)"
    assert value(served, said) == (
        "(None, 'interrupted', 'Stopped, and the server was told. What it had done by then stays.')"
    )
    served.run("%metask tools")
    (served.cwd / "mark").unlink()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("-T hostile", "needs your consent in the cell, which --background ends at once."),
        ("-T hostile.echo --confirm", "needs your consent in the cell"),
        ("-T hostile.echo -T len_of", "The function len_of runs in the cell that asked"),
    ],
)
def test_not_in_the_background(served: Kernel, gateway: GatewayServer, options: str, says: str) -> None:
    served.run("def len_of(text: str) -> int:\n    'Count.'\n    return len(text)")
    assert says in error_of(served.run(f"%%metask gpt-4o-mini {options} --background\nHi"))
    assert not gateway.requests


def test_a_conversation(served: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("hostile_echo", {"text": "Hi"})), DONE, Streamed(["Again."]))
    served.run("%%metask gpt-4o-mini -T hostile.echo -c talk\nHi")
    served.run("%%metask gpt-4o-mini -c talk\nAnd?")
    roles = [message["role"] for message in gateway.last.json["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


def test_a_replay_starts_no_server_and_calls_no_tool(changed: Kernel, gateway: GatewayServer) -> None:
    changed.run('%config Metask.recordings_path = "kept.jsonl"\n%config Metask.recording = "auto"')
    program = changed.cwd / "hostile"
    program.write_text(f"#!/bin/sh\nexec {shlex.join(HOSTILE)}\n", encoding="utf-8")
    program.chmod(0o755)
    changed.run("%metask tools remove hostile")
    changed.run(f"%metask tools add hostile {GIVEN} -- ./hostile")
    code = (
        "%%metask gpt-4o-mini -T hostile -a hostile:report.txt --prompt hostile.summarize topic=tea -o r\nHi"
    )
    gateway.script(calls(("hostile_write", {}), ("hostile_draw", {}), ("hostile_fail", {})), DONE)
    assert changed.run(code, inputs=["y"]).error is None
    steps = "[(s.title, s.body, s.failed) for s in r.steps], r.text"
    live = value(changed, steps)
    changed.run("%metask tools remove hostile")
    (changed.cwd / "hostile").unlink()
    changed.run(f"%metask tools add hostile {GIVEN} -- ./hostile")
    again = changed.run(code)
    assert again.error is None
    assert value(changed, steps) == live
    changed.run('%config Metask.recording = "replay"')
    assert changed.run(code).error is None
    assert value(changed, steps) == live
    assert "write" in shown(changed.run("%metask tools"))
    assert "are not listed while recordings are replayed" in shown(changed.run("%metask tools show hostile"))
    assert len(gateway.chats) == 2
    missed = error_of(changed.run("%%metask gpt-4o-mini -T hostile -a hostile:twice\nHi"))
    assert "RecordingMissError: A resource of the server hostile is not recorded" in missed
    assert "made-up-secret" not in (changed.cwd / "kept.jsonl").read_text(encoding="utf-8")
    changed.run('%config Metask.recording = "off"\n%config Metask.recordings_path = ""')


def test_what_is_not_recorded_is_asked_of_the_server_as_it_is(
    changed: Kernel, gateway: GatewayServer
) -> None:
    changed.run('%config Metask.recordings_path = "more.jsonl"\n%config Metask.recording = "auto"')
    changed.run("%%metask gpt-4o-mini -T hostile\nHi")
    gateway.script(calls(("hostile_change", {})), DONE)
    changed.run("%%metask gpt-4o-mini -T hostile\nChange.")
    changed.run("%%metask gpt-4o-mini -T hostile\nWhat is new?")
    assert "hostile_new" in [tool["function"]["name"] for tool in gateway.last.json["tools"]]
    changed.run('%config Metask.recording = "off"\n%config Metask.recordings_path = ""')


# -- the end ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_no_process_is_left(fresh_kernel: Kernel) -> None:
    """Whatever ends the kernel or the extension, and though the server would not."""
    mark = fresh_kernel.cwd / "mark"

    def unload() -> None:
        fresh_kernel.run("%unload_ext metask_magic")

    for end in (unload, fresh_kernel.kill):
        fresh_kernel.run("%load_ext metask_magic\nimport os\nos.environ['MARK'] = 'mark'")
        fresh_kernel.run(adding("stay", options="--env MARK"))
        fresh_kernel.run("%metask tools")
        processes = [os.pidfd_open(int(number)) for number in mark.read_text(encoding="utf-8").split()]
        assert len(processes) == 2
        end()
        for process in processes:
            assert select.select([process], [], [], PATIENCE)[0], "it is still there"
            os.close(process)
        mark.unlink()
