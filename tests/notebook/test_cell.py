"""A `%%metask` cell through a real kernel: what is asked, what is seen, what stays."""

from __future__ import annotations

from collections.abc import Callable

import nbformat
import pytest
from nbclient import NotebookClient

from ..gateway_server import Gate, GatewayServer, Reasoning, Streamed, rate_limited, rejected_parameter
from ..kernel import Kernel, published
from .conftest import split, value

NOTEBOOK = {"cellId": "a-cell"}
WIDGET = "application/vnd.jupyter.widget-view+json"


def test_text_is_visible_while_the_server_still_streams(asking: Kernel, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed(["Once upon ", gate, "a time."]))
    cell = asking.start_run("%%metask gpt-4o-mini\nA story", metadata=NOTEBOOK)
    assert gate.reached.wait(30)
    cell.wait_for(published("comm_msg", containing="Once upon"))
    assert not cell.idle
    gate.open()
    assert cell.finish().reply["status"] == "ok"


@pytest.mark.parametrize("metadata", [NOTEBOOK, None], ids=["notebook", "nobody"])
def test_one_clean_display_stays(
    asking: Kernel, gateway: GatewayServer, metadata: dict[str, str] | None
) -> None:
    gateway.script(Streamed(["**Bold** and ", "plain."]))
    cell = asking.run("%%metask gpt-4o-mini\nHi", metadata=metadata)
    (output,) = cell.outputs
    assert output["data"] == {"text/markdown": "**Bold** and plain.", "text/plain": "**Bold** and plain."}
    assert output["metadata"]["metask"]["model"] == "gpt-4o-mini"
    assert output["metadata"]["metask"]["usage"]["total_tokens"] == 18


def test_without_a_notebook_it_is_published_once(asking: Kernel) -> None:
    kinds = [message.kind for message in asking.run("%%metask gpt-4o-mini\nHi").messages]
    assert kinds.count("display_data") == 1
    assert not {"update_display_data", "comm_open", "comm_msg", "execute_result"} & set(kinds)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("%%metask gpt-4o-mini\nHi", ["_", "Out[{n}]"]),
        ("%%metask gpt-4o-mini -o story\nHi", ["story"]),
        ("answer = %metask gpt-4o-mini Hi", ["answer"]),
        ("%metask gpt-4o-mini Hi", ["_"]),
        ("%%metask gpt-4o-mini --quiet -o hushed\nHi", ["hushed"]),
        ("%%metask gpt-4o-mini --no-stream -o whole\nHi", ["whole"]),
    ],
)
def test_the_reply_is_a_value(asking: Kernel, gateway: GatewayServer, code: str, names: list[str]) -> None:
    gateway.script(Streamed(["Hello ", "you"]))
    cell = asking.run(code)
    assert len(cell.displays) == (0 if "--quiet" in code else 1)
    for name in names:
        name = name.format(n=cell.reply["execution_count"])
        assert value(asking, f"type({name}).__name__, str({name})") == "('Reply', 'Hello you')"


def test_a_reply_by_itself_shows_its_record(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["# Title"]))
    asking.run("%%metask gpt-4o-mini --quiet -o kept\nHi")
    (output,) = asking.run("kept").displays
    assert output["data"]["text/markdown"] == "# Title"


def test_a_reply_assigned_and_looked_at_in_one_cell_is_shown(asking: Kernel) -> None:
    (output,) = asking.run("kept = %metask --quiet gpt-4o-mini Hi\nkept").displays
    assert output["data"]["text/markdown"] == "Hi"


