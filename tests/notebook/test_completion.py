"""Tab: what is offered where, and what it replaces; `‸` marks the cursor."""

from __future__ import annotations

import dataclasses
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypedDict

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.chat.reply import ReplyBuilder
from metask_magic.messages.request import Request
from metask_magic.notebook import chat_commands, export, usage
from metask_magic.notebook.completion import MOST, Completion, Known
from metask_magic.notebook.magics import COMMANDS
from metask_magic.scripts.export import LANGUAGES

from ..gateway_server import GatewayServer
from ..kernel import Kernel
from .conftest import point_at

MODELS = ("claude-3-5-sonnet-20241022", "gpt-4o", "gpt-4o-mini", "org/model:7b", "gpt-4.1")


class Trap:
    """Running any code of this is a mistake."""

    inner = SimpleNamespace(leaf=1)

    @property
    def opened(self) -> Any:
        raise AssertionError("a property was run")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("__getattr__ was run")


class BadDir:
    def __dir__(self) -> list[str]:
        raise RuntimeError


class Slotted:
    __slots__ = ("inner",)

    def __init__(self) -> None:
        self.inner = SimpleNamespace(leaf=1)


class Typed(TypedDict):
    a: int


@dataclasses.dataclass
class Data:
    a: int


class DataFrame:
    pass


def weather(city: str) -> str:
    return city


NAMESPACE: dict[str, Any] = {
    "In": ["hidden"],
    "sys": sys,
    "_private": 1,
    "hero": "Ada",
    "héros": "Ada",
    "trap": Trap(),
    "bad": BadDir(),
    "slotted": Slotted(),
    "conf": {"db": {"host": "h", "hot": 1}, "not a name": 2, 3: 4},
    "table": DataFrame(),
    "weather": weather,
    "Data": Data,
    "Typed": Typed,
    "Trap": Trap,
    "schema": {"type": "object"},
    "text": "abc",
    "answer": ReplyBuilder(Request("m", ())).build(),
}


def completion(namespace: dict[str, Any]) -> Completion:
    shell = SimpleNamespace(user_ns=namespace, user_ns_hidden={"In": NAMESPACE["In"]})
    commands = {"models": (), "chats": ("show", "fork"), "explain": (), "export": ("python",), "help": ()}
    commands |= {"tools": ("add", "load", "show", "remove")}
    servers = {"docs": ("search",), "files": ("read_file", "write_file")}
    return Completion(shell, Known(lambda: MODELS, lambda: ("plot", "story"), commands, lambda: servers))


def offered(code: str, namespace: dict[str, Any] = NAMESPACE) -> tuple[str, list[str]] | None:
    before, after = code.split("‸", 1)
    found = completion(namespace).complete(before + after, len(before))
    if found is None:
        return None
    assert before.endswith(found.typed)
    return found.typed, list(found.texts)


