"""The live view in JupyterLab: our widget against two ways to do without one.

    python -m tests.benchmarks.live_view

Drives JupyterLab in Chromium. A reply of 10,000 chunks comes at 500 a second; the same text is shown by
`%%metask`, by `update_display(Markdown)` ten times a second, and by `ipywidgets.HTML` ten times a second.
Prints, for each: messages and bytes the page received from the kernel (without the widget's own bundle),
CPU seconds of the kernel, frames a second while text came, and how long after the server's last chunk the
page showed the end. Ours is also run with half the text: its traffic must grow no faster than the text.
"""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import WebSocket

from ..browser.chromium import find_chromium, launch_chromium
from ..browser.lab import Lab
from ..browser.notebook import NotebookPage
from ..browser.server import JupyterServer
from ..gateway_server import GatewayServer, Streamed

CHUNKS = 10_000
CHUNKS_PER_SECOND = 500
CHUNK_CHARACTERS = 4
END = "That is the end."
PATIENCE = 180_000  # milliseconds

PAGE = """## Part {n}

A paragraph of **plain** prose with `code`, a [link](https://example.org) and enough words to wrap once or
twice in a notebook of the usual width, as most of a reply does.

- first point
- second point, somewhat longer than the first
  - nested

| name | count |
| --- | ---: |
| apples | {n} |

```python
def part(n: int = {n}) -> int:
    return n * 2
```

"""

LOOP = """
import time, html
from IPython.display import Markdown, display
import ipywidgets
stream = client.chat.completions.create(
    model="gpt-4o-mini", messages=[{"role": "user", "content": "Go on"}], stream=True
)
"""
SHOWN_BY = {
    "%%metask": "%%metask gpt-4o-mini\nGo on",
    "update_display(Markdown)": LOOP
    + """
text, shown, view = "", 0.0, display(Markdown(""), display_id=True)
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        text += chunk.choices[0].delta.content
        if time.monotonic() - shown > 0.1:
            shown = time.monotonic()
            view.update(Markdown(text))
view.update(Markdown(text))
""",
    "ipywidgets.HTML": LOOP
    + """
text, shown, view = "", 0.0, ipywidgets.HTML()
display(view)
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        text += chunk.choices[0].delta.content
        if time.monotonic() - shown > 0.1:
            shown = time.monotonic()
            view.value = f"<pre>{html.escape(text)}</pre>"
view.value = f"<pre>{html.escape(text)}</pre>"
""",
}

PREPARE = """
import os, time, openai
client = openai.OpenAI(base_url=os.environ["METASK_BASE_URL"], api_key=os.environ["METASK_API_KEY"])
cpu = time.process_time()
"""

