"""Requests for the rows of a made-up table."""

from __future__ import annotations

from metask_magic.messages.request import Message, Request


def request(text: str) -> Request:
    return Request("gpt-4o-mini", (Message("user", text),), stream=False)


def requests(count: int) -> list[Request]:
    return [request(f"row {number}") for number in range(count)]
