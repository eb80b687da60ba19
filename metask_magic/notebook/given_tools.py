"""The tools that a cell names with `-T`: functions of the notebook, and what servers have."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import OptionError, ToolError
from ..language import N_, _
from ..mcp.toolbox import Toolbox
from ..prompt.values import to_text
from ..tools.offered import OfferedTool
from ..tools.tool import Tool
from .names import look_up

MOST_TOOLS = 40
"""How many tools a model may be offered without a word; with more it often takes the wrong one."""


def find_tools(
    words: Sequence[str], namespace: Mapping[str, Any], toolbox: Toolbox
) -> tuple[OfferedTool, ...]:
    """Return what the words of `-T` name.

    Raises
    ------
    OptionError
        A word names nothing, or a function and a server both.
    ToolError
        A function cannot be a tool, or two tools would have the same name.
    ToolServerError
        A server cannot be started or reached.

    """
    tools: dict[object, OfferedTool] = {}
    for word in dict.fromkeys(words):
        for tool in _iter_named(word, namespace, toolbox):
            tools[_identity(tool)] = tool  # of a server and one of its tools, the tool once
    found = tuple(tools.values())
    _check_names(found)
    if len(found) > MOST_TOOLS:
        print(
            _(
                "The model is offered {number} tools; with more than {most} many take the wrong one, or "
                "none. Name those that it needs: -T SERVER.TOOL",
                number=len(found),
                most=MOST_TOOLS,
            ),
            file=sys.stderr,
        )
    return found


def _iter_named(word: str, namespace: Mapping[str, Any], toolbox: Toolbox) -> Iterator[OfferedTool]:
    if not toolbox.has(word):
        function = look_up(word, namespace, N_("tool"), callable)
        yield Tool.from_function(function, word.replace(".", "_"), to_text)
        return
    first = word.partition(".")[0]
    if _is_function(word, namespace):
        raise OptionError(
            _(
                "`{word}` is a function of the notebook, and the server {server} has that name too.",
                word=word,
                server=first,
            ),
            _("Rename the function, or add the server under another name."),
        )
    yield from toolbox.tools(word)


def _is_function(word: str, namespace: Mapping[str, Any]) -> bool:
    value = namespace.get(word.partition(".")[0])
    for attribute in word.split(".")[1:]:
        value = getattr(value, attribute, None)
    return callable(value)


def _identity(tool: OfferedTool) -> object:
    declared = getattr(tool, "declared", None)
    return (tool.name, declared.name) if declared is not None else (tool.name, "")


def _check_names(tools: Sequence[OfferedTool]) -> None:
    name, times = Counter(tool.name for tool in tools).most_common(1)[0] if tools else ("", 0)
    if times > 1:
        raise ToolError(
            _(
                "{number} tools would be called {name}, and a model could not tell them apart.",
                number=times,
                name=name,
            ),
            _("Rename one of them, or name the others alone with -T."),
        )
