"""Several replies as one value."""

from __future__ import annotations

import pytest

from metask_magic.chat.replies import Replies, distinct
from metask_magic.chat.reply import Reply
from metask_magic.language import choose


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], []),
        (["a", "b"], ["a", "b"]),
        (["a", "a", "b", "a"], ["a", "a (2)", "b", "a (3)"]),
    ],
)
def test_names_are_told_apart(names: list[str], told: list[str]) -> None:
    assert distinct(names) == told


def test_a_mapping_in_the_order_asked() -> None:
    replies = Replies([Reply("1", "b", "stop"), Reply("2", "a", "error"), Reply("3", "b", "stop")])
    assert list(replies) == ["b", "a", "b (2)"]
    assert [reply.text for reply in replies.values()] == ["1", "2", "3"]
    assert (len(replies), replies["a"].text, "c" in replies) == (3, "2", False)
    assert str(replies) == "b:\n1\n\na:\n2\n\nb (2):\n3"
    assert repr(replies) == "<Replies from b: stop, a: error, b (2): stop>"
    assert [record.model for record in replies.to_records()] == ["b", "a", "b (2)"]
    choose("zh")
    assert repr(replies) == "<多个回复：b: stop、a: error、b (2): stop>"
