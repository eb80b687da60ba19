"""What a model is told about an exception: of cells that failed in a real IPython, and through a kernel."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from metask_magic.errors import PromptError
from metask_magic.notebook.explain import LONGEST, QUESTION, SYSTEM, describe, last_exception

from ..gateway_server import GatewayServer, Streamed, server_error
from ..kernel import Kernel


def same(text: str) -> str:
    return text


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    main = sys.modules["__main__"]  # a shell puts its own there
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config, ipython_dir=str(tmp_path_factory.mktemp("ipython")))
    shell.run_line_magic("xmode", "Minimal")  # its own account of a long recursion takes ten seconds
    yield shell
    sys.modules["__main__"] = main


@pytest.fixture
def explained(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., str]]:
    """Runs cells in an empty namespace and describes the last exception."""
    before = {*shell.user_ns}
    for name in ("last_type", "last_value", "last_traceback"):
        monkeypatch.setattr(sys, name, None, raising=False)

    def run(*cells: str, question: str = "", hide: Callable[[str], str] = same) -> str:
        for cell in cells:
            shell.run_cell(cell, store_history=True)
        error = last_exception()
        return describe(error, error.__traceback__, question, hide)

    yield run
    for name in shell.user_ns.keys() - before:  # `reset` would collect garbage too, and take a second
        del shell.user_ns[name]
    capsys.readouterr()


AVERAGE = """\
def average(xs):
    total = sum(xs)
    return total / len(xs)
"""


def test_the_whole_text(explained: Callable[..., str]) -> None:
    said = explained(AVERAGE, "values = []\nresult = average(values)\nprint(result)")
    assert (
        said
        == f"""\
# The exception

```text
ZeroDivisionError: division by zero
```

# The calls, the last one last

## In the cell that failed, line 2

```python
    1 | values = []
→   2 | result = average(values)
    3 | print(result)
```

- `values` = `[]`

## In another cell, line 3, in `average`

```python
    1 | def average(xs):
    2 |     total = sum(xs)
→   3 |     return total / len(xs)
```

- `xs` = `[]`
- `total` = `0`
- `sum(xs)` = `0`
- `len(xs)` = `0`

