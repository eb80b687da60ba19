"""What the rows of a table would come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from metask_magic.chat.reply import Reply
from metask_magic.errors import MetaskError, OptionError, PromptError
from metask_magic.language import choose
from metask_magic.messages.request import Request
from metask_magic.table.opening import open_rows
from metask_magic.table.preview import Tally, preview
from metask_magic.table.requests import RowRequests, TablePrompt

from ..english import english_sentences


class Known:
    """A journal that knows the answer to one prompt."""

    def find(self, request: Request) -> Reply | None:
        return Reply("", "m", "stop") if request.messages[-1].text == "known" else None

    def put(self, answered: Sequence[tuple[Request, Reply]]) -> None:
        raise AssertionError("nothing is asked")

    def flush(self) -> None:
        raise AssertionError("nothing is asked")


ROWS = [{"a": "x"}, {"a": "x"}, {"a": "known"}, {"a": "y"}, {"a": 0}]
TEXT = "{% if a == 0 %}{{ 1 / a }}{% endif %}{{ a }}"


def requests(text: str = TEXT, rows: Any = ROWS) -> RowRequests:
    return RowRequests(open_rows(rows, "df"), TablePrompt("m", text, "", {}), "df")


def test_a_table_in_short() -> None:
    table = preview(requests(), 5, Known(), "m")
    assert table.title == "Not sent: m"
    assert table.rows == (("row 0", "x"), ("row 2", "known"))
    assert table.note == (
        "5 rows: 2 requests to send; 1 like another row; 1 answered before; 1 whose prompt fails; "
        "about 0 tokens, estimated from 2 characters"
    )


def test_a_table_in_short_in_chinese() -> None:
    choose("zh")
    table = preview(requests(), 5, Known(), "m")
    assert (table.title, table.rows) == ("未发送：m", (("第 0 行", "x"), ("第 2 行", "known")))
    assert table.note == (
        "5 行：要发送 2 个请求；1 行与其他行相同；1 行以前回答过；1 行的提示词出错；"
        "约 0 个 token（按 2 个字符估算）"
    )
    assert (
        Tally(characters=4000, images=2).estimate == "约 1,000 个 token（按 4,000 个字符估算），不含 2 张图片"
    )


def test_an_estimate() -> None:
    assert Tally(characters=4000).estimate == "about 1,000 tokens, estimated from 4,000 characters"
    assert Tally(images=1).estimate.endswith(" characters, without 1 image")
    assert Tally(images=2).estimate.endswith(" characters, without 2 images")


@pytest.mark.parametrize(
    ("text", "rows", "says"),
    [
        ("always", ROWS, "提示词中没有用到 df 的内容"),
        ("{{ row.a }}{{ 1 / 0 }}", ROWS, "这是第 0 行；什么都没有发送。"),
        ("{{ a }}", [{"a": ""}], "提示词是空的。"),
        ("{{ row.b }}", ROWS, "表格没有 b 列"),
        ("{{ row.ab }}", [{"abc": 1}], "表格没有 ab 列（是不是想用 abc？）"),
    ],
)
def test_prompts_that_fail_in_chinese(text: str, rows: list[dict[str, Any]], says: str) -> None:
    choose("zh")
    with pytest.raises(PromptError) as caught:
        preview(requests(text, rows), len(rows), Known(), "m")
    assert says in str(caught.value)


def test_rows_that_can_be_read_only_once() -> None:
    choose("zh")
    with pytest.raises(OptionError) as caught:
        preview(requests("{{ a }}", iter(ROWS)), None, Known(), "m")
    assert isinstance(caught.value, MetaskError)
    assert english_sentences(str(caught.value)) == []
