"""Cells that take part in a conversation, through a real kernel: what exactly the gateway is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from metask_magic.chat.conversation import CellKey, Conversation, Turn
from metask_magic.chat.conversation_file import save
from metask_magic.messages.request import ImagePart, Message, TextPart

from ..gateway_server import CUT, Gate, GatewayServer, Page, Streamed, error_body, server_error
from ..kernel import Execution, Kernel
from .conftest import value


@pytest.fixture
def chatting(asking: Kernel) -> Iterator[Kernel]:
    """A kernel without any conversation, at the end too."""
    yield asking
    asking.run("%unload_ext metask_magic")


def ask(kernel: Kernel, cell: str | None, prompt: str, options: str = "-c story") -> Execution:
    """Run a cell of a notebook, or one without an id."""
    metadata = {"cellId": cell} if cell else None
    return kernel.run(f"%%metask gpt-4o-mini {options} --quiet\n{prompt}", metadata=metadata)


def sent(gateway: GatewayServer) -> list[str]:
    """The last request's messages, as `role: text`."""
    return [f"{message['role']}: {message['content']}" for message in gateway.last.json["messages"]]


def turns(*prompts: str) -> list[str]:
    """The messages of turns the gateway answered with their prompts."""
    return [line for prompt in prompts for line in (f"user: {prompt}", f"assistant: {prompt}")]


def test_each_cell_has_those_before_it_as_context(chatting: Kernel, gateway: GatewayServer) -> None:
    ask(chatting, "a", "one")
    assert sent(gateway) == ["user: one"]
    ask(chatting, "b", "two")
    assert sent(gateway) == [*turns("one"), "user: two"]
    ask(chatting, "c", "three")
    assert sent(gateway) == [*turns("one", "two"), "user: three"]


def test_a_cell_run_again_replaces_its_own_turn_and_nothing_else(
    chatting: Kernel, gateway: GatewayServer
) -> None:
    for cell, prompt in (("a", "one"), ("b", "two"), ("c", "three")):
        ask(chatting, cell, prompt)
    ask(chatting, "b", "TWO")
    assert sent(gateway) == [*turns("one"), "user: TWO"]
    ask(chatting, "a", "ONE")
    assert sent(gateway) == ["user: ONE"]
    ask(chatting, "d", "four")
    assert sent(gateway) == [*turns("ONE", "TWO", "three"), "user: four"]


def test_cells_without_an_id_ask_anew(chatting: Kernel, gateway: GatewayServer) -> None:
    ask(chatting, None, "one")
    ask(chatting, None, "one")
    assert sent(gateway) == [*turns("one"), "user: one"]


def test_a_loop_of_questions_is_replaced_as_a_whole(chatting: Kernel, gateway: GatewayServer) -> None:
    def run(*prompts: str) -> None:
        lines = [f"reply = %metask -c story --quiet gpt-4o-mini {prompt}" for prompt in prompts]
        chatting.run("\n".join(lines), metadata={"cellId": "loop"})

    run("one", "two", "three")
    assert sent(gateway) == [*turns("one", "two"), "user: three"]
    ask(chatting, "after", "last")
    run("ONE", "TWO")
    assert sent(gateway) == [*turns("ONE"), "user: TWO"]
    ask(chatting, "new", "new")
    assert sent(gateway) == [*turns("ONE", "TWO", "last"), "user: new"]


def test_a_cell_stands_alone_and_conversations_apart(chatting: Kernel, gateway: GatewayServer) -> None:
    ask(chatting, "a", "one")
    ask(chatting, "b", "alone", options="")
    assert sent(gateway) == ["user: alone"]
    ask(chatting, "a", "elsewhere", options="-c other")
    assert sent(gateway) == ["user: elsewhere"]
    ask(chatting, "c", "two")
    assert sent(gateway) == [*turns("one"), "user: two"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (server_error(), "ServerError"),
        (Streamed(["half", CUT]), "StreamCutError"),
        (Streamed(["half"], finish_reason=None, done=False), None),
    ],
    ids=["failed", "cut off", "incomplete"],
)
def test_what_is_not_whole_does_not_enter(
    chatting: Kernel, gateway: GatewayServer, answer: Any, error: str | None
) -> None:
    chatting.run("%config Metask.max_retries = 0")
    ask(chatting, "a", "one")
    for cell in ("a", "b"):
        gateway.script(answer)
        assert (ask(chatting, cell, "broken").error or {}).get("ename") == error
    ask(chatting, "c", "two")
    assert sent(gateway) == [*turns("one"), "user: two"]


def test_an_interrupted_turn_does_not_enter(chatting: Kernel, gateway: GatewayServer) -> None:
    ask(chatting, "a", "one")
    gate = Gate()
    gateway.script(Streamed(["half", gate, " and half"]))
    cell = chatting.start_run("%%metask gpt-4o-mini -c story --quiet\nagain", metadata={"cellId": "a"})
    assert gate.reached.wait(30)
    chatting.interrupt()
    assert (cell.finish().error or {})["ename"] == "Interrupted"
    gate.open()
    ask(chatting, "b", "two")
    assert sent(gateway) == [*turns("one"), "user: two"]


