"""Servers' tools in the live view and the record: progress, Stop in one column, a stranger's names."""

from __future__ import annotations

import json
import shlex

from playwright.sync_api import expect

from ..gateway_server import GatewayServer, Streamed, ToolCall
from ..mcp.conftest import HOSTILE
from ..mcp.installed import Installed
from .lab import Lab
from .live import LiveView
from .test_stop import _ACKNOWLEDGED

ASK = "%%metask gpt-4o-mini o1 -T every.trigger-long-running-operation -T strange --yes -o replies\nHi"
TELL = "print([(r.text, r.finish_reason, [s.failed for s in r.steps]) for r in replies.values()])"
ODD = "strange__img_src_x_onerror_alert_1__"


def calling(name: str, **arguments: int) -> Streamed:
    return Streamed([ToolCall(0, json.dumps(arguments), "c1", name)], "tool_calls")


def test_one_column_s_tool_is_stopped(lab: Lab, gateway: GatewayServer, installed: Installed) -> None:
    everything = installed.modules / "@modelcontextprotocol/server-everything/dist/index.js"
    add = (
        f"%metask tools add every -- node {everything} stdio\n"
        f"%metask tools add strange -- {shlex.join(HOSTILE)}\n%metask tools"
    )
    slow = calling("every_trigger-long-running-operation", duration=60, steps=600)
    gateway.script(slow, model="gpt-4o-mini")
    gateway.script(calling(ODD), Streamed(["# Done"]), model="o1")
    notebook = lab.open(add, ASK, TELL)
    notebook.run(1)
    notebook.expect_text(1, "<img src=x onerror=alert(1)>")
    view = LiveView(notebook, 2)
    notebook.start(2)
    expect(view.column.nth(1)).to_have_attribute("data-status", "stop")
    expect(view.column.nth(1).locator(".metask-step")).to_contain_text("called <img src=x onerror=alert(1)>")
    expect(view.column.nth(0)).to_contain_text("of 600")
    notebook.wait_for(_ACKNOWLEDGED)
    view.stop.nth(0).click()
    notebook.wait_done(2)
    view.expect_gone()
    assert not view.interrupts
    expect(notebook.output(2)).to_contain_text("Stopped, and the server was told.")
    notebook.run(3)
    notebook.expect_text(3, "[('', 'interrupted', [True]), ('# Done', 'stop', [False])]")
