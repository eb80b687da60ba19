"""What axe, the checker of the field, has against what we show: live and after, in both themes."""

from __future__ import annotations

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from ..gateway_server import Gate, GatewayServer, Reasoning, Streamed, ToolCall, refused
from .lab import Lab
from .live import LiveView
from .notebook import NotebookPage
from .test_widget import THEMES

TEXT = """\
# Rivers

| river | km |
|---|---:|
| Nile | 6650 |

- [x] `long`, **long** and [linked](https://example.org)

```python
def length() -> int:  # in km
    return 6650
```

> quoted, $x^2$

1. one
"""
DOUBLE = "def double(n: int) -> int:\n    return 2 * n"
ONE = "%%metask gpt-4o-mini -T double\nRivers?"
TWO = "%%metask gpt-4o-mini claude-3-5-sonnet-20241022\nRivers?"


RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
OF_JUPYTERLAB = ".jp-RenderedMarkdown input"  # what it makes of a task in a record's Markdown, without a name


def violations(notebook: NotebookPage, index: int, within: str = "") -> list[str]:
    """What axe finds in a cell's output, in each theme: rule and element."""
    found: list[str] = []
    for theme in THEMES:
        notebook.set_theme(theme)
        notebook.output(index).evaluate("(node) => { node.id = 'looked-at'; }")
        found += [f"{theme}: {each}" for each in found_by_axe(notebook.page, f"#looked-at {within}".strip())]
        notebook.output(index).evaluate("(node) => { node.removeAttribute('id'); }")
    return found


def found_by_axe(page: Page, within: str) -> list[str]:
    """What axe finds in a part of a page: rule and element."""
    context = {"include": [[within]], "exclude": [[OF_JUPYTERLAB]]}
    rules = Axe().run(page, context, RULES).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in rules for node in rule["nodes"]]


def test_while_it_streams(lab: Lab, gateway: GatewayServer) -> None:
    call = ToolCall(0, json.dumps({"n": 21}), "c0", "double")
    gates = Gate(), Gate()
    gateway.script(
        Streamed([call], finish_reason="tool_calls"),
        Streamed([Reasoning("Africa, then."), TEXT, gates[0]]),
    )
    notebook = lab.open(DOUBLE, ONE, TWO)
    notebook.run(1)
    notebook.start(2)
    LiveView(notebook, 2).expect_text("quoted")
    assert violations(notebook, 2, ".metask") == []
    gates[0].open()
    notebook.wait_done(2)
    gateway.script(*[Streamed([Reasoning("Africa, then."), TEXT, gates[1]])] * 2)
    notebook.start(3)
    for column in LiveView(notebook, 3).body.all():
        column.get_by_text("quoted").wait_for()
    assert violations(notebook, 3, ".metask") == []
    gates[1].open()
    notebook.wait_done(3)


def test_what_stays(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(
        *[Streamed([TEXT], "length"), Streamed([f"{TEXT}\n<b>raw</b>"]), Streamed([TEXT]), Streamed([TEXT])],
        refused(401, "No such key."),
    )
    cells = (
        "%%metask gpt-4o-mini --max-tokens 9\nRivers?",
        "%%metask gpt-4o-mini\nRivers?",
        TWO,
        "%metask usage",
        "%metask models",
        "%%metask gpt-4o-mini --dry-run\nRivers?",
        "%metask",
        "%%metask gpt-4o-mini -f html\n<h1>Hi</h1>",
        "%metask gpt-4o-mini Rivers then",
    )
    notebook = lab.open(*cells)
    for index in range(1, len(cells) + 1):
        notebook.run(index)
    assert {
        index: found for index in range(1, len(cells) + 1) if (found := violations(notebook, index))
    } == {}
