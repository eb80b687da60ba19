"""`%metask export`: which reply, in which language, shown or written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from metask_magic.chat.reply import Reply
from metask_magic.errors import MetaskError
from metask_magic.messages.request import Message, Request
from metask_magic.notebook.export import ExportLine, export, parse_export, show_code
from metask_magic.scripts.export import Code

from ..gateway_server import GatewayServer, Streamed, bad_parameter
from ..kernel import Kernel
from .conftest import value

HELLO = Request("gpt-4o-mini", (Message("user", "Hello!"),))
LAST = Reply("Hi!", "gpt-4o-mini", "stop", request=HELLO, base_url="https://last.example/v1")
NAMED = Reply("Hi!", "gpt-4o-mini", "stop", request=HELLO, base_url="https://named.example/v1")
NAMESPACE = {"answer": NAMED, "_": LAST, "_3": LAST, "df": [1]}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ExportLine()),
        ("answer", ExportLine("answer")),
        ("curl", ExportLine(language="curl")),
        ("answer node", ExportLine("answer", "node")),
        ("node answer", ExportLine("answer", "node")),
        ("ask.py", ExportLine(path=Path("ask.py"))),
        (
            "answer python 'my scripts/ask.py' --force",
            ExportLine("answer", "python", Path("my scripts/ask.py"), True),
        ),
        ("~/ask.sh", ExportLine(path=Path("~/ask.sh"))),
        ("größe", ExportLine("größe")),
    ],
)
def test_lines(line: str, expected: ExportLine) -> None:
    assert parse_export(line) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("answer 'a", "The line cannot be read: No closing quotation."),
        ("answer df", "'answer' and 'df' are both a name."),
        ("python curl", "'python' and 'curl' are both a language."),
        ("a.py b.py", "'a.py' and 'b.py' are both a path."),
        ("--fore a.py", "There is no option --fore."),
        ("ask.txt", "The name ask.txt does not say which language."),
        ("answr", "There is no reply with the name answr. Did you mean answer?"),
        ("pyhton", "There is no reply with the name pyhton. Did you mean python?"),
        ("other", "There is no reply with the name other. Replies are in answer."),
        ("df", "df is no reply but of type list. Replies are in answer."),
        ("absent/ask.py", "absent/ask.py cannot be written: No such file or directory."),
    ],
)
def test_mistakes(line: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MetaskError) as caught:
        export(line, NAMESPACE, LAST)
    assert message in str(caught.value)
    assert caught.value.remedy
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "language", "host"),
    [
        ("", "python", "last"),
        ("curl", "curl", "last"),
        ("answer", "python", "named"),
        ("answer node", "node", "named"),
        ("_3 node", "node", "last"),
    ],
)
def test_shown(line: str, language: str, host: str) -> None:
    code = export(line, NAMESPACE, LAST)
    assert isinstance(code, Code)
    assert code.language == language
    assert f"https://{host}.example/v1" in code


@pytest.mark.parametrize(
    ("line", "file", "begins", "run"),
    [
        ("ask.py", "ask.py", '"""', "python ask.py"),
        ("answer ask.mjs", "ask.mjs", "//", "node ask.mjs"),
        ("ask.sh answer", "ask.sh", "#!", "bash ask.sh"),
        ("curl ./ask", "ask", "#!", "bash ask"),
        ("'a b.py'", "a b.py", '"""', "python 'a b.py'"),
    ],
)
def test_written(
    line: str, file: str, begins: str, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert export(line, NAMESPACE, LAST) == f"Written to {file}. To run it: {run}"
    assert tmp_path.joinpath(file).read_text(encoding="utf-8").startswith(begins)


def test_no_file_is_written_over_by_mistake(tmp_path: Path) -> None:
    path = tmp_path / "ask.py"
    path.write_text("precious")
    with pytest.raises(MetaskError, match=r"exists\. --force writes over it\."):
        export(f"{path}", NAMESPACE, LAST)
    assert path.read_text() == "precious"
    export(f"{path} --force", NAMESPACE, LAST)
    assert path.read_text() == LAST.as_code()


def test_nothing_asked_yet() -> None:
    with pytest.raises(MetaskError, match="No model has been asked yet"):
        export("curl", {}, None)


@pytest.mark.parametrize("language", ["python", "node", "curl"])
@pytest.mark.parametrize(
    "text", ["Hello!", "```\n<script>alert(1)</script>\n```", "$\\href{javascript:x}{y}$"]
)
def test_the_bundle(language: str, text: str) -> None:
    request = Request("m", (Message("user", text),))
    code = Reply("", "m", "stop", request=request, base_url="https://a.example").as_code(language)
    bundle: dict[str, Any] = show_code(code)
    assert bundle.pop("text/plain") == code
    assert set(bundle) <= {"text/html", "text/markdown"}
    assert "<script>" not in bundle.get("text/html", "")


# -- through a kernel -------------------------------------------------------------------------------------


def test_from_a_cell_to_a_script_that_runs(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["In the notebook."]), Streamed(["At home."]))
    asking.run("%%metask gpt-4o-mini -s Brief. -p top_k=3 -o answer\nOne `line`\nand {{ 1 + 1 }}")
    said = asking.run("%metask export answer ask.py").text()
    assert said == "Written to ask.py. To run it: python ask.py\n"
    run = f"import subprocess, sys\nprint(subprocess.check_output([{sys.executable!r}, 'ask.py'], text=True))"
    assert asking.run(run).text() == "At home.\n\n"
    first, second = gateway.chats
    assert second.json == first.json
    assert second.headers["authorization"] == first.headers["authorization"]


def test_shown_in_the_notebook(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("%%metask gpt-4o-mini -o answer\nHello!")
    for cell in ("%metask export curl", "answer.as_code('curl')", "_.as_code('curl')"):
        (shown,) = asking.run(cell).displays
        assert shown["data"]["text/plain"].startswith("#!/usr/bin/env bash\n")
        assert gateway.base_url in shown["data"]["text/plain"]
        assert len(shown["data"]) == 2
        asking.run("answer")
    assert value(asking, "type(str(answer.as_code())).__name__") == "'str'"
    failed = asking.run("%metask export perl").error or {}
    assert failed["evalue"].startswith("There is no reply with the name perl.")


def test_a_failed_reply_has_a_script_too(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(bad_parameter("temperature"))
    assert asking.run("%%metask gpt-4o-mini --temperature 2\nHello!").error
    assert "temperature=2.0," in asking.run("print(_.as_code())").text()


def test_a_key_in_the_prompt_stays_in_the_notebook(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("import os\nkey = os.environ['METASK_API_KEY']")
    asking.run("%%metask gpt-4o-mini --quiet -o answer\nWhat is a {{ key }}?")
    assert gateway.api_key in gateway.last.last_user_text
    assert value(asking, "[key in answer.as_code(name) for name in ('python', 'node', 'curl')]") == str(
        [False] * 3
    )
    assert value(asking, "'What is a [key]?' in answer.as_code()") == "True"
    assert value(asking, "key in repr(answer.request)") == "False"


def test_a_missing_reply(fresh_kernel: Kernel) -> None:
    fresh_kernel.run("%load_ext metask_magic")
    failed = fresh_kernel.run("%metask export").error or {}
    assert failed["evalue"].startswith("No model has been asked yet.")