def test_a_reply_cut_at_its_longest_enters(chatting: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["as far as"], finish_reason="length"))
    ask(chatting, "a", "one")
    ask(chatting, "b", "go on")
    assert sent(gateway) == ["user: one", "assistant: as far as", "user: go on"]


def test_a_dry_run_shows_the_context_and_does_not_enter(chatting: Kernel, gateway: GatewayServer) -> None:
    ask(chatting, "a", "one")
    shown = ask(chatting, "b", "dry", options="-c story --dry-run").displays[0]["data"]["text/plain"]
    body, _ = json.JSONDecoder().raw_decode(shown.partition("\n")[2])
    assert [message["content"] for message in body["messages"]] == ["one", "one", "dry"]
    ask(chatting, "c", "two")
    assert sent(gateway) == [*turns("one"), "user: two"]


def test_a_system_message_holds_for_later_cells(chatting: Kernel, gateway: GatewayServer) -> None:
    chatting.run("%config Metask.system = 'Setting.'\nhow = 'brief'")
    ask(chatting, "a", "one")
    assert sent(gateway) == ["system: Setting.", "user: one"]
    ask(chatting, "b", "two", options="-c story -s 'Be {{ how }}.'")
    assert sent(gateway) == ["system: Be brief.", *turns("one"), "user: two"]
    chatting.run("how = 'long'")
    ask(chatting, "c", "three")
    assert sent(gateway) == ["system: Be brief.", *turns("one", "two"), "user: three"]
    ask(chatting, "d", "four", options="-c story -s ''")
    assert sent(gateway) == [*turns("one", "two", "three"), "user: four"]
    ask(chatting, "a", "one")
    assert sent(gateway) == ["system: Setting.", "user: one"]
    chatting.run("%config Metask.system = ''")


def test_images_are_sent_again(chatting: Kernel, gateway: GatewayServer) -> None:
    user = Message("user", (TextPart("Look: "), ImagePart("image/png", b"\x89PNG", "plot.png")))
    turn = Turn(CellKey("a", "another kernel's"), user, (Message("assistant", "Nice."),), "gpt-4o-mini")
    save(Conversation("story", (turn,)), chatting.cwd / "story.jsonl")
    chatting.run("%metask chats load story.jsonl")
    ask(chatting, "b", "What was it?")
    assert gateway.last.json["messages"] == [
        user.to_json(),
        {"role": "assistant", "content": "Nice."},
        {"role": "user", "content": "What was it?"},
    ]
    chatting.run("%metask chats trim story --images")
    ask(chatting, "c", "And now?")
    assert sent(gateway)[0] == "user: Look: [image plot.png was taken out]"
    ask(chatting, "a", "replaced")
    assert sent(gateway) == ["user: replaced"]


def test_a_prompt_that_grew_too_long(chatting: Kernel, gateway: GatewayServer) -> None:
    said = "This model's maximum context length is 10 tokens."
    for cell in "abcd":
        ask(chatting, cell, f"from {cell}")
    gateway.script(Page(error_body(said, code="context_length_exceeded"), 400))
    failed = ask(chatting, "e", "too much").error or {}
    assert failed["ename"] == "ContextLengthError"
    assert said in failed["evalue"]
    assert "`%metask chats trim story --keep 2`" in failed["evalue"]
    assert "2 of 4 turns" in chatting.run("%metask chats trim story --keep 2").text()
    ask(chatting, "e", "enough")
    assert sent(gateway) == [*turns("from c", "from d"), "user: enough"]


def test_the_command(chatting: Kernel, gateway: GatewayServer) -> None:
    assert "no conversations" in chatting.run("%metask chats").displays[0]["data"]["text/plain"]
    ask(chatting, "a", "one")
    listed = chatting.run("%metask chats").displays[0]["data"]["text/plain"]
    assert listed.splitlines()[2].split() == ["story", "1", "6", "gpt-4o-mini"]
    assert "user\none" in chatting.run("%metask chats show story").displays[0]["data"]["text/plain"]
    chatting.run("story = %metask chats show story")
    messages = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "one"}]
    assert value(chatting, "story.to_messages()") == repr(messages)
    chatting.run("%metask chats fork story other")
    ask(chatting, "a", "ONE", options="-c other")
    ask(chatting, "b", "two")
    assert sent(gateway) == [*turns("one"), "user: two"]
    taken = chatting.run("%metask chats rename other story").error or {}
    assert taken["ename"] == "ConversationError"
    assert taken["evalue"].startswith("There is already a conversation story.")
    assert (chatting.run("%metask chats fork stroy x").error or {})["ename"] == "ConversationError"
    assert (ask(chatting, "a", "one", options="-c a/b").error or {})["ename"] == "ConversationError"
