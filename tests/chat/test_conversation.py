"""Turns and their places: whatever is run again in whatever order, a plain list of lists agrees."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.chat.conversation import CellKey, Conversation, Turn, is_turn, iter_messages
from metask_magic.chat.reply import Reply
from metask_magic.messages.kinds import FinishReason
from metask_magic.messages.request import ImagePart, Message, TextPart, ToolCall

PLOT = ImagePart("image/png", b"1234", "plot.png")
NAMELESS = ImagePart("image/png", b"12")
CALL = ToolCall("c1", "f", '{"a": 1}')


def turn(
    cell: str, text: str = "", *, execution: str = "1", ordinal: int = 0, system: str | None = None
) -> Turn:
    said = text or cell
    return Turn(
        CellKey(cell, execution, ordinal),
        Message("user", said),
        (Message("assistant", said.upper()),),
        "m",
        system,
    )


def conversation(*turns: Turn) -> Conversation:
    found = Conversation("story")
    for each in turns:
        found = found.with_turn(each)
    return found


def said(found: Conversation | tuple[Turn, ...]) -> list[str]:
    turns = found.turns if isinstance(found, Conversation) else found
    return [each.user.text for each in turns]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([], []),
        ([turn("a"), turn("b")], ["a", "b"]),
        ([turn("a"), turn("b"), turn("a", "new", execution="2")], ["new", "b"]),
        ([turn("a"), turn("b"), turn("b", "new", execution="2")], ["a", "new"]),
        ([turn(""), turn("", execution="2"), turn("", execution="2", ordinal=1)], ["", "", ""]),
        ([turn("a"), turn("a", "a1", ordinal=1), turn("b")], ["a", "a1", "b"]),
        (
            [turn("a"), turn("a", "a1", ordinal=1), turn("b"), turn("a", "new", execution="2")],
            ["new", "b"],
        ),
        (
            [
                turn("a"),
                turn("b"),
                turn("a", "new", execution="2"),
                turn("a", "more", execution="2", ordinal=1),
            ],
            ["new", "more", "b"],
        ),
        (
            [turn("a"), turn("b"), turn("a", "more", execution="2", ordinal=1)],
            ["a", "more", "b"],
        ),
        (
            [turn("a", "late", ordinal=1), turn("b"), turn("a", "first", execution="1")],
            ["first", "late", "b"],
        ),
        (
            [turn("a", "late", ordinal=1), turn("b"), turn("a", "first", execution="2")],
            ["first", "b"],
        ),
    ],
    ids=[
        "none",
        "two cells",
        "the first again",
        "the last again",
        "without an id each asks anew",
        "two questions of a cell",
        "it asks fewer than before",
        "it asks more than before",
        "its first question failed this time",
        "its first question is answered later",
        "its first question is answered in another run",
    ],
)
def test_places(turns: list[Turn], expected: list[str]) -> None:
    assert said(conversation(*turns)) == expected


@pytest.mark.parametrize(
    ("key", "before"),
    [
        (CellKey("a", "2"), []),
        (CellKey("a", "2", 1), ["a"]),
        (CellKey("a", "2", 2), ["a", "a1"]),
        (CellKey("b", "2"), ["a", "a1"]),
        (CellKey("b", "2", 1), ["a", "a1", "b"]),
        (CellKey("new", "2"), ["a", "a1", "b", "c"]),
        (CellKey("", "2"), ["a", "a1", "b", "c"]),
    ],
)
def test_the_context_of_a_question(key: CellKey, before: list[str]) -> None:
    found = conversation(turn("a"), turn("a", "a1", ordinal=1), turn("b"), turn("c"))
    assert said(found.before(key)) == before


CELLS = ("a", "b", "c", "")
# An execution of a cell: whether each of its questions, in order, was answered.
EXECUTIONS = st.lists(st.tuples(st.sampled_from(CELLS), st.lists(st.booleans(), max_size=3)), max_size=12)


class Reference:
    """What must come of it, told the long way: a place for each cell, in it an answer for each ordinal."""

    def __init__(self) -> None:
        self.places: list[tuple[str, dict[int, tuple[int, str]]]] = []

    def _answers(self, cell: str) -> dict[int, tuple[int, str]] | None:
        return next((answers for known, answers in self.places if cell and known == cell), None)

    def before(self, cell: str, ordinal: int) -> list[str]:
        found: list[str] = []
        for known, answers in self.places:
            own = bool(cell) and known == cell
            found += [text for n, (_, text) in sorted(answers.items()) if not own or n < ordinal]
            if own:
                break
        return found

    def answered(self, cell: str, execution: int, ordinal: int, text: str) -> None:
        answers = self._answers(cell)
        if answers is None:
            answers = {}
            self.places.append((cell, answers))
        for later in [n for n, (run, _) in answers.items() if n > ordinal and run != execution]:
            del answers[later]
        answers[ordinal] = (execution, text)

    @property
    def said(self) -> list[str]:
        return [text for _, answers in self.places for _, (_, text) in sorted(answers.items())]


@given(EXECUTIONS)
def test_any_order_of_executions(executions: list[tuple[str, list[bool]]]) -> None:
    found, reference = Conversation("story"), Reference()
    for execution, (cell, questions) in enumerate(executions):
        for ordinal, succeeds in enumerate(questions):
            key = CellKey(cell, str(execution), ordinal)
            assert said(found.before(key)) == reference.before(cell, ordinal)
            if succeeds:
                text = f"{cell}{execution}.{ordinal}"
                found = found.with_turn(turn(cell, text, execution=str(execution), ordinal=ordinal))
                reference.answered(cell, execution, ordinal, text)
            assert said(found) == reference.said


@pytest.mark.parametrize(
    ("key", "own", "system"),
    [
        (CellKey("a", "2"), None, None),
        (CellKey("b", "2"), None, None),
        (CellKey("b", "2"), "Own.", "Own."),
        (CellKey("b", "2"), "", ""),
        (CellKey("c", "2"), None, "Be brief."),
        (CellKey("d", "2"), None, "Be brief."),
        (CellKey("new", "2"), None, ""),
    ],
    ids=["before it", "its own is gone", "its own", "its own, empty", "after it", "replaced by", "the last"],
)
def test_the_system_message_in_force(key: CellKey, own: str | None, system: str | None) -> None:
    found = conversation(turn("a"), turn("b", system="Be brief."), turn("c"), turn("d", system=""))
    assert found.system_for(key, own) == system


@pytest.mark.parametrize(
    ("keep", "kept", "systems"),
    [
        (1, ["c"], ["S"]),
        (2, ["b", "c"], ["S", None]),
        (3, ["a", "b", "c"], ["S", None, None]),
        (9, ["a", "b", "c"], ["S", None, None]),
    ],
)
def test_trimmed_with_its_system_message(keep: int, kept: list[str], systems: list[str | None]) -> None:
    found = conversation(turn("a", system="S"), turn("b"), turn("c")).trimmed(keep)
    assert said(found) == kept
    assert [each.system for each in found.turns] == systems


def test_trimming_nothing() -> None:
    assert Conversation("story").trimmed(2) == Conversation("story")


def test_images_are_taken_out_with_a_note() -> None:
    user = Message("user", (TextPart("Look: "), PLOT, TextPart(" and "), NAMELESS))
    answer = (Message("tool", (PLOT,), tool_call_id="c1"), Message("assistant", "Nice."))
    seen = replace(turn("a"), user=user, answer=answer)
    assert (seen.images, seen.characters) == ((PLOT, NAMELESS, PLOT), 16)
    (blind,) = Conversation("story", (seen,)).without_images().turns
    assert blind.user.content == "Look: [image plot.png was taken out] and [image was taken out]"
    assert blind.answer == (replace(answer[0], content="[image plot.png was taken out]"), answer[1])
    assert blind.key == seen.key


def test_characters_count_all_that_is_sent() -> None:
    called = (Message("assistant", "", (CALL,)), Message("tool", "1", tool_call_id="c1"))
    found = replace(turn("ab", system="S"), answer=(*called, Message("assistant", "Done")))
    assert found.characters == 2 + len(CALL.arguments) + 1 + 4 + 1


def test_messages_for_the_api() -> None:
    found = conversation(turn("a", system="S"), turn("b"))
    assert found.to_messages() == [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "A"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": "B"},
    ]
    assert len(list(iter_messages(found.turns))) == 4


def test_a_new_name_for_the_same_turns() -> None:
    found = conversation(turn("a"))
    assert found.renamed("other") == Conversation("other", found.turns)


def reply(reason: FinishReason, *messages: Message) -> Reply:
    return Reply("text", "m", reason, messages=messages or (Message("assistant", "text"),))


ANSWERED = (Message("assistant", "", (CALL,)), Message("tool", "1", tool_call_id="c1"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply("stop"), True),
        (reply("length"), True),
        (reply("content_filter"), True),
        (reply("interrupted"), False),
        (reply("incomplete"), False),
        (reply("error"), False),
        (reply("stop", *ANSWERED, Message("assistant", "Done")), True),
        (reply("tool_calls", *ANSWERED, Message("assistant", "Done", (CALL,))), True),
        (reply("tool_calls", Message("assistant", "Let me see.", (CALL,))), False),
        (reply("tool_calls", Message("assistant", "", (CALL,))), False),
        (reply("length", Message("assistant", "")), False),
        (Reply("text", "m", "stop"), False),
    ],
)
def test_what_takes_its_turn(answer: Reply, expected: bool) -> None:
    assert is_turn(answer) is expected
