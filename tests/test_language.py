"""The language of what a user reads: which it is, and that the catalogues are whole."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import metask_magic
from metask_magic.errors import MetaskError
from metask_magic.language import VARIABLES, Choice, _, choose, current, ngettext, using
from metask_magic.settings import Metask

HOUSE = Path(metask_magic.__file__).parent
CATALOGUE = HOUSE / "locale/zh_CN/LC_MESSAGES/metask_magic.po"
TRANSLATES = {"_", "pgettext", "ngettext", "N_"}
ONE = "{count} byte"
MANY = "{count} bytes"


# -- which language --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "environment", "language"),
    [
        ("auto", {}, "en"),
        ("auto", {"LANG": "zh_CN.UTF-8"}, "zh"),
        ("auto", {"LANG": "zh"}, "zh"),
        ("auto", {"LANG": "ZH_cn"}, "zh"),
        ("auto", {"LANG": "zh_TW.UTF-8"}, "zh"),  # closer than English
        ("auto", {"LANG": "de_DE.UTF-8"}, "en"),
        ("auto", {"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ("auto", {"LANG": "en_GB.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ("auto", {"LC_ALL": "C", "LC_MESSAGES": "zh_CN.UTF-8"}, "en"),
        ("auto", {"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ("auto", {"LC_CTYPE": "zh_CN.UTF-8"}, "en"),
        ("auto", {"LANG": "en_GB.UTF-8", "METASK_LANGUAGE": "zh"}, "zh"),  # before the first cell
        ("auto", {"LANG": "zh_CN.UTF-8", "METASK_LANGUAGE": "en"}, "en"),
        ("auto", {"LANG": "zh_CN.UTF-8", "METASK_LANGUAGE": "auto"}, "zh"),
        ("en", {"LANG": "zh_CN.UTF-8"}, "en"),
        ("zh", {"LANG": "en_GB.UTF-8"}, "zh"),
    ],
)
def test_the_language(
    choice: Choice, environment: Mapping[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    settings = Metask()
    settings.language = choice
    assert current() == language


def test_a_variable_chooses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Metask()
    for said, language in (("zh", "zh"), ("en", "en"), ("", "en")):
        monkeypatch.setenv("METASK_LANGUAGE", said)
        settings.read_environment()
        assert current() == language


def test_within_a_block_another_one() -> None:
    choose("en")
    with using("zh"):
        assert ngettext(ONE, MANY, 2) == "2 字节"
        with using("en"):
            assert ngettext(ONE, MANY, 2) == "2 bytes"
    assert ngettext(ONE, MANY, 1) == "1 byte"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sentence_of_nobody_is_said_as_it_is(language: Choice) -> None:
    choose(language)
    assert _("") == ""
    assert _("Not {ours}.") == "Not {ours}."
    assert _("Not {ours}.", ours="{theirs}") == "Not {theirs}."
    assert ngettext("{count} of {x}", "{count} of {x}s", 1234, x="y") == "1,234 of ys"


@pytest.mark.parametrize(
    ("sentence", "value", "said"),
    [
        ("{x} 没有行", "df", "df 没有行"),
        ("{x} 没有行", "表格", "表格没有行"),
        ("{x} 没有行", "`df`", "`df` 没有行"),
        ("没有 {x} 的价格", "通义千问", "没有通义千问的价格"),
        ("没有 {x} 的价格", "通义 1", "没有通义 1 的价格"),
        ("没有{x}的价格", "gpt-4o", "没有 gpt-4o 的价格"),
        ("共{x:,}行", 1200, "共 1,200 行"),
        ("在 {x}：", "第 3 行", "在第 3 行："),
        ("{x}，{x!r}。", "a b", "a b，'a b'。"),
        ("费用 {x}", "< $0.01", "费用 < $0.01"),
        ("{x} {x}", "表格", "表格 表格"),
    ],
)
def test_a_blank_stands_between_chinese_and_latin(sentence: str, value: object, said: str) -> None:
    """Whatever stands in the catalogue: a name may be either."""
    choose("zh")
    assert _(sentence, x=value) == said
    assert ngettext(sentence, sentence, 1, x=value) == said
    choose("en")
    assert _(sentence, x=value) == sentence.format(x=value)


def test_an_error_in_chinese() -> None:
    """Its class is named as `except` and the manual name it."""
    choose("zh")
    error = MetaskError("没有密钥。", "请先登录。", request_id="r1")
    assert str(error) == "没有密钥。请先登录。"
    assert error.lines() == ["MetaskError: 没有密钥。", "  → 请先登录。", "  请求 ID：r1"]


# -- the sentences of the code ---------------------------------------------------------------------------


def room_of(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


ROOMS = sorted({room_of(path) for path in HOUSE.rglob("*.py")} - {"hatch_build", "language"})


@cache
def modules(room: str) -> Sequence[tuple[Path, str, ast.Module]]:
    paths = [path for path in sorted(HOUSE.rglob("*.py")) if room_of(path) == room]
    sources = {path: path.read_text(encoding="utf-8") for path in paths}
    return [(path, source, ast.parse(source)) for path, source in sources.items()]


def is_translation(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TRANSLATES


def names_in(text: str) -> set[str]:
    """Return what stands in braces, `{each}` with how it is written."""
    return {
        name + (f"!{conversion}" if conversion else "") + (f":{how}" if how else "")
        for _before, name, how, conversion in Formatter().parse(text)
        if name is not None
    }


def keywords_of(call: ast.Call) -> set[str]:
    given = {str(keyword.arg) for keyword in call.keywords}
    return given | {"count"} if isinstance(call.func, ast.Name) and call.func.id == "ngettext" else given


def messages_of(call: ast.Call) -> list[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    said = {"ngettext": call.args[:2], "pgettext": call.args[1:2]}.get(name, call.args[:1])
    return [str(each.value) for each in said if isinstance(each, ast.Constant)]


@pytest.mark.parametrize("room", ROOMS)
def test_a_sentence_gets_the_values_that_it_names(room: str) -> None:
    wrong = []
    for path, _source, tree in modules(room):
        for call in filter(is_translation, ast.walk(tree)):
            assert isinstance(call, ast.Call)
            for message in messages_of(call):
                wanted = {re.split(r"[!:]", name)[0] for name in names_in(message)}
                takes = bool(call.keywords) or "count" in keywords_of(call)
                if takes and wanted - {"count"} != keywords_of(call) - {"count"}:
                    wrong.append(f"{path.relative_to(HOUSE)}:{call.lineno}: {message}")
            if any(isinstance(argument, ast.JoinedStr) for argument in call.args):
                wrong.append(f"{path.relative_to(HOUSE)}:{call.lineno}: a sentence is no f-string")
        wrong += [
            f"{path.relative_to(HOUSE)}:{node.lineno}: within an f-string Babel finds no sentence"
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr) and any(map(is_translation, ast.walk(node)))
        ]
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_sentence_is_translated_before_it_is_needed(room: str) -> None:
    """At import the language is not known, and loading the extension would open a catalogue."""
    early = []
    for path, _source, tree in modules(room):
        later = {
            inner
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for part in (node.body if isinstance(node.body, list) else [node.body])
            for inner in ast.walk(part)
        }
        for call in filter(is_translation, ast.walk(tree)):
            assert isinstance(call, ast.Call)
            assert isinstance(call.func, ast.Name)
            if call not in later and call.func.id != "N_":
                early.append(f"{path.relative_to(HOUSE)}:{call.lineno}")
    assert early == []


_WORDS = re.compile(r"[A-Za-z]{2,},? [a-z]{2,}")
_MARKUP = re.compile(r"<[a-z/!][^<>]*>|[^{}<>]*\{[a-z-]+:[^{}]*\}")
"""Tags with their attributes, and rules of a style sheet."""
ENGLISH = re.compile(r"# English: .")
"""The comment of what no user reads, on a line of its statement, with the reason."""


def docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # A string that stands by itself is one too: that of an attribute.
            yield from (each.value for each in body if isinstance(each, ast.Expr))


def keys_of(room: str) -> set[str]:
    """Return the values of the `Literal` types of a room: code compares them, and they stand in data."""
    return {
        inner.value
        for _path, _source, tree in modules(room)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal"
        for inner in ast.walk(node.slice)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
    }


def sentences_in(tree: ast.Module, lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield what reads like English and is not translated, with its line."""
    passed = {
        inner for node in docstrings(tree) if isinstance(node, ast.Constant) for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if is_translation(node) or _is_expression(node) or _is_meant(node, lines) or _is_compared(node):
            passed |= {*ast.walk(node)}
    for node in ast.walk(tree):
        if node in passed:
            continue
        if isinstance(node, ast.JoinedStr):
            passed |= {*ast.walk(node)} - {*_calls_in(node)}
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if _WORDS.search(_MARKUP.sub("¦", text)):
            yield node.lineno, text


def _calls_in(node: ast.AST) -> Iterator[ast.AST]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.FormattedValue):
            yield from ast.walk(inner.value)