{QUESTION}"""
    )


IN_A_THREAD = "def g():\n    yield 1\n    raise RuntimeError('late')\nlist(g())"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (
            "def f(:\n  pass",
            ["SyntaxError: invalid syntax", "→   1 | def f(:\n              ^\n    2 |   pass"],
        ),
        ("if True:\n\tx = 'a' + + )", ["→   2 | \tx = 'a' + + )\n" + " " * 21 + "^\n"]),
        ("x = '数据' + + )", ["→   1 | x = '数据' + + )\n" + " " * 23 + "^\n"]),
        ("if 数据:\n\tx = '数' + )", ["→   2 | \tx = '数' + )\n" + " " * 20 + "^\n"]),
        ("x = 1\n  y = 2", ["IndentationError", "→   2 |   y = 2"]),
        ("eval('1 +')", ["SyntaxError", "→   1 | eval('1 +')"]),
        ("import nothing_such", ["ModuleNotFoundError: No module named 'nothing_such'"]),
        ("undefined_name", ["NameError: name 'undefined_name' is not defined"]),
        (
            "try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('no k') from e",
            ["ValueError: no k", "- caused by `KeyError: 'k'` in the cell that failed, line 2: `{}['k']`"],
        ),
        ("try:\n    1/0\nexcept ArithmeticError:\n    [][1]", ["- raised while handling `ZeroDivisionError"]),
        (
            "try:\n    1/0\nexcept ArithmeticError:\n    raise ValueError from None",
            ["ValueError\n```\n\n# The"],
        ),
        ("e = ValueError('v')\ne.add_note('Look at row 7.')\nraise e", ["ValueError: v\nLook at row 7."]),
        ("e = ValueError('v')\ne.__cause__ = e\nraise e", ["ValueError: v"]),
        ("raise ExceptionGroup('g', [ValueError(1), TypeError(2)])", ["- it groups `TypeError: 2`"]),
        (IN_A_THREAD, ["→   3 |     raise RuntimeError('late')", "line 4"]),
        ("assert [1] == [2], '```'", ["````text\nAssertionError: ```\n````"]),
        ("exec('raise ValueError(3)')", ["## In `<string>`, line 1\n"]),
        ("raise KeyboardInterrupt", ["KeyboardInterrupt"]),
        (
            "exec(compile('def get(): [][0]', 'by_cython.pyx', 'exec'))\nget()",
            ["- in a library: `__main__`, line 1, in `get`"],
        ),
        (
            "exec(compile('1/0', '<ipython-input-9-a>', 'exec').replace(co_name='<cell line: 1>'))",
            ["## In another cell, line 1\n"],
        ),
        (
            "import json\njson.loads('{a')",
            [
                "- in a library: `json`, line",
                "- in a library: `json.decoder`",
                "obj, end = self.scan_once(s, idx)",
            ],
        ),
        (
            "from metask_magic.errors import OptionError\nraise OptionError('Bad line.', 'Mend it.')",
            ["metask_magic.errors.OptionError: Bad line. Mend it."],
        ),
    ],
)
def test_kinds_of_exceptions(explained: Callable[..., str], cell: str, expected: list[str]) -> None:
    said = explained(cell)
    for part in expected:
        assert part in said
    assert "/" not in said.replace("1/0", "")  # no path of this machine


def test_an_exception_that_cannot_say_anything_and_has_no_traceback() -> None:
    class Mute(Exception):  # noqa: N818 -- it does not even say that
        def __str__(self) -> str:
            raise OSError

    assert "Mute: <exception str() failed>" in describe(Mute(), None, "", same)


def test_a_recursion_is_short(explained: Callable[..., str]) -> None:
    said = explained("def even(n):\n    return odd(n + 1)\ndef odd(n):\n    return even(n + 1)\neven(0)")
    assert "more calls of the same lines are left out." in said
    assert said.count("in `even`") <= 3
    assert len(said) < 2_500


def test_a_long_way_through_long_code_stays_within_bounds(explained: Callable[..., str]) -> None:
    body = "".join(f"    a{n} = '{'x' * 150}'\n" for n in range(30))
    functions = "".join(f"def f{n}(x):\n{body}    return f{n + 1}(x)\n" for n in range(40))
    said = explained(functions + "f0(1)", question="Why?")
    assert len(said) < LONGEST + 100
    assert "NameError: name 'f40' is not defined" in said
    assert "in `f39`" in said
    assert said.endswith("\n\nWhy?")


def test_own_files_are_shown_like_cells_and_named_without_their_folder(
    explained: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "mine_to_explain.py").write_text(
        "def half(n):\n    whole = n\n    return whole.half\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    monkeypatch.chdir(tmp_path)
    said = explained("import mine_to_explain\nmine_to_explain.half(3)")
    assert "## In `lib/mine_to_explain.py`, line 3, in `half`" in said
    assert "→   3 |     return whole.half" in said
    assert "- `whole` = `3`" in said
    assert str(tmp_path) not in said


@pytest.mark.parametrize(
    ("setup", "name", "expected"),
    [
        ("", "3.5", "- `v` = `3.5`"),
        ("", "list(range(10**6))", "`[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...]`"),
        ("", "{n: n for n in range(10**5)}", "8: 8, 9: 9, ...}`"),
        ("", "set(range(10**5))", "8, 9, ...}`"),
        ("", "'x' * 10**8", "..."),
        ("", "b'x' * 10**8", "`<bytes of length 100,000,000>`"),
        ("", "10 ** 5000", "<repr failed: ValueError"),
        ("import collections", "collections.Counter(range(5000))", "`<Counter of length 5,000>`"),
        ("class A: pass", "A()", "`<__main__.A object>`"),
        (
            "class A:\n  def __repr__(self): 1/0",
            "A()",
            "`<repr failed: ZeroDivisionError: division by zero>`",
        ),
        ("class A:\n  def __repr__(self): 1/0", "[A()]", "`[<repr failed: ZeroDivisionError"),
        ("class A:\n  def __repr__(self): return None", "A()", "<repr failed: TypeError"),
        ("class A:\n  def __repr__(self): return 'y' * 10**6", "A()", "yyy…`"),
        ("class A:\n  def __repr__(self): raise SystemExit", "A()", "<repr failed: SystemExit"),
        ("import time\nclass A:\n  def __repr__(self): time.sleep(60)", "A()", "<repr took too long>"),
        ("a = []\na.append(a)", "a", "[[[[[...]]]]]"),
        ("", "'a`b'", "``'a`b'``"),
    ],
)
def test_variables(explained: Callable[..., str], setup: str, name: str, expected: str) -> None:
    said = explained(setup or "1", f"v = {name}", "v.no_such_attribute")
    assert expected in said
    assert len(said) < 1_000


TABLE = """
class DataFrame:
    columns, dtypes, shape = ["a", "b"], ["int64", "object"], (2, 2)
    def head(self, n): return f"   a  b\\n0  1  x"
