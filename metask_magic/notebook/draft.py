"""A cell, read: everything of its request but the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..chat.formats import instruct
from ..chat.messages import JSON, Content, Format, Message, Request, TextPart
from ..chat.schema import ANY_JSON, Schema
from ..chat.tools import Tool
from ..errors import PromptError
from ..settings import Metask
from .attachments import attach, compose
from .names import look_up
from .options import CellOptions
from .prompt import render, render_parts
from .schemas import find_schema, format_of
from .values import to_text


@dataclass(frozen=True, slots=True)
class Draft:
    """What a cell says, once its template is filled in and its names are looked up.

    `system` is what the cell itself gives with `-s`; None where it gives nothing.
    """

    user: Message
    system: str | None
    params: Mapping[str, JSON]
    stream: bool
    format: Format
    schema: Schema | None
    tools: tuple[Tool, ...]
    confirm: bool

    def to_request(self, model: str, history: Sequence[Message], system: str) -> Request:
        """Return the request of one model, after the messages of a conversation."""
        first = [Message("system", system)] if system else []
        return Request(
            model,
            instruct([*first, *history, self.user], self._told_format),
            self.params,
            self.stream,
            tuple(tool.to_json() for tool in self.tools),
            self.schema.response_format if self.schema else None,
            self.format,
        )

    @property
    def _told_format(self) -> Format:
        """What the model is told in words; a schema of one's own says more."""
        return "markdown" if self.schema not in (None, ANY_JSON) else self.format


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
            Tool.from_function(look_up(name, namespace, "tool"), name.replace(".", "_"), to_text)
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
    defaults: dict[str, JSON] = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
    return {name: value for name, value in defaults.items() if value is not None} | dict(options.params)
