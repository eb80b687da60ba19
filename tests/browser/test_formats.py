"""Replies asked for as something else than Markdown; above all HTML, which is shown and can do nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect

from ..gateway_server import Gate, GatewayServer, Streamed
from .hostile import HOSTILE
from .lab import Lab
from .live import LiveView
from .notebook import NotebookPage

# JupyterLab shows 50 outputs of a cell.
AT_ONCE = 45

ASK = "%%metask gpt-4o-mini -f {}\nHi"
SHOW = """
from IPython.display import display
from metask_magic.display.record import to_bundle
for text in {texts!r}:
    display(to_bundle(text, "html"), raw=True)
"""

PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>A page</title><style>body {color: rgb(0, 0, 99)}</style></head>
<body><h1>A page</h1><svg width="80" height="40"><circle cx="20" cy="20" r="15" fill="teal"/></svg>
<script>document.body.textContent = "It ran"</script></body></html>
"""

# What a policy for scripts does not hold back; HERE is a server that notes who connects.
OFFERS = [
    '<link rel="preconnect" href="http://HERE/"><link rel="dns-prefetch" href="http://HERE/">',
    '<link rel="prefetch" href="http://HERE/p"><link rel="preload" as="image" href="http://HERE/q">',
    '<LINK\nrel="prerender" href="http://HERE/"><link/rel=stylesheet href=http://HERE/s.css>',
    '<meta http-equiv="refresh" content="0;url=http://HERE/">',
    '<meta http-equiv="Content-Security-Policy" content="default-src *"><img src="http://HERE/i.png">',
    "<style>@import 'http://HERE/s.css'; body {background: url(http://HERE/b.png)}"
    "@font-face {font-family: f; src: url(http://HERE/f)} p {font-family: f}</style><p>text</p>",
    '<iframe srcdoc="&lt;link rel=preconnect href=http://HERE/&gt;&lt;img src=http://HERE/&gt;"></iframe>',
    '<video autoplay src="http://HERE/v"></video><audio autoplay src="http://HERE/a"></audio>',
    '<script type="speculationrules">{"prefetch": [{"urls": ["http://HERE/"]}]}</script>',
    '<base href="http://HERE/"><img src="x.png"><svg><image href="http://HERE/s"/><use href="http://HERE/u#a"/></svg>',
]
# Each is as large as its frame: wherever that is clicked, it is hit.
LARGE = 'style="position:fixed;inset:0;display:block;width:100%;height:100%"'
CLICKED = [
    f'<a {LARGE} href="http://HERE/">x</a>',
    f'<a {LARGE} target="_top" href="http://HERE/">x</a>',
    f'<a {LARGE} target="_self" href="http://HERE/" ping="http://HERE/ping">x</a>',
    f'<a {LARGE} target="_parent" href="javascript:parent.__pwned=1">x</a>',
    f'<a {LARGE} target="_blank" href="http://HERE/" download>x</a>',
    f'<a {LARGE} href="/lab">x</a>',
    f'<base target="_self"><a/{LARGE} href="http://HERE/">x</a>',
    f'<form action="http://HERE/" target="_top"><button {LARGE}>x</button></form>',
    f'<form><input type="submit" formaction="http://HERE/" formtarget="_self" {LARGE}></form>',
    f'<button {LARGE} onclick="parent.__pwned=2">x</button>',
    f'<svg {LARGE}><a href="http://HERE/" target="_self"><rect width="999" height="999"/></a></svg>',
]


@contextmanager
def listener(seen: list[bytes]) -> Iterator[str]:
    """A server that notes what is said to it, a bare connection included; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                seen.append(b"connected")
                connection.close()

        threading.Thread(target=listen, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def click_frames(notebook: NotebookPage, index: int) -> None:
    """Click into the middle of every frame in a cell's output, as a user would."""
    frames = notebook.output(index).locator("iframe")
    for at in range(frames.count()):
        frames.nth(at).scroll_into_view_if_needed()
        box = frames.nth(at).bounding_box()
        assert box is not None
        notebook.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + min(box["height"] / 2, 100))
        notebook.page.keyboard.press("Enter")


