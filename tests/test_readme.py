"""README, run: every example in one kernel, in its order, and what it promises looked at.

An example that is new in README fails here until the table says what must come of it.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import pytest

import metask_magic
from metask_magic import errors
from metask_magic.chat.reply import Reply
from metask_magic.notebook.commands import HELP
from metask_magic.notebook.magics import COMMANDS
from metask_magic.notebook.options import declared_options
from metask_magic.prompt.filters import FILTERS
from metask_magic.settings import Metask

from .examples import iter_blocks, iter_spans, prose_of
from .gateway_server import API_KEY, Answer, GatewayServer, Streamed, ToolCall
from .kernel import ROOT, Execution, Kernel
from .notebook.conftest import value

README = (ROOT / "README.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BLOCKS = list(iter_blocks(README))
CELLS = [cell for block in BLOCKS if block.language == "" for cell in block.cells]

# What a reader of README has in his notebook by then.
SETTING = """
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt, pandas as pd, metask_magic, dask.dataframe
from pydantic import BaseModel
hero = "Ada"
sales = pd.DataFrame({"month": ["May", "June"], "sold": [3, 5]})
figure, axes = plt.subplots(figsize=(1, 1))
figure.text(0.1, 0.1, "Sold well.")
figure.savefig("notes.pdf")
text = "Lovely, would buy again."
reviews = pd.DataFrame({"text": ["Fine.", "Broken."]})
frame = dask.dataframe.from_pandas(reviews, npartitions=1)
class Review(BaseModel):
    stars: int
def temperature(city: str) -> float:
    '''The temperature in a city, in degrees.'''
    return {"Lisbon": 20.0, "Oslo": 5.0}[city]
