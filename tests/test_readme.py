"""README, run: every example in one kernel, in its order, and what it promises looked at.

An example that is new in README fails here until the table says what must come of it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .examples import documents, iter_blocks
from .gateway_server import Answer, Gate, GatewayServer, Streamed, ToolCall
from .kernel import ROOT, Execution, Kernel, clean_environment
from .mcp.conftest import HOSTILE
from .mcp.web import WebServer
from .notebook.conftest import split, value

BLOCKS = list(iter_blocks(documents()["README.md"]))
CELLS = [cell for block in BLOCKS if block.language != "sh" for cell in block.cells]

# What a reader of README has in the notebook by then.
SETTING = """
import os, matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt, pandas as pd, dask.dataframe
from pydantic import BaseModel
os.environ["METASK_API_KEY"] = {key}
os.environ["METASK_BASE_URL"] = {base_url!r}
hero = "Ada"
sales = pd.DataFrame({{"month": ["May", "June"], "sold": [3, 5]}})
figure, axes = plt.subplots(figsize=(1, 1))
figure.text(0.1, 0.1, "Sold well.")
figure.savefig("notes.pdf")
text = "Lovely, would buy again."
reviews = pd.DataFrame({{"text": ["Fine.", "Broken."]}})
labelled_reviews = reviews.assign(stars=[4, 2])
rubric = "It thanks."
frame = dask.dataframe.from_pandas(reviews, npartitions=1)
class Review(BaseModel):
    stars: int
def temperature(city: str) -> float:
    '''The temperature in a city, in degrees.'''
    return {{"Lisbon": 20.0, "Oslo": 5.0}}[city]
def magic(line):
    return get_ipython().run_line_magic("metask", line)
os.environ["DOCS_TOKEN"] = "made-up-token-20817"
servers_here = {servers!r}
"""

# Another program in the place of npx, and another address in that of example.org.
SERVERS = """
import dataclasses
from metask_magic.mcp import running
os.makedirs("bin", exist_ok=True)
with open("bin/npx", "w") as npx:
    npx.write("#!/bin/sh\\nexec " + servers_here["command"])
os.chmod("bin/npx", 0o755)
os.environ["PATH"] = os.path.abspath("bin") + os.pathsep + os.environ["PATH"]
reach = running.http
running.http = lambda given, said: reach(dataclasses.replace(given, url=servers_here["url"]), said)
"""
ADDED = (
    "%metask tools add files -- npx @modelcontextprotocol/server-filesystem ./data\n"
    "%metask tools add docs https://example.org/mcp --header-env Authorization=DOCS_TOKEN\n"
    "%metask tools"
)
SEARCHED = Streamed([ToolCall(0, '{"query": "Lisbon"}', "c1", "docs_search")], "tool_calls")

STORY = "gpt-4o-mini: Tell me a short story about Ada."
ANSWER = "answer = %metask gpt-4o-mini What is 2 + 2?\nprint(story.text, story.usage, story.finish_reason)"
OPINION = "gpt-4o-mini: What does this customer think?"
TRIAL = (
    "%%metask gpt-4o-mini claude-3-haiku-20240307 gemini-* --map labelled_reviews --schema Review "
    "--check stars -o trial"
)
JUDGED = "%%metask gpt-4o-mini gpt-4o --map reviews --check judge --judge o3-mini --rubric rubric -o replies"
CI = """from metask_magic import Trial
trial.save("trial.jsonl")
trial.assert_score(0.5, model="gpt-4o-mini")
trial.assert_no_worse_than(Trial.load("trial.jsonl"))"""
TEA = "Which is better, tea or coffee?"
STARS = Streamed(['{"stars": 4}'])
BOTH_CITIES = Streamed(
    [
        ToolCall(0, '{"city": "Lisbon"}', "c1", "temperature"),
        ToolCall(1, '{"city": "Oslo"}', "c2", "temperature"),
    ],
    "tool_calls",
)
MEANWHILE = Gate()
TO_COME = "import time\nwhile not later.text:\n    time.sleep(0.01)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What must come of an example, and what it finds.

    Attributes
    ----------
    asked
        Every request, sorted: its model and the last user message's text, or its beginning before an `…`.
    sends
        Pieces of the last request.
    shows
        Pieces of what the cell shows.
    values
        Expressions of the notebook, and what they are afterwards.
    next_cell
        What is put into the cell below.
    answers
        What the gateway has in store; afterwards, and without, it sends back what it was asked.
    before, typed, then
        A cell that runs before, what is typed where the cell asks, what is done before the values.
    times
        How often it is run.

    """

    asked: Sequence[str] = ()
    sends: Sequence[str] = ()
    shows: Sequence[str] = ()
    values: Mapping[str, object] = field(default_factory=dict)
    next_cell: str | None = None
    answers: Sequence[Answer] = ()
    before: str = "pass"
    typed: Sequence[str] | None = None
    then: Callable[[], object] | None = None
    times: int = 1