def test_every_part_of_the_reply(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(
        Streamed(
            [Reasoning("Let me see. "), "```python\nx = 1\n```"],
            model="gpt-4o-mini-2024-07-18",
            request_id="req-7",
        )
    )
    asking.run("%%metask gpt-4o-mini -o r --temperature 0.5\nHi")
    assert value(asking, "r.model, r.requested_model") == "('gpt-4o-mini-2024-07-18', 'gpt-4o-mini')"
    assert value(asking, "r.reasoning, r.finish_reason, r.request_id") == "('Let me see. ', 'stop', 'req-7')"
    assert value(asking, "r.code_blocks[0].language, r.code_blocks[0].code") == r"('python', 'x = 1\n')"
    assert value(asking, "r.usage.prompt_tokens, r.usage.cached_tokens, r.params") == (
        "(11, None, {'temperature': 0.5})"
    )
    assert value(asking, "0 < r.first_token_after <= r.elapsed") == "True"


EXACT = {
    "json": '{"a": {"b": [1, 2]}}',
    "latex": r"\frac{a}{b} \sum_{i=1}^{n} {#1} {% and %} \newcommand{\x}[1]{#1}",
    "c++": "cout << x; std::vector<std::map<int, int>> v{{1}};".replace("{{1}}", "{1}"),
    "shell": "echo $HOME ${PATH} $x `ls` !ls; 50% %d %s",
    "braces": "{} {x} {0} }} {",
    "chinese": "请用中文写一个故事。“引号”",
    "emoji": "👩🏽‍🚀 says 🎉\u200d",
    "question": "what is this?",
    "blank lines": "\n  first\n\n\tsecond  ",
    "backslashes": r"C:\new\table \\ \" \'",
}


@pytest.mark.parametrize("prompt", EXACT.values(), ids=EXACT)
def test_a_prompt_arrives_byte_for_byte(asking: Kernel, gateway: GatewayServer, prompt: str) -> None:
    asking.run("x = 'wrong'\n")
    asking.run(f"%%metask gpt-4o-mini\n{prompt}")
    assert gateway.last.json["messages"] == [{"role": "user", "content": prompt}]


@pytest.mark.parametrize("prompt", [p for p in EXACT.values() if "\n" not in p])
def test_a_prompt_on_one_line_arrives_as_it_stands(
    asking: Kernel, gateway: GatewayServer, prompt: str
) -> None:
    asking.run(f"%metask gpt-4o-mini {prompt}")
    assert gateway.last.json["messages"][0]["content"] == prompt.strip()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--temperature 0", {"temperature": 0}),
        ("--max-tokens 5 --top-p 0.5 --seed 7", {"max_tokens": 5, "top_p": 0.5, "seed": 7}),
        ("""-p stop='["a b"]' -p user='"me"'""", {"stop": ["a b"], "user": "me"}),
        (
            "-s 'Be {{ manner }}.'",
            {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi Ada"}]},
        ),
        ("--raw", {"messages": [{"role": "user", "content": "Hi {{ name }}"}]}),
    ],
)
def test_options_become_the_request(
    asking: Kernel, gateway: GatewayServer, line: str, expected: dict[str, object]
) -> None:
    asking.run("name, manner = 'Ada', 'brief'")
    asking.run(f"%%metask gpt-4o-mini {line}\nHi {{{{ name }}}}")
    assert {name: gateway.last.json[name] for name in expected} == expected


