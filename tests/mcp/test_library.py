"""Without the extra: one clear error, and nothing else needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from metask_magic.asking.loop import LoopThread
from metask_magic.errors import ToolServerError
from metask_magic.language import using
from metask_magic.mcp import library
from metask_magic.mcp.connection import Connection
from metask_magic.mcp.servers import Server


def test_the_error_says_what_to_install(loop: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "find_spec", lambda name: None)
    connection = Connection(Server("files", ("cat",)), lambda: 1.0)
    with pytest.raises(ToolServerError) as failure:
        loop.run(connection.tools())
    assert failure.value.remedy.startswith('Install it with `pip install "metask-magic[mcp]"`')


def test_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "find_spec", lambda name: None)
    with using("zh"), pytest.raises(ToolServerError) as failure:
        library.require()
    assert str(failure.value) == (
        '工具服务器需要 `mcp` 库，但尚未安装。用 `pip install "metask-magic[mcp]"` 安装，然后重启内核。'
    )
    assert failure.value.for_model.startswith("Servers of tools need the library `mcp`")


@pytest.mark.kernel
def test_it_is_not_imported_before_a_server_is_used() -> None:
    program = (
        "import sys; from metask_magic.notebook import session, tool_commands; "
        "print([name for name in ('mcp', 'mcp_types', 'httpx2', 'jsonschema') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
