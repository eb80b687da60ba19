"""`-T`: functions of the notebook that the model calls, through a real kernel."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..gateway_server import GatewayServer, Streamed, ToolCall
from ..kernel import Execution, Kernel, published
from .conftest import value

TOOLS = '''
import asyncio, time, threading

def get_weather(city: str, days: int = 1) -> dict:
    """Tell the weather.

    Args:
        city: Its English name.
    """
    return {"city": city, "sky": "sunny", "days": days}

async def double(n: int) -> int:
    """Double it."""
    await asyncio.sleep(0)
    return 2 * n

class Client:
    """Belongs to the loop it was made in, as HTTP clients do."""
    def __init__(self):
        self.loop = asyncio.get_running_loop()

clients = []

async def connect() -> str:
    """Use the one connection."""
    if not clients:
        clients.append(Client())
    return "same" if clients[0].loop is asyncio.get_running_loop() else "other"

def draw(n: int) -> str:
    """Draw it."""
    import matplotlib.pyplot as plt
    print("drawing", n, "in", threading.current_thread().name)
    plt.plot([0, n])
    plt.show()
    return "drawn"

def fail() -> None:
    """Fail."""
    raise ValueError("no such city")

def sleep() -> None:
    """Wait."""
    print("asleep", flush=True)
    time.sleep(600)

async def sleep_later() -> None:
    """Wait."""
    print("asleep", flush=True)
    await asyncio.sleep(600)

def ask_another(question: str) -> str:
    """Ask another model."""
    inner = get_ipython().run_line_magic("metask", f"o1 {question}")
    return str(inner)

def ask_with_tool(n: int) -> str:
    """Ask another model that has a tool itself."""
    return str(get_ipython().run_cell_magic("metask", "o1 -T double", f"Double {n}"))

async def ask_within(n: int) -> str:
    """Ask another model that has a tool itself."""
    return ask_with_tool(n)
'''


@pytest.fixture
def tooled(asking: Kernel) -> Kernel:
    asking.run(TOOLS)
    return asking


def calls(*entries: tuple[str, dict[str, Any] | str], text: str = "") -> Streamed:
    """A round: each call in two pieces, its arguments cut in the middle."""
    parts: list[Any] = [text] if text else []
    for index, (name, given) in enumerate(entries):
        arguments = given if isinstance(given, str) else json.dumps(given)
        middle = len(arguments) // 2
        parts.append(ToolCall(index, arguments[:middle], id=f"c{index}", name=name))
        parts.append(ToolCall(index, arguments[middle:]))
    return Streamed(parts, finish_reason="tool_calls")


PARIS = calls(("get_weather", {"city": "Paris"}))
SUNNY = Streamed(["Sunny."])


def said(index: int, name: str, arguments: str) -> dict[str, Any]:
    return {"id": f"c{index}", "type": "function", "function": {"name": name, "arguments": arguments}}


def shown(cell: Execution) -> str:
    """The source of what stays in the cell."""
    return str(cell.displays[0]["data"]["text/plain"])


def told(gateway: GatewayServer, request: int = -1) -> list[str]:
    """The results the model was sent in a request."""
    return [m["content"] for m in gateway.chats[request].json["messages"] if m["role"] == "tool"]


def test_a_call(tooled: Kernel, gateway: GatewayServer) -> None:
    gateway.script(PARIS, SUNNY)
    cell = tooled.run("%%metask gpt-4o-mini -T get_weather -o r\nWeather in Paris?", metadata={"cellId": "a"})
    assert shown(cell).endswith("\n\nSunny.")
    first, second = (received.json for received in gateway.chats)
    assert first["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "Tell the weather.\n\nArgs:\n    city: Its English name.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "city": {"type": "string", "description": "Its English name."},
                        "days": {"type": "integer", "default": 1},
                    },
                    "required": ["city"],
                    "additionalProperties": False,
                },
            },
        }
    ]
    assert second == first | {
        "messages": [
            {"role": "user", "content": "Weather in Paris?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [said(0, "get_weather", '{"city": "Paris"}')],
            },
            {"role": "tool", "content": '{"city":"Paris","sky":"sunny","days":1}', "tool_call_id": "c0"},
        ]
    }
    assert value(tooled, "r.steps[0].title, r.steps[0].failed, r.usage.total_tokens, len(r.messages)") == (
        "('get_weather(city=\"Paris\")', False, 36, 3)"
    )
    assert any("Calling get_weather(" in m.text for m in cell.messages if m.kind == "comm_msg")


def test_parallel_calls_and_the_text_before_them(tooled: Kernel, gateway: GatewayServer) -> None:
    two = calls(("get_weather", {"city": "Oslo"}), ("double", {"n": 21}), text="Let me see.")
    gateway.script(two, SUNNY)
    cell = tooled.run("%%metask gpt-4o-mini -T get_weather -T double\nHi")
    assert shown(cell) == (
        'get_weather(city="Oslo") → {"city":"Oslo","sky":"sunny","days":1}\ndouble(n=21) → 42\n\n'
        "Let me see.\n\nSunny."
    )
    assert told(gateway) == ['{"city":"Oslo","sky":"sunny","days":1}', "42"]
    assert gateway.last.json["messages"][1] == {
        "role": "assistant",
        "content": "Let me see.",
        "tool_calls": [said(0, "get_weather", '{"city": "Oslo"}'), said(1, "double", '{"n": 21}')],
    }


@pytest.mark.parametrize("more", ["", "\n", "\nawait asyncio.sleep(0)"], ids=["cell", "line", "await"])
def test_a_coroutine_and_what_it_keeps(tooled: Kernel, gateway: GatewayServer, more: str) -> None:
    two = calls(("connect", {}), ("connect", {}))
    gateway.script(two, calls(("connect", {})), SUNNY)
    code = (
        f"r = %metask -T connect gpt-4o-mini Hi{more}" if more else "%%metask gpt-4o-mini -T connect -o r\nHi"
    )
    tooled.run(code)
    assert told(gateway) == ["same"] * 3
    assert value(tooled, "await asyncio.sleep(0, 'the loop still works')") == "'the loop still works'"


def test_what_a_tool_prints_and_plots_is_the_cells(tooled: Kernel, gateway: GatewayServer) -> None:
    tooled.run("%matplotlib inline")
    gateway.script(calls(("draw", {"n": 3})), SUNNY)
    cell = tooled.run("%%metask gpt-4o-mini -T draw\nHi", metadata={"cellId": "a"})
    assert cell.text() == "drawing 3 in MainThread\n"
    assert [
        kind for shown in cell.displays for kind in shown["data"] if kind.startswith(("image", "text/m"))
    ] == [
        "text/markdown",
        "image/png",
    ]
    assert told(gateway) == ["drawn"]


@pytest.mark.parametrize(
    ("name", "arguments", "title", "result"),
    [
        ("fail", {}, "fail()", "Error: ValueError: no such city"),
        (
            "get_wether",
            {},
            "get_wether()",
            "Error: there is no tool 'get_wether'. The tools are: get_weather, fail.",
        ),
        (
            "get_weather",
            {"town": "Paris"},
            'get_weather(town="Paris")',
            "Error: the arguments do not fit.\n- city: Missing required argument\n"
            "- town: Unexpected keyword argument (given: 'Paris')",
        ),
    ],
)
def test_a_failed_call_and_a_better_one(
    tooled: Kernel, gateway: GatewayServer, name: str, arguments: dict[str, Any], title: str, result: str
) -> None:
    gateway.script(calls((name, arguments)), PARIS, SUNNY)
    cell = tooled.run("%%metask gpt-4o-mini -T get_weather -T fail -o r\nHi")
    assert shown(cell).endswith("\n\nSunny.")
    assert told(gateway) == [result, '{"city":"Paris","sky":"sunny","days":1}']
    assert value(tooled, "[(s.title, s.failed) for s in r.steps]") == repr(
        [(title, True), ('get_weather(city="Paris")', False)]
    )


def test_arguments_that_are_no_json(tooled: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("get_weather", '{"city": ')), SUNNY)
    tooled.run("%%metask gpt-4o-mini -T get_weather\nHi")
    assert gateway.last.json["messages"][1]["tool_calls"] == [said(0, "get_weather", "{}")]
    assert "not JSON" in told(gateway)[0]
    assert '{"city": ' in told(gateway)[0]


def test_a_loop_without_end(tooled: Kernel, gateway: GatewayServer) -> None:
    gateway.answer_with(lambda _: calls(("double", {"n": 1}), text="Again."))
    tooled.run("%config Metask.max_tool_rounds = 2")
    cell = tooled.run("%%metask gpt-4o-mini -T double -o r\nHi")
    tooled.run("%config Metask.max_tool_rounds = 10")
    assert cell.error is not None
    assert cell.error["ename"] == "ToolError"
    assert "still asked for tools after 2 rounds" in cell.error["evalue"]
    assert value(tooled, "r.text, len(r.steps)") == r"('Again.\n\nAgain.\n\nAgain.', 2)"
    assert len(gateway.chats) == 3


@pytest.mark.parametrize("tool", ["sleep", "sleep_later"])
@pytest.mark.parametrize(
    "code",
    [
        "%%metask gpt-4o-mini -T double -T {} -o r\nHi",
        "%metask -T double -T {} -o r gpt-4o-mini Hi\nawait double(1)",
    ],
    ids=["cell", "await"],
)
def test_interrupted_in_a_tool(tooled: Kernel, gateway: GatewayServer, tool: str, code: str) -> None:
    gateway.script(calls(("double", {"n": 1}), (tool, {}), text="So:"), SUNNY)
    cell = tooled.start_run(code.format(tool), metadata={"cellId": "a"})
    cell.wait_for(published("stream", containing="asleep"))
    tooled.interrupt()
    finished = cell.finish(30)
    assert finished.error is not None
    assert finished.error["ename"] == "Interrupted"
    assert value(tooled, "r.text, r.finish_reason, [s.body for s in r.steps]") == (
        "('So:', 'interrupted', ['2'])"
    )
    assert len(gateway.chats) == 1


@pytest.mark.parametrize(
    ("answers", "results"),
    [
        (["y", "n"], ["2", "The user declined this call."]),
        (["n", "a"], ["The user declined this call.", "4"]),
        (["a"], ["2", "4"]),
        (["what?", "y", "y"], ["2", "4"]),
    ],
)
def test_confirmed(tooled: Kernel, gateway: GatewayServer, answers: list[str], results: list[str]) -> None:
    gateway.script(calls(("double", {"n": 1}), ("double", {"n": 2})), SUNNY)
    cell = tooled.start_run("%%metask gpt-4o-mini -T double --confirm\nHi", inputs=answers)
    cell.finish()
    assert told(gateway) == results
    questions = [
        m.content["prompt"]
        for m in tooled.log
        if m.kind == "input_request" and m.parent_id == cell.request_id
    ]
    assert len(questions) == len(answers)
    assert questions[0].startswith("Call double(n=1)? ")


def test_confirm_where_nobody_can_answer(tooled: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("double", {"n": 1})), SUNNY)
    cell = tooled.run("%%metask gpt-4o-mini -T double --confirm\nHi")
    assert cell.error is not None
    assert cell.error["ename"] == "ToolError"
    assert "nobody can answer it here" in cell.error["evalue"]


def test_interrupted_at_the_question(tooled: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("double", {"n": 1})), SUNNY)
    cell = tooled.start_run("%%metask gpt-4o-mini -T double --confirm\nHi", inputs=[])
    tooled.wait_for(lambda m: m.kind == "input_request" and m.parent_id == cell.request_id)
    tooled.interrupt()
    error = cell.finish(30).error
    assert error is not None
    assert error["ename"] == "Interrupted"
    assert len(gateway.chats) == 1


def test_a_tool_that_asks_a_model(tooled: Kernel, gateway: GatewayServer) -> None:
    gateway.script(calls(("ask_another", {"question": "Why?"})), SUNNY, model="gpt-4o-mini")
    gateway.script(Streamed(["Because."]), model="o1")
    cell = tooled.run("%%metask gpt-4o-mini -T ask_another -o r\nHi")
    assert cell.error is None
    assert [output["data"]["text/plain"] for output in cell.displays] == [
        "Because.",
        'ask_another(question="Why?") → Because.\n\nSunny.',
    ]
    assert told(gateway) == ["Because."]
    assert value(tooled, "str(r)") == "'Sunny.'"


@pytest.mark.parametrize("name", ["ask_with_tool", "ask_within"])
def test_tools_within_tools(tooled: Kernel, gateway: GatewayServer, name: str) -> None:
    gateway.script(calls((name, {"n": 4})), SUNNY, model="gpt-4o-mini")
    gateway.script(calls(("double", {"n": 4})), Streamed(["Eight."]), model="o1")
    cell = tooled.run(f"%%metask gpt-4o-mini -T {name}\nHi")
    assert cell.error is None
    assert [told(gateway, request) for request in range(4)] == [[], [], ["8"], ["Eight."]]


def test_a_method_is_named_with_its_object(tooled: Kernel, gateway: GatewayServer) -> None:
    tooled.run(
        "class Shop:\n    def find(self, what: str) -> str:\n        'Find it.'\n        return what * 2\n"
        "shop = Shop()"
    )
    gateway.script(calls(("shop_find", {"what": "tea"})), SUNNY)
    assert tooled.run("%%metask gpt-4o-mini -T shop.find\nHi").error is None
    assert gateway.last.json["tools"][0]["function"]["name"] == "shop_find"
    assert told(gateway) == ["teatea"]


def test_a_table_is_a_result_that_can_be_read(tooled: Kernel, gateway: GatewayServer) -> None:
    tooled.run(
        "import pandas as pd\ndef sales() -> pd.DataFrame:\n    'All sales.'\n"
        "    return pd.DataFrame({'n': [1, 2]})"
    )
    gateway.script(calls(("sales", {})), SUNNY)
    tooled.run("%%metask gpt-4o-mini -T sales\nHi")
    assert told(gateway) == ["2 rows × 1 column: n (int64)\n\n| n |\n| --- |\n| 1 |\n| 2 |"]


def test_given_twice(tooled: Kernel, gateway: GatewayServer) -> None:
    tooled.run("%%metask gpt-4o-mini -T double -T double\nHi")
    assert [tool["function"]["name"] for tool in gateway.last.json["tools"]] == ["double"]


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("Client.opne", "OptionError", "The tool `Client.opne` is not defined: `Client` has no opne."),
        ("get_wether", "OptionError", "The tool `get_wether` is not defined. Did you mean get_weather"),
        ("clients", "ToolError", "`clients` is no function"),
        ("Client", "ToolError", "`Client` is a class"),
    ],
)
def test_no_tool(tooled: Kernel, gateway: GatewayServer, name: str, error: str, says: str) -> None:
    cell = tooled.run(f"%%metask gpt-4o-mini -T {name}\nHi")
    assert cell.error is not None
    assert cell.error["ename"] == error
    assert says in cell.error["evalue"]
    assert not gateway.requests


def test_a_dry_run_shows_the_tools(tooled: Kernel, gateway: GatewayServer) -> None:
    cell = tooled.run("%%metask gpt-4o-mini -T double --dry-run\nHi")
    assert '"name": "double"' in shown(cell)
    assert not gateway.requests


@pytest.mark.parametrize("tool", ["sleep", "sleep_later"])
def test_stopped_in_a_tool_by_the_view(tooled: Kernel, gateway: GatewayServer, tool: str) -> None:
    """Stop ends the reply and the tool, and not the cell: the other model's answer is whole."""
    gateway.script(calls((tool, {}), text="So:"), SUNNY, model="gpt-4o-mini")
    gateway.script(Streamed(["Fine."]), model="o1")
    code = f"%%metask gpt-4o-mini o1 -T {tool} -o r\nHi"
    cell = tooled.start_run(code, metadata={"cellId": "a"})
    cell.wait_for(published("stream", containing="asleep"))
    press_stop(tooled, cell, column=0)
    assert cell.finish(30).error is None
    assert value(tooled, "[(reply.text, reply.finish_reason) for reply in r.values()]") == (
        "[('So:', 'interrupted'), ('Fine.', 'stop')]"
    )


def press_stop(kernel: Kernel, cell: Execution, column: int) -> None:
    """Send what the button sends, as JupyterLab sends it: by a subshell, while the cell runs."""
    (view,) = [
        m.content["comm_id"] for m in cell.messages if m.kind == "comm_open" and '"columns": [' in m.text
    ]
    subshell = kernel.ask("create_subshell_request", {}, channel="control")["subshell_id"]
    stop = {"method": "custom", "content": {"type": "stop", "column": column}}
    kernel.send("comm_msg", {"comm_id": view, "data": stop}, subshell=subshell)
