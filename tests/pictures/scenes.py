"""The scenes: what is asked, how far the replies have come, and what of it is to be seen."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence

from playwright.sync_api import expect

from ..browser.lab import LOAD
from ..browser.live import LiveView
from ..gateway_server import Gate, Part, Reasoning, Streamed, ToolCall, refused
from ..gateway_server.received import Received
from .stage import Scene, Shot, Stage

MODEL = "gpt-4o-mini"
SEVERAL = (MODEL, "gemini-2.0-flash", "deepseek-r1")
ROWS, HELD = 24, 17
PIECE, PER_SECOND = 4, 20  # characters of a piece, pieces a second

SHAPE = """\
import pandas as pd
from pydantic import BaseModel

class Review(BaseModel):
    stars: int
    topic: str

reviews = pd.DataFrame({rows})
pd.set_option("display.max_colwidth", 42)"""

TOOLS = '''\
def temperature(city: str) -> float:
    """{about}"""
    return {degrees}[city]

def difference(one: float, other: float) -> float:
    return one - other'''

# How often each model of the trial is right; made up.
SKILL = {
    MODEL: 0.8,
    "gpt-4o": 0.96,
    "claude-3-haiku-20240307": 0.7,
    "claude-3-5-sonnet-20241022": 0.92,
    "gemini-1.5-pro": 0.86,
}


def written(text: str, *more: Part, kind: Callable[[str], Part] = str) -> Streamed:
    """A reply that comes piece by piece, as fast as a model writes."""
    pieces = [kind(text[at : at + PIECE]) for at in range(0, len(text), PIECE)]
    tokens = len(pieces)
    usage = {"prompt_tokens": 21, "completion_tokens": tokens, "total_tokens": 21 + tokens}
    return Streamed([*pieces, *more], usage=usage, chunks_per_second=PER_SECOND)


def streaming(stage: Stage) -> Shot:
    """A story while it is written."""
    words, gate = stage.words, Gate()
    stage.gateway.script(written(words.told, gate))
    ask = f"%%metask {MODEL} -o story\n{words.story}"
    notebook = stage.open("story", [LOAD, f'hero = "{words.hero}"', ask], run=[0, 1])
    notebook.start(2)
    view = LiveView(notebook, 2)
    expect(view.body.locator("tbody tr")).to_have_count(3)
    assert gate.reached.wait(60)
    stage.rest(notebook, 2)
    return Shot(notebook, 0, 2, whole=True)


def columns(stage: Stage) -> Shot:
    """Three models, of which one has ended and one still thinks."""
    words, gate = stage.words, Gate()
    stage.gateway.models = [*SEVERAL]
    first, second = words.answers
    stage.gateway.script(written(first), model=MODEL)
    stage.gateway.script(written(second, gate), model=SEVERAL[1])
    stage.gateway.script(written(words.thought, gate, kind=Reasoning), model=SEVERAL[2])
    ask = f"%%metask {' '.join(SEVERAL)}\n{words.question}"
    notebook = stage.open("answers", [LOAD, ask], run=[0], width=1000)
    notebook.start(1)
    view = LiveView(notebook, 1)
    expect(view.column.nth(0)).to_have_attribute("data-status", "stop")
    expect(view.body.nth(1)).to_contain_text(second[-8:])
    expect(view.reasoning.nth(2)).to_contain_text(words.thought[-8:])
    stage.rest(notebook, 1)
    return Shot(notebook, 1, 1)


def table(stage: Stage) -> Shot:
    """Three rows that are answered, and all of them on their way."""
    gate, rows = Gate(), _rows(stage)

    def answer(received: Received) -> Streamed:
        at = _row_of(received, rows)
        _, stars, topic = rows[at]
        said = json.dumps({"stars": stars, "topic": topic})
        return Streamed([said] if at < HELD else [gate, said])

    stage.gateway.answer_with(answer)
    ask = f"%%metask {MODEL} --map reviews -o labelled --schema Review"
    cells = [
        SHAPE.format(rows=[{"text": text} for text, _, _ in rows]),
        f"{ask} --limit 3\n{stage.words.customer}",
        f"{ask}\n{stage.words.customer}",
    ]
    notebook = stage.open("reviews", [LOAD, *cells], run=[0, 1, 2])
    notebook.start(3)
    bar = notebook.output(3).locator(".jupyter-widgets")
    expect(bar.get_by_text(f"{HELD}/{ROWS}")).to_be_visible(timeout=60_000)
    stage.rest(notebook, 3)
    return Shot(notebook, 2, 3)


def trial(stage: Stage) -> Shot:
    """The leaderboard of five models, and its chart."""
    rows = _rows(stage)

    def answer(received: Received) -> Streamed:
        """Answer as well as the model is said to; the same each time."""
        at, model = _row_of(received, rows), received.json["model"]
        draw = random.Random(f"{model} {at}")  # noqa: S311 -- no secrets
        right = rows[at][1]
        said = right if draw.random() < SKILL[model] else right % 5 + 1
        usage = {"prompt_tokens": 96, "completion_tokens": 14, "total_tokens": 110}
        return Streamed([json.dumps({"stars": said, "topic": rows[at][2]})], usage=usage)

    stage.gateway.models = [*SKILL]
    stage.gateway.answer_with(answer)
    given = [{"text": text, "stars": stars} for text, stars, _ in rows]
    ask = "%%metask gpt-* claude-* gemini-* --map reviews --schema Review --check stars -o trial"
    cells = [SHAPE.format(rows=given), f"{ask}\n{stage.words.stars}"]
    notebook = stage.open("trial", [LOAD, *cells], run=[0, 1, 2], width=1040)
    expect(notebook.output(2).locator(".plot circle")).to_have_count(len(SKILL))
    stage.rest(notebook, 2)
    return Shot(notebook, 2, 2)


def error(stage: Stage) -> Shot:
    """A model that is not there, and what to do."""
    stage.gateway.models = [MODEL]
    stage.gateway.script(refused(404, "No such model.", code="model_not_found"))
    notebook = stage.open("haiku", [LOAD, f"%%metask gpt-4o-mni\n{stage.words.haiku}"], run=[0, 1])
    notebook.expect_text(1, MODEL)
    stage.rest(notebook, 1)
    return Shot(notebook, 1, 1)


def tools(stage: Stage) -> Shot:
    """Two functions called three times, one of the results opened, and the reply that comes of it."""
    words, gate = stage.words, Gate()
    (warm, high), (cold, low) = words.degrees.items()
    stage.gateway.script(
        _calling(_call(0, "temperature", city=warm), _call(1, "temperature", city=cold)),
        _calling(_call(0, "difference", one=high, other=low)),
        written(words.said, gate),
    )
    functions = TOOLS.format(about=words.cities, degrees=json.dumps(words.degrees, ensure_ascii=False))
    ask = f"%%metask {MODEL} -T temperature -T difference\n{words.warmer}"
    notebook = stage.open("weather", [LOAD, functions, ask], run=[0, 1])
    notebook.start(2)
    view = LiveView(notebook, 2)
    view.expect_text(words.said[-8:])
    steps = view.node.locator(".metask-step")
    expect(steps).to_have_count(3)
    steps.nth(2).locator("summary").click()
    stage.rest(notebook, 2)
    return Shot(notebook, 1, 2)


SCENES: Mapping[str, Scene] = {
    scene.__name__: scene for scene in (streaming, columns, table, trial, error, tools)
}


def _rows(stage: Stage) -> list[tuple[str, int, str]]:
    """The rows of a table, no two alike: after the first ones, the same again with a number."""
    praise = stage.words.praise
    return [
        (text if at < len(praise) else f"{text} ({at})", stars, topic)
        for at in range(ROWS)
        for text, stars, topic in [praise[at % len(praise)]]
    ]


def _row_of(received: Received, rows: Sequence[tuple[str, int, str]]) -> int:
    """The row that is asked about."""
    return max(at for at, (text, _, _) in enumerate(rows) if received.last_user_text.endswith(text))


def _calling(*calls: ToolCall) -> Streamed:
    usage = {"prompt_tokens": 64, "completion_tokens": 17, "total_tokens": 81}
    return Streamed(calls, "tool_calls", usage=usage)


def _call(index: int, name: str, **arguments: object) -> ToolCall:
    return ToolCall(index, json.dumps(arguments, ensure_ascii=False), f"call_{index}", name)
