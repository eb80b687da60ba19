"""`%metask export`: which reply, in which language, shown or written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metask_magic.chat.export import Code
from metask_magic.chat.messages import Message, Request
from metask_magic.chat.reply import Reply
from metask_magic.errors import MetaskError
from metask_magic.notebook.export import ExportLine, export, parse_export, show_code

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