PROMISES: Mapping[str, Promise] = {
    "%load_ext metask_magic": Promise(
        values={"'metask' in get_ipython().magics_manager.magics['cell']": True},
    ),
    "%%metask gpt-4o-mini": Promise(asked=[STORY], shows=["Tell me a short story about Ada."]),
    "%load_ext metask_magic\n%metask login": Promise(
        before="del os.environ['METASK_API_KEY']",
        typed=["{key}", "n"],
        shows=["The key is used until the kernel ends."],
        values={"dict(magic('').rows)['key']": "`%metask login`"},
    ),
    "%%metask gpt-4o-mini -o story": Promise(
        asked=[STORY], values={"story.text": "Tell me a short story about Ada.", "story is _": True}
    ),
    ANSWER: Promise(
        answers=[Streamed(["It is 4."])],
        asked=["gpt-4o-mini: What is 2 + 2?"],
        shows=["It is 4.", "Tell me a short story about Ada. Usage(prompt_tokens=11,", " stop\n"],
        values={"answer.text": "It is 4."},
    ),
    '%%metask claude-3-5-sonnet-20241022 -s "Be brief." --temperature 0 --max-tokens 200': Promise(
        asked=[
            "claude-3-5-sonnet-20241022: "
            r'Explain {\LaTeX}, {"json": {}} and cout << x; none of it needs quoting.'
        ],
        sends=['{"role": "system", "content": "Be brief."}', '"temperature": 0', '"max_tokens": 200'],
    ),
    "%%metask gpt-4o -a figure -a notes.pdf": Promise(
        asked=["gpt-4o: …"],
        sends=["data:image/png;base64,", "Sold well.", "| May | 3 |", "agree with the figure?"],
    ),
    "%%metask gpt-4o-mini -c story": Promise(
        times=2,
        asked=["gpt-4o-mini: And what happened then?"] * 2 + ["gpt-4o-mini: Go on."],
        values={
            "len(magic('chats show story').to_messages())": 2,
            "magic('gpt-4o-mini -c story Go on.').text": "Go on.",
        },
        sends=['"And what happened then?"}, {"role": "assistant",', '"Go on."'],
    ),
    "%metask explain": Promise(
        before="month = 'May'\nsales.sold[month]",
        asked=["gpt-4o-mini: # The exception…"],
        sends=["KeyError: 'May'", "sales.sold[month]", "- `month` = `'May'`"],
    ),
    "%%metask gpt-4o-mini --schema Review -o review": Promise(
        answers=[STARS],
        asked=[f"{OPINION} Lovely, would buy again."],
        sends=['"type": "json_schema"', '"stars"'],
        values={"type(review.data) is Review, review.data.stars": (True, 4)},
    ),
    "review.data.stars": Promise(shows=["4"]),
    "%%metask gpt-4o-mini -T temperature": Promise(
        answers=[BOTH_CITIES, Streamed(["By 15 degrees."])],
        asked=["gpt-4o-mini: How much warmer is Lisbon than Oslo?"] * 2,
        sends=['"description": "The temperature in a city, in degrees."', '"content": "20.0"'],
        shows=["Lisbon", "20.0", "Oslo", "5.0", "By 15 degrees."],
    ),
    "%%metask gpt-4o-mini -f code": Promise(
        answers=[Streamed(["Here it is:\n\n```python\nran = True\n```"])],
        asked=["gpt-4o-mini: Plot …"],
        sends=["| May | 3 |", "as bars."],
        next_cell="ran = True",
        values={"'ran' in globals()": False},
    ),
    ADDED: Promise(
        before=SERVERS,
        shows=["It is asked when it is first used.", "files   echo", "docs    search", "only reads"],
        values={"[row[0] for row in _.rows][-1]": "docs"},
    ),
    "%%metask gpt-4o-mini -T files -T docs.search -T temperature": Promise(
        answers=[SEARCHED, Streamed(["None does."])],
        asked=["gpt-4o-mini: Which of the reports mention Lisbon?"] * 2,
        sends=['"name": "files_echo"', '"name": "temperature"', '"content": "found Lisbon"'],
        shows=['docs_search(query="Lisbon") → found Lisbon', "None does."],
    ),
    "%%metask gpt-4o-mini -a docs:report.txt --prompt docs.summarize topic=sales": Promise(
        asked=["gpt-4o-mini: Sum up the sales.…"],
        sends=["Resource docs://report.txt:", "Sold well.", "Be brief."],
    ),
    "%%metask gpt-4o-mini claude-3-haiku-20240307 gemini-*": Promise(
        asked=[
            f"claude-3-haiku-20240307: {TEA}",
            f"gemini-1.5-pro: {TEA}",
            f"gemini-2.0-flash: {TEA}",
            f"gpt-4o-mini: {TEA}",
        ],
        shows=["gemini-1.5-pro", "gemini-2.0-flash"],
        values={
            "{name: reply.text for name, reply in _.items()}": dict.fromkeys(
                ["gpt-4o-mini", "claude-3-haiku-20240307", "gemini-1.5-pro", "gemini-2.0-flash"], TEA
            )
        },
    ),
    "%%metask gpt-4o-mini --background -o later": Promise(
        answers=[Streamed(["Once upon ", MEANWHILE, "a time."])],
        asked=["gpt-4o-mini: Write a long story."],
        values={"later.done": False},
    ),
    "print(later.text)": Promise(
        before=TO_COME,
        shows=["Once upon \n"],
        then=MEANWHILE.open,
        values={
            "later.wait().text": "Once upon a time.",
            "(await later).text": "Once upon a time.",
            "later.done, later.cancel()": (True, None),
        },
    ),
    "%metask usage": Promise(
        shows=["gpt-4o-mini", "claude-3-haiku-20240307", "tokens"],
        values={"magic('usage').total.tokens // magic('usage').total.requests": 18},
    ),
    "%metask export answer.py": Promise(
        shows=["Written to answer.py."],
        values={
            "'Write a long story.' in open('answer.py').read()": True,
            "os.environ['METASK_BASE_URL'] in open('answer.py').read()": True,
            "compile(open('answer.py').read(), 'answer.py', 'exec').co_name": "<module>",
        },
    ),
    "%%metask gpt-4o-mini --map reviews -o labelled --schema Review": Promise(
        answers=[STARS, STARS],
        times=2,
        asked=[f"{OPINION} Broken.", f"{OPINION} Fine."],
        shows=["2 rows: 2 answered"],
        values={
            "list(labelled.columns)": ["text", "stars", "reply_error", "reply_meta"],
            "list(labelled.stars)": [4, 4],
            "type(labelled).__name__, labelled is _": ("DataFrame", True),
        },
    ),
    "from dask.distributed import Client\nclient = Client(n_workers=2)": Promise(
        values={"len(client.scheduler_info()['workers'])": 2},
    ),
    "%%metask gpt-4o-mini --map reviews --engine client -o labelled": Promise(
        asked=[f"{OPINION} Broken.", f"{OPINION} Fine."],
        values={
            "list(labelled.reply)": [
                "What does this customer think? Fine.",
                "What does this customer think? Broken.",
            ]
        },
    ),
    'import metask_magic\nmetask_magic.map(frame, "Sum up: {{ text }}")': Promise(
        asked=["gpt-4o-mini: Sum up: Broken.", "gpt-4o-mini: Sum up: Fine."],
        values={
            "type(_).__module__.partition('.')[0]": "dask",
            "list(_.reply.compute())": ["Sum up: Fine.", "Sum up: Broken."],
        },
    ),
    TRIAL: Promise(
        answers=[STARS] * 6,  # the first model's are known from before
        times=2,
        asked=[
            f"{model}: What does this customer think? {text}"
            for model in ("claude-3-haiku-20240307", "gemini-1.5-pro", "gemini-2.0-flash")
            for text in ("Broken.", "Fine.")
        ],
        shows=["4 models on 2 rows of labelled_reviews, checked by stars", "no real difference"],
        values={
            "[(each.model, each.score) for each in trial.standings][0]": ("gemini-2.0-flash", 0.5),
            "list(trial.table.columns)": [
                *("text", "stars", "model", "reply_stars", "score", "reason"),
                *("check_error", "reply_error", "reply_meta"),
            ],
            "[len(frame) for frame in (trial.to_pandas(), trial.to_polars(), trial.to_arrow())]": [8, 8, 8],
            "len(trial.to_dicts()), trial.to_markdown()[:2]": (8, "##"),
        },
    ),
    "trial.disagreements(n=5)": Promise(shows=["The models differ in no row."]),
    'trial.best(cost="lowest", score=0.5)': Promise(shows=["gemini-2.0-flash"]),
    JUDGED: Promise(
        answers=[Streamed(["Thank you."])] * 4 + [Streamed(['{"reason": "It thanks.", "score": 1}'])] * 2,
        asked=[
            "gpt-4o-mini: Write a reply to this customer: Broken.",
            "gpt-4o-mini: Write a reply to this customer: Fine.",
            "gpt-4o: Write a reply to this customer: Broken.",
            "gpt-4o: Write a reply to this customer: Fine.",
            "o3-mini: <task-…",
            "o3-mini: <task-…",
        ],
        shows=["Judged by o3-mini, which saw no names: 4 verdicts"],
        values={"list(replies.table.score)": [1.0] * 4},
    ),
    CI: Promise(values={"Trial.load('trial.jsonl').models == trial.models": True}),
    '%config Metask.recording = "auto"': Promise(
        asked=["gpt-4o-mini: Again?"],
        values={"[magic('gpt-4o-mini Again?').text for _ in range(2)]": ["Again?"] * 2},
    ),
}
"""By its first line, where the rest is a prompt; by all of it, where it is code. Without the remarks."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A cell that was run, the last time: itself, what was asked, the last request, values afterwards."""

    cell: Execution
    asked: Sequence[str]
    sent: str
    values: Mapping[str, str]

    @property
    def shown(self) -> str:
        displays = (str(output["data"].get("text/plain")) for output in self.cell.displays)
        return self.cell.text() + "\n".join(displays)