@pytest.mark.parametrize(
    ("code", "typed", "texts"),
    [
        ("%metask he‸", "he", ["help"]),
        ("%metask e‸", "e", ["explain", "export", "claude-3-5-sonnet-20241022", "org/model:7b"]),
        ("%metask gpt-4o-‸", "gpt-4o-", ["gpt-4o-mini"]),
        ("%metask tools re‸", "re", ["remove"]),
        ("%metask tools remove d‸", "d", ["docs"]),
        ("%%metask gpt-4o -T f‸", "f", ["files", "files.read_file", "files.write_file"]),
        ("%%metask gpt-4o -T files.w‸", "files.w", ["files.write_file"]),
        ("%%metask gpt-4o --prompt do‸", "do", ["docs."]),
        ("%%metask gpt-4o -a docs‸", "docs", ["docs:"]),
        ("%metask GPT-4.‸", "GPT-4.", ["gpt-4.1"]),
        ("%metask sonnet‸", "sonnet", ["claude-3-5-sonnet-20241022"]),
        ("%metask lo‸", "lo", ["local"]),
        ("%metask org/model:‸", "org/model:", ["org/model:7b"]),
        ("%metask --raw org/m‸", "org/m", ["org/model:7b"]),
        ("%metask --raw h‸", "h", []),
        ("answer = %metask gpt-4o-‸", "gpt-4o-", ["gpt-4o-mini"]),
        ("x = 1\nfor a in b:\n    answer = %metask gpt-4o-‸\ny", "gpt-4o-", ["gpt-4o-mini"]),
        ("%%metask gpt-4o-‸\nA prompt", "gpt-4o-", ["gpt-4o-mini"]),
        ("\n\n%%metask gpt-4o-‸\nA prompt", "gpt-4o-", ["gpt-4o-mini"]),
        ("%%metask help‸", "help", []),
        ("%%metask -s 'Be brief' gpt-4o-‸", "gpt-4o-", ["gpt-4o-mini"]),
        ("%%metask gpt-4o gpt-4o-‸", "gpt-4o-", ["gpt-4o-mini"]),
        ("％％metask\u3000gpt-4o\u3000--te‸\n你好", "--te", ["--temperature"]),
        ("x = 1\n答案 = %metask\u3000gpt-4o-‸", "gpt-4o-", ["gpt-4o-mini"]),
        ("%metask -s “请 简短” gpt-4o-‸", "gpt-4o-", ["gpt-4o-mini"]),
        ("%metask --system=‘请 简短’ --te‸", "--te", ["--temperature"]),
        ("%%metask -c “st‸", "st", ["story"]),
        ("%%metask gpt-4o --raw local sonn‸", "sonn", ["claude-3-5-sonnet-20241022"]),
        ("%%metask 'gpt-4o-‸", "gpt-4o-", ["gpt-4o-mini"]),
        ("%%metask --te‸", "--te", ["--temperature"]),
        ("%%metask gpt-4o --no‸", "--no", ["--no-stream"]),
        ("%metask gpt-4o --no‸", "--no", ["--no-stream"]),
        ("%metask models gp‸", "gp", ["gpt-4o", "gpt-4o-mini", "gpt-4.1"]),
        ("%metask chats ‸", "", ["show", "fork", "plot", "story"]),
        ("%metask chats show s‸", "s", ["story"]),
        ("%metask export ‸", "", ["python", "answer"]),
        ("%metask export an‸", "an", ["answer"]),
        ("%metask explain org‸", "org", ["org/model:7b"]),
        ("%metask explain --dr‸", "--dr", ["--dry-run"]),
        ("%metask explain gpt-4o why‸", "", []),
        ("%%metask -f ma‸", "ma", ["markdown", "math"]),
        ("%%metask --format=j‸", "j", ["json"]),
        ("%%metask --nope=j‸", "", []),
        ("%%metask --nope j‸", "j", []),
        ("%%metask -c ‸", "", ["plot", "story"]),
        ("%%metask -c 'st‸", "st", ["story"]),
        ("%%metask -T w‸", "w", ["weather"]),
        ("%%metask --schema ‸", "", ["Data", "Typed", "schema"]),
        ("%%metask -o he‸", "he", ["hero"]),
        ("%%metask -a tab‸", "tab", ["table"]),
        ("%%metask --temperature ‸", "", []),
        ("%%metask -s 'For {{ her‸", "her", ["hero"]),
        ("%%metask gpt-4o\nSome te‸", "", []),
        ("%%metask gpt-4o\nSome {{ te‸", "te", ["text"]),
        ("%%metask gpt-4o --raw\nSome {{ te‸", "", []),
        ("%%metask gpt-4o\nSome {{ text }} te‸", "", []),
        ("%%metask\n{{text}} {{ hé‸", "hé", ["héros"]),
        ("%%metask\n🦉 {{ hero }} é {{ sch‸}}", "sch", ["schema"]),
        ("%%metask\n{% for x in sch‸", "sch", ["schema"]),
        ("%%metask\nLaTeX {% sch‸", "", []),
        ("%%metask\n{{ text | upp‸", "upp", ["upper"]),
        ("%%metask\n{{text|upp‸", "upp", ["upper"]),
        ("%%metask\n{{text|sour‸", "sour", ["source"]),
        ("%%metask\n{{text|j‸", "j", ["join", "json"]),
        ("%%metask\n{{ text|default(te‸", "te", ["text"]),
        ("%%metask\n{{ text.upp‸", "upp", ["upper"]),
        ("%%metask\n{{ text . upp‸", "upp", ["upper"]),
        ("%%metask\n{{ conf.d‸", "d", ["db"]),
        ("%%metask\n{{ conf.no‸", "no", []),
        ("%%metask\n{{ conf.db.ho‸", "ho", ["host", "hot"]),
        ("%%metask\n{{ slotted.inner.le‸", "le", ["leaf"]),
        ("%%metask\n{{ trap.inner.le‸", "le", ["leaf"]),
        ("%%metask\n{{ trap.opened.‸", "", []),
        ("%%metask\n{{ trap.nope.‸", "", []),
        ("%%metask\n{{ bad.‸", "", []),
        ("%%metask\n{{ nope.‸", "", []),
        ("%%metask\n{{ text._‸", "_", []),
        ("%%metask\n{{ _‸", "_", ["_private"]),
        ("%%metask\n{{ In‸", "In", []),
        ("%%metask\n{{ text.upper().‸", "", []),
        ("%%metask\n{{ 'te‸", "", []),
        ("%%metask\n{{ f('it', te‸", "te", ["text"]),
        ("%metask gpt-4o Tell {{ her‸", "her", ["hero"]),
        ("%metask gpt-4o What's he‸", "", []),
        ("%metask gpt-4o {{ hero }} he‸", "", []),
    ],
)
def test_what_is_offered(
    code: str, typed: str, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # files are offered too
    assert offered(code) == (typed, texts)


COLUMNS = {"stars": [1], "star sign": ["♌"], 7: ["no text"], "topic": ["a"]}
TABLES: dict[str, Any] = {
    "frame": pd.DataFrame(COLUMNS),
    "polar": pl.DataFrame({name: values for name, values in COLUMNS.items() if name != 7}),
    "arrow": pa.table({name: values for name, values in COLUMNS.items() if name != 7}),
    "records": [{"stars": 1, "topic": "a"}, {"star sign": "♌"}, "no dict"],
    "rows": iter(()),
    "trap": Trap(),
    "starring": weather,
}


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        *(
            (f"%%metask gpt-4o --map {name} --check st‸", ["stars", r"star\ sign", "starring"])
            for name in ("frame", "polar", "arrow")
        ),
        ("%%metask gpt-4o --map records --check st‸", ["stars", r"star\ sign", "starring"]),
        ("%%metask gpt-4o --map=frame --check=to‸", ["topic"]),
        ("%%metask gpt-4o --map “frame” --check to‸", ["topic"]),
        ("%%metask gpt-4o --check to‸ --map frame -o x\n{{ text }}", ["topic"]),
        ("%%metask gpt-4o --map frame --check 'star s‸", ["star sign"]),
        ("%%metask gpt-4o --map frame --check j‸", ["judge"]),
        ("%%metask gpt-4o --map frame --rubric to‸", []),
        ("%%metask gpt-4o --map rows --check st‸", ["starring"]),
        ("%%metask gpt-4o --map trap --check st‸", ["starring"]),
        ("%%metask gpt-4o --map nope --check st‸", ["starring"]),
        ("%%metask gpt-4o --check st‸", ["starring"]),
        ("%%metask gpt-4o --map frame\n{{ st‸", ["stars", "starring"]),
        ("%%metask gpt-4o --map frame\n{{ row.to‸", ["topic"]),
        ("%%metask gpt-4o --map frame\n{{ other.to‸", []),
        ("%%metask gpt-4o\n{{ row.to‸", []),
    ],
)
def test_the_columns_of_the_table_that_is_mapped(code: str, texts: list[str]) -> None:
    found = offered(code, TABLES)
    assert found is not None
    assert found[1] == texts


