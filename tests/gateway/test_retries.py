"""What the waiting user is told."""

from __future__ import annotations

import pytest

from metask_magic.errors import ConnectionFailedError, MetaskError, RateLimitError, ServerError
from metask_magic.gateway.retries import waiting
from metask_magic.language import Language, choose

ERRORS = {"limited": RateLimitError("x"), "failed": ServerError("x"), "lost": ConnectionFailedError("x")}
SAID: list[tuple[Language, str, str]] = [
    ("en", "limited", "Rate limited: trying again in 1.5 s (1 of 2)."),
    ("en", "failed", "The gateway failed: trying again in 1.5 s (1 of 2)."),
    ("en", "lost", "The connection failed: trying again in 1.5 s (1 of 2)."),
    ("zh", "limited", "请求受到限速：1.5 s 后重试（第 1 次，共 2 次）。"),
    ("zh", "failed", "网关出错：1.5 s 后重试（第 1 次，共 2 次）。"),
    ("zh", "lost", "连接失败：1.5 s 后重试（第 1 次，共 2 次）。"),
]


@pytest.mark.parametrize(("language", "error", "said"), SAID)
def test_waiting(language: Language, error: str, said: str) -> None:
    choose(language)
    failed: MetaskError = ERRORS[error]
    assert waiting(failed, 1.5, 1, 2).text == said
