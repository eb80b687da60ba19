"""Where the live view stands: the record takes its place without a jump, and a narrow page holds it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from ..gateway_server import Gate, GatewayServer, Reasoning, Streamed
from .lab import Lab

ASK = "%%metask gpt-4o-mini\nHi"
PLACES = ("h1", "table", "pre", "li >> nth=0")
LARGEST_JUMP = 8  # pixels, of which mathematics takes some when it is typeset
TEXT = """# A heading

| name | count |
| --- | ---: |
| apples | 3 |

```python
answer = 42
```

- first
  - nested
"""


def test_the_record_stands_where_the_live_text_stood(lab: Lab, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed([Reasoning("Let me see."), *TEXT, gate, "\nThe end."]))
    notebook = lab.open(ASK)
    notebook.start(1)
    output = notebook.output(1)
    expect(output.locator(".metask-column li li")).to_have_text("nested")
    before = [output.locator(place).first.bounding_box() for place in PLACES]
    gate.open()
    notebook.wait_done(1)
    expect(output.locator(".metask-column")).to_have_count(0)
    expect(output.locator("li li")).to_contain_text("nested")
    for place, was in zip(PLACES, before, strict=True):
        now = output.locator(place).first.bounding_box()
        assert was is not None
        assert now is not None
        assert abs(was["y"] - now["y"]) < LARGEST_JUMP, place


def test_a_narrow_page_holds_text_and_buttons(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gate = Gate()
    gateway.script(Streamed([*TEXT, gate]))
    notebook = lab.open(ASK)
    notebook.page.set_viewport_size({"width": 480, "height": 800})
    notebook.start(1)
    column = notebook.output(1).locator(".metask-column")
    expect(column.locator("li li")).to_have_text("nested")
    text = column.locator("h1").bounding_box()
    assert text is not None
    for name in ("Stop the reply of gpt-4o-mini", "Copy the reply of gpt-4o-mini as Markdown"):
        box = column.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 480
        assert box["y"] + box["height"] <= text["y"], "the text is not covered"
    notebook.screenshot(screenshots / "narrow.png")
    gate.open()
    notebook.wait_done(1)