def test_settings_are_the_defaults(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run(
        "%config Metask.model = 'o1'\n%config Metask.system = 'Be kind.'\n%config Metask.max_tokens = 9"
    )
    asking.run("%%metask\nHi")
    asking.run(
        "%config Metask.model = 'gpt-4o-mini'\n%config Metask.system = ''\n%config Metask.max_tokens = None"
    )
    sent = gateway.last.json
    assert (sent["model"], sent["max_tokens"]) == ("o1", 9)
    assert sent["messages"][0] == {"role": "system", "content": "Be kind."}


def test_a_dry_run_shows_the_exact_request_and_sends_nothing(asking: Kernel, gateway: GatewayServer) -> None:
    cell = asking.run("%%metask gpt-4o-mini --dry-run --seed 3\nHi <b>you</b>")
    (output,) = cell.displays
    assert '"seed": 3' in output["data"]["text/plain"]
    assert "<b>you" not in output["data"]["text/html"]
    assert not gateway.requests


def test_usage_is_asked_for_and_dropped_where_it_is_rejected(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(rejected_parameter("stream_options"), Streamed(["fine"], usage=None))
    cell = asking.run("%%metask gpt-4o-mini -o r\nHi")
    assert cell.displays[0]["data"]["text/plain"] == "fine"
    assert cell.text("stderr") == ""
    assert value(asking, "r.usage") == "None"
    assert [("stream_options" in request.json) for request in gateway.requests] == [True, False]


def test_a_rate_limit_is_waited_for_visibly(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(rate_limited(retry_after=1), Streamed(["at last"]))
    cell = asking.run("%%metask gpt-4o-mini\nHi", metadata=NOTEBOOK)
    told = [message.text for message in cell.messages if message.kind == "comm_msg"]
    assert any("trying again in 1.0 s (1 of 2)" in text for text in told)
    assert cell.displays[0]["data"]["text/plain"] == "at last"


def test_what_nobody_waits_for_is_not_saved(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(rate_limited(retry_after=0), Streamed(["at last"]))
    (output,) = asking.run("%%metask gpt-4o-mini\nHi").outputs
    assert output["data"]["text/plain"] == "at last"


def test_models_are_a_table_that_filters(asking: Kernel, gateway: GatewayServer) -> None:
    (output,) = asking.run("%metask models claude-*").displays
    assert "claude-3-haiku-20240307" in output["data"]["text/plain"]
    assert "gpt" not in output["data"]["text/plain"]
    asking.run("%metask models")
    assert len([r for r in gateway.requests if r.path.endswith("/models")]) == 1, "the list is remembered"


def test_ambient_openai_variables_are_not_sent(
    start_kernel: Callable[..., Kernel], gateway: GatewayServer
) -> None:
    kernel = start_kernel(
        OPENAI_API_KEY=gateway.api_key,
        METASK_BASE_URL=gateway.base_url,
        OPENAI_BASE_URL="http://127.0.0.1:9/elsewhere",
        OPENAI_ORG_ID="org-leak",
        OPENAI_PROJECT_ID="proj-leak",
        OPENAI_CUSTOM_HEADERS="X-Leak: yes\nAuthorization: Bearer other\nUser-Agent: leak",
        HTTP_PROXY="http://127.0.0.1:9",
    )
    cell = kernel.run("%load_ext metask_magic\n%metask gpt-4o-mini Hi")
    assert cell.displays[0]["data"]["text/plain"] == "Hi"
    headers = gateway.last.headers
    assert headers["authorization"] == f"Bearer {gateway.api_key}"
    assert not {"openai-organization", "openai-project", "x-leak"} & set(headers)
    assert "leak" not in str(headers)


def test_a_saved_notebook_holds_markdown_and_no_widget(
    gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASK_API_KEY", gateway.api_key)
    monkeypatch.setenv("METASK_BASE_URL", gateway.base_url)
    gateway.script(Streamed(["A *story*."]))
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("%load_ext metask_magic"),
            nbformat.v4.new_code_cell("%%metask gpt-4o-mini\nTell me a short story."),
        ]
    )
    NotebookClient(notebook, timeout=60).execute()
    (output,) = notebook.cells[1].outputs
    assert output["data"] == {"text/markdown": "A *story*.", "text/plain": "A *story*."}
    assert "widgets" not in notebook.metadata
    assert WIDGET not in str(notebook)


def test_loading_is_silent_and_lazy(fresh_kernel: Kernel) -> None:
    cell = fresh_kernel.run("%load_ext metask_magic\n%reload_ext metask_magic\n%unload_ext metask_magic")
    assert cell.outputs == []
    fresh_kernel.run("%load_ext metask_magic\nimport sys")
    heavy = {
        "openai", "ipywidgets", "anywidget", "jinja2", "markdown_it", "nh3", "httpx2", "pydantic", "pandas",
        "narwhals", "jsonschema", "stack_data", "numpy", "PIL", "matplotlib",
    }  # fmt: skip
    assert value(fresh_kernel, f"{heavy!r} & set(sys.modules)") == "set()"


def test_unloading_takes_everything_back(fresh_kernel: Kernel, gateway: GatewayServer) -> None:
    fresh_kernel.run(
        f"import os\nos.environ['METASK_API_KEY'] = {split(gateway.api_key)}\n"
        f"%env METASK_BASE_URL={gateway.base_url}\n%load_ext metask_magic"
    )
    fresh_kernel.run("%metask gpt-4o-mini Hi")
    fresh_kernel.run("%unload_ext metask_magic")
    assert (
        value(fresh_kernel, "[t.name for t in __import__('threading').enumerate() if 'metask' in t.name]")
        == "[]"
    )
    assert "`%metask` not found" in fresh_kernel.run("%metask gpt-4o-mini Hi").text("stderr")
    fresh_kernel.run("%load_ext metask_magic")
    assert fresh_kernel.run("%metask gpt-4o-mini Hi").displays
