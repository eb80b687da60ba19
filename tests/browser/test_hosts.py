"""The live view where other programs than Jupyter's own show widgets: VS Code, and pages as Colab's."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from ..gateway_server import CUT, Gate, GatewayServer, Reasoning, Streamed
from ..versions.environments import VERSIONS
from .host import HostPage, build
from .lab import Lab
from .server import KERNEL, JupyterServer
from .test_accessibility import TEXT, found_by_axe
from .test_stop import BUSY, LATER
from .test_widget import MARKDOWN, pieces

OLD = "colab-tests"
ONE, OTHER = "gpt-4o-mini", "claude-3-5-sonnet-20241022"
NEW, OLDER = ("vscode8", "plain8"), ("vscode7", "plain7")
HOSTS = (*NEW, *(pytest.param(host, marks=pytest.mark.nightly) for host in OLDER))


@pytest.fixture(scope="module", autouse=True)
def _built(jupyter: JupyterServer) -> None:
    build(jupyter.static)


@pytest.fixture(scope="module")
def _colabs(jupyter: JupyterServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    jupyter.add_kernel(OLD, VERSIONS["Colab's"].install(tmp_path_factory.mktemp("environment")))
    return OLD


@pytest.fixture
def kernel(manager: str, request: pytest.FixtureRequest) -> str:
    """The kernel of a manager's time."""
    return KERNEL if manager in NEW else str(request.getfixturevalue("_colabs"))


@pytest.mark.parametrize("manager", HOSTS)
def test_it_streams_and_leaves_a_record(lab: Lab, gateway: GatewayServer, manager: str, kernel: str) -> None:
    gate = Gate()
    gateway.script(Streamed([*pieces(MARKDOWN), gate, "\n```\n\nThe end."]))
    host = HostPage.open(lab, manager, kernel)
    host.start("%%metask gpt-4o-mini -o reply\nHi")
    view = host.last.locator(".metask")
    expect(view).to_contain_text("never closed")
    expect(view.locator("h1")).to_have_text("A heading")
    gate.open()
    assert host.wait_done() == "ok"
    expect(view).to_have_count(0)
    expect(host.last).to_have_count(1)
    expect(host.last).to_contain_text("The end.")
    (output,) = host.saved
    assert output["data"]["text/markdown"] == f"{MARKDOWN}\n```\n\nThe end."


@pytest.mark.parametrize(
    "manager", [*NEW, *(pytest.param(host, marks=pytest.mark.nightly) for host in OLDER)]
)
def test_stop_ends_the_reply_it_belongs_to(
    lab: Lab, gateway: GatewayServer, manager: str, kernel: str
) -> None:
    """None of these pages can interrupt the kernel, so that it takes a message to the cell that waits."""
    gate = Gate()
    gateway.script(Streamed(["# So far", Gate()]), model=ONE)
    gateway.script(Streamed(["# Another", gate, " and more"]), model=OTHER)
    host = HostPage.open(lab, manager, kernel)
    host.start(f"%%metask {ONE} {OTHER} -o replies\nHi")
    columns = host.last.locator(".metask-column")
    expect(columns).to_have_count(2)
    expect(columns.nth(1)).to_contain_text("Another")
    columns.nth(0).locator(".metask-stop").click()
    expect(columns.nth(0)).to_have_attribute("data-status", "interrupted")
    expect(columns.nth(1)).to_have_attribute("data-status", "streaming")
    gate.open()
    assert host.wait_done() == "ok"
    expect(host.last.first).to_contain_text("Stopped before its end.")
    expect(host.last.first).to_contain_text("Another and more")
    assert host.run("print([reply.finish_reason for reply in replies.values()])") == "ok"
    expect(host.last).to_contain_text("['interrupted', 'stop']")


@pytest.mark.parametrize("manager", NEW)
def test_no_stop_is_shown_where_none_can_reach_the_kernel(lab: Lab, manager: str, kernel: str) -> None:
    host = HostPage.open(lab, manager, kernel)
    host.start(BUSY)
    expect(host.last.locator(".metask-copy")).to_be_visible()
    host.page.wait_for_function(LATER, arg=host.page.evaluate("() => performance.now()"))
    expect(host.last.locator(".metask-stop")).to_be_hidden()


