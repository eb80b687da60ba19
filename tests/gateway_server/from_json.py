"""Scripts as JSON, for a server that runs as a process of its own (benchmarks, browser tests).

A script is a list of answers. An answer with `parts` is a `Streamed`, one with `status` or `body` a `Page`;
their fields have the dataclasses' names. A part is a string or an object with one of these keys:
`reasoning`, `tool_call`, `delta`, `chunk`, `event`, `comment`, `fault` (`stall`, `cut`, `reset`), or
`repeat`: `{"repeat": 10000, "text": "word "}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .answers import Answer, Chunk, Comment, Delta, Event, Fault, Page, Part, Reasoning, Streamed, ToolCall


def read_answers(script: Sequence[Mapping[str, Any]]) -> list[Answer]:
    return [_read_answer(answer) for answer in script]


def _read_answer(answer: Mapping[str, Any]) -> Answer:
    if "parts" not in answer:
        return Page(**answer)
    parts = [part for source in answer["parts"] for part in _iter_parts(source)]
    return Streamed(**{**answer, "parts": parts})


def _iter_parts(source: str | Mapping[str, Any]) -> Iterator[Part]:
    match source:
        case str():
            yield source
        case {"repeat": int(times), "text": str(text)}:
            yield from [text] * times
        case {"reasoning": str(text)}:
            yield Reasoning(text)
        case {"tool_call": call}:
            yield ToolCall(**call)
        case {"delta": fields}:
            yield Delta(fields)
        case {"chunk": fields}:
            yield Chunk(fields)
        case {"event": data}:
            yield Event(data)
        case {"comment": str(text)}:
            yield Comment(text)
        case {"fault": fault}:
            yield Fault(fault)
        case _:
            raise ValueError(f"no part of an answer: {source!r}")
