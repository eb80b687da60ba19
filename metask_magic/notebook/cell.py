"""A cell, read: everything of its request but the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import PromptError
from ..language import _
from ..mcp.toolbox import Toolbox
from ..messages.kinds import JSON
from ..messages.request import Content, Message, Part, TextPart, join_parts, parts_of
from ..prompt.attachments import attach, compose
from ..prompt.draft import Draft
from ..prompt.template import render, render_parts
from ..settings import Metask
from .given_tools import find_tools
from .options import CellOptions
from .parameters import override
from .schemas import find_schema, format_of


def read_cell(
    options: CellOptions, text: str, settings: Metask, namespace: Mapping[str, Any], toolbox: Toolbox
) -> Draft:
    """Return what a cell's options and text say; what servers have is in the `toolbox`.

    Raises
    ------
    PromptError
        The prompt is empty or cannot be filled in, or something cannot be attached to it.
    OptionError, SchemaError, ToolError
        A name of the options stands for nothing that can be used so.
    ToolServerError
        A server cannot be started or reached.

    """
    system = options.system
    if system is not None and not options.raw:
        system = render(system, namespace)
    opening, user = _messages(options, text, namespace, toolbox)
    return Draft(
        user,
        system,
        params_of(options, settings),
        options.stream,
        format_of(options),
        find_schema(options, namespace),
        find_tools(options.tools, namespace, toolbox),
        options.confirm,
        opening,
    )


def _messages(
    options: CellOptions, text: str, namespace: Mapping[str, Any], toolbox: Toolbox
) -> tuple[tuple[Message, ...], Message]:
    """Return what the cell says: the messages of a server's prompt that stand before, and the user's."""
    if options.prompt is None:
        return (), Message("user", _content(options, text, namespace, toolbox))
    filled = {
        name: value if options.raw else render(value, namespace)
        for name, value in options.prompt_arguments.items()
    }
    *opening, last = toolbox.prompt(options.prompt, filled)
    if last.role != "user":
        opening, last = [*opening, last], Message("user", "")
    said = [*parts_of(last)]
    if text.strip() or options.attach:
        own = [*parts_of(Message("user", _content(options, text, namespace, toolbox)))]
        said = [*said, TextPart("\n\n"), *own] if last.text or last.images else own
    return tuple(opening), Message("user", _written(join_parts(said)))


def _content(options: CellOptions, text: str, namespace: Mapping[str, Any], toolbox: Toolbox) -> Content:
    prompt = (TextPart(text),) if options.raw else render_parts(text, namespace)
    return _written(compose(prompt, attached(options.attach, namespace, toolbox)))


def attached(words: Sequence[str], namespace: Mapping[str, Any], toolbox: Toolbox) -> tuple[Part, ...]:
    """Return what the words of `-a` stand for: variables, files, resources of servers."""
    parts: list[Part] = []
    for what in words:
        parts += toolbox.attach(what) if toolbox.holds(what) else attach(what, namespace)
    return tuple(parts)


def _written(content: Content) -> Content:
    if isinstance(content, str) and not content.strip():
        raise PromptError(_("The prompt is empty."), _("Write it below the %%metask line."))
    return content


def params_of(options: CellOptions, settings: Metask) -> dict[str, JSON]:
    """Return the parameters of a cell's request: the settings', and the cell's own over them."""
    return override(settings.params(), options.params)
