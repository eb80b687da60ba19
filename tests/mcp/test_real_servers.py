"""Servers that nobody here wrote, in cells of a real kernel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..gateway_server import GatewayServer, Streamed
from ..kernel import Kernel, published
from ..notebook.conftest import point_at, split, value
from ..notebook.test_tool_cells import calls, shown, told
from .installed import Installed

SECRET = "made-up-secret-20817"
DONE = Streamed(["Done."])


@pytest.fixture
def asking(kernel: Kernel, gateway: GatewayServer, installed: Installed) -> Iterator[Kernel]:
    """A kernel in a folder whose `node_modules` has the servers, so that npx finds them there."""
    point_at(kernel, gateway)
    link = kernel.cwd / "node_modules"
    if not link.exists():
        link.symlink_to(installed.modules)
        (kernel.cwd / "data").mkdir()
        (kernel.cwd / "data" / "report.txt").write_text("Sales in Lisbon rose.\n", encoding="utf-8")
        kernel.run(f"os.environ['MADE_UP'] = {split(SECRET)}")
        kernel.run("%metask tools add every --env MADE_UP -- npx @modelcontextprotocol/server-everything")
    yield kernel
    assert not kernel.has_sent(SECRET)
    assert not kernel.has_sent(gateway.api_key)


def test_files(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("%metask tools add files -- npx @modelcontextprotocol/server-filesystem ./data")
    report, new = (str(asking.cwd / "data" / name) for name in ("report.txt", "new.txt"))
    gateway.script(
        calls(
            ("files_read_text_file", {"path": report}),
            ("files_write_file", {"path": new, "content": "Noted."}),
            ("files_read_text_file", {"path": "/etc/passwd"}),
        ),
        DONE,
    )
    code = "%%metask gpt-4o-mini -T files\nWhich mention Lisbon?"
    cell = asking.run(code, inputs=["y"], metadata={"cellId": "a"})
    read, written, refused = told(gateway)
    assert read == "Sales in Lisbon rose.\n"
    assert "Successfully wrote" in written
    assert refused.startswith("Error: Access denied")
    assert Path(new).read_text(encoding="utf-8") == "Noted."
    (question,) = [m.content["prompt"] for m in asking.log if m.kind == "input_request"]
    assert "The server files declares that it may change things, or destroy them" in question
    assert "Sales in Lisbon rose." in shown(cell)
    assert "last used" in shown(asking.run("%metask tools"))


def test_everything(asking: Kernel, gateway: GatewayServer) -> None:
    slow = {"duration": 0.4, "steps": 2}
    gateway.script(
        calls(
            ("every_get-sum", {"a": 2, "b": 40}),
            ("every_get-sum", {"a": "two"}),
            ("every_get-env", {}),
            ("every_get-tiny-image", {}),
            ("every_get-structured-content", {"location": "New York"}),
            ("every_get-resource-reference", {}),
            ("every_trigger-long-running-operation", slow),
        ),
        DONE,
    )
    cell = asking.run("%%metask gpt-4o-mini -T every\nHi", metadata={"cellId": "a"})
    sum_, misfit, variables, image, weather, resource, slept = told(gateway)
    assert sum_ == "The sum of 2 and 40 is 42."
    assert misfit.startswith("Error: the arguments do not fit.\n- ")
    assert json.loads(variables)["MADE_UP"] == "[MADE_UP]"
    assert image.startswith("Here's the image")
    assert [part["type"] for part in gateway.last.json["messages"][-1]["content"]] == [
        "text",
        "image_url",
        "text",
    ]
    assert json.loads(weather)["temperature"]
    assert "demo://resource/dynamic/text/1" in resource
    assert slept.startswith("Long running operation completed.")
    assert any("every: 1 of 2" in m.text for m in cell.messages if m.kind == "comm_msg")


def test_what_takes_a_minute_is_stopped(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("every_trigger-long-running-operation", {"duration": 60, "steps": 600})))
    cell = asking.start_run("%%metask gpt-4o-mini -T every -o r\nHi", metadata={"cellId": "a"})
    cell.wait_for(published("comm_msg", containing="every: 1 of 600"))
    asking.interrupt()
    assert cell.finish(30).error is not None
    assert value(asking, "r.finish_reason, [s.failed for s in r.steps]") == "('interrupted', [True])"
    gateway.script(calls(("every_echo", {"message": "Hi"})), DONE)
    asking.run("%%metask gpt-4o-mini -T every.echo\nHi")
    assert told(gateway) == ["Echo: Hi"]


def test_resources_and_prompts(asking: Kernel, gateway: GatewayServer) -> None:
    options = "-a every:demo://resource/dynamic/text/1 --prompt every.args-prompt city=Lisbon"
    cell = asking.run(f"%%metask gpt-4o-mini {options}\nNow.")
    assert cell.error is None
    said = gateway.last.last_user_text
    assert "What's weather in Lisbon?" in said
    assert "Resource demo://resource/dynamic/text/1:" in said
    assert said.endswith("Now.")
    about = shown(asking.run("%metask tools show every"))
    assert "every.args-prompt city=… [state=…]" in about


@pytest.mark.nightly
def test_memory(asking: Kernel, gateway: GatewayServer) -> None:
    kept = asking.cwd / "memory.jsonl"
    asking.run(f"os.environ['KEPT'] = {str(kept)!r}")
    asking.run(
        "%metask tools add memory --env MEMORY_FILE_PATH=KEPT -- npx @modelcontextprotocol/server-memory"
    )
    city = {"name": "Lisbon", "entityType": "city", "observations": ["warm"]}
    gateway.script(
        calls(("memory_create_entities", {"entities": [city]}), ("memory_read_graph", {})),
        DONE,
    )
    assert asking.run("%%metask gpt-4o-mini -T memory --yes\nRemember.").error is None
    assert "Lisbon" in told(gateway)[1]
    assert "Lisbon" in kept.read_text(encoding="utf-8")


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "options", "tool", "arguments", "says"),
    [
        (
            "time",
            "--local-timezone Europe/Lisbon",
            "convert_time",
            {"source_timezone": "Europe/Lisbon", "target_timezone": "Asia/Tokyo", "time": "12:00"},
            "Asia/Tokyo",
        ),
        (
            "sqlite",
            "--db-path data.db",
            "write_query",
            {"query": "CREATE TABLE city (name TEXT)"},
            "affected",
        ),
        ("sqlite", "--db-path data.db", "list_tables", {}, "city"),
    ],
)
def test_from_pypi(
    asking: Kernel,
    gateway: GatewayServer,
    installed: Installed,
    name: str,
    options: str,
    tool: str,
    arguments: dict[str, str],
    says: str,
) -> None:
    asking.run(f"%metask tools add {name} -- {installed.program(name)} {options}")
    gateway.script(calls((f"{name}_{tool}", arguments)), DONE)
    assert asking.run(f"%%metask gpt-4o-mini -T {name} --yes\nHi").error is None
    (result,) = told(gateway)
    assert not result.startswith("Error"), result
    assert says in result


def test_over_http(asking: Kernel, gateway: GatewayServer, installed: Installed) -> None:
    with installed.over_http() as address:
        asking.run(f"%metask tools add web {address} --header-env Authorization=MADE_UP")
        gateway.script(
            calls(
                ("web_echo", {"message": "Hi"}),
                ("web_trigger-long-running-operation", {"duration": 0.4, "steps": 2}),
            ),
            DONE,
        )
        cell = asking.run("%%metask gpt-4o-mini -T web\nHi", metadata={"cellId": "a"})
        assert cell.error is None
        echoed, slept = told(gateway)
        assert echoed == "Echo: Hi"
        assert slept.startswith("Long running operation completed.")
        assert any("web: 1 of 2" in m.text for m in cell.messages if m.kind == "comm_msg")
    asking.run("%metask tools remove web")