"""
STORY = "Once upon a time."
STARS = Streamed(['{"stars": 4}'])


@dataclass(frozen=True)
class Seen:
    """What came of a cell: the cell, its kernel, and the gateway it asked."""

    cell: Execution
    kernel: Kernel
    gateway: GatewayServer

    @property
    def asked(self) -> str:
        """The text of the last message that the gateway got."""
        return self.gateway.chats[-1].last_user_text

    def is_value(self, expression: str, expected: object) -> bool:
        return value(self.kernel, expression) == repr(expected)

    def shows(self, *words: str) -> bool:
        shown = self.cell.text() + str([output["data"] for output in self.cell.displays])
        return all(word in shown for word in words)


Promise = Callable[[Seen], bool]

# By the first line: the answers in store, and what must come of it.
PROMISES: dict[str, tuple[list[Answer], Promise]] = {
    "%load_ext metask_magic": ([], lambda seen: not seen.cell.displays),
    "%%metask gpt-4o-mini": (
        [Streamed([STORY])],
        lambda seen: seen.asked == "Tell me a short story about Ada." and seen.shows(STORY),
    ),
    "%%metask gpt-4o-mini -o story": (
        [Streamed([STORY])],
        lambda seen: seen.is_value("story.text", STORY) and seen.asked == "Tell me a short story about Ada.",
    ),
    "answer = %metask gpt-4o-mini What is 2 + 2?": (
        [Streamed(["4"])],
        lambda seen: seen.is_value("answer.text", "4") and seen.shows(STORY, "total_tokens=18", "stop"),
    ),
    '%%metask claude-3-5-sonnet-20241022 -s "Be brief." --temperature 0 --max-tokens 200': (
        [],
        lambda seen: (
            seen.asked == r'Explain {\LaTeX}, {"json": {}} and cout << x; none of it needs quoting.'
            and seen.gateway.last.json["messages"][0]["content"] == "Be brief."
            and [seen.gateway.last.json[name] for name in ("temperature", "max_tokens")] == [0, 200]
        ),
    ),
    "%%metask gpt-4o -a figure -a notes.pdf": (
        [],
        lambda seen: (
            "data:image/png" in str(seen.gateway.last.json)
            and "| May | 3 |" in seen.asked
            and "Sold well." in seen.asked
        ),
    ),
    "%%metask gpt-4o-mini -c story": (
        [],
        lambda seen: seen.asked == "And what happened then?" and seen.is_value("_.text", seen.asked),
    ),
    "%metask explain": ([], lambda seen: "ZeroDivisionError" in seen.asked),
    "%%metask gpt-4o-mini --schema Review -o review": (
        [STARS],
        lambda seen: (
            "Lovely" in seen.asked and "json_schema" in str(seen.gateway.last.json["response_format"])
        ),
    ),
    "review.data.stars": (
        [],
        lambda seen: seen.shows("4"),
    ),
    "%%metask gpt-4o-mini -T temperature": (
        [
            Streamed(
                [
                    ToolCall(0, '{"city": "Lisbon"}', "c1", "temperature"),
                    ToolCall(1, '{"city": "Oslo"}', "c2", "temperature"),
                ],
                "tool_calls",
            ),
            Streamed(["By 15 degrees."]),
        ],
        lambda seen: seen.shows("20.0", "5.0", "By 15 degrees."),
    ),
    "%%metask gpt-4o-mini -f code": (
        [Streamed(["```python\nsales.plot.bar()\n```"])],
        lambda seen: seen.cell.reply["payload"][0]["text"].strip() == "sales.plot.bar()",
    ),
    "%%metask gpt-4o-mini claude-3-haiku-20240307 gemini-*": (
        [],
        lambda seen: seen.is_value(
            "list(_)", ["gpt-4o-mini", "claude-3-haiku-20240307", "gemini-1.5-pro", "gemini-2.0-flash"]
        ),
    ),
    "%%metask gpt-4o-mini --background -o later": (
        [],
        lambda seen: seen.is_value("later.wait().text, later.done", ("Write a long story.", True)),
    ),
    "print(later.text)": (
        [],
        lambda seen: (
            seen.cell.text() == "Write a long story.\n" and seen.is_value("(await later).text", seen.asked)
        ),
    ),
    "%metask usage": ([], lambda seen: seen.shows("gpt-4o-mini", "claude-3-haiku-20240307", "tokens")),
    "%metask export answer.py": (
        [],
        lambda seen: (seen.kernel.cwd / "answer.py").read_text().count("Write a long story.") == 1,
    ),
    "%%metask gpt-4o-mini --map reviews -o labelled --schema Review": (
        [STARS, STARS],
        lambda seen: seen.is_value("list(labelled.columns)", ["text", "stars", "reply_error", "reply_meta"]),
    ),
    "from dask.distributed import Client": (
        [],
        lambda seen: seen.is_value("len(client.scheduler_info()['workers'])", 2),
    ),
    "%%metask gpt-4o-mini --map reviews --engine client -o labelled": (
        [],
        lambda seen: seen.is_value("labelled.reply[1]", "What does this customer think? Broken."),
    ),
    'metask_magic.map(frame, "Sum up: {{ text }}")': (
        [],
        lambda seen: (
            seen.is_value("type(_).__module__.split('.')[0]", "dask")
            and seen.is_value("list(_.reply.compute())", ["Sum up: Fine.", "Sum up: Broken."])
        ),
    ),
    '%config Metask.recording = "auto"': (
        [],
        lambda seen: seen.is_value(
            "get_ipython().magics_manager.registry['MetaskMagics']._settings.recording", "auto"
        ),
    ),
}


def first_line(cell: str) -> str:
    """Return the line that a cell is known by, without the remark behind it."""
    return re.split(r"\s{2,}# ", cell.split("\n", 1)[0])[0]


@pytest.fixture(scope="module")
def reading(start_module_kernel: Callable[..., Kernel]) -> Kernel:
    """The kernel of a reader, who has typed nothing yet."""
    kernel = start_module_kernel()
    assert kernel.run(SETTING).error is None
    return kernel


@pytest.fixture(scope="module")
def start_module_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Kernel]]:
    started: list[Kernel] = []

    def start() -> Kernel:
        started.append(Kernel.start(tmp_path_factory.mktemp("readme"), {"METASK_API_KEY": API_KEY}))
        return started[-1]

    yield start
    for kernel in started:
        kernel.run("client.close() if 'client' in globals() else None")
        kernel.shutdown()


def test_every_example_has_its_promise() -> None:
    assert list(dict.fromkeys(map(first_line, CELLS))) == list(PROMISES)


def test_the_examples_in_their_order(reading: Kernel, gateway: GatewayServer) -> None:
    reading.run(f"import os\nos.environ['METASK_BASE_URL'] = {gateway.base_url!r}")
    for cell in CELLS:
        answers, promise = PROMISES[first_line(cell)]
        gateway.script(*answers)
        if first_line(cell) == "%metask explain":
            reading.run("1 / 0")
        ran = reading.run(cell, metadata={"cellId": cell}, inputs=[gateway.api_key, "n"], timeout=120)
        assert ran.error is None, (cell, ran.error)
        assert promise(Seen(ran, reading, gateway)), (cell, ran.outputs)
    assert gateway.api_key not in reading.everything_sent


def test_its_commands() -> None:
    run, test = (block.code for block in BLOCKS if block.language == "sh")
    assert len([block for block in BLOCKS if block.language]) == 2
    notebook = re.search(r"METASK_RECORDING=off jupyter nbconvert --execute \S+ \S+ --stdout (\S+)\n", run)
    assert notebook is not None  # what it does is done in tests/notebook/test_quickstart.py
    assert (ROOT / notebook[1]).is_file()
    assert test.rstrip().endswith("&& pytest")


# -- what is only named -----------------------------------------------------------------------------------

TEXTS = {
    "README.md": README,
    "notebooks/README.md": (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8"),
    **{notebook.name: prose_of(notebook) for notebook in NOTEBOOKS},
}
SPANS = [(name, span) for name, text in TEXTS.items() for span in dict.fromkeys(iter_spans(text))]
OF_OTHERS = {"--nbval", "--no-deps", "--execute", "--to", "--stdout"}


def test_the_notebooks_prose_has_no_cell_that_nobody_runs() -> None:
    assert [block.code for notebook in NOTEBOOKS for block in iter_blocks(prose_of(notebook))] == []


@pytest.mark.parametrize(("where", "span"), SPANS)
def test_what_is_named_is_there(where: str, span: str) -> None:
    if module := re.match(r"python -m (tests\.\S+)", span):
        assert importlib.util.find_spec(module[1]) is not None
        return
    for option in re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", span):
        assert option in declared_options() or option in OF_OTHERS | {"--reset", "--keep", "--images"}
    for setting in re.findall(r"\bMetask\.(\w+)", span):
        assert setting in Metask.class_trait_names(config=True)
    if command := re.match(r"%metask ([a-z]+)\b", span):
        assert command[1] in COMMANDS
    for error in re.findall(r"\b[A-Z]\w+Error\b|\bInterrupted\b", span):
        assert hasattr(errors, error)
    for name in re.findall(r"\bmetask_magic\.(\w+)\(", span):
        assert callable(getattr(metask_magic, name))


def test_what_a_reply_has() -> None:
    (said,) = re.findall(r"A reply has (.*?)\n\n(.*?)\n\n", README, re.DOTALL)
    named = re.findall(r"`([a-z_]+)(?:\(\))?`", " ".join(said))
    known = {field.name for field in fields(Reply)} | {"notice", "code_blocks", "as_code"}
    assert {"text", "finish_reason", "notice", "refusal", "as_code"} <= set(named) <= known


def test_the_filters() -> None:
    (said,) = re.findall(r"Jinja's filters work, and (.*?)\. Undefined", README, re.DOTALL)
    assert {name.partition("(")[0] for name in re.findall(r"`([^`]+)`", said)} <= set(FILTERS)


def test_the_settings() -> None:
    section = README.partition("## Settings")[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(Metask.class_trait_names(config=True)) - {"log_level"}


def test_the_links() -> None:
    for name, text in TEXTS.items():
        folder = ROOT if name == "README.md" else ROOT / "notebooks"
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (folder / target).exists(), (name, target)


# -- %metask help -----------------------------------------------------------------------------------------

CONCRETE = {"MODEL": "gpt-4o-mini", "PATTERN": "gpt", "NAME": "kept", "PATH": "kept.py", "options": "--raw"}


def variants(form: str) -> Iterator[str]:
    """Yield what a form of the help stands for: with and without what is in brackets, each of `a|b`."""
    if (optional := re.search(r"\[([^\[\]]*)\]", form)) is not None:
        before, after = form[: optional.start()], form[optional.end() :]
        for inner in ("", *optional[1].split("|")):
            yield from variants(f"{before}{inner}{after}")
        return
    yield " ".join(form.split())


def concrete(form: str) -> str:
    words = form.replace("…", "").replace("prompt", "Hello!").replace("question", "Why?").split()
    line = " ".join(CONCRETE.get(word, word) for word in words)
    body = "\n{{ row.text }}" if "--map" in line else "\nHi"
    return line + body if line.startswith("%%") and not line.endswith("?") else line


# The embedded model is asked in tests/notebook/test_quickstart.py.
FORMS = [
    form
    for form in dict.fromkeys(
        concrete(variant) for row in HELP.rows for part in row[0].split(", ") for variant in variants(part)
    )
    if "local" not in form
]


@pytest.mark.parametrize("code", FORMS)
def test_the_forms_of_the_help(reading: Kernel, gateway: GatewayServer, code: str) -> None:
    reading.run(
        f"%load_ext metask_magic\n%config Metask.base_url = {gateway.base_url!r}\n"
        "%config Metask.recording = 'off'\n%unload_ext metask_magic\n%load_ext metask_magic\n"
        f"%config Metask.api_key = {gateway.api_key[:4]!r} + {gateway.api_key[4:]!r}\n"
        f"%config Metask.base_url = {gateway.base_url!r}\n%config Metask.recording = 'off'\n"
        "df = [{'text': 'Hi'}]"
    )
    reading.run("kept = %metask gpt-4o-mini --quiet Hi")
    reading.run("1 / 0")
    (reading.cwd / "kept.py").unlink(missing_ok=True)
    cell = reading.run(code, inputs=[gateway.api_key, "n"])
    assert cell.error is None, cell.error


EXAMPLES = sorted(
    {
        example.rstrip(".")
        for path in (ROOT / "metask_magic").rglob("*.py")
        for example in re.findall(r"For example: ([^\"'{]+)[\"']", path.read_text(encoding="utf-8"))
    }
)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_remedies(reading: Kernel, gateway: GatewayServer, example: str) -> None:
    reading.run(f"%load_ext metask_magic\n%config Metask.base_url = {gateway.base_url!r}")
    reading.run(f"%config Metask.api_key = {gateway.api_key[:4]!r} + {gateway.api_key[4:]!r}")
    code = example if example.startswith("%") else f"%%metask gpt-4o-mini {example}\nHi"
    assert reading.run(code).error is None


def test_the_examples_of_the_options(reading: Kernel, gateway: GatewayServer) -> None:
    reading.run(f"%load_ext metask_magic\n%config Metask.base_url = {gateway.base_url!r}")
    said = " ".join(str(action.help) for action in declared_options().values())
    params = sorted({*re.findall(r"-p \S+=\S+", said)})
    assert params
    for param in params:
        assert reading.run(f"%%metask gpt-4o-mini {param.rstrip('.')}\nHi").error is None, param