class ndarray:
    shape, dtype, size = (1000, 3), "float64", 3000
class Series:
    shape, dtype, size = (2,), "int64", 2
    def __repr__(self): return "0  3\\n1  4"
"""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            "DataFrame()",
            "DataFrame of shape (2, 2); columns a: int64, b: object; it begins\n   a  b\n0  1  x\n",
        ),
        ("Series()", "Series of shape (2,), dtype int64\n0  3\n1  4\n"),
        ("ndarray()", "- `v` = `ndarray of shape (1000, 3), dtype float64`"),
    ],
)
def test_tables_and_arrays(explained: Callable[..., str], value: str, expected: str) -> None:
    assert expected in explained(TABLE, f"v = {value}", "v.no_such_attribute")


def test_modules_functions_and_classes_are_not_listed(explained: Callable[..., str]) -> None:
    said = explained("import os\ndef f(): pass\nclass A: pass\nf(os, A)")
    assert "- `" not in said


KEY = "made-up-key-4711"


@pytest.mark.parametrize(
    ("setup", "cell"),
    [
        (f"my_api_key = '{KEY}'", "print(my_api_key, nope)"),
        (f"token = '{KEY}'\nheader = {{'X': 'Bearer ' + token}}", "header['Y']"),
        (f"conf = {{'password': ['{KEY}']}}", "conf['Y']"),
        (f"class C:\n  def __repr__(self): return 'C(secret=\"{KEY}\")'\nc = C()", "c.nope"),
        (f"class C: api_token = '{KEY}'\nc = C()", "c.nope + c.api_token"),
        ("", f"open_session(api_key='{KEY}')"),
        ("", f"import os\nos.environ['X_TOKEN'] = \"{KEY}\"\nnope"),
        (f"password = '{KEY}'", "raise ValueError('wrong: ' + password)"),
        ("import os\nx = ['y' * 180 + os.environ['SOME_TOKEN']]", "x.nope"),
        (f"x = 'session ' + '-'.join('{KEY}'.split('-'))", "x.nope"),
        ("def f(secret):\n    nope\n", f"f('-'.join({KEY.split('-')!r}))"),
    ],
)
def test_a_key_is_never_in_it(
    explained: Callable[..., str], monkeypatch: pytest.MonkeyPatch, setup: str, cell: str
) -> None:
    monkeypatch.setenv("SOME_TOKEN", KEY)
    said = explained(setup, cell, hide=lambda text: text.replace(KEY, "[key]"))
    assert KEY not in said
    assert "made-up-ke" not in said
    monkeypatch.delenv("SOME_TOKEN")
    if (
        "SOME_TOKEN" not in setup and "session" not in setup
    ):  # these two only the caller and the environment know
        assert KEY not in explained(setup, cell)


@pytest.mark.parametrize(
    "text", ["max_tokens = 300", "tokens = text.split()", "s = 'disk-based-storage-2024-x'"]
)
def test_what_is_no_key_stays(explained: Callable[..., str], text: str) -> None:
    assert text in explained(f"text = 'a b'\n{text}\nnope")


def test_a_session_key_hidden_by_the_caller(explained: Callable[..., str]) -> None:
    said = explained(
        "x = 'abc-key'", "x.nope", question="Is abc-key wrong?", hide=lambda t: t.replace("abc", "[key]")
    )
    assert "abc" not in said


def test_nothing_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("last_value", "last_exc"):
        monkeypatch.delattr(sys, name, raising=False)
    with pytest.raises(PromptError, match=r"There is no exception to explain\.") as caught:
        last_exception()
    assert "right after a cell that failed" in caught.value.remedy


FAILING = "rows = [3, 4]\ntotal = sum(rows) / (len(rows) - 2)\nprint(total)"


def test_a_cell_that_failed_is_explained(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["You divide ", "by 0."]))
    asking.run(FAILING)
    asking.run("1 + 1")
    cell = asking.run("%metask explain gpt-4o -o why --seed 3 What {{ now }}?")
    assert cell.displays[0]["data"]["text/markdown"] == "You divide by 0."
    assert asking.run("why").displays[0]["data"]["text/plain"] == "You divide by 0."
    sent = gateway.last.json
    assert (sent["model"], sent["seed"]) == ("gpt-4o", 3)
    assert sent["messages"][0] == {"role": "system", "content": SYSTEM}
    asked = gateway.last.last_user_text
    assert "ZeroDivisionError: division by zero" in asked
    assert "## In the cell that failed, line 2\n" in asked
    assert (
        "    1 | rows = [3, 4]\n→   2 | total = sum(rows) / (len(rows) - 2)\n    3 | print(total)\n" in asked
    )
    assert "- `rows` = `[3, 4]`" in asked
    assert asked.endswith("\n\nWhat {{ now }}?")
    assert "ipykernel" not in asked


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("def f(:\n  pass", "→   1 | def f(:\n              ^"),
        ("%metask --nope", "metask_magic.errors.OptionError: There is no option --nope."),
        ("import os\nk = [os.environ['METASK_API_KEY']]\nk.nope", "- `k` = `['[key]']`"),
    ],
)
def test_the_request_can_be_seen_before(
    asking: Kernel, gateway: GatewayServer, cell: str, expected: str
) -> None:
    asking.run(cell)
    shown = asking.run("request = %metask explain --dry-run -s Short.\nprint(request.rows[0][0])").text()
    body = json.loads(shown)
    assert expected in body["messages"][1]["content"]
    assert body["messages"][0]["content"] == "Short."
    assert body["messages"][1]["content"].endswith(QUESTION)
    assert gateway.api_key not in shown
    assert not gateway.chats


def test_a_question_in_chinese_is_no_model(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run(FAILING)
    assert asking.run("%metask explain　为什么第2行出错？").error is None
    assert gateway.last.json["model"] == "gpt-4o-mini"
    assert gateway.last.last_user_text.endswith("\n\n为什么第2行出错？")


def test_the_same_exception_is_explained_after_explaining_it_failed(
    asking: Kernel, gateway: GatewayServer
) -> None:
    gateway.script(*[server_error()] * 3)
    asking.run(FAILING)
    failed = asking.run("%config Metask.max_retries = 0\n%metask explain gpt-4o")
    assert (failed.error or {})["ename"] == "ServerError"
    gateway.reset()
    asking.run("%metask explain gpt-4o")
    assert "ZeroDivisionError" in gateway.last.last_user_text


@pytest.mark.parametrize(
    ("line", "model", "question"),
    [
        ("", "gpt-4o-mini", QUESTION),
        ("gpt-4o", "gpt-4o", QUESTION),
        ("o1 Why?", "o1", "Why?"),
        ("fast Why?", "o3-mini", "Why?"),
        ("org/some Why?", "org/some", "Why?"),
        ("Why is it None?", "gpt-4o-mini", "Why is it None?"),
        ("isn't it odd?", "gpt-4o-mini", "isn't it odd?"),
        ("--seed 3 what now", "gpt-4o-mini", "what now"),
        ("- and now", "gpt-4o-mini", "- and now"),
        ("why?", "gpt-4o-mini", "why?"),
    ],
)
def test_a_question_need_not_name_a_model(asking: Kernel, line: str, model: str, question: str) -> None:
    asking.run(f"%config Metask.aliases = {{'fast': 'o3-mini'}}\n{FAILING}")
    shown = asking.run(f"request = %metask explain --dry-run {line}\nprint(request.rows[0][0])").text()
    asking.run("%config Metask.aliases = {}")
    body = json.loads(shown)
    assert body["model"] == model
    assert body["messages"][1]["content"].endswith(f"\n\n{question}")


def test_before_anything_has_failed(fresh_kernel: Kernel) -> None:
    fresh_kernel.run("%load_ext metask_magic")
    error = fresh_kernel.run("%metask explain").error or {}
    assert (error["ename"], error["evalue"].partition(" Run it")[0]) == (
        "PromptError",
        "There is no exception to explain.",
    )


def numbered(lines: int, wrong: int, line: str) -> str:
    return "\n".join(line if number == wrong else f"x = {number}" for number in range(1, lines + 1))


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [("x = = 1", 20, 20), ("1 / 0", 40, 20)],
    ids=["a line that cannot be read", "one that fails"],
)
def test_so_many_lines_around_it_are_shown(
    explained: Callable[..., str], line: str, before: int, after: int
) -> None:
    said = explained(numbered(200, 100, line))
    shown = [int(found) for found in re.findall(r"^(?:→|  ) *(\d+) \| ", said, re.MULTILINE)]
    assert shown == list(range(100 - before, 100 + after + 1))