# Counts frames from the first text on, and notes when the end is there.
WATCH = """([index, end]) => {
  const area = document.querySelectorAll(".jp-Notebook .jp-Cell")[index].querySelector(".jp-Cell-outputArea");
  const seen = (window.__seen = { frames: 0, from: null, until: null });
  const look = () => {
    const text = area.textContent;
    if (seen.from === null && text.includes("Part 0")) seen.from = Date.now();
    if (seen.from !== null) seen.frames += 1;
    if (text.includes(end)) seen.until = Date.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


@dataclass
class Traffic:
    """What the page received from the kernel."""

    sizes: list[int] = field(default_factory=list)

    def listen(self, socket: WebSocket) -> None:
        if "/channels" in socket.url:
            socket.on("framereceived", self._take)

    def _take(self, payload: str | bytes) -> None:
        frame = payload if isinstance(payload, bytes) else payload.encode()
        if b"comm_open" not in frame:
            self.sizes.append(len(frame))


@dataclass(frozen=True)
class Figures:
    """One run. `lag` in seconds; sizes in bytes."""

    messages: int
    size: int
    cpu: float
    frames_per_second: float
    lag: float
    seconds: float
    text_size: int

    def __str__(self) -> str:
        return (
            f"{self.messages:6,} messages ({self.messages / self.seconds:4.1f}/s)  {self.size / 1e6:6.2f} MB "
            f"({self.size / self.text_size:6.1f} × the text)  {self.cpu:5.2f} s CPU  "
            f"{self.frames_per_second:4.1f} frames/s  {self.lag:6.2f} s behind"
        )


def reply_of(chunks: int) -> list[str]:
    """A Markdown text in chunks, with its end marked."""
    size = chunks * CHUNK_CHARACTERS - len(END)
    text = "".join(PAGE.format(n=n) for n in range(size // len(PAGE) + 2))[:size]
    text = text[: text.rfind("\n\n", 0, size) + 2].ljust(size) + END
    return [text[at : at + CHUNK_CHARACTERS] for at in range(0, len(text), CHUNK_CHARACTERS)]


def measure(lab: Lab, gateway: GatewayServer, code: str, chunks: int) -> Figures:
    parts = reply_of(chunks)
    gateway.reset()
    gateway.script(Streamed(parts, chunks_per_second=CHUNKS_PER_SECOND))
    traffic = Traffic()
    lab.context.on("page", lambda page: page.on("websocket", traffic.listen))
    notebook = lab.open(PREPARE, code, "print(time.process_time() - cpu)")
    notebook.run(1)
    traffic.sizes.clear()
    sent_at = _run(notebook, gateway)
    seen = notebook.page.evaluate("window.__seen")
    messages, size = len(traffic.sizes), sum(traffic.sizes)
    notebook.run(3)
    cpu = float(notebook.output(3).inner_text())
    notebook.page.close()
    seconds = (seen["until"] - seen["from"]) / 1000
    lag = seen["until"] / 1000 - sent_at
    return Figures(messages, size, cpu, seen["frames"] / seconds, lag, seconds, sum(map(len, parts)))


def _run(notebook: NotebookPage, gateway: GatewayServer) -> float:
    """Run the cell until the page shows its end; return when the server had sent it all."""
    sent_at: list[float] = []

    def note() -> None:
        (request,) = gateway.wait_for_requests(1)
        # A client that has read the last event may leave before the server has closed its answer.
        while not (request.finished.is_set() or request.disconnected.is_set()):
            time.sleep(0.005)
        sent_at.append(time.time())

    noting = threading.Thread(target=note)
    noting.start()
    notebook.page.evaluate(WATCH, [2, END])
    notebook.start(2)
    notebook.wait_for("() => window.__seen.until !== null")
    notebook.wait_done(2)
    noting.join()
    return sent_at[0]


def main() -> None:
    with (
        GatewayServer() as gateway,
        tempfile.TemporaryDirectory() as directory,
        launch_chromium(find_chromium(), Path(directory, "chromium")) as browser,
    ):
        browser.set_default_timeout(PATIENCE)
        environment = {"METASK_API_KEY": gateway.api_key, "METASK_BASE_URL": gateway.base_url}
        with JupyterServer(Path(directory), environment) as server, Lab(server, browser) as lab:
            measured = {name: measure(lab, gateway, code, CHUNKS) for name, code in SHOWN_BY.items()}
            half = measure(lab, gateway, SHOWN_BY["%%metask"], CHUNKS // 2)
    print(f"{CHUNKS:,} chunks of {CHUNK_CHARACTERS} characters, {CHUNKS_PER_SECOND} a second:")
    for name, figures in measured.items():
        print(f"{name:25} {figures}")
    print(f"{'%%metask, half the text':25} {half}")
    ours = measured["%%metask"]
    allowed = 2 * ours.text_size + 1000 * ours.messages
    print(f"our traffic: {ours.size / allowed:.2f} of twice the text and 1 kB a message;", end=" ")
    print(f"{ours.size / half.size:.2f} × that of half the text")


if __name__ == "__main__":
    main()