def name_of(cell: str) -> str:
    lines = cell.splitlines()[:1] if cell.startswith("%%") else cell.splitlines()
    return "\n".join(re.split(r"\s{2,}# ", line)[0] for line in lines)


@pytest.fixture(scope="module")
def reading(kernel: Kernel, _gateway_of_the_session: GatewayServer) -> Iterator[Sequence[Ran]]:
    """All of README's examples, run."""
    gateway = _gateway_of_the_session
    gateway.reset()
    with WebServer("made-up-token-20817") as web:
        servers = {"command": shlex.join(HOSTILE), "url": web.url}
        setting = SETTING.format(key=split(gateway.api_key), base_url=gateway.base_url, servers=servers)
        assert kernel.run(setting).error is None
        ran = [run(kernel, gateway, cell) for cell in CELLS]
        kernel.run("client.close()\n%metask tools remove docs")
    yield ran
    assert not gateway.violations
    assert not kernel.has_sent(gateway.api_key)


def run(kernel: Kernel, gateway: GatewayServer, cell: str) -> Ran:
    promise = PROMISES.get(name_of(cell), Promise())
    asked_before = len(gateway.chats)
    gateway.script(*promise.answers)
    kernel.run(promise.before)
    typed = promise.typed and [text.format(key=gateway.api_key) for text in promise.typed]
    for _ in range(promise.times):
        last = kernel.run(cell, metadata={"cellId": name_of(cell)}, inputs=typed)
    if promise.then is not None:
        promise.then()
    values = {expression: value(kernel, expression) for expression in promise.values}
    asked = gateway.chats[asked_before:]
    return Ran(
        last,
        [f"{received.json['model']}: {received.last_user_text}" for received in asked],
        json.dumps(asked[-1].json, ensure_ascii=False) if asked else "",
        values,
    )


