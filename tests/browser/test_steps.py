"""Steps on the way to a reply, in the live view and in the record."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from ..gateway_server import GatewayServer
from .audit import audit, click_all
from .hostile import HOSTILE, HOSTILE_LINES
from .lab import Lab
from .live import LiveView, contrast
from .test_widget import JUMP, READABLE, THEMES, shade, top_of

# A sink driven as `ask` drives it.
OPEN = """
from metask_magic.messages.events import Continued, Step, Stepped, TextDelta
from metask_magic.messages.record import Record
from metask_magic.display.widget import WidgetSink

sink = WidgetSink({models!r})
sink.open(lambda column: None)
"""
STEPS = """
steps = (
    Step('get_weather(city="Paris")', '{"temperature": 21,\\n "sky": "clear"}'),
    Step('get_weather(city="Atlantis")', "KeyError: 'Atlantis'\\nThere is no such city.", failed=True),
)
sink.show({0: [*map(Stepped, steps), TextDelta("# The weather\\n\\nIt is **21 °C** in Paris.")]})
"""
CLOSE = """
sink.close([Record("m", "# The weather\\n\\nIt is **21 °C** in Paris.", "stop", steps=steps)])
"""


def test_steps_stand_above_the_text(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    notebook = lab.open(OPEN.format(models=["gpt-4o-mini"]), STEPS, CLOSE)
    notebook.run(1, 2)
    view = LiveView(notebook, 1)
    view.expect_text("21 °C")
    steps = view.node.locator(".metask-step")
    expect(steps).to_have_count(2)
    first, second = (steps.nth(at).locator("summary") for at in range(2))
    expect(view.node.get_by_role("group", name="Steps").locator("summary")).to_have_count(2)
    expect(first.locator("code")).to_have_text('get_weather(city="Paris")')
    expect(second).to_contain_text("failed")
    expect(steps.nth(0).locator("pre")).not_to_be_visible()
    first.focus()
    notebook.page.keyboard.press("Enter")
    expect(steps.nth(0).locator("pre")).to_be_visible()
    for theme in THEMES:
        notebook.set_theme(theme)
        notebook.screenshot(screenshots / f"steps-{shade(theme)}.png")
        texts = (first.locator("code"), second.locator(".metask-failed"), second.locator(".metask-result"))
        assert min(map(contrast, (*texts, steps.nth(0).locator("pre")))) >= READABLE
    first.click()
    expect(steps.nth(0).locator("pre")).not_to_be_visible()
    before = top_of(view.body.locator("h1"))
    notebook.run(3)
    view.expect_gone()
    output = notebook.output(1)
    expect(output.locator("blockquote li code")).to_have_count(4)
    notebook.screenshot(screenshots / "steps-record.png")
    assert abs(top_of(output.locator("h1")) - before) < JUMP


def test_a_text_gives_way(lab: Lab, gateway: GatewayServer) -> None:
    again = 'sink.show({0: [Continued((), False), TextDelta("Better.")]})'
    notebook = lab.open(OPEN.format(models=["m"]), 'sink.show({0: [TextDelta("# Wrong")]})', again)
    notebook.run(1, 2)
    view = LiveView(notebook, 1)
    view.expect_text("Wrong")
    notebook.run(3)
    expect(view.body).to_have_text("Better.")
    notebook.save()  # else the second tab has no output
    second = LiveView(lab.second_tab(notebook), 1)
    expect(second.body).to_have_text("Better.")


def test_hostile_steps_stay_text(lab: Lab, gateway: GatewayServer) -> None:
    texts = list(HOSTILE.values())
    titles = [*HOSTILE_LINES.values()]
    show = f"""
steps = tuple(Step(title, body, failed=True) for title, body in zip({titles!r}, {texts!r}))
sink.show({{0: [*map(Stepped, steps), TextDelta("The end.")]}})
"""
    close = 'sink.close([Record("m", "The very end.", "stop", steps=steps)])'
    notebook = lab.open(OPEN.format(models=["m"]), show, close)
    notebook.run(1, 2)
    view = LiveView(notebook, 1)
    expect(view.node.locator(".metask-step")).to_have_count(len(titles))
    assert audit(notebook) == ""
    click_all(notebook)
    assert audit(notebook) == ""
    notebook.run(3)
    notebook.expect_text(1, "The very end.")
    assert audit(notebook) == ""
    click_all(notebook)
    assert audit(notebook) == ""
    assert notebook.watch.incidents == {}
