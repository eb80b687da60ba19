"""What a Chinese input method writes around `%metask`: read as meant, and the prompt as it is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from metask_magic.errors import OptionError
from metask_magic.notebook.bodyless import with_body
from metask_magic.notebook.full_width import BLANKS, OtherBlank, check_models, with_plain_magic
from metask_magic.notebook.options import CellOptions
from metask_magic.notebook.question import QuestionLine
from metask_magic.words import narrow

from ..gateway_server import GatewayServer, Streamed
from ..kernel import Kernel
from ..terminal import Terminal

W = "\u3000"


@pytest.fixture
def manager() -> Any:
    manager = TransformerManager()
    manager.cleanup_transforms.append(with_plain_magic)
    manager.line_transforms.insert(0, with_body)
    manager.token_transformers += [OtherBlank, QuestionLine]
    return manager


def cell(line: str, body: str) -> str:
    return f"get_ipython().run_cell_magic('metask', {line!r}, {body!r})\n"


def one_line(line: str) -> str:
    return f"get_ipython().run_line_magic('metask', {line!r})\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (f"%%metask{W}gpt-4o\n你好{W}世界", cell("gpt-4o", f"你好{W}世界\n")),
        (f"％％metask{W}{W}m\nHi", cell(f"{W}m", "Hi\n")),
        ("％%metask m\nHi", cell("m", "Hi\n")),
        ("%%metask\tm\nHi", cell("m", "Hi\n")),
        ("%%metask\xa0m\nHi", cell("m", "Hi\n")),
        (f"%%metask{W}m -a df", cell("m -a df", "\n")),
        (f"%%metask m\n{W}％％metask{W}m", cell("m", f"{W}％％metask{W}m\n")),
        ("％metask m 你好，吗？", one_line("m 你好，吗？")),
        (f"%metask{W}m 你好？", one_line("m 你好？")),
        (f"x = %metask{W}m 好吗?", f"x = {one_line('m 好吗?')}"),
        (f"a = 1\n%metask{W}m 好\nb = 2", f"a = 1\n{one_line('m 好')}b = 2\n"),
        (f"if 1:\n    %metask{W}m 好", f"if 1:\n    {one_line('m 好')}"),
        ("%%metask？", "get_ipython().run_line_magic('pinfo', '%%metask')\n"),
        ("％metask？？", "get_ipython().run_line_magic('pinfo2', '%metask')\n"),
        (f"s = '''\n%metask{W}m\n'''", f"s = '''\n%metask{W}m\n'''\n"),
        (f"x = 1 %metask{W}m", f"x = 1 %metask{W}m\n"),
        (f"％％metasks{W}m\nHi", f"％％metasks{W}m\nHi\n"),
        (f"％％time{W}m\nHi", f"％％time{W}m\nHi\n"),
    ],
)
def test_transformed(manager: Any, code: str, expected: str) -> None:
    assert manager.transform_cell(code) == expected


def test_what_python_312_and_later_read_of_a_line(manager: Any) -> None:
    """They give no token behind the sign, for no name may have such a blank in it."""
    code = f"x = %metask{W}m 好"
    tokens = [token for token in tokens_of(code) if token.start[1] <= code.index("%")]
    found = OtherBlank.find([tokens])
    assert found is not None
    assert found.transform([code]) == ["x = %metask m 好"]


def tokens_of(code: str) -> list[Any]:
    from IPython.core.inputtransformer2 import make_tokens_by_line

    return [*make_tokens_by_line([f"{code}\n"])[0]]


@pytest.mark.parametrize(
    ("typed", "complete"),
    [
        (f"％％metask{W}m", "incomplete"),
        ("％％metask m\n你好\n", "incomplete"),
        ("％％metask m\n好\n\n", "complete"),
    ],
)
def test_a_terminal_waits_for_the_prompt(manager: Any, typed: str, complete: str) -> None:
    assert manager.check_complete(typed)[0] == complete


def test_blanks_are_pythons() -> None:
    assert {*BLANKS} == {chr(code) for code in range(0x110000) if chr(code).isspace()}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (CellOptions(models=("ｇｐｔ－４ｏ",)), "Did you mean gpt-4o?"),
        (CellOptions(models=("m", "ｌｏｃａｌ")), "Did you mean local?"),
        (CellOptions(models=("m",), judge="gpt－4o"), "Did you mean gpt-4o?"),
    ],
)
def test_a_model_in_full_width_is_told(options: CellOptions, says: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_models(options, ["gpt-4o"])
    assert caught.value.remedy == says


@pytest.mark.parametrize("name", ["gpt-4o", "模型", "ｏ９", "通义-千问"])
def test_any_other_name_is_left_alone(name: str) -> None:
    check_models(CellOptions(models=(name,)), ["gpt-4o"])


def test_narrow() -> None:
    assert narrow("－－ｍａｐ＝０．５％") == "--map=0.5%"


def test_in_a_kernel(asking: Kernel, gateway: GatewayServer) -> None:
    asked = asking.run(
        f"％％metask{W}gpt-4o-mini{W}－－seed{W}１２{W}-s{W}“请 简短”\n你好，{W}世界？{W}－－raw “好”"
    )
    assert asked.error is None
    sent = gateway.last.json
    assert [message["content"] for message in sent["messages"]] == [
        "请 简短",
        f"你好，{W}世界？{W}－－raw “好”",
    ]
    assert (sent["model"], sent["seed"]) == ("gpt-4o-mini", 12)
    assert asking.run(f"x = 1\n答案 = %metask{W}gpt-4o-mini{W}🙂 “你好”，吗?").error is None
    assert gateway.last.json["messages"][-1]["content"] == "🙂 “你好”，吗?"
    assert "--max-tokens" in str(asking.run("％％metask？").reply["payload"])


@pytest.mark.kernel
def test_in_a_terminal(tmp_path: Path, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["明白了"]))
    terminal = Terminal(tmp_path, gateway)
    terminal.type(f"％％metask{W}gpt-4o-mini")
    terminal.type(f"第一行{W}好？")
    terminal.type("\n")
    terminal.wait_for("明白了")
    terminal.close()
    assert gateway.last.json["messages"][-1]["content"].removesuffix("\n") == f"第一行{W}好？"