def like(said: str, expected: str) -> str:
    """Return what was said, cut where an expectation ends in an `…`."""
    return said[: len(expected) - 1] + "…" if expected.endswith("…") else said


def test_every_example_has_its_promise() -> None:
    assert list(dict.fromkeys(map(name_of, CELLS))) == list(PROMISES)


@pytest.mark.parametrize(("number", "cell"), list(enumerate(CELLS)), ids=map(name_of, CELLS))
def test_an_example_keeps_its_promise(reading: Sequence[Ran], number: int, cell: str) -> None:
    promise, ran = PROMISES[name_of(cell)], reading[number]
    assert ran.cell.error is None
    assert [*map(like, sorted(ran.asked), promise.asked)] == [*promise.asked]
    assert len(ran.asked) == len(promise.asked)
    assert [said for said in ran.asked if re.search(r"\S {2,}# ", said)] == [], "a model reads no remarks"
    assert [piece for piece in promise.sends if piece not in ran.sent] == [], ran.sent
    assert [piece for piece in promise.shows if piece not in ran.shown] == [], ran.shown
    assert ran.values == {expression: repr(expected) for expression, expected in promise.values.items()}
    put = [payload["text"] for payload in ran.cell.reply["payload"] if payload["source"] == "set_next_input"]
    assert put == ([] if promise.next_cell is None else [promise.next_cell])


# -- its commands -----------------------------------------------------------------------------------------


def test_there_are_two_commands() -> None:
    run, test = (block.code for block in BLOCKS if block.language == "sh")
    assert run.startswith('pip install ".[local,notebook]" && ')
    assert test.endswith(" && pytest -n 4 --dist loadfile\n"), "that .ci/run runs"


@pytest.mark.kernel
def test_the_quickstart_runs_as_readme_says() -> None:
    command = next(block.code for block in BLOCKS if block.language == "sh").rpartition(" && ")[2]
    assert command.startswith("METASK_RECORDING=off jupyter nbconvert --execute ")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = clean_environment(os.environ) | {"PATH": path}
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "%%metask local -o story --temperature 0 --max-tokens 120\n" in done.stdout
    assert len(re.findall(r"```\n\n\n\w[^`]{5,}", done.stdout)) == 3, done.stdout
