"""A request to take home: a script that sends it with the official library, and needs nothing of ours."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from math import isfinite
from typing import Any, Literal, TypeVar, get_args

from ..errors import MetaskError
from ..language import _
from ..messages.kinds import JSON
from ..messages.request import Request
from ..words import listed
from .literals import (
    JAVASCRIPT,
    JSON_TEXT,
    PYTHON,
    Name,
    is_long,
    javascript_block,
    javascript_text,
    python_block,
    python_text,
)

T = TypeVar("T")

Language = Literal["python", "node", "curl"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

EMBEDDED = "local"  # the model that runs on this machine, behind an address of its own

NO_KEY = "Set METASK_API_KEY (or OPENAI_API_KEY) to the key to ask with."  # English: a script says it

# The parameters that all versions of the Python library know by name; it takes the rest in `extra_body`.
_NAMED = (
    *("model", "messages", "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens"),
    *("max_tokens", "metadata", "n", "parallel_tool_calls", "presence_penalty", "reasoning_effort"),
    *("response_format", "seed", "stop", "stream", "stream_options", "temperature", "tool_choice", "tools"),
    *("top_logprobs", "top_p", "user"),
)
_LAST = ("stream", "stream_options")
_CONSTANTS = {"system": "SYSTEM", "user": "PROMPT", "assistant": "ANSWER", "tool": "RESULT"}


class Code(str):
    """The text of a script. In a notebook it shows itself as code in its `language`."""

    language: Language

    def __new__(cls, text: str, language: Language) -> Code:
        """Mark a text as a script."""
        code = super().__new__(cls, text)
        code.language = language
        return code

    def __reduce__(self) -> tuple[type[Code], tuple[str, Language]]:
        return Code, (str(self), self.language)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))  # IPython would show it with quotes, as any string

    def to_markdown(self) -> str:
        """Return the code in a fence that it cannot close."""
        longest = max(map(len, re.findall("`+", self)), default=0)
        fence = "`" * max(3, longest + 1)
        name = {"python": "python", "node": "javascript", "curl": "bash"}[self.language]
        return f"{fence}{name}\n{self}{fence}\n"


def to_code(request: Request, base_url: str, language: str) -> Code:
    """Return a script that sends the same request to the same address, and prints the answer as it comes.

    `language` is `python` or `node` (with the official `openai` package) or `curl` (in bash). The body that
    the script sends has the same value as the request's. The script finds the key in its environment.

    Raises
    ------
    MetaskError
        There is no such language, or the request has a number that the language cannot send.

    """
    known = next((name for name in LANGUAGES if name == language), None)
    if known is None:
        raise MetaskError(
            _("There is no script in {language!r}.", language=language),
            _("The languages are {languages}.", languages=listed(LANGUAGES)),
        )
    body = json.loads(json.dumps(request.to_json()))  # tuples, enumerations: as they are sent
    _check_numbers(body, known)
    write = {"python": _to_python, "node": _to_node, "curl": _to_curl}[known]
    return Code(write(_with_streaming_last(body), base_url), known)


def without(request: Request, hide: Callable[[str], str]) -> Request:
    """Return the request with `hide` applied to every text in it: to take a key out that got into one."""
    return _hidden(request, hide)


def _hidden(value: T, hide: Callable[[str], str]) -> T:
    hidden: Any = value
    if isinstance(value, str):
        hidden = hide(value)
    elif isinstance(value, Mapping):
        hidden = {_hidden(name, hide): _hidden(item, hide) for name, item in value.items()}
    elif isinstance(value, list | tuple):
        hidden = type(value)(_hidden(item, hide) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        hidden = replace(value, **{f.name: _hidden(getattr(value, f.name), hide) for f in fields(value)})
    return hidden  # type: ignore[no-any-return]  # a value of the same kind


def _with_streaming_last(body: Mapping[str, JSON]) -> dict[str, JSON]:
    first = {name: value for name, value in body.items() if name not in _LAST}
    return first | {name: body[name] for name in _LAST if name in body}


def _check_numbers(body: JSON, language: Language) -> None:
    for number in _iter_numbers(body):
        if isinstance(number, float) and not isfinite(number):
            raise MetaskError(_("JSON has no number {number}: this request cannot be sent.", number=number))
        if language == "node" and not _is_exact_in_javascript(number):
            raise MetaskError(
                _("JavaScript has no number {number}: it would send another.", number=number),
                _("Take the script in python or curl."),
            )


def _iter_numbers(value: JSON) -> Iterator[int | float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _iter_numbers(item)
    elif isinstance(value, int | float):
        yield value


def _is_exact_in_javascript(number: float) -> bool:
    return isinstance(number, float) or abs(number) <= 2**53


class _Constants:
    """The long strings of a body, set apart under names."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def set_apart(self, value: Any, kind: str = "TEXT") -> Any:
        """Return the value with a `Name` for every long string."""
        if isinstance(value, dict):
            kind = _CONSTANTS.get(str(value.get("role")), kind) if "content" in value else kind
            return {
                name: self.set_apart(item, "IMAGE" if name == "image_url" else kind)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self.set_apart(item, kind) for item in value]
        return self._name(value, kind) if isinstance(value, str) and is_long(value) else value

    def _name(self, text: str, kind: str) -> Name:
        if text not in self.names:
            earlier = sum(name.partition("_")[0] == kind for name in self.names.values())
            self.names[text] = f"{kind}_{earlier + 1}" if earlier else kind
        return Name(self.names[text])


