"""Conversations in a kernel: which cell asks, what goes before its question, and the commands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from metask_magic.chat.conversation import CellKey
from metask_magic.chat.reply import Reply
from metask_magic.display.table import Table
from metask_magic.errors import ContextLengthError, ConversationError
from metask_magic.messages.kinds import FinishReason
from metask_magic.messages.request import ImagePart, Message, TextPart, ToolCall
from metask_magic.notebook.chat_commands import COMMANDS, run
from metask_magic.notebook.chats import Chats, cell_key, checked_name
from metask_magic.notebook.transcript import Transcript

PLOT = ImagePart("image/png", b"x" * 2000, "plot.png")


def kernel_shell(request: dict[str, Any]) -> Any:
    return SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda channel: request), execution_count=7)


@pytest.mark.parametrize(
    ("shell", "key"),
    [
        (SimpleNamespace(execution_count=7), CellKey("", "7")),
        (kernel_shell({}), CellKey("", "")),
        (kernel_shell({"header": {"msg_id": "m1"}, "metadata": {}}), CellKey("", "m1")),
        (kernel_shell({"header": {"msg_id": "m1"}, "metadata": {"cellId": "c1"}}), CellKey("c1", "m1")),
        (
            kernel_shell({"header": {"msg_id": "m1"}, "metadata": {"colab": {"cell_id": "c1"}}}),
            CellKey("c1", "m1"),
        ),
    ],
    ids=["terminal", "no request yet", "nbclient", "JupyterLab", "Colab"],
)
def test_which_cell_asks(shell: Any, key: CellKey) -> None:
    assert cell_key(shell) == key


def reply(text: str, reason: FinishReason = "stop") -> Reply:
    return Reply(text, "m", reason, messages=(Message("assistant", text),))


def ask(
    chats: Chats,
    name: str,
    cell: str,
    execution: str,
    text: str,
    *,
    system: str | None = None,
    reason: FinishReason = "stop",
) -> list[str]:
    """Ask as a session does; return the texts that go before the question."""
    key = CellKey(cell, execution)
    context, _ = chats.context(name, key, system)
    chats.remember(name, key, Message("user", text), reply(text.upper(), reason), system)
    return [message.text for message in context]


def test_questions_of_one_execution_are_told_apart() -> None:
    chats = Chats()
    assert ask(chats, "story", "a", "1", "a0") == []
    assert ask(chats, "story", "a", "1", "a1", reason="error") == ["a0", "A0"]
    assert ask(chats, "story", "a", "1", "a2") == ["a0", "A0"]
    assert ask(chats, "other", "a", "1", "x") == []
    assert ask(chats, "story", "b", "2", "b0") == ["a0", "A0", "a2", "A2"]
    assert ask(chats, "story", "a", "3", "new") == []
    assert ask(chats, "story", "b", "4", "b0") == ["new", "NEW"]
    assert ask(chats, "other", "c", "5", "y") == ["x", "X"]


def test_looking_twice_is_no_question() -> None:
    chats = Chats()
    ask(chats, "story", "a", "1", "a0")
    key = CellKey("b", "2")
    assert chats.context("story", key) == chats.context("story", key)
    ask(chats, "story", "b", "2", "b0")
    assert ask(chats, "story", "b", "3", "new") == ["a0", "A0"]


def test_the_system_message_is_remembered() -> None:
    chats = Chats()
    ask(chats, "story", "a", "1", "a0", system="S")
    assert chats.context("story", CellKey("b", "2"))[1] == "S"
    assert chats.context("story", CellKey("b", "2"), "own")[1] == "own"
    assert chats.context("story", CellKey("a", "2"))[1] is None


@pytest.mark.parametrize("reason", ["error", "interrupted", "incomplete"])
def test_a_reply_that_is_not_whole_changes_nothing(reason: FinishReason) -> None:
    chats = Chats()
    ask(chats, "story", "a", "1", "a0")
    before = chats.get("story")
    ask(chats, "story", "a", "2", "again", reason=reason)
    ask(chats, "story", "b", "3", "new", reason=reason)
    assert chats.get("story") == before


@pytest.mark.parametrize("name", ["a", "A1", "_x", "my-chat.2", "故事", "कहानी", "ความ", "7"])
def test_a_name(name: str) -> None:
    assert checked_name(name) == name


def test_a_name_is_one_however_it_is_composed() -> None:
    assert checked_name("cafe\u0301") == "caf\u00e9"


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "a`b", "a\n", "a\u202eb", "a$b", "🎉"])
def test_no_name(name: str) -> None:
    with pytest.raises(ConversationError, match="cannot be the name of a conversation"):
        Chats().context(name, CellKey("a", "1"))


def too_long(chats: Chats, cell: str, question: str = "Hi") -> str:
    failed = Reply("", "m", "error", error=ContextLengthError("Too long.", "Shorten the prompt."))
    chats.remember("story", CellKey(cell, "99"), Message("user", question), failed)
    return failed.error.remedy if failed.error else ""


@pytest.mark.parametrize(
    ("turns", "cell", "remedy"),
    [
        (0, "new", "Shorten the prompt."),
        (3, "0", "Shorten the prompt."),
        (1, "new", "`%metask chats forget story`"),
        (2, "new", "`%metask chats trim story --keep 1`"),
        (9, "new", "`%metask chats trim story --keep 4`"),
        (9, "2", "`%metask chats trim story --keep 8`"),
    ],
)
def test_how_to_shorten_a_conversation(turns: int, cell: str, remedy: str) -> None:
    chats = Chats()
    for n in range(turns):
        ask(chats, "story", str(n), str(n), "text")
    said = too_long(chats, cell)
    assert remedy in said
    assert (remedy == said) == remedy.startswith("Shorten")


@pytest.mark.parametrize(("characters", "option"), [(3000, "--images"), (5000, "--keep 1")])
def test_what_a_conversation_is_mostly_made_of(characters: int, option: str) -> None:
    chats = Chats()
    ask(chats, "story", "a", "1", "x" * (characters // 2))
    chats.remember("story", CellKey("b", "2"), Message("user", (PLOT,)), reply("Nice."))
    assert f"`%metask chats trim story {option}`" in too_long(chats, "new")


@pytest.mark.parametrize(("length", "to_blame"), [(80, True), (81, False)])
def test_a_short_conversation_is_not_to_blame(length: int, to_blame: bool) -> None:
    chats = Chats()
    ask(chats, "story", "a", "1", "x" * 10)
    assert ("%metask chats" in too_long(chats, "new", "x" * length)) is to_blame


# -- %metask chats ------------------------------------------------------------------------------------


@pytest.fixture
def chats() -> Chats:
    """A conversation of three turns, the second with an image."""
    found = Chats()
    ask(found, "story", "a", "1", "first", system="Be brief.")
    user = Message("user", (TextPart("Look: "), PLOT))
    found.remember("story", CellKey("b", "2"), user, replace(reply("Nice."), requested_model="n"))
    ask(found, "story", "c", "3", "third")
    return found


def test_a_list_of_none() -> None:
    table = run(Chats(), "")
    assert isinstance(table, Table)
    assert "There are no conversations" in str(table)
    assert "-c NAME" in str(table)


def test_a_list(chats: Chats) -> None:
    ask(chats, "other", "a", "9", "x")
    table = run(chats, "")
    assert isinstance(table, Table)
    assert table.title == "2 conversations"
    assert table.rows == (
        ("story", "3", "40", "1 (2 kB)", "m, n"),
        ("other", "1", "2", "", "m"),
    )


@pytest.mark.parametrize(
    ("line", "says", "left"),
    [
        ("fork story second", "second begins with the 3 turns of story.", {"story": 3, "second": 3}),
        ("rename story second", "story is second now.", {"second": 3}),
        ("forget story", "story and its 3 turns are forgotten.", {}),
        ("trim story --keep 2", "keeps 2 of 3 turns and 1 of 1 image.", {"story": 2}),
        ("trim story --keep 1", "keeps 1 of 3 turns and 0 of 1 image.", {"story": 1}),
        ("trim story --keep 50", "keeps 3 of 3 turns", {"story": 3}),
        ("trim story --images", "keeps 3 of 3 turns and 0 of 1 image.", {"story": 3}),
        ("trim story --images --keep 2", "keeps 2 of 3 turns and 0 of 1 image.", {"story": 2}),
        ("fork 'story' \"second\"", "second begins", {"story": 3, "second": 3}),
    ],
)
def test_a_command(chats: Chats, line: str, says: str, left: dict[str, int]) -> None:
    said = run(chats, line)
    assert isinstance(said, str)
    assert says in said
    assert {found.name: len(found.turns) for found in chats} == left


UNDOABLE = [
    ("shw story", "has no command shw", "Did you mean `%metask chats show`?"),
    ("story", "has no command story", "`%metask chats show story`"),
    ("???", "has no command ???", "There are show, fork,"),
    ("show", "does not fit", "%metask chats show NAME"),
    ("show story other", "does not fit", "%metask chats show NAME"),
    ("show 'story", "never closed", "Close it"),
    ("show stroy", "There is no conversation stroy.", "Did you mean story?"),
    ("show zzz", "There is no conversation zzz.", "`%metask chats` lists"),
    ("show a/b", "cannot be the name", "Use letters"),
    ("forget stroy", "There is no conversation stroy.", "Did you mean story?"),
    ("fork stroy new", "There is no conversation stroy.", "Did you mean story?"),
    ("fork story story", "There is already a conversation story.", "Choose another name"),
    ("fork story a/b", "cannot be the name", "Use letters"),
    ("rename story story", "There is already a conversation story.", "`%metask chats forget story`"),
    ("rename story -x", "cannot be the name", "Use letters"),
    ("trim story", "does not fit", "%metask chats trim NAME --keep N"),
    ("trim story --keep", "--keep needs the number of turns", "forget story"),
    ("trim story --keep 0", "--keep needs", "forget story"),
    ("trim story --keep -1", "--keep needs", "forget story"),
    ("trim story --keep ²", "--keep needs", "forget story"),
    ("trim story --kep 1", "has no option --kep", "--keep N"),
    ("load missing.jsonl", "There is no file missing.jsonl.", "The working directory is"),
    ("load .", "is no file", "saved conversation"),
    ("save story missing/x", "cannot be written", "another path"),
    ("save stroy x", "There is no conversation stroy.", "Did you mean story?"),
]


@pytest.mark.parametrize(("line", "says", "remedy"), UNDOABLE)
def test_a_command_that_cannot_be_done(
    chats: Chats, line: str, says: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = list(chats)
    with pytest.raises(ConversationError) as caught:
        run(chats, line)
    assert says in caught.value.message
    assert remedy in caught.value.remedy
    assert list(chats) == before
    assert list(tmp_path.iterdir()) == []


def test_every_command_names_itself() -> None:
    assert all(command.usage.startswith(f"{name} ") for name, command in COMMANDS.items())


def test_saved_and_loaded(chats: Chats, tmp_path: Path) -> None:
    path = tmp_path / "my story.jsonl"
    assert "is saved with 3 turns" in str(run(chats, f"save story '{path}'"))
    with pytest.raises(ConversationError, match=r"already a conversation story.*load PATH NAME"):
        run(chats, f"load '{path}'")
    assert run(chats, f"load '{path}' again") == "again is loaded with 3 turns."
    assert chats.get("again").turns == chats.get("story").turns
    others = Chats()
    run(others, f"load '{path}'")
    assert ask(others, "story", "b", "another kernel's", "new") == ["first", "FIRST"]


def test_home_is_understood(chats: Chats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    run(chats, "save story ~/story.jsonl")
    assert run(Chats(), "load ~/story.jsonl") == "story is loaded with 3 turns."


def test_cells_that_may_be_others_by_now_are_not_replaced(tmp_path: Path) -> None:
    """VS Code numbers cells when it opens a notebook, so that a saved number can mean another cell."""
    cell = "vscode-notebook-cell:/home/me/a.ipynb#W3sZmlsZQ%3D%3D"
    first, second = Chats(), Chats()
    ask(first, "story", cell, "1", "old")
    run(first, f"save story '{tmp_path / 'x'}'")
    run(second, f"load '{tmp_path / 'x'}'")
    assert ask(second, "story", cell, "2", "new") == ["old", "OLD"]


# -- show ---------------------------------------------------------------------------------------------


def test_shown(chats: Chats) -> None:
    shown = run(chats, "show story")
    assert isinstance(shown, Transcript)
    assert str(shown) == repr(shown)
    assert str(shown).split("\n\n") == [
        "story: 3 turns",
        "1. system\nBe brief.",
        "1. user\nfirst",
        "1. m\nFIRST",
        "2. user\nLook: [image plot.png, image/png, 2 kB]",
        "2. n\nNice.",
        "3. user\nthird",
        "3. m\nTHIRD",
    ]
    messages = shown.to_messages()
    assert [message["role"] for message in messages] == ["system", *["user", "assistant"] * 3]
    assert messages[0]["content"] == "Be brief."


def test_calls_of_tools_are_shown() -> None:
    chats = Chats()
    called = Message("assistant", "", (ToolCall("c1", "f", '{"a": 1}'),))
    answer = (called, Message("tool", "42", tool_call_id="c1"), Message("assistant", "Done."))
    chats.remember("story", CellKey("a", "1"), Message("user", "Do"), Reply("", "m", "stop", messages=answer))
    shown = str(run(chats, "show story"))
    assert shown.endswith('1. m calls\nf({"a": 1})\n\n1. tool\n42\n\n1. m\nDone.')


HOSTILE = (
    "<img src=x onerror=alert(1)>\n\n```\nnever closed\n\n$\\href{javascript:alert(1)}{x}$ \x1b[2J\u202e"
)


def test_what_is_shown_can_do_no_harm() -> None:
    chats = Chats()
    user, answer = Message("user", HOSTILE), Message("assistant", HOSTILE)
    hostile = Reply("", "<script>$x$", "stop", messages=(answer,))
    chats.remember("story", CellKey("a", "1"), user, hostile, HOSTILE)
    ask(chats, "story", "b", "2", "after **it**")
    shown = run(chats, "show story")
    assert isinstance(shown, Transcript)
    page = shown._repr_mimebundle_()["text/html"]
    assert "<img" not in page
    assert "<script" not in page
    for text in (page, str(shown)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "AFTER <strong>IT</strong>" in page
    assert page.count("mathjax_ignore") == page.count("<pre class") + page.count("<p class") + 1