def test_no_table_is_computed_for_its_columns() -> None:
    dask = pytest.importorskip("dask.dataframe")

    def read(_part: Any) -> Any:
        raise AssertionError("the table was read")

    table = dask.from_map(read, [0, 1], meta=pd.DataFrame({"stars": [1], "topic": ["a"]}))
    lazy = pl.LazyFrame({"stars": [1]}).map_batches(read)
    assert offered("%%metask m --map table --check st‸", {"table": table}) == ("st", ["stars"])
    assert offered("%%metask m --map lazy --check st‸", {"lazy": lazy}) == ("st", [])


@pytest.mark.parametrize(
    "code",
    [
        "‸",
        "hero.‸",
        "%metask‸",
        "%%metask‸",
        "%%metas‸",
        "%metaskx h‸",
        "x = '%metask'; h‸",
        "%%metask‸\nh",
        "a == %metask h‸",
    ],
)
def test_elsewhere_it_is_not_ours(code: str) -> None:
    assert offered(code) is None


def test_commands_offer_what_they_take() -> None:
    assert COMMANDS["chats"] == tuple(chat_commands.COMMANDS)
    assert COMMANDS["usage"] == (usage.RESET,)
    assert COMMANDS["export"] == (*LANGUAGES, export.FORCE)


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tables" / "deep").mkdir(parents=True)
    (tmp_path / "tables" / "my sales.csv").touch()
    (tmp_path / "tables" / ".hidden").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for code, typed, texts in (
        ("%%metask -a tab‸", "tab", ["table", "tables/"]),
        ("%%metask -a tables/‸", "tables/", ["tables/deep/", "tables/my\\ sales.csv"]),
        ("%%metask -a tables/my\\ s‸", "tables/my\\ s", ["tables/my\\ sales.csv"]),
        ("%%metask -a 'tables/my s‸", "tables/my s", ["tables/my sales.csv"]),
        ('%%metask --attach="tables/my s‸', "tables/my s", ["tables/my sales.csv"]),
        ("%%metask -a tables/.h‸", "tables/.h", ["tables/.hidden"]),
        ("%%metask -a ~/tables/d‸", "~/tables/d", ["~/tables/deep/"]),
        ("%%metask -a nowhere/‸", "nowhere/", []),
        ("%%metask -a \x00/‸", "\x00/", []),
    ):
        assert offered(code) == (typed, texts)


