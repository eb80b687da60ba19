"""The notebook's commands and errors in Chinese: no English sentence of ours, and what composed ones say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from metask_magic import language
from metask_magic.chat.conversation import CellKey, Conversation, Turn
from metask_magic.chat.reply import Reply
from metask_magic.errors import MetaskError
from metask_magic.gateway.models import Model
from metask_magic.gateway.recordings import Recordings
from metask_magic.mcp.declared import Declared
from metask_magic.mcp.registry import Servers
from metask_magic.mcp.toolbox import Toolbox
from metask_magic.messages.request import ImagePart, Message, Request, TextPart, ToolCall
from metask_magic.notebook import chat_commands, commands, export, recordings, tool_commands, usage
from metask_magic.notebook.chats import Chats
from metask_magic.notebook.confirm import Confirmation
from metask_magic.notebook.explain import last_exception
from metask_magic.notebook.map_cell import check_options
from metask_magic.notebook.mapping import check_numbers
from metask_magic.notebook.names import look_up
from metask_magic.notebook.option_line import parse_cell_line
from metask_magic.notebook.schemas import find_schema
from metask_magic.notebook.together import check_draft, check_models
from metask_magic.notebook.transcript import Transcript
from metask_magic.prompt.draft import Draft
from metask_magic.settings import Metask
from metask_magic.tools.tool import Tool
from metask_magic.usage.ledger import Ledger

from ..english import english_sentences
from ..gateway.recordings import recording
from ..kernel import Kernel
from .conftest import value
from .test_chats import PLOT, UNDOABLE
from .test_confirm import CALL
from .test_option_line import UNREADABLE
from .test_usage import PARTLY, PLAIN, made

HELLO = Message("user", "Hi")


@pytest.fixture(autouse=True)
def _in_chinese() -> None:
    language.choose("zh")


def failing(call: Callable[[], Any]) -> str:
    with pytest.raises(MetaskError) as caught:
        call()
    assert caught.value.remedy
    return "\n".join(caught.value.lines()[:2]).partition(": ")[2]


# -- the option line -------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [line for line, _says in UNREADABLE])
def test_what_cannot_be_read(line: str) -> None:
    assert english_sentences(failing(lambda: parse_cell_line(line))) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--schem P", "没有选项 --schem。\n  → 是不是想用 --schema？`%%metask?` 列出选项。"),
        (
            "-p n=2",
            "-p n 要求多个回答，而一个回复只能保存一个。\n  → 把模型写两次，或用 --sample 2 再问一次。",
        ),
        ("-o a -o b", "-o 写了两次。\n  → `%%metask?` 列出选项。"),
        ("-s “没有 完", "选项行有没闭合的引号。\n  → 补上另一半引号，或用 \\ 转义。"),
        ("--rubric r", "--rubric 需要与 --map NAME 一起使用：检查的是各行的回答。\n  → 去掉它。"),
    ],
)
def test_what_an_error_says(line: str, says: str) -> None:
    assert failing(lambda: parse_cell_line(line)) == says


def shout(text: str) -> str:
    return text.upper()


SHOUT = Tool.from_function(shout, "shout")


def draft(**said: Any) -> Draft:
    plain: dict[str, Any] = {
        "system": None,
        "params": {},
        "stream": True,
        "format": "markdown",
        "schema": None,
    }
    return Draft(HELLO, **plain | {"tools": (), "confirm": False} | said)


TABLE = "m --map df "
APART = [
    lambda: check_options(parse_cell_line(f"{TABLE} -c story")),
    lambda: check_options(parse_cell_line(f"{TABLE} -T f")),
    lambda: check_options(parse_cell_line(f"{TABLE} --prompt a.b")),
    lambda: check_options(parse_cell_line(f"{TABLE} -f code")),
    lambda: check_options(parse_cell_line(f"{TABLE} --raw")),
    lambda: check_options(parse_cell_line(f"{TABLE} --background")),
    lambda: check_numbers(limit=0),
    lambda: check_models(parse_cell_line("a b -c x"), ["a", "b"]),
    lambda: check_models(parse_cell_line("a -c x --background"), ["a"]),
    lambda: check_draft(parse_cell_line("a -T shout --background"), draft(tools=(SHOUT,))),
    lambda: check_draft(parse_cell_line("a -c x --prompt a.b"), draft(opening=(HELLO,))),
    lambda: find_schema(parse_cell_line("--schema P -f text"), {}),
    lambda: look_up("reviws", {"reviews": 1}, "table"),
    lambda: look_up("x", {}, "tool"),
    lambda: look_up("x.count", {"x": 1}, "rubric"),
    lambda: look_up("x.rea", {"x": 1}, "engine"),
    lambda: commands.list_models([Model("gpt-4o", None, None)], "", "gpt-5"),
    lambda: usage.run(Ledger(), "--rest"),
    last_exception,
]


@pytest.mark.parametrize("call", APART)
def test_what_cannot_be_done(call: Callable[[], Any]) -> None:
    assert english_sentences(failing(call)) == []


def test_a_name_that_is_not_there() -> None:
    said = failing(lambda: look_up("reviws", {"reviews": 1}, "table"))
    assert said == "表格 `reviws` 没有定义。\n  → 是不是想用 reviews？"


# -- the commands ----------------------------------------------------------------------------------------


def test_help() -> None:
    table = commands.help_table()
    assert table.headers == ("输入", "用途")
    assert [said for _form, said in table.rows if english_sentences(said)] == []


def test_models_and_requests() -> None:
    models = [Model(name, "openai", None) for name in ("gpt-4o", "gpt-4o-mini")]
    assert commands.list_models(models, "", "").title == "2 个模型"
    assert commands.list_models(models, "", "mini").title == "2 个模型中的 1 个"
    request = Request("m", (Message("user", (TextPart("你好"), ImagePart("image/gif", b"GIF89a"))),))
    shown = commands.dry_run([request], "POST https://x/v1")
    assert shown.title == "未发送：POST https://x/v1"
    assert shown.note.startswith("user：2 个字符、图片 6 字节的 GIF；共 ")
    assert commands.dry_run([request, request], "x").title == "未发送：x，共 2 个模型：m、m"


def story() -> Chats:
    found = Chats()
    turn = Turn(
        CellKey("a", "1"), Message("user", (TextPart("Hi"), PLOT)), (Message("assistant", "Ja"),), "m"
    )
    found.add(Conversation("story", (turn, replace(turn, key=CellKey("b", "2")))))
    return found


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("fork story other", "other 以 story 的 2 轮对话开始。"),
        ("rename story tale", "story 已改名为 tale。写有 `-c story` 的单元格会开始另一个对话。"),
        ("forget story", "story 及其 2 轮对话已删除。"),
        ("trim story --keep 1", "story 保留 2 轮中的 1 轮，以及 2 张图片中的 1 张。"),
        ("show\u3000story", "story：2 轮"),
    ],
)
def test_conversations(line: str, says: str) -> None:
    assert str(chat_commands.run(story(), line)).splitlines()[0] == says


def test_the_list_of_conversations() -> None:
    shown = chat_commands.overview(story())
    assert (shown.title, shown.headers) == ("1 个对话", ("名称", "轮数", "字符数", "图片", "模型"))
    assert shown.rows == (("story", "2", "8", "2（4 kB）", "m"),)
    assert english_sentences(str(shown)) == english_sentences(str(chat_commands.overview(Chats()))) == []


# Without the one that repeats what the system says.
LINES = [line for line, says, _remedy in UNDOABLE if says != "cannot be written"]


@pytest.mark.parametrize("line", LINES)
def test_conversations_that_cannot_be_changed_so(line: str) -> None:
    said = failing(lambda: chat_commands.run(story(), line))
    assert english_sentences(said.replace(line, "")) == []


def test_a_transcript() -> None:
    call = ToolCall("c", "f", "{}")
    turn = Turn(
        CellKey("a", "1"),
        Message("user", (TextPart("嗯"), PLOT)),
        (Message("assistant", "", (call,)), Message("assistant", "好")),
        "m",
    )
    assert str(Transcript(Conversation("x", (turn,)))) == (
        "x：1 轮\n\n1. user\n嗯[图片 plot.png、image/png、2 kB]\n\n1. m 调用\nf({})\n\n1. m\n好"
    )


def test_recordings(tmp_path: Path) -> None:
    store = Recordings(tmp_path / "r.jsonl")
    assert english_sentences(str(recordings.run(store, ""))) == []
    store.append(one := recording("谁？", "我", model="o1"))
    assert str(recordings.run(store, "")).startswith(f"{store.path} 中有 1 条录制\n编号")
    assert recordings.run(store, "compact") == "删除了 0 行，保留 1 条录制。"
    for line in ("", f"show {one.key}", "verify"):
        assert english_sentences(str(recordings.run(store, line))) == []
    for line in ("shw", "show", "show zzzz", "show 'x"):
        assert english_sentences(failing(partial(recordings.run, store, line))) == []
    assert recordings.run(store, "forget o1") == "删除了 1 条录制，保留 0 条录制。"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("add files -- npx x", "已添加 files：npx x\n首次使用时才会启动。届时 npx 会安装缺少的包。"),
        ("add docs https://example.org/mcp", "已添加 docs：https://example.org/mcp\n首次使用时才会连接。"),
    ],
)
def test_servers(line: str, says: str) -> None:
    assert tool_commands.run(servers(), TOOLBOX, line) == says


@pytest.mark.parametrize(
    "line",
    ["ad", "add x", "add x npx y", "add x --nope", "add x --env", "add x --env K=1-2 -- y", "show", "remove"],
)
def test_servers_that_cannot_be_added(line: str) -> None:
    assert english_sentences(failing(lambda: tool_commands.run(servers(), TOOLBOX, line))) == []


def servers() -> Servers:
    return Servers(Metask(), str)


TOOLBOX = cast("Toolbox", None)
"""None of these looks into one."""


def test_usage() -> None:
    assert usage.summarize(PLAIN, 10_000) == "2 次请求，1,300 token（预算 10,000）"
    assert usage.summarize(PARTLY) == "3 次请求，至少 15 token"
    shown = made(PLAIN, PARTLY, prices={"gpt-4o": "1"})
    assert "1 次失败、1 次中断" in str(shown)
    table, _bars, *notes = str(shown).split("\n\n")
    assert english_sentences("\n".join([table, *notes])) == []
    assert [*shown.to_dataframe().columns][:4] == ["model", "requests", "failed", "interrupted"]


NOT_EXPORTED = ["answer 'a", "answer df", "a.py b.py", "--fore a.py", "ask.txt", "answr", "df", "other"]


@pytest.mark.parametrize("line", NOT_EXPORTED)
def test_what_is_not_exported(line: str) -> None:
    last = Reply("Hi!", "m", "stop")
    assert english_sentences(failing(lambda: export.export(line, {"answer": last, "df": [1]}, None))) == []


# -- a kernel ------------------------------------------------------------------------------------------

OPENED = "__import__('metask_magic.language').language._catalogue.cache_info().currsize"


def test_a_kernel_under_a_chinese_locale(start_kernel: Callable[..., Kernel]) -> None:
    """Loading opens no catalogue; then each word comes in the language of the moment."""
    kernel = start_kernel(LC_ALL="zh_CN.UTF-8")
    kernel.run("%load_ext metask_magic\n1")
    assert value(kernel, OPENED) == "0"
    assert "positional" not in (payload := str(kernel.run("%%metask?").reply["payload"]))
    assert "位置参数" in payload
    assert "基础 URL" in kernel.run("%metask").displays[0]["data"]["text/plain"]
    failed = "\n".join((kernel.run("%%metask　gpt-4o --schem x\n你好").error or {})["traceback"])
    assert failed == "OptionError: 没有选项 --schem。\n  → 是不是想用 --schema？`%%metask?` 列出选项。"
    kernel.run("%env METASK_LANGUAGE=en")
    assert "positional arguments" in str(kernel.run("%%metask?").reply["payload"])
    assert "ask; the cell is the prompt" in kernel.run("%metask help").displays[0]["data"]["text/plain"]


# -- questions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hints", "says"),
    [
        ({"readOnlyHint": True}, "声明只读取"),
        ({}, "没有声明会做什么"),
        ({"destructiveHint": False}, "声明会写入，但不会破坏任何内容"),
        ({"destructiveHint": True}, "声明可能会修改或破坏内容"),
    ],
)
def test_consent(hints: dict[str, bool], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def agree(question: str) -> str:
        asked.append(question)
        return "是"

    monkeypatch.setattr("builtins.input", agree)
    call = ToolCall("c", "files_read", '{"path": "a"}')
    assert Confirmation().of_server(call, "files", Declared("read", hints=hints), changed=True)
    assert asked == [
        f'要调用 files_read(path="a") 吗？服务器 files {says}：这只是它的自述，未经核实。'
        "这个工具的声明和以前不同了。[y] 是，[n] 否，[a] 本单元格中的 files_read 全部允许："
    ]


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    assert failing(lambda: Confirmation()(CALL)) == (
        "--confirm 需要确认，而这里无人可以回答。\n  → 去掉 --confirm，工具就会直接调用，不再询问。"
    )