def _answer(
    body: Mapping[str, JSON], streamed: str, streamed_calls: str, whole: str, whole_calls: str
) -> tuple[str, str]:
    """Return the name a script gives to what it gets, and how it shows that, with its comment."""
    calls = bool(body.get("tools"))
    if body.get("stream"):
        name, show = "stream", streamed_calls if calls else streamed
    else:
        name, show = "reply", whole_calls if calls else whole
    comment = _("The functions are in the notebook: this prints the calls that the model asks for.")
    return name, show.replace("<calls>", comment)


# -- Python -----------------------------------------------------------------------------------------------

_PYTHON_HEAD = f'''\
"""{{needs}}"""

import os
import sys

from openai import OpenAI

{{constants}}api_key = os.environ.get("METASK_API_KEY") or os.environ.get("OPENAI_API_KEY")
if not api_key:
    sys.exit("{NO_KEY}")

client = OpenAI(
    base_url={{base_url}},
    api_key=api_key,
)
'''  # English: code

_PYTHON_STREAMED = """\
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
print()
"""  # English: code

_PYTHON_STREAMED_CALLS = """\
calls = {}
for chunk in stream:
    if not chunk.choices:
        continue
    delta = chunk.choices[0].delta
    if delta.content:
        print(delta.content, end="", flush=True)
    for piece in delta.tool_calls or []:
        call = calls.setdefault(piece.index, {"name": "", "arguments": ""})
        call["name"] = call["name"] or piece.function.name or ""
        call["arguments"] += piece.function.arguments or ""
print()

# <calls>
for call in calls.values():
    print(f"{call['name']}({call['arguments']})")
"""  # English: code

_PYTHON_WHOLE = """\
print(reply.choices[0].message.content or "")
"""  # English: code

_PYTHON_WHOLE_CALLS = """\
message = reply.choices[0].message
print(message.content or "")

# <calls>
for call in message.tool_calls or []:
    print(f"{call.function.name}({call.function.arguments})")
"""  # English: code


def _to_python(body: Mapping[str, JSON], base_url: str) -> str:
    constants = _Constants()
    arguments = constants.set_apart(body)
    named = {name: value for name, value in arguments.items() if name in _NAMED}
    extra = {name: value for name, value in arguments.items() if name not in _NAMED}
    if extra:
        named["extra_body"] = extra
    lines = [f"    {name}={PYTHON.lay_out(value, 4, 5 + len(name))},\n" for name, value in named.items()]
    head = _PYTHON_HEAD.format(
        needs=_("A request to a language model, written by metask-magic. It needs: pip install openai"),
        constants="".join(f"{name} = {python_block(text)}\n\n" for text, name in constants.names.items()),
        base_url=python_text(base_url),
    )
    answer, show = _answer(body, _PYTHON_STREAMED, _PYTHON_STREAMED_CALLS, _PYTHON_WHOLE, _PYTHON_WHOLE_CALLS)
    return f"{head}{answer} = client.chat.completions.create(\n{''.join(lines)})\n{show}"