def test_the_colours_are_those_of_vs_code(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    """Light, dark and of high contrast; axe reckons the contrasts."""
    gates = Gate(), Gate()
    gateway.script(Streamed([Reasoning("Africa, then."), TEXT, gates[0], CUT]), model=ONE)
    gateway.script(Streamed([TEXT, gates[1]]), model=OTHER)
    host = HostPage.open(lab, "vscode8", KERNEL)
    host.start(f"%%metask {ONE} {OTHER}\nRivers?")
    columns = host.last.locator(".metask-column")
    for at in range(2):
        expect(columns.nth(at)).to_contain_text("quoted")
    gates[0].open()
    expect(columns.nth(0)).to_have_attribute("data-status", "error")
    found = []
    for name, colours in VSCODE.items():
        host.page.evaluate(_DRESS, [name, colours])
        host.page.screenshot(path=screenshots / f"vscode-{name}.png")
        found += [f"{name}: {each}" for each in found_by_axe(host.page, ".metask")]
        ground = host.last.first.evaluate("(node) => getComputedStyle(node).backgroundColor")
        assert ground == "rgba(0, 0, 0, 0)", "the page's own ground is seen"
    assert "\n".join(found) == ""
    gates[1].open()
    host.wait_done()


# As VS Code's own themes have them: "Light Modern", "Dark Modern" and "Dark High Contrast".
VSCODE = {
    "light": {
        "foreground": "#3b3b3b",
        "descriptionForeground": "#3b3b3b",
        "editor-background": "#ffffff",
        "editorWidget-background": "#f8f8f8",
        "textCodeBlock-background": "#f8f8f8",
        "panel-border": "#e5e5e5",
        "focusBorder": "#005fb8",
        "textLink-foreground": "#005fb8",
        "errorForeground": "#f85149",
        "editorWarning-foreground": "#bf8803",
        "testing-iconPassed": "#73c991",
        "symbolIcon-keywordForeground": "#3b3b3b",
        "symbolIcon-classForeground": "#d67e00",
        "symbolIcon-functionForeground": "#652d90",
        "debugTokenExpression-string": "#a31515",
        "debugTokenExpression-number": "#098658",
        "debugTokenExpression-name": "#9b46b0",
    },
    "dark": {
        "foreground": "#cccccc",
        "descriptionForeground": "#9d9d9d",
        "editor-background": "#1f1f1f",
        "editorWidget-background": "#202020",
        "textCodeBlock-background": "#2b2b2b",
        "panel-border": "#2b2b2b",
        "focusBorder": "#0078d4",
        "textLink-foreground": "#4daafc",
        "errorForeground": "#f85149",
        "editorWarning-foreground": "#cca700",
        "testing-iconPassed": "#73c991",
        "symbolIcon-keywordForeground": "#cccccc",
        "symbolIcon-classForeground": "#ee9d28",
        "symbolIcon-functionForeground": "#b180d7",
        "debugTokenExpression-string": "#ce9178",
        "debugTokenExpression-number": "#b5cea8",
        "debugTokenExpression-name": "#c586c0",
    },
    "high-contrast": {
        "foreground": "#ffffff",
        "descriptionForeground": "rgba(255, 255, 255, 0.7)",
        "editor-background": "#000000",
        "editorWidget-background": "#0c141f",
        "textCodeBlock-background": "#000000",
        "panel-border": "#6fc3df",
        "focusBorder": "#f38518",
        "textLink-foreground": "#21a6ff",
        "errorForeground": "#f48771",
        "editorWarning-foreground": "#ffd370",
        "testing-iconPassed": "#73c991",
        "symbolIcon-keywordForeground": "#ffffff",
        "symbolIcon-classForeground": "#ee9d28",
        "symbolIcon-functionForeground": "#b180d7",
        "debugTokenExpression-string": "#f48771",
        "debugTokenExpression-number": "#89d185",
        "debugTokenExpression-name": "#ffffff",
    },
}
_DRESS = """([name, colours]) => {
  document.body.className = `vscode-${name}`;
  for (const [colour, value] of Object.entries(colours)) {
    document.documentElement.style.setProperty(`--vscode-${colour}`, value);
  }
}"""
