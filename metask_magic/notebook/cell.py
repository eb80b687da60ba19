"""A cell, read: everything of its request but the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import PromptError
from ..messages.kinds import JSON
from ..messages.request import Content, Message, TextPart
from ..prompt.attachments import attach, compose
from ..prompt.draft import Draft
from ..prompt.template import render, render_parts
from ..prompt.values import to_text
from ..settings import Metask
from ..tools.tool import Tool
from .names import look_up
from .options import CellOptions
from .parameters import override
from .schemas import find_schema, format_of


def read_cell(options: CellOptions, text: str, settings: Metask, namespace: Mapping[str, Any]) -> Draft:
    """Return what a cell's options and text say.

    Raises
    ------
    PromptError
        The prompt is empty or cannot be filled in, or something cannot be attached to it.
    OptionError, SchemaError, ToolError
        A name of the options stands for nothing that can be used so.

    """
    system = options.system
    if system is not None and not options.raw:
        system = render(system, namespace)
    return Draft(
        Message("user", _content(options, text, namespace)),
        system,
        params_of(options, settings),
        options.stream,
        format_of(options),
        find_schema(options, namespace),
        tuple(
            Tool.from_function(look_up(name, namespace, "tool", callable), name.replace(".", "_"), to_text)
            for name in dict.fromkeys(options.tools)
        ),
        options.confirm,
    )


def _content(options: CellOptions, text: str, namespace: Mapping[str, Any]) -> Content:
    prompt = (TextPart(text),) if options.raw else render_parts(text, namespace)
    attached = [part for what in options.attach for part in attach(what, namespace)]
    content = compose(prompt, attached)
    if isinstance(content, str) and not content.strip():
        raise PromptError("The prompt is empty.", "Write it below the %%metask line.")
    return content


def params_of(options: CellOptions, settings: Metask) -> dict[str, JSON]:
    """Return the parameters of a cell's request: the settings', and the cell's own over them."""
    return override(settings.params(), options.params)
