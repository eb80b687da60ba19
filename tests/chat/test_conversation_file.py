"""Conversations on disk: what is read is what was written, or an error that names the line."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from metask_magic.chat.conversation import CellKey, Conversation, Turn
from metask_magic.chat.conversation_file import MARK, VERSION, from_jsonl, load, save, to_jsonl
from metask_magic.errors import ConversationError
from metask_magic.language import choose
from metask_magic.messages.kinds import Role
from metask_magic.messages.request import ImagePart, Message, TextPart, ToolCall

from ..english import english_sentences

PARTS = st.one_of(
    st.builds(TextPart, st.text()), st.builds(ImagePart, st.text(), st.binary(max_size=99), st.text())
)
MESSAGES = st.builds(
    Message,
    st.sampled_from(get_args(Role)),
    st.one_of(st.text(), st.lists(PARTS, max_size=3).map(tuple)),
    st.lists(st.builds(ToolCall, st.text(), st.text(), st.text()), max_size=2).map(tuple),
    st.none() | st.text(),
)
TURNS = st.builds(
    Turn,
    st.builds(CellKey, st.text(), st.text(), st.integers(0)),
    MESSAGES,
    st.lists(MESSAGES, max_size=3).map(tuple),
    st.text(),
    st.none() | st.text(),
)
CONVERSATIONS = st.builds(Conversation, st.text(), st.lists(TURNS, max_size=3).map(tuple))

patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def one(text: str) -> Conversation:
    turn = Turn(CellKey("a", "1"), Message("user", text), (Message("assistant", text),), "m")
    return Conversation("story", (turn,))


@patiently
@given(CONVERSATIONS)
@example(one("a\nb\r\nc\u2028d\x85e\x00\x1b[31m"))
@example(one("half \ud83d a pair"))
@example(one("请讲一个故事 👩🏽‍🚀"))
def test_round_trip(conversation: Conversation) -> None:
    text = to_jsonl(conversation)
    assert text.encode().decode() == text
    assert text.endswith("\n")
    assert text.count("\n") == 1 + len(conversation.turns)
    assert from_jsonl(text) == conversation


@patiently
@given(CONVERSATIONS, st.data())
def test_a_torn_line_is_never_read(conversation: Conversation, data: st.DataObject) -> None:
    text = to_jsonl(conversation)
    torn = text[: data.draw(st.integers(0, len(text) - 2))]
    if torn.endswith("\n") or text[len(torn)] == "\n":
        assert from_jsonl(torn).turns == conversation.turns[: torn.removesuffix("\n").count("\n")]
    else:
        with pytest.raises(ConversationError, match=f"line {torn.count(chr(10)) + 1} "):
            from_jsonl(torn)


def test_the_text_is_readable() -> None:
    assert "请" in to_jsonl(one("请"))


HEADER: dict[str, Any] = {"format": MARK, "version": VERSION, "name": "story"}
SAID = {"role": "user", "content": "Hi"}
TURN: dict[str, Any] = {
    "cell": "a",
    "execution": "1",
    "ordinal": 0,
    "model": "m",
    "system": None,
    "user": SAID,
    "answer": [],
}


def lines(*values: Any) -> str:
    return "".join((value if isinstance(value, str) else json.dumps(value)) + "\n" for value in values)


def with_content(content: Any) -> str:
    return lines(HEADER, TURN | {"user": SAID | {"content": content}})


UNREADABLE = [
    ("", "is no conversation: line 1 is not the header"),
    ("{}", "is no conversation"),
    ("[1]", "is no conversation"),
    (lines(TURN), "is no conversation"),
    (lines(HEADER | {"format": "other"}), "is no conversation"),
    (lines(HEADER | {"version": True}), "is no conversation"),
    (lines(HEADER | {"version": 2}), "written by a newer version: line 1 says format 2, known is 1"),
    (lines(HEADER | {"name": 1}), "line 1 has no proper 'name'"),
    (lines(HEADER, TURN, "{"), "line 3 is not whole, or no JSON"),
    (lines(HEADER, "", TURN), "line 2 is not whole, or no JSON"),
    (lines(HEADER, "[" * 100_000), "line 2 is not whole, or no JSON"),
    (lines(HEADER, "7"), "line 2 is no turn"),
    (lines(HEADER, [TURN]), "line 2 is no turn"),
    *((lines(HEADER, TURN | {name: 1.5}), f"line 2 has no proper '{name}'") for name in TURN),
    (lines(HEADER, TURN | {"ordinal": True}), "line 2 has no proper 'ordinal'"),
    (lines(HEADER, TURN | {"answer": [1]}), "line 2 is no turn"),
    (lines(HEADER, TURN | {"user": SAID | {"role": "me"}}), "a message of an unknown role, 'me'"),
    (lines(HEADER, TURN | {"user": SAID | {"tool_calls": 1}}), "no proper 'tool_calls'"),
    (lines(HEADER, TURN | {"user": SAID | {"tool_calls": [{"id": "1"}]}}), "no proper 'name'"),
    (lines(HEADER, TURN | {"user": SAID | {"tool_call_id": 1}}), "no proper 'tool_call_id'"),
    (with_content(None), "no proper 'content'"),
    (with_content([{}]), "no proper 'image'"),
    (with_content([{"text": 1}]), "no proper 'text'"),
    (with_content([{"image": "A", "media_type": "m", "name": ""}]), "an image that is not base64"),
    (with_content([{"image": "é", "media_type": "m", "name": ""}]), "an image that is not base64"),
    (with_content([{"image": "", "name": ""}]), "no proper 'media_type'"),
]


@pytest.mark.parametrize(("text", "says"), UNREADABLE)
def test_what_cannot_be_read(text: str, says: str) -> None:
    with pytest.raises(ConversationError) as caught:
        from_jsonl(text, "story.jsonl")
    assert caught.value.message.startswith("story.jsonl ")
    assert says in caught.value.message
    assert caught.value.remedy


def test_saved_and_loaded(tmp_path: Path) -> None:
    path = tmp_path / "story.jsonl"
    for text in ("first", "second\r\n"):
        save(one(text), path)
        assert load(path) == one(text)
        assert path.read_bytes() == to_jsonl(one(text)).encode()
    assert [file.name for file in tmp_path.iterdir()] == ["story.jsonl"]


@pytest.mark.skipif(sys.platform == "win32", reason="file modes and links are POSIX's")
def test_mode_and_link_of_a_file_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "story.jsonl", tmp_path / "link"
    save(one("first"), path)
    path.chmod(0o640)
    link.symlink_to(path)
    save(one("second"), link)
    assert link.is_symlink()
    assert load(path) == one("second")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    "there",
    [b"", b"my notes\n", b"\xff\xfe", b'{"a": 1}\n', lines(HEADER | {"version": VERSION + 1}).encode()],
    ids=["empty", "text", "binary", "another's JSON Lines", "a newer version's"],
)
def test_what_is_no_conversation_is_never_overwritten(tmp_path: Path, there: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(there)
    with pytest.raises(ConversationError, match="is there already and holds no conversation"):
        save(one("Hi"), path)
    assert path.read_bytes() == there


def test_our_own_file_is_overwritten_even_where_it_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "story.jsonl"
    path.write_text(lines(HEADER, "{"), encoding="utf-8")
    save(one("Hi"), path)
    assert load(path) == one("Hi")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "story.jsonl"
    save(one("old"), path)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ConversationError, match="No space left"):
        save(one("new"), path)
    assert load(path) == one("old")
    assert [file.name for file in tmp_path.iterdir()] == ["story.jsonl"]


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ConversationError, match=r"There is no file .*missing"):
        load(tmp_path / "missing")
    with pytest.raises(ConversationError, match="is no file"):
        load(tmp_path)
    with pytest.raises(ConversationError, match="is no file"):
        save(one("Hi"), tmp_path)
    with pytest.raises(ConversationError, match="cannot be written"):
        save(one("Hi"), tmp_path / "missing" / "story.jsonl")


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "story.jsonl"
    path.write_bytes(lines(HEADER, TURN).encode() + b'{"cell": "\xff"}\n')
    with pytest.raises(ConversationError, match="line 3 is not UTF-8"):
        load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConversationError, match="is no file"):
        load(tmp_path / "pipe")
    with pytest.raises(ConversationError, match="is no file"):
        save(one("Hi"), tmp_path / "pipe")


# -- in Chinese ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "says"), UNREADABLE)
def test_what_cannot_be_read_in_chinese(text: str, says: str) -> None:
    choose("zh")
    with pytest.raises(ConversationError) as caught:
        from_jsonl(text, "story.jsonl")
    assert english_sentences(str(caught.value)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (lines(HEADER, "7"), "无法读取 story.jsonl：第 2 行不是一轮对话。"),
        (
            lines(HEADER, TURN | {"user": SAID | {"role": "me"}}),
            "无法读取 story.jsonl：第 2 行有一条消息的角色未知：'me'。",
        ),
        (lines(HEADER | {"version": 2}), "story.jsonl 由更新的版本写入：第 1 行的格式是 2，目前只支持到 1。"),
    ],
)
def test_what_is_said_in_chinese(text: str, says: str) -> None:
    choose("zh")
    with pytest.raises(ConversationError) as caught:
        from_jsonl(text, "story.jsonl")
    assert caught.value.message == says


def test_paths_in_chinese(tmp_path: Path) -> None:
    choose("zh")
    for failing in (lambda: load(tmp_path / "no"), lambda: load(tmp_path), lambda: save(one("Hi"), tmp_path)):
        with pytest.raises(ConversationError) as caught:
            failing()
        assert english_sentences(str(caught.value)) == []
