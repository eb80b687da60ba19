"""The closed sets of words that requests and replies are described by."""

from __future__ import annotations

from typing import Literal, TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

Role = Literal["system", "user", "assistant", "tool"]

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "interrupted", "incomplete", "error"]

Format = Literal["markdown", "text", "code", "json", "html", "math"]
"""What a reply's text is, and so how it is shown."""