def _is_expression(node: ast.AST) -> bool:
    """Whether this is a regular expression."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "compile"


def _is_compared(node: ast.AST) -> bool:
    return isinstance(node, ast.MatchValue)


def _is_meant(node: ast.AST, lines: list[str]) -> bool:
    if not isinstance(node, ast.stmt) or isinstance(
        node,
        ast.FunctionDef
        | ast.AsyncFunctionDef
        | ast.ClassDef
        | ast.If
        | ast.For
        | ast.With
        | ast.Try
        | ast.Match,
    ):
        return False
    return any(ENGLISH.search(line) for line in lines[node.lineno - 1 : node.end_lineno])


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_user_reads_is_in_the_catalogue(room: str) -> None:
    """Or says in a comment why it is English: `# English: a model reads it`."""
    keys = keys_of(room)
    left = [
        f"{path.relative_to(HOUSE)}:{line}: {text}"
        for path, source, tree in modules(room)
        for line, text in sentences_in(tree, source.splitlines())
        if text not in keys
    ]
    assert left == []


# -- the catalogue ---------------------------------------------------------------------------------------


def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file)


def entries() -> list[Message]:
    return [message for message in catalogue() if message.id]


def key(message: Any, context: str | None) -> tuple[str | None, str]:
    return context, message if isinstance(message, str) else message[0]


def test_the_catalogue_has_each_sentence_and_no_other() -> None:
    """`pybabel extract && pybabel update` brings it up to date."""
    in_code = {
        key(message, context)
        for _path, _line, message, _comments, context in extract_from_dir(HOUSE, [("**.py", "python")])
        if message
    }
    listed = {key(entry.id, entry.context) for entry in entries()}
    assert sorted(map(str, in_code - listed)) == [], "not in the catalogue"
    assert sorted(map(str, listed - in_code)) == [], "in no module"


def test_each_sentence_is_translated() -> None:
    missing = [entry.id for entry in entries() if entry.fuzzy or not all(said_in(entry))]
    assert missing == []


def said_in(entry: Message) -> list[str]:
    return [entry.string] if isinstance(entry.string, str) else list(entry.string or ())


def test_a_translation_names_the_same_values() -> None:
    def of(texts: Iterable[str]) -> set[str]:
        return {name for text in texts for name in names_in(text)}

    wrong = []
    for entry in entries():
        english = [entry.id] if isinstance(entry.id, str) else list(entry.id)
        if any(of([said]) != of(english) for said in said_in(entry)):
            wrong.append(entry.id)
    assert wrong == []


_CJK = r"[\u4e00-\u9fff]"
_TYPOGRAPHY = {
    "a half-width mark after a Chinese character": re.compile(rf"{_CJK}[,;:?!](?![\w/])|{_CJK}\.(?=\s|$)"),
    "a space beside a full-width mark": re.compile(
        r"(?<=[\u4e00-\u9fff\w`]) [，。；：？！）】”]|[，。；：？！（【“] (?! )"
    ),
    "no space between Chinese and Latin": re.compile(rf"{_CJK}[A-Za-z0-9`]|[A-Za-z0-9`]{_CJK}"),
    "three full stops": re.compile(rf"{_CJK}\.\.\."),
    "a half-width bracket around Chinese": re.compile(rf"\({_CJK}|{_CJK}\)"),
    "the polite you": re.compile("您"),
}


@pytest.mark.parametrize("fault", _TYPOGRAPHY)
def test_chinese_is_set_as_the_field_sets_it(fault: str) -> None:
    wrong = [said for entry in entries() for said in said_in(entry) if _TYPOGRAPHY[fault].search(said)]
    assert wrong == []


def test_the_catalogue_is_compiled() -> None:
    """As it is written now: `pybabel compile` does that, or `pip install -e . --no-deps`."""
    with using("zh"):
        wrong = []
        for entry in entries():
            english = entry.id if isinstance(entry.id, str) else entry.id[0]
            if entry.context is None and isinstance(entry.id, str) and _(english) != entry.string:
                wrong.append(english)
    assert wrong == []