# -- Node -------------------------------------------------------------------------------------------------

_NODE_HEAD = f"""\
// {{needs}}

import OpenAI from "openai";

{{constants}}const apiKey = process.env.METASK_API_KEY || process.env.OPENAI_API_KEY;
if (!apiKey) {{{{
  console.error("{NO_KEY}");
  process.exit(1);
}}}}

const client = new OpenAI({{{{
  baseURL: {{base_url}},
  apiKey,
}}}});
"""  # English: code

_NODE_STREAMED = """\
for await (const chunk of stream) {
  const text = chunk.choices?.[0]?.delta?.content;
  if (text) process.stdout.write(text);
}
console.log();
"""  # English: code

_NODE_STREAMED_CALLS = """\
const calls = new Map();
for await (const chunk of stream) {
  const delta = chunk.choices?.[0]?.delta;
  if (delta?.content) process.stdout.write(delta.content);
  for (const piece of delta?.tool_calls ?? []) {
    const call = calls.get(piece.index) ?? { name: "", arguments: "" };
    call.name ||= piece.function.name ?? "";
    call.arguments += piece.function.arguments ?? "";
    calls.set(piece.index, call);
  }
}
console.log();

// <calls>
for (const call of calls.values()) console.log(`${call.name}(${call.arguments})`);
"""  # English: code

_NODE_WHOLE = """\
console.log(reply.choices[0].message.content ?? "");
"""  # English: code

_NODE_WHOLE_CALLS = """\
const message = reply.choices[0].message;
console.log(message.content ?? "");

// <calls>
for (const call of message.tool_calls ?? []) {
  console.log(`${call.function.name}(${call.function.arguments})`);
}
"""  # English: code


def _to_node(body: Mapping[str, JSON], base_url: str) -> str:
    constants = _Constants()
    arguments = constants.set_apart(dict(body))
    head = _NODE_HEAD.format(
        needs=_("A request to a language model, written by metask-magic. It needs: npm install openai"),
        constants="".join(
            f"const {name} = {javascript_block(text)};\n\n" for text, name in constants.names.items()
        ),
        base_url=javascript_text(base_url),
    )
    answer, show = _answer(body, _NODE_STREAMED, _NODE_STREAMED_CALLS, _NODE_WHOLE, _NODE_WHOLE_CALLS)
    call = f"client.chat.completions.create({JAVASCRIPT.explode(arguments, 0)});"
    return f"{head}const {answer} = await {call}\n{show}"


# -- curl -------------------------------------------------------------------------------------------------

_CURL = f"""\
#!/usr/bin/env bash
# {{needs}}
set -euo pipefail

key="${{{{METASK_API_KEY:-${{{{OPENAI_API_KEY:-}}}}}}}}"
if [ -z "$key" ]; then
  echo "{NO_KEY}" >&2
  exit 1
fi

# {{data}}
curl --silent --show-error --no-buffer --fail-with-body --globoff \\
  --header @<(printf 'Authorization: Bearer %s\\n' "$key") \\
  --header 'Content-Type: application/json' \\
  --data @- \\
  {{url}} <<'{{end}}'
{{body}}
{{end}}
"""  # English: code


def _to_curl(body: Mapping[str, JSON], base_url: str) -> str:
    text = JSON_TEXT.explode(dict(body), 0)
    end = "EOF"
    while end in text.split("\n"):
        end += "_"
    url = shlex.quote(f"{base_url.rstrip('/')}/chat/completions")
    return _CURL.format(
        needs=_("A request to a language model, written by metask-magic. It needs curl 7.76 or newer."),
        data=_(
            "The key goes through a pipe, and so into no list of processes. --data takes the line breaks out "
            "of\n# what it reads, so that a long string can go on from line to line."
        ),
        url=url,
        body=text,
        end=end,
    )