def test_a_large_namespace_is_bounded() -> None:
    names: dict[str, Any] = {f"name_{n:05}": n for n in range(10_000)}
    _, texts = offered("%%metask\n{{ name_‸", names) or ("", [])
    assert len(texts) == MOST
    assert texts[0] == "name_00000"


LETTERS = "-='\"\\ \n.|/~()\r\x00🦉"
WORDS = [
    "%metask ",
    "%%metask ",
    "gpt",
    "--",
    "-a",
    "-s ",
    "{{",
    "}}",
    "{%",
    "trap",
    "conf",
    "models ",
    "chats ",
]
PIECES = st.sampled_from([*LETTERS, *WORDS])


@given(st.lists(PIECES | st.text(max_size=3)).map("".join), st.data())
def test_any_cursor_in_any_text(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    found = completion(NAMESPACE).complete(text, cursor)
    assert found is None or text[:cursor].endswith(found.typed)


@pytest.mark.parametrize("piece", ["a.", "'", "|", "{{", "\\", "a=", " ", "a "])
@pytest.mark.parametrize("before", ["%metask m {{ ", "%%metask\n{{ ", "%%metask ", ""])
def test_long_lines_take_no_quadratic_time(before: str, piece: str) -> None:
    text = before + piece * 50_000 + "!"
    done = threading.Thread(target=lambda: completion(NAMESPACE).complete(text, len(text)), daemon=True)
    done.start()
    done.join(20)
    assert not done.is_alive()


@pytest.fixture(scope="module")
def completing(kernel: Kernel) -> Kernel:
    (kernel.cwd / "prices.csv").touch()
    kernel.run("hero = 'Ada'\nheroes = [hero]\ndef hello(): pass")
    return kernel


@pytest.mark.parametrize("jedi", [True, False])
@pytest.mark.parametrize(
    ("code", "typed", "matches"),
    [
        ("%metask gpt-4o-‸", "gpt-4o-", ["gpt-4o-mini"]),
        ("%metask exp‸", "exp", ["explain", "export"]),
        ("%metask chats tr‸", "tr", ["trim"]),
        ("%metask export --‸", "--", ["--force"]),
        ("%metask usage ‸", "", ["--reset"]),
        ("answer = %metask claude-3-5-s‸", "claude-3-5-s", ["claude-3-5-sonnet-20241022"]),
        ("%%metask gemini-1.‸\nA prompt", "gemini-1.", ["gemini-1.5-pro"]),
        ("'🦉é'\nx = 'é🦉'\nanswer = %metask gpt-4o-‸\nhero", "gpt-4o-", ["gpt-4o-mini"]),
        ("%%metask --no-‸", "--no-", ["--no-stream"]),
        ("%%metask -f ma‸", "ma", ["markdown", "math"]),
        ("%%metask --format=ma‸", "ma", ["markdown", "math"]),
        ("%%metask -a pri‸", "pri", ["prices.csv"]),
        ("%%metask -T hel‸", "hel", ["hello"]),
        ("%%metask gpt-4o\n🦉 é {{ her‸ }}", "her", ["hero", "heroes"]),
        ("%%metask gpt-4o\nline\n{{ hero.uppe‸", "uppe", ["upper"]),
        ("%%metask gpt-4o\n{{hero|uppe‸", "uppe", ["upper"]),
        ("%%metask gpt-4o\nhero her‸", "", []),
        ("%%metask gpt-4o\nprint(her‸", "", []),
        ("%%metask gpt-4o\n%ti‸", "", []),
        ("%%metask gpt-4o\npri‸", "", []),
        ("%metask gpt-4o her‸", "", []),
        ("%%metask gpt-4o\nSay \\alph‸", "\\alph", ["\\alpha"]),
        ("her‸", "her", ["hero", "heroes"]),
        ("%%metas‸", "%%metas", ["%%metask"]),
    ],
)
def test_through_a_kernel(
    completing: Kernel, gateway: GatewayServer, code: str, typed: str, matches: list[str], jedi: bool
) -> None:
    point_at(completing, gateway)
    completing.run(f"%metask models\n%config IPCompleter.use_jedi = {jedi}")
    before, after = code.split("‸")
    found = completing.complete(before + after, len(before))
    assert found == (matches, len(before) - len(typed), len(before))


def test_nothing_is_asked_and_nothing_stays(fresh_kernel: Kernel, gateway: GatewayServer) -> None:
    point_at(fresh_kernel, gateway)
    assert fresh_kernel.complete("%metask gpt", 11)[0] == ["gpt-4o-mini"]
    assert not gateway.requests
    fresh_kernel.run("%unload_ext metask_magic")
    assert fresh_kernel.complete("%metask gpt", 11)[0] == []
    assert fresh_kernel.run("print(get_ipython().Completer.custom_matchers)").text() == "[]\n"
