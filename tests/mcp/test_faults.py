"""What is said of a server that fails, with what it said last."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from metask_magic.errors import ToolServerError
from metask_magic.language import using
from metask_magic.mcp.faults import gone, not_started, started_again
from metask_magic.mcp.servers import Server
from metask_magic.mcp.stdio import Said

HERE = Server("files", ("run", "it"))
THERE = Server("docs", url="https://example.org/mcp?key=made-up")
WITH_KEY = Server("docs", url="https://example.org/mcp", headers={"X-Key": "${KEY}"})


def hide(text: str) -> str:
    return text.replace("made-up-93", "[KEY]")


def said(stderr: str = "", stray: str = "", trouble: str = "") -> Said:
    quoted = Said()
    quoted.take(stderr.encode())
    quoted.stray = stray
    quoted.trouble = lambda: trouble
    return quoted


Fault = Callable[[], ToolServerError]

FAULTS: dict[str, tuple[Fault, str, str]] = {
    "ended": (
        lambda: gone(HERE, said(), hide),
        "The server files has ended. The next cell that uses it starts it again.",
        "服务器 files 已退出。下一个用到它的单元格会重新启动它。",
    ),
    "with its last words": (
        lambda: gone(HERE, said("Key made-up-93.\n[ended with exit code 3]\n"), hide),
        "The server files has ended; its last words: Key [KEY]. / [ended with exit code 3]. "
        "The next cell that uses it starts it again.",
        "服务器 files 已退出；最后的输出：Key [KEY]. / [已退出，退出码 3]。"
        "下一个用到它的单元格会重新启动它。",
    ),
    "by a signal": (
        lambda: gone(HERE, said("[ended by SIGKILL]"), hide),
        "The server files has ended; its last words: [ended by SIGKILL]. "
        "The next cell that uses it starts it again.",
        "服务器 files 已退出；最后的输出：[被 SIGKILL 终止]。下一个用到它的单元格会重新启动它。",
    ),
    "by a signal without a name": (
        lambda: gone(HERE, said("[ended by signal 77]"), hide),
        "The server files has ended; its last words: [ended by signal 77]. "
        "The next cell that uses it starts it again.",
        "服务器 files 已退出；最后的输出：[被信号 77 终止]。下一个用到它的单元格会重新启动它。",
    ),
    "and was started again": (
        lambda: started_again(gone(HERE, said("No more."), hide)),
        "The server files has ended; its last words: No more. It was started again. "
        "The next cell that uses it starts it again.",
        "服务器 files 已退出；最后的输出：No more. 已重新启动。下一个用到它的单元格会重新启动它。",
    ),
    "gone": (
        lambda: gone(THERE, said(), hide),
        "The server docs at https://example.org/mcp is gone. The next cell that uses it starts it again.",
        "服务器 docs（https://example.org/mcp）已断开。下一个用到它的单元格会重新启动它。",
    ),
    "not there": (
        lambda: not_started(HERE, said(), hide, ExceptionGroup("", [OSError("No such key: made-up-93.")])),
        "The server files cannot be started: No such key: [KEY]. Run its command in a terminal: run it",
        "服务器 files 无法启动：No such key: [KEY]。在终端中运行它的命令：`run it`",
    ),
    "silent": (
        lambda: not_started(HERE, said(), hide, None),
        "The server files cannot be started: it says nothing. Run its command in a terminal: run it",
        "服务器 files 无法启动：没有说明原因。在终端中运行它的命令：`run it`",
    ),
    "all at once": (
        lambda: not_started(HERE, said("no licence", "Welcome", "it stops"), hide, None),
        "The server files cannot be started: it stops; it wrote what is no message of the protocol: "
        "'Welcome'; its last words: no licence. Run its command in a terminal: run it",
        "服务器 files 无法启动：it stops；它输出了不符合协议的内容：'Welcome'；最后的输出：no licence。"
        "在终端中运行它的命令：`run it`",
    ),
    "late": (
        lambda: not_started(HERE, said(), hide, None, seconds=0.25),
        "The server files has not answered within 0.25 s. Look whether it starts in a terminal, or give it "
        "more time: `%config Metask.server_timeout = 120`",
        "服务器 files 在 0.25 s 内没有响应。在终端中检查它能否启动，或延长等待时间："
        "`%config Metask.server_timeout = 120`",
    ),
    "out of reach": (
        lambda: not_started(THERE, said(), hide, OSError("refused")),
        "The server docs at https://example.org/mcp cannot be reached: refused. Check the address, and "
        "whether it wants a key: `--header-env NAME=VARIABLE` sends one.",
        "无法连接服务器 docs（https://example.org/mcp）：refused。"
        "检查地址，以及服务器是否需要密钥：用 `--header-env NAME=VARIABLE` 发送密钥。",
    ),
    "the wrong key": (
        lambda: not_started(WITH_KEY, said(trouble="401"), hide, None),
        "The server docs at https://example.org/mcp cannot be reached: 401. Check the address, and what "
        "X-Key is: a variable's value is sent as it stands, and some servers want "
        "`--header-env 'Authorization=Bearer ${VARIABLE}'`.",
        "无法连接服务器 docs（https://example.org/mcp）：401。"
        "检查地址，以及 X-Key 的值：变量的值会原样发送，有些服务器要求 "
        "`--header-env 'Authorization=Bearer ${VARIABLE}'`。",
    ),
}


@pytest.mark.parametrize(("make", "english", "chinese"), FAULTS.values(), ids=FAULTS)
def test_it_is_told_in_the_users_language_and_to_a_model_in_english(
    make: Fault, english: str, chinese: str
) -> None:
    error = make()
    assert (str(error), error.for_model) == (english, error.message)
    with using("zh"):
        said = make()
        assert (str(said), said.for_model) == (chinese, error.message)
