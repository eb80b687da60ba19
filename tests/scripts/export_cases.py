"""The requests that exported scripts are tried with, and texts that break careless quoting."""

from __future__ import annotations

from metask_magic.messages.kinds import JSON
from metask_magic.messages.request import ImagePart, Message, Request, TextPart, ToolCall

WEATHER: dict[str, JSON] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather of a place, in a few words.\nThe place is the name of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "__proto__": {"type": "string", "default": "x"}},
            "required": ["city"],
        },
    },
}
SCHEMA: dict[str, JSON] = {
    "type": "json_schema",
    "json_schema": {
        "name": "Person",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "the age": {"type": ["integer", "null"]}},
            "required": ["name", "the age"],
            "additionalProperties": False,
        },
    },
}

HOSTILE = (
    "",
    " ",
    "\n",
    "\n\n",
    "a\n",
    "\na",
    "a\nb",
    "a\nb\n",
    "a \nb\t\nc  ",
    "\\",
    "a\nb\\",
    "\\n is no line end\nbut this is",
    "a\\\nb",
    '"',
    "'",
    "\"'",
    '"""',
    "'''",
    'a\nb"',
    'a\nb\\"',
    'a\nb""',
    'a\nb"""',
    'a\n""""""b""""',
    "a\n'''b'''",
    "`",
    "a\n`b`",
    "${x}",
    "a\n${x} $${y} \\${z} $",
    "a\n{x} {{y}} %s %(a)s",
    "#{x} <%= y %>",
    "$HOME $(date) `date` !! !a\n$KEY",
    "EOF",
    "a\nEOF\nb",
    "EOF\n" * 3,
    "\r",
    "a\r\nb\rc",
    "a\x00b\x001",
    "a\n\x00\x01\x0b\x0c\x1b[31m\x7f\x85",
    "\ufeffa",
    "a\u2028b\u2029c",
    "a\u202eb\u2066c\u200b\xa0d\xad",
    "𝒳 😀 👨‍👩‍👧 中文 العربية é e\u0301",
    "a\n😀\U000e0001",
    "\ud800",
    "\udc00 a\nb \udfff",
    "__proto__",
    "</script>",
    '*/ // # """',
    r"\u0041 \x41 \101 \N{BULLET} \U0001F600",
    "word " * 100,
    " " * 200,
    "x" * 300,
    "\\" * 200,
    '"' * 200,
    "$" * 90 + "{" * 90,
    "\n".join(["def f(x):", "    return x", "", "  " + "y = 1  # " * 30]),
    "漢字" * 100,
    "😀" * 100,
)
"""Texts, each of which means something else in some language."""

HELLO = Message("user", "Hello!")
PICTURE = ImagePart("image/png", bytes(range(256)) * 40, "plot.png")


def asking(text: str) -> Request:
    """Return a request with the text wherever a text can be."""
    return Request(
        "gpt-4o-mini",
        (Message("system", text), Message("user", (TextPart(text), PICTURE, TextPart(text)))),
        {"stop": [text, "END"], "metadata": {"a": text}},
    )


CASES = {
    "hello": Request("gpt-4o-mini", (HELLO,)),
    "whole": Request("gpt-4o-mini", (HELLO,), stream=False),
    "known parameters": Request(
        "gpt-4o-mini",
        (Message("system", "Be brief."), HELLO),
        {"temperature": 0.5, "max_tokens": 10, "top_p": 1.0, "seed": 2**53, "stop": None, "logprobs": True},
    ),
    "unknown parameters": Request(
        "gpt-4o-mini",
        (HELLO,),
        {"top_k": 3, "timeout": 5, "extra_body": {"a": [1.5e-7, {}]}, "class": [], "a b": -1, "": False},
        stream=False,
    ),
    "picture": Request("gpt-4o-mini", (Message("user", (TextPart("What is it?"), PICTURE)),)),
    "two pictures": Request(
        "gpt-4o-mini",
        (
            Message(
                "user", (PICTURE, TextPart("Which?\nSay it."), ImagePart("image/jpeg", b"\xff\xd8" * 99))
            ),
            Message("assistant", "The first.\n\nNot the second."),
            Message("user", (TextPart("Which?\nSay it."), PICTURE)),
        ),
    ),
    "schema": Request("gpt-4o-mini", (HELLO,), response_format=SCHEMA),
    "tools": Request("gpt-4o-mini", (HELLO,), {"tool_choice": "auto"}, tools=(WEATHER,)),
    "whole with tools": Request("gpt-4o-mini", (HELLO,), stream=False, tools=(WEATHER, WEATHER)),
    "turns with tools": Request(
        "gpt-4o-mini",
        (
            HELLO,
            Message("assistant", "", (ToolCall("c1", "get_weather", '{"city": "Ōsaka \\"x\\""}'),)),
            Message("tool", "Rain.\n" * 30, tool_call_id="c1"),
        ),
        tools=(WEATHER,),
    ),
}