def test_html_runs_nothing_and_fetches_nothing(lab: Lab, gateway: GatewayServer) -> None:
    seen: list[bytes] = []
    hostile = [text for name, text in HOSTILE.items() if name.startswith("html")]
    with listener(seen) as here:
        offers, clicked = ([text.replace("HERE", here) for text in texts] for texts in (OFFERS, CLICKED))
        batches = (hostile[:AT_ONCE], hostile[AT_ONCE:], offers, clicked)
        notebook = lab.open(*(SHOW.format(texts=batch) for batch in batches))
        address = notebook.page.url
        notebook.run(1, 2, 3, 4)
        for index, batch in enumerate(batches, 1):
            frames = notebook.output(index).locator("iframe")
            expect(frames).to_have_count(len(batch))
            assert {frame.get_attribute("sandbox") for frame in frames.all()} == {""}
        click_frames(notebook, 4)
        notebook.page.wait_for_timeout(1000)  # for what comes of it
        assert notebook.page.url == address
        assert all(frame.url in (address, "about:srcdoc", "about:blank") for frame in notebook.page.frames)
        assert seen == []
    notebook.watch.excuse(here)
    assert notebook.watch.incidents == {}


def test_html_is_shown_as_a_page(lab: Lab, gateway: GatewayServer, screenshots: Path) -> None:
    gate = Gate()
    gateway.script(Streamed(["```html\n", *PAGE[:120], gate, *PAGE[120:], "```"]))
    notebook = lab.open(ASK.format("html"))
    notebook.start(1)
    assert gate.reached.wait(60)
    view = LiveView(notebook, 1)
    view.expect_text("A page</title>")
    expect(view.body.locator("pre code span").first).to_be_visible()
    assert "```" not in view.body.inner_text()
    gate.open()
    notebook.wait_done(1)
    frame = notebook.output(1).frame_locator("iframe")
    expect(frame.locator("h1")).to_have_text("A page")
    expect(frame.locator("h1")).to_have_css("color", "rgb(0, 0, 99)")
    (output,) = notebook.saved_outputs(1)
    assert output.data["text/plain"] == f"```html\n{PAGE}```"
    notebook.set_theme("JupyterLab Dark")
    notebook.screenshot(screenshots / "html-dark.png")


def test_json_grows_indented(lab: Lab, gateway: GatewayServer) -> None:
    gate = Gate()
    gateway.script(Streamed(['{"city":"Pa', 'ris","days":[{"t":21', gate, "}]}"]))
    notebook = lab.open(ASK.format("json"))
    notebook.start(1)
    view = LiveView(notebook, 1)
    view.expect_text('"t": 21')
    assert view.body.inner_text().rstrip() == '{\n  "city": "Paris",\n  "days": [\n    {\n      "t": 21'
    gate.open()
    notebook.wait_done(1)
    expect(notebook.output(1).locator(".jp-RenderedMarkdown pre code")).to_contain_text(
        '"t": 21\n    }\n  ]\n}'
    )
    (output,) = notebook.saved_outputs(1)
    assert output.data["text/plain"] == '{"city":"Paris","days":[{"t":21}]}'


def test_text_is_no_markdown(lab: Lab, gateway: GatewayServer) -> None:
    gate = Gate()
    text = "# no heading\n\n  *as it is*  <b>\n"
    gateway.script(Streamed([text, gate]))
    notebook = lab.open(ASK.format("text"))
    notebook.start(1)
    view = LiveView(notebook, 1)
    view.expect_text("as it is")
    expect(view.body.locator("pre")).to_have_text(text, use_inner_text=False)
    expect(view.body.locator("h1, em, b")).to_have_count(0)
    gate.open()
    notebook.wait_done(1)
    (output,) = notebook.saved_outputs(1)
    assert output.data == {"text/plain": text}


def test_math_is_typeset(lab: Lab, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["```latex\n\\[\n\\int_0^1 x_i^2\\,dx\n\\]\n```"]))
    notebook = lab.open(ASK.format("math"))
    notebook.run(1)
    expect(notebook.output(1).locator("mjx-container[display=true]")).to_have_count(1)
